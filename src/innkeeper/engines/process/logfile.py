"""The writing side of a server's log: the file its output goes to, kept below its ceiling. Called by the spawner.

The program writes into the file itself; nothing stands between, so capture costs nothing and survives everybody's
death. When the file is too large its head is cut off: the blocks are freed and the file keeps its logical size, so that
neither writer nor readers notice (``logfiles.py`` skips the hole). Where the file system cannot do that, the newest
part is copied beside and the file is emptied.
"""

from __future__ import annotations

import os

from . import native

#: What stays after a cut, of the ceiling.
_KEPT = 0.75
_CHUNK = 1 << 20
#: As ``engines.base.BEFORE``, which is not imported because the spawner stays small.
BEFORE = 64 << 10


def path(server_id: str) -> str:
    """Where the spawner, whose working directory is DIR/run, has a server's log."""
    return f"../logs/{server_id}.log"


def rename(name: str, server_id: str) -> bool:
    """Give a log to another. False where that has one."""
    try:
        os.link(path(name), path(server_id))
    except FileExistsError:
        return False
    os.unlink(path(name))
    return True


def sweep(prefix: str) -> None:
    """Delete the logs whose names begin so."""
    for name in os.listdir("../logs"):
        if name.startswith(prefix):
            os.unlink(f"../logs/{name}")


def create(path: str) -> int:
    """The file's descriptor, for appending."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def set_aside(server_id: str, most: int = BEFORE) -> None:
    """Another run of the server begins: of what the one before printed, the end is kept beside. Raises ``OSError``."""
    name, beside = path(server_id), f"../logs/{server_id}.before"
    try:
        fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        text = os.pread(fd, most, max(0, os.fstat(fd).st_size - most))
    finally:
        os.close(fd)
    new = os.open(beside + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(new, text)
    finally:
        os.close(new)
    os.rename(beside + ".new", beside)
    remove(name)


def kept(info: os.stat_result) -> int:
    """Bytes of disk that the file takes, in the order of what it holds."""
    return min(info.st_blocks * 512, info.st_size)


def trim(path: str, limit: int, *, punching: bool = True) -> int:
    """Cut the file if it holds more than ``limit`` bytes; its size. Raises ``OSError`` when the file is gone."""
    info = os.stat(path)
    if kept(info) <= limit:
        return info.st_size
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        stays = int(limit * _KEPT)
        if not (punching and native.punch(fd, info.st_size - stays)):
            _copy_beside(fd, path, info.st_size, stays // 2)
    finally:
        os.close(fd)
    return os.stat(path).st_size


def _copy_beside(fd: int, path: str, size: int, stays: int) -> None:
    """Keep the newest in ``path.old`` and start the file anew. What is printed between the two is lost."""
    old = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        at = max(0, size - stays)
        while part := os.pread(fd, _CHUNK, at):
            os.write(old, part)
            at += len(part)
    finally:
        os.close(old)
    os.rename(path + ".new", path + ".old")
    os.ftruncate(fd, 0)  # the program appends, so it goes on at the start


def last_words(path: str, most: int = 400) -> str:
    """The end of the output, for people; empty when there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        size = os.fstat(fd).st_size
        text = os.pread(fd, most, max(0, size - most))
    finally:
        os.close(fd)
    return text.decode("utf-8", "replace").strip()


def remove(path: str) -> None:
    """Delete it and what lies beside."""
    _unlink(path, path + ".old", path + ".new")


def has_before(server_id: str) -> bool:
    """Whether there was a run before this one."""
    return os.path.lexists(f"../logs/{server_id}.before")


def remove_before(server_id: str) -> None:
    """Delete what is kept of the run before."""
    _unlink(f"../logs/{server_id}.before", f"../logs/{server_id}.before.new")


def _unlink(*names: str) -> None:
    for name in names:
        try:
            os.unlink(name)
        except FileNotFoundError:
            pass
