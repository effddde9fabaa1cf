"""Whole lines of what comes in pieces, of one server at a time. Used by ``manylogs.py``, which tells many as one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from .model import Server

log = logging.getLogger(__name__)

#: A line that grows longer than this, in bytes, is ended there: others wait to be told.
LONGEST_LINE = 1 << 18
#: So many pieces of one server wait to be told; then it is read no further.
_WAITING = 4


class Missing(Exception):
    """The output of a server cannot be read now. The text says whose, and why."""

    @property
    def line(self) -> bytes:
        """What the reader is told in its place."""
        return f"[{self}]\n".encode()


class Lines:
    """Makes whole lines of pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self.begun = 0  #: lines that were fed so far, the last one perhaps in part

    def feed(self, piece: bytes) -> bytes:
        """The lines that are whole now; what is left waits for its end, unless it is too long."""
        was_open = bool(self._rest)
        cut = piece.rfind(b"\n") + 1
        whole = bytes(self._rest + piece[:cut]) if cut else b""
        if cut:
            self._rest.clear()
        self._rest += piece[cut:]
        self.begun += piece.count(b"\n") + bool(self._rest) - was_open
        if len(self._rest) > LONGEST_LINE:
            whole += self.end()
        return whole

    def end(self) -> bytes:
        """Nothing follows: what is left, ended as a line."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest + b"\n" if rest else b""


class Follower:
    """Reads on as one server prints. ``news`` is set whenever there is something to take."""

    def __init__(self, server: Server, pieces: AsyncGenerator[bytes], news: asyncio.Event) -> None:
        self.server = server
        self.broken = False  #: whether it ended because the output could not be read any more
        self._news = news
        self._lines = Lines()
        self._passed = 0  # lines that were handed on, or wait for their end
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._task = asyncio.create_task(self._run(pieces))

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._task.done() and self._queue.empty()

    def has_told(self, lines: int) -> bool:
        """Whether so many lines were taken, but for the last one, which may wait for its end."""
        return self.over or (self._queue.empty() and self._passed >= lines)

    def take(self) -> bytes:
        """Whole lines that have come; nothing when there are none."""
        return b"" if self._queue.empty() else self._queue.get_nowait()

    async def close(self) -> None:
        """Read no further."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, pieces: AsyncGenerator[bytes]) -> None:
        last = b""
        try:
            async for piece in pieces:
                await self._put(self._lines.feed(piece))
                self._passed = self._lines.begun
                self._news.set()
        except Missing as missing:
            self.broken, last = True, missing.line
        except Exception:
            log.exception("following the output of server %s failed", self.server.id)
            self.broken, last = True, Missing(f"the output of server {self.server.id} could not be read further").line
        finally:
            await pieces.aclose()
        await self._put(self._lines.end() + last)
        self._news.set()

    async def _put(self, lines: bytes) -> None:
        if lines:
            await self._queue.put(lines)
            self._news.set()
