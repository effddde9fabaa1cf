"""Bringing a tree of new files to the disk: all at once where that can be trusted, else each file by itself.

Called by ``unpacking.py``. A sync of one file takes about half a millisecond however small it is, for each waits for
the journal of the disk; ``syncfs(2)`` waits once, for the whole file system. But it is a promise only where a failure
of the disk is told to who asked: see :func:`tells_failures`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from .disk import sync

#: Up to so many files are synced one by one: a sync of the file system also waits for what others wrote to it.
FEW = 64

#: The first kernel whose syncfs tells that a file could not be written; those before say that all went well.
_TELLING_KERNEL = (5, 8)

#: File systems on a disk of this machine, by the number that statfs(2) has for them. Those that hand on to another one
#: (overlay, FUSE, 9p) or to another machine (NFS) may answer before the disk has it, or keep a failure to themselves.
_ON_DISKS = frozenset({
    0xEF53,  # ext2, ext3, ext4
    0x58465342,  # XFS
    0x9123683E,  # Btrfs
    0xF2F52010,  # F2FS
})  # fmt: skip

#: What kernels, file systems and sandboxes answer that do not offer it.
_REFUSALS = frozenset({errno.ENOSYS, errno.EPERM, errno.EACCES, errno.EINVAL, errno.EOPNOTSUPP, errno.EINTR})

_libc = ctypes.CDLL(None, use_errno=True)


class Flush:
    """Brings what is written beneath a directory to the disk. Open it before anything is written there.

    For a failure is told to those who had a file open when it came, and the directory stays open until :meth:`close`.
    ``all_at_once`` is given its descriptor, and tells whether all of the file system is on disk now; False where that
    is not to be had.
    """

    def __init__(self, root: Path, all_at_once: Callable[[int], bool]) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._all_at_once = all_at_once

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._root)

    def finish(self, count: int, paths: Iterable[Path], between: Callable[[], None]) -> None:
        """Return once these so many files and directories, all there are beneath the root, are on disk.

        ``between`` is called before each that is synced by itself. Raises ``OSError`` when the disk failed.
        """
        if count > FEW and self._all_at_once(self._root):
            return
        for path in paths:
            between()
            sync(path)


def flush_file_system(descriptor: int) -> bool:
    """Put all that was written to an open file's file system on disk, by whomsoever. False where that is not to be had.

    Raises ``OSError`` when the disk failed to take something of it since the file was opened.
    """
    syncfs = getattr(_libc, "syncfs", None)
    if syncfs is None or not tells_failures(os.uname().release, _file_system(descriptor)):
        return False
    if syncfs(descriptor) == 0:
        return True
    code = ctypes.get_errno()
    if is_refusal(code):
        return False
    raise OSError(code, os.strerror(code))


def tells_failures(release: str, file_system: int) -> bool:
    """Whether syncfs keeps what it promises, by the kernel's release (``6.1.0-18-amd64``) and statfs's number."""
    version = re.match(r"(\d+)\.(\d+)", release)
    if version is None or (int(version[1]), int(version[2])) < _TELLING_KERNEL:
        return False
    return file_system in _ON_DISKS


def is_refusal(code: int) -> bool:
    """Whether syncfs, ending with this error number, did nothing; else it is the disk that failed."""
    return code in _REFUSALS


def _file_system(descriptor: int) -> int:
    """What statfs calls the file system of an open file; 0 where that is not known."""
    fstatfs = getattr(_libc, "fstatfs", None)
    answer = ctypes.create_string_buffer(512)  # far more than a struct statfs, whose first field it is, a long
    if fstatfs is None or fstatfs(descriptor, answer) != 0:
        return 0
    return ctypes.c_long.from_buffer(answer).value & 0xFFFFFFFF
