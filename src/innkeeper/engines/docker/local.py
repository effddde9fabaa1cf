"""A container whose engine is on this machine, seen from outside: alive or not, out of memory or not, its sockets.

The engine tells the same, but late (Podman's events by 0.25 s) or not at all (Podman about memory). Nothing here is
asked where the engine is elsewhere, or where its processes cannot be seen: :func:`find` returns None then.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from innkeeper.engines.base import Transport

from . import nets

_CGROUPS = Path("/sys/fs/cgroup")


class Local:
    """One container's first process. ``close`` it."""

    def __init__(self, pid: int, pidfd: int, groups: dict[str, str], cgroups: Path) -> None:
        self.pid, self.pidfd = pid, pidfd
        self._groups, self._cgroups = groups, cgroups

    def close(self) -> None:
        """Give its descriptor back."""
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1

    def oom_kills(self) -> int | None:
        """How often the kernel killed one of its processes for memory; None where that cannot be seen (any more)."""
        return self._figure("memory", ("memory.oom_control", "memory.events"), "oom_kill")

    def cpu_seconds(self) -> float | None:
        """Used since its start; None where that cannot be seen."""
        first = self._text("cpuacct", "cpuacct.usage")
        if first is not None:
            return int(first) / 1e9
        used = self._figure("", ("", "cpu.stat"), "usage_usec")
        return None if used is None else used / 1e6

    def memory_bytes(self) -> int | None:
        """Its memory without pages of files that the kernel could drop; None where that cannot be seen."""
        used = self._text("memory", "memory.usage_in_bytes") or self._text("", "memory.current")
        for name in ("total_inactive_file", "inactive_file"):
            cached = self._figure("memory", ("memory.stat", "memory.stat"), name)
            if used is not None and cached is not None:
                return max(0, int(used) - cached)
        return None

    def sent_bytes(self) -> int | None:
        """What its network sent since its start; None when it is gone."""
        lines = (_read(Path(f"/proc/{self.pid}/net/dev")) or "").splitlines()[2:]
        fields = [line.replace(":", " ").split() for line in lines]
        return sum(int(one[9]) for one in fields if one[0] != "lo") if fields else None

    def _figure(self, controller: str, files: tuple[str, str], name: str) -> int | None:
        """A named figure of its control group, version 1 or else 2."""
        text = self._text(controller, files[0]) if controller else None
        if text is None:
            text = self._text("", files[1])
        figures = dict(line.split()[:2] for line in (text or "").splitlines() if len(line.split()) == 2)
        return int(figures[name]) if name in figures else None

    def _text(self, controller: str, file: str) -> str | None:
        group = self._groups.get(controller)
        return None if group is None else _read(self._folder(controller, group) / file)

    def sockets(self, transports: Collection[Transport]) -> list[nets.Socket]:
        """All of its network's."""
        return nets.look(self.pid, transports)

    def own_inodes(self) -> frozenset[int] | None:
        """The sockets that its own processes have open; None when that cannot be seen."""
        found: set[int] = set()
        for pid in self._members():
            try:
                links = list(Path(f"/proc/{pid}/fd").iterdir())
            except FileNotFoundError:
                continue
            except OSError:
                return None
            for link in links:
                try:
                    target = str(link.readlink())
                except OSError:
                    continue
                if target.startswith("socket:["):
                    found.add(int(target[8:-1]))
        return frozenset(found)

    def _members(self) -> list[int]:
        for controller in ("pids", "memory", ""):
            group = self._groups.get(controller)
            if group is None:
                continue
            folder = self._folder(controller, group)
            files = [folder / "cgroup.procs", *folder.glob("*/cgroup.procs")]
            return [int(pid) for file in files for pid in (_read(file) or "").split()]
        return [self.pid]

    def _folder(self, controller: str, group: str) -> Path:
        return self._cgroups / controller / group.lstrip("/")


def find(container: str, pid: int, *, proc: Path = Path("/proc"), cgroups: Path = _CGROUPS) -> Local | None:
    """The process, if it is the container's: its control group has the container's name. None otherwise."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return None
    # Looked at after the descriptor was had: a pid may pass on to another process, a descriptor cannot.
    text = _read(proc / str(pid) / "cgroup") or ""
    if container not in text:
        os.close(pidfd)
        return None
    groups: dict[str, str] = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            if container in path:
                groups[controller] = path
    return Local(pid, pidfd, groups, cgroups)


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None
