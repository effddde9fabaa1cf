"""A database, a host and a clock with which a test interferes. Used by ``factories.py``."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from innkeeper.db.database import Database, DatabaseUnavailable
from innkeeper.engines.base import Launch, Report, ServerId
from innkeeper.engines.fake import FakeEngine
from innkeeper.kit.clock import ManualClock


class Cut(BaseException):
    """The power goes out. No ``except Exception`` of the house sees it."""


class Trouble:
    """Counts deeds, and interferes: cuts one of them off, before or after it was done."""

    def __init__(self) -> None:
        self.on = True  #: whether deeds count now
        self.done = 0
        self.cut_at: int | None = None  #: the number of the deed, from 1
        self.after = False  #: whether that deed is carried out first
        self.away = False  #: whether the database does not answer

    def arm(self, cut_at: int | None, *, after: bool = False) -> None:
        """Count anew, and cut this deed off; None: none."""
        self.done, self.cut_at, self.after = 0, cut_at, after

    @property
    def was_cut(self) -> bool:
        """Whether the deed that was to be cut off has come."""
        return self.cut_at is not None and self.done >= self.cut_at

    def before_deed(self) -> bool:
        """A deed begins. True: cut it off when it is done."""
        self.done += self.on
        if not self.on or self.done != self.cut_at:
            return False
        if not self.after:
            raise Cut
        return True


class TroubledDatabase:
    """A database with which a test interferes."""

    def __init__(self, inner: Database, trouble: Trouble) -> None:
        self._inner, self._trouble, self.kind, self.pulse = inner, trouble, inner.kind, inner.pulse

    async def write(self, steps: Any, *args: Any, **kwargs: Any) -> Any:
        self._answering()
        cut = self._trouble.before_deed()
        result = await self._inner.write(steps, *args, **kwargs)
        if cut:
            raise Cut
        return result

    async def read(self, steps: Any, *args: Any, **kwargs: Any) -> Any:
        self._answering()
        return await self._inner.read(steps, *args, **kwargs)

    def when_written(self, sql: str, then: Callable[[], None]) -> None:
        self._inner.when_written(sql, then)

    def _answering(self) -> None:
        if self._trouble.away:
            raise DatabaseUnavailable("the database does not answer: the connection was lost")

    async def close(self) -> None:
        await self._inner.close()


class TroubledEngine(FakeEngine):
    """A pretended host with which a test interferes. Counts what it really started, by server."""

    def __init__(self, clock: ManualClock, trouble: Trouble) -> None:
        super().__init__(clock)
        self._trouble = trouble
        self.started: Counter[str] = Counter()

    async def start(self, launch: Launch) -> Report:
        cut, before = self._trouble.before_deed(), self.starts
        report = await super().start(launch)
        self.started[launch.server_id] += self.starts - before
        if cut:
            raise Cut
        return report

    async def stop(self, server_id: ServerId, grace: float) -> None:
        cut = self._trouble.before_deed()
        await super().stop(server_id, grace)
        if cut:
            raise Cut

    async def forget(self, server_id: ServerId) -> None:
        cut = self._trouble.before_deed()
        await super().forget(server_id)
        if cut:
            raise Cut


class WatchedClock(ManualClock):
    """A clock that knows who waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: set[asyncio.Task[Any] | None] = set()

    async def sleep(self, seconds: float) -> None:
        task = asyncio.current_task()
        self.waiting.add(task)
        try:
            await super().sleep(seconds)
        finally:
            self.waiting.discard(task)
