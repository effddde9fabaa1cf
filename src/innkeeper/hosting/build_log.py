"""One run of a build, and its log: written by the run, read by any number of listeners. Used by ``builds.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from .model import Verdict

#: Characters of what an engine says that are kept of one run: it may say anything, for a quarter of an hour.
MOST_POURED = 4_000_000
#: What counts for a line beside its letters.
_LINE = 50


class BuildLog:
    """Lines in memory: those of the house, a few, and those of an engine up to a limit."""

    def __init__(self, headline: str, most: int = MOST_POURED) -> None:
        self._lines: list[str] = [headline]
        self._left = most
        self._closed = False
        self._grown = asyncio.Event()

    def write(self, line: str) -> None:
        """Add a line."""
        self._lines.append(line)
        self._wake()

    def pour(self, line: str) -> None:
        """Add a line of what an engine says; what comes after too many is left out, and that is said."""
        if self._left <= 0:
            return
        self._left -= len(line) + _LINE
        self.write(line if self._left > 0 else "(the engine says more than is kept here)")

    def close(self) -> None:
        """No more lines come."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    async def follow(self) -> AsyncIterator[bytes]:
        """All lines, each with its end, as they come, until the run ends."""
        at = 0
        while True:
            grown = self._grown
            if at < len(self._lines):
                lines, at = self._lines[at:], len(self._lines)
                yield "".join(f"{line}\n" for line in lines).encode()
            elif self._closed:
                return
            else:
                await grown.wait()


class Run:
    """One build that is being made runnable."""

    def __init__(self, headline: str) -> None:
        self.book = BuildLog(headline)
        self.called_off = False
        self.task: asyncio.Task[None] | None = None  #: all of it, to the verdict that is written down
        self.work: asyncio.Task[Verdict] | None = None  #: until there is a verdict

    def call_off(self) -> None:
        """Give it up. The verdict on it is written down all the same."""
        self.called_off = True
        if self.work is not None:
            self.work.cancel()
