"""Attempts that are under way, and how they are let come to their end. Used by ``keeper.py`` and ``calling.py``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Generic, TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")
#: Seconds that attempts under way have when the house closes; those cut off are made again.
_GRACE = 2.0


class UnderWay(Generic[T]):
    """Each is about something. ``ended`` is called with that when it has come to an end, whichever; ``name`` is for the
    log, where one could not be made or recorded.
    """

    def __init__(self, name: str, ended: Callable[[T], None]) -> None:
        self._name, self._then = name, ended
        self._busy: dict[asyncio.Task[None], T] = {}
        self.closing = False

    def begin(self, attempt: Coroutine[Any, Any, None], about: T) -> None:
        """One more. Not once it is closing."""
        task = asyncio.create_task(attempt)
        self._busy[task] = about
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        about = self._busy.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s could not be made or recorded; it is made again", self._name, exc_info=error)
        if about is not None:
            self._then(about)

    def __len__(self) -> int:
        return len(self._busy)

    @property
    def about(self) -> Collection[T]:
        """What those are about that are under way."""
        return self._busy.values()

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """Those that are under way."""
        return set(self._busy)

    async def settled(self) -> None:
        """Return once none is under way."""
        while self._busy:
            await asyncio.wait(set(self._busy))

    async def close(self) -> None:
        """Let those under way come to their end, for a moment, and begin no others."""
        self.closing = True
        if self._busy:
            await asyncio.wait(set(self._busy), timeout=_GRACE)
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)
