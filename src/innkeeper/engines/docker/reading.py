"""Who reads a container's output from the engine now, so that nobody takes it away meanwhile.

Used by ``engine.py``, which reads, and ``removing.py``, which waits: an engine that removes a container breaks its log
off in the middle of a line, and tells nobody.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager


class Readers:
    """Counts them, by container."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._left = asyncio.Event()

    @contextmanager
    def one(self, container: str) -> Generator[None]:
        """Somebody reads inside."""
        self._counts[container] += 1
        try:
            yield
        finally:
            self._counts[container] -= 1
            if self._counts[container] <= 0:
                del self._counts[container]
                self._left.set()

    async def gone(self, container: str, seconds: float) -> None:
        """Return when nobody reads any more; at the latest after so many seconds, for a reader may stand still."""
        try:
            async with asyncio.timeout(seconds):
                while self._counts[container] > 0:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            return
