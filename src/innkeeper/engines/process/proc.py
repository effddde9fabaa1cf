"""Looks at ``/proc``: who is alive since when, who belongs to whom, what they use. Called by the spawner's modules."""

from __future__ import annotations

import os

_PAGE = os.sysconf("SC_PAGE_SIZE")
_HERTZ = os.sysconf("SC_CLK_TCK")


def read(path: str) -> bytes | None:
    """A small file whole; None when it is gone or not ours to see."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        parts = []
        while part := os.read(fd, 65536):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return None
    finally:
        os.close(fd)


def boot_id() -> str:
    """Which boot of the machine this is; after another one no program of before is alive."""
    return (read("/proc/sys/kernel/random/boot_id") or b"").decode().strip()


class Stat:
    """One process, as ``/proc/PID/stat`` tells it."""

    __slots__ = ("cpu", "exit_status", "pid", "ppid", "rss", "session", "started", "state")

    def __init__(self, text: bytes) -> None:
        self.pid = int(text[: text.index(b" ")])
        fields = text[text.rindex(b")") + 2 :].split()  # the name in brackets may hold anything
        self.state = fields[0].decode()
        self.ppid, self.session = int(fields[1]), int(fields[3])
        self.cpu = sum(int(field) for field in fields[11:15]) / _HERTZ  # with its children that ended
        self.started = int(fields[19])  # clock ticks since the boot: with the pid, one process and no other
        self.rss = int(fields[21]) * _PAGE
        self.exit_status = int(fields[49])  # of a process that ended and that its parent took no note of yet

    @property
    def dead(self) -> bool:
        """Ended, though perhaps nobody took note yet."""
        return self.state in "ZXx"


def stat(pid: int) -> Stat | None:
    """None when there is no such process."""
    text = read(f"/proc/{pid}/stat")
    return Stat(text) if text else None


def everybody() -> list[Stat]:
    """All living processes that we can see."""
    found = (stat(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [one for one in found if one is not None and not one.dead]


def carries(pid: int, words: bytes) -> bool:
    """Whether the process was started with these words, each ``NAME=value`` between NULs, in its environment."""
    return words in b"\0" + (read(f"/proc/{pid}/environ") or b"")


def family(main: int, words: bytes, others: frozenset[int] = frozenset()) -> list[Stat]:
    """The living processes of a server: of its session, below them, or marked as its by the environment.

    ``words`` is the mark; sessions led by ``others`` are known to be somebody else's and are not looked into.
    """
    every = everybody()
    ours = {one.pid for one in every if one.session == main or one.pid == main}
    strangers: list[Stat] = []
    for one in every:
        if one.pid not in ours and one.session not in others and one.ppid != 0 and one.ppid != 2:  # 2: the kernel's own
            strangers.append(one)
    for one in strangers:
        if carries(one.pid, words):
            ours.add(one.pid)
    grew = True
    while grew:
        grew = False
        for one in strangers:
            if one.pid not in ours and one.ppid in ours:
                ours.add(one.pid)
                grew = True
    return [one for one in every if one.pid in ours]


def sockets_of(pid: int) -> set[int] | None:
    """The inodes of its open sockets; None when they are not ours to see."""
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return set()
    except OSError:
        return None
    found: set[int] = set()
    for name in names:
        try:
            target = os.readlink(f"{folder}/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(int(target[8:-1]))
    return found
