"""The log of one run of a build: written by the run, read by any number of listeners. Used by ``builds.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator


class BuildLog:
    """Lines in memory: a run has a few hundred at most."""

    def __init__(self, headline: str) -> None:
        self._lines: list[str] = [headline]
        self._closed = False
        self._grown = asyncio.Event()

    def write(self, line: str) -> None:
        """Add a line."""
        self._lines.append(line)
        self._wake()

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
