"""Writes down what came of attempts: those that end together in one transaction. Called by ``keeper.py``.

Each holds the row of its webhook. In transactions of their own, several connections would hold them in different
orders and wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from innkeeper.db.database import Database, Steps

from .queries import deliveries
from .schedule import AWAY

#: Attempts in one transaction.
_MOST = 100


class NotRecorded(Exception):
    """It is not known whether an attempt was written down; the delivery may be made again."""


class Recorder:
    """Records attempts, one transaction after the other."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: list[tuple[deliveries.Attempt, asyncio.Future[None]]] = []
        self._recording: asyncio.Task[None] | None = None

    async def record(self, attempt: deliveries.Attempt) -> None:
        """Return once it is on disk. Raises :class:`NotRecorded`."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((attempt, done))
        if self._recording is None or self._recording.done():
            self._recording = asyncio.create_task(self._record())
        await done

    async def close(self) -> None:
        """Return once all that was handed in is on disk, or failed."""
        if self._recording is not None:
            await asyncio.wait({self._recording})

    async def _record(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                await self._db.write(_record_all, [attempt for attempt, _ in batch])
            except Exception as error:
                _fail(batch, NotRecorded(str(error)))
            except BaseException as error:  # the end of all: nobody shall wait for it
                _fail([*batch, *self._waiting], error)
                raise
            else:
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)


def _fail(batch: list[tuple[deliveries.Attempt, asyncio.Future[None]]], error: BaseException) -> None:
    for _, done in batch:
        if not done.done():
            done.set_exception(error)


def _record_all(attempts: Sequence[deliveries.Attempt]) -> Steps[None]:
    by_webhook: dict[str, list[deliveries.Attempt]] = {}
    for attempt in attempts:
        by_webhook.setdefault(attempt.webhook_id, []).append(attempt)
    for _, ones in sorted(by_webhook.items(), key=_order):
        yield from deliveries.record(ones, AWAY)


def _order(one: tuple[str, list[deliveries.Attempt]]) -> tuple[bool, str]:
    """In which rows are held: organisations before webhooks, and these by their ids, as ``events.pass_on`` does."""
    return not any(attempt.disabled_why for attempt in one[1]), one[0]
