"""The reading side of a server's log on this disk. Called by the engines that keep one: ``process`` and ``docker``.

Output is a stream of bytes and stays one: nothing is decoded, and a line may be as long as it likes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

_CHUNK = 1 << 18
_STEP = 1 << 16
_LOOKS = 10


class LogFile:
    """An open log, read by positions. A head that was cut off is skipped, in the middle of reading too."""

    def __init__(self, path: Path) -> None:
        """Raises ``KeyError`` when there is no such log."""
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise KeyError(path.stem) from None
        try:
            self._old = os.open(path.with_name(path.name + ".old"), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._old = -1

    def close(self) -> None:
        """Give the descriptors back."""
        for fd in (self._fd, self._old):
            if fd >= 0:
                os.close(fd)
        self._fd = self._old = -1

    def before(self) -> bytes:
        """What was copied beside when the file was emptied; only where the file system cannot cut a head off."""
        if self._old < 0:
            return b""
        text = os.pread(self._old, os.fstat(self._old).st_size, 0)
        return text[text.find(b"\n") + 1 :]

    def size(self) -> int:
        """Where the next output will be written."""
        return os.fstat(self._fd).st_size

    def start(self) -> int:
        """Where the kept output begins: at the first whole line, if the head was cut off."""
        head = self._after_hole(0)
        if head == 0:
            return 0
        newline = self.read(head, _STEP)[1].find(b"\n")
        return head + newline + 1

    def read(self, at: int, most: int = _CHUNK) -> tuple[int, bytes]:
        """The next position and what lies before it; no bytes at the end."""
        if at > self.size():  # emptied
            at = 0
        while True:
            begin = self._after_hole(at)
            text = os.pread(self._fd, most, begin)
            if self._after_hole(begin) == begin or not text:
                return begin + len(text), text
            at = begin  # the head was cut off while we read

    def tail(self, lines: int, end: int) -> int:
        """Where the last so many lines before ``end`` begin, found from there backwards.

        With 0 lines where the next one begins: before ``end`` when it has begun already.
        """
        head = self._after_hole(0)
        at, missing = end, max(lines, 1)
        while at > head:
            begin = max(head, at - _STEP)
            text = os.pread(self._fd, at - begin, begin)
            cut = len(text)
            if at == end and text.endswith(b"\n"):
                if lines == 0:
                    return end
                cut -= 1  # ends the last line and begins none
            while (newline := text.rfind(b"\n", 0, cut)) >= 0:
                missing -= 1
                if missing == 0:
                    return begin + newline + 1
                cut = newline
            at = begin
        return self.start()

    def _after_hole(self, at: int) -> int:
        try:
            return os.lseek(self._fd, at, os.SEEK_DATA)
        except OSError:  # nothing from there on
            return max(at, 0)


def end_of(path: Path, most: int) -> bytes:
    """The last bytes of a file, ``most`` of them; none where there is no such file. A hole is no part of it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(fd, most, max(0, os.fstat(fd).st_size - most)).lstrip(b"\0")
    finally:
        os.close(fd)


class LeftLogs:
    """Output of servers whose hosts the house has no more. ``hosts`` is the folder with a folder for each host.

    Where output lies is what ``docker/engine.py`` says of its own: ``logs/`` in its host's folder.
    """

    def __init__(self, hosts: Path) -> None:
        self._hosts = hosts

    def open(self, host_id: str, server_id: str) -> LogFile:
        """The output of a server. Raises ``KeyError`` when none is kept."""
        if any(len(Path(name).parts) != 1 or name == ".." for name in (host_id, server_id)):
            raise KeyError(server_id)
        return LogFile(self._hosts / host_id / "logs" / f"{server_id}.log")

    def discard(self, server_id: str) -> None:
        """Delete the output of a server."""
        for name in (f"{server_id}.log", f"{server_id}.before"):
            for path in self._hosts.glob(f"*/logs/{name}"):
                path.unlink(missing_ok=True)


def _last(file: LogFile, lines: int) -> tuple[int, int]:
    """Where the last lines begin, and where they end.

    Of a program that floods its log all that was there may have been thrown away while we looked: then once more.
    """
    looks = _LOOKS
    while True:
        end = file.size()
        at = file.tail(lines, end)
        looks -= 1
        if at < end or not (looks and lines and end):
            return at, end


async def read_all(
    file: LogFile, *, tail: int | None, follow: bool, ended: Callable[[], bool], pause: Callable[[], Awaitable[None]]
) -> AsyncIterator[bytes]:
    """The log in pieces, beginning with a whole line. With ``follow`` until ``ended`` says that nobody writes any more
    and all is read.

    Reading happens in a thread where there may be much of it: the disk may be slow.
    """
    try:
        end = file.size()  # what is printed from now on is told to those who follow alone
        if tail is None:
            old = await asyncio.to_thread(file.before)
            if old:
                yield old
            at = await asyncio.to_thread(file.start)
        else:
            at, end = await asyncio.to_thread(_last, file, tail) if tail or follow else (end, end)
        stop = None if follow else end
        while True:
            over = ended()  # asked before we look, so that its last words are not missed
            if stop is not None and at >= stop:
                return
            if file.size() != at:
                most = _CHUNK if stop is None else min(_CHUNK, stop - at)
                at, text = await asyncio.to_thread(file.read, at, most)
                if text:
                    yield text
                    continue
            if over or stop is not None:
                return
            await pause()
    finally:
        file.close()
