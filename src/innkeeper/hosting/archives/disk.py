"""Small verbs on the disk that the modules beside this one share."""

from __future__ import annotations

import asyncio
import errno
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from innkeeper.kit.errors import Unavailable

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

A = ParamSpec("A")
R = TypeVar("R")

_FULL = (errno.ENOSPC, errno.EDQUOT)


def disk_trouble(error: OSError, doing: str) -> Unavailable:
    """What to tell the caller when the disk did not take something. ``doing`` is "unpacking the build" and the like."""
    if error.errno in _FULL:
        return Unavailable(f"The disk is full: {doing} was given up and cleaned away. Free some space and try again.")
    return Unavailable(f"The disk failed while {doing} ({error.strerror or error}); try again later.")


def sync_directory(directory: Path) -> None:
    """Return once the names in a directory are on disk."""
    sync(directory, os.O_DIRECTORY)


def sync(path: Path, flags: int = os.O_NOFOLLOW) -> None:
    """Return once a file, or the names in a directory, are on disk. ``flags`` are for opening it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def off_loop(call: Callable[A, R], *args: A.args, **kwargs: A.kwargs) -> R:
    """Make a blocking call in a worker thread.

    Cancelled meanwhile, it waits for the call to end first, so that nobody closes or deletes a file that a thread
    is still writing to.
    """
    call_ended = asyncio.ensure_future(asyncio.to_thread(call, *args, **kwargs))
    try:
        return await asyncio.shield(call_ended)
    except asyncio.CancelledError:
        while not call_ended.done():
            try:
                await asyncio.wait({call_ended})
            except asyncio.CancelledError:
                continue
        if not call_ended.cancelled():
            call_ended.exception()  # seen: the cancellation is what the caller is told
        raise


async def on_disk(doing: str, call: Callable[A, R], *args: A.args, **kwargs: A.kwargs) -> R:
    """Make a call in a worker thread, and say it in our words when the disk fails it: see :func:`disk_trouble`."""
    try:
        return await off_loop(call, *args, **kwargs)
    except OSError as error:
        raise disk_trouble(error, doing) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file so that it is there whole or not at all."""
    draft = path.with_name(f"{path.name}.incoming")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_directory(path.parent)


class Joined(io.RawIOBase):
    """Files read one after the other as if they were one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__()
        self._ahead = list(reversed(paths))
        self._file: io.FileIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        while True:
            if self._file is None:
                if not self._ahead:
                    return 0
                self._file = io.FileIO(self._ahead.pop())
            count = self._file.readinto(buffer)
            if count:
                return count
            self._file.close()
            self._file = None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()
