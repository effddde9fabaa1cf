"""Time, handed in. Everything that asks what time it is, or waits, is given a :class:`Clock`.

``SystemClock`` is wired in by ``inn.py``; tests hand in ``ManualClock`` and move it by hand.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from typing import Protocol

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


class Clock(Protocol):
    """What time it is, and a way to wait."""

    def now(self) -> int:
        """Microseconds since the Unix epoch. Never goes backwards between two calls."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so long by this clock."""
        ...


class SystemClock:
    """The machine's time, made monotonic: a clock that is set back stands still instead."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        self._last = max(self._last, time.time_ns() // 1000)
        return self._last

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until it is told to move. Ships for tests, ours and those of users."""

    def __init__(self, start: int = 1_800_000_000 * SECOND) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now(self) -> int:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + round(seconds * SECOND), next(self._order), future))
        await future

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds and wake every sleeper whose time has come."""
        self._now += round(seconds * SECOND)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)
