"""The few things that Linux can do and the standard library has no word for. Called by the spawner."""

from __future__ import annotations

import ctypes
import errno
import fcntl

_PR_SET_NAME, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 15, 36, 38
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_BLOCK = 4096

_libc = ctypes.CDLL(None, use_errno=True)
_off_t = ctypes.c_int64


def settle(name: str) -> list[str]:
    """Set up this process and what it will start; what could not be had, a sentence each.

    Orphans of what it starts become its children instead of those of the first process, so that it sees them end;
    nothing it starts can gain privileges (no set-user-id program works), which does not keep it from giving up its own.
    """
    _libc.prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0)
    notes: list[str] = []
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        notes.append("orphans of servers go to the machine's first process: this kernel has no subreapers")
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        notes.append("servers could gain privileges by set-user-id programs: this kernel cannot forbid it")
    return notes


def punch(fd: int, length: int) -> bool:
    """Free the blocks of the file's first ``length`` bytes, its size being kept. False where that cannot be done."""
    length -= length % _BLOCK
    if length <= 0:
        return True
    try:
        fallocate = _libc.fallocate64
    except AttributeError:  # a C library that has one size of offsets alone
        fallocate = _libc.fallocate
    while fallocate(fd, _PUNCH_HOLE | _KEEP_SIZE, _off_t(0), _off_t(length)) != 0:
        if ctypes.get_errno() != errno.EINTR:
            return False
    return True


def exit_status(pidfd: int) -> int | None:
    """How a process ended that was not our child, as a wait status. None before Linux 6.15, or if it is not known."""
    request, wants_exit, size = (3 << 30) | (64 << 16) | (0xFF << 8) | 11, 1 << 3, 64
    answer = bytearray(size)
    answer[0:8] = wants_exit.to_bytes(8, "little")
    try:
        fcntl.ioctl(pidfd, request, answer)
    except OSError:
        return None
    if not int.from_bytes(answer[0:8], "little") & wants_exit:
        return None
    return int.from_bytes(answer[60:64], "little")
