"""Verbs on events: read those that are kept, and follow those to come. Called by the doors.

Events are written down while somebody listens: an organisation that has a webhook, or has read events within the last
ten minutes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.errors import Invalid, RateLimited

from .board import Board
from .kinds import Kinds
from .model import LISTENED, Event
from .queries import events as queries

#: Events of one answer.
MOST_LISTED = 500
USUALLY_LISTED = 100
#: Streams that one organisation may have open at once.
MOST_STREAMS = 100
#: Seconds after which a stream says that it is alive.
HEARTBEAT = 15.0
#: Events that a stream holds in memory at most, and rows that a list looks at in one go.
_BATCH = 100
#: Rows that one answer looks at before it says how far it came.
_MOST_LOOKED = 20 * _BATCH


class Batch(NamedTuple):
    """What a reader is told next."""

    events: Sequence[Event]  #: none: the stream is alive, and there is nothing new
    upto: int  #: all up to this number was looked at


class Page(NamedTuple):
    """A piece of the list."""

    events: Sequence[Event]
    upto: int  #: the number to go on after
    more: bool  #: whether there may be more behind it now


class Events:
    """Reads what happened, for one organisation at a time."""

    def __init__(self, db: Database, clock: Clock, board: Board, bell: Bell) -> None:
        self._db, self._clock, self._board, self._bell = db, clock, board, bell
        self._marked: dict[str, int] = {}
        self._streams: Counter[str] = Counter()

    async def list(
        self, org_id: str, *, after: int | None, kinds: Kinds, app_id: str | None, limit: int | None
    ) -> Page:
        """The events behind a number, the oldest first; without a number the newest ones, the oldest of them first."""
        most = USUALLY_LISTED if limit is None else limit
        if not 1 <= most <= MOST_LISTED:
            raise Invalid(f"limit: must be from 1 to {MOST_LISTED}")
        await self._mark(org_id)
        if after is None:
            upto = await self._db.read(queries.latest, org_id)
            last = await self._db.read(queries.last, org_id, kinds, app_id, most)
            return Page(last, max(upto, last[-1].number if last else 0), more=False)
        found: list[Event] = []
        upto, looked = _number(after), 0
        while looked < _MOST_LOOKED:
            events, seen = await self._db.read(queries.after, org_id, upto, kinds, app_id, _BATCH)
            if seen == upto:
                return Page(found, upto, more=False)
            looked += _BATCH
            if len(found) + len(events) > most:
                found += events[: most - len(found)]
                return Page(found, found[-1].number, more=True)
            found += events
            upto = seen
        return Page(found, upto, more=True)

    async def follow(
        self, org_id: str, *, after: int | None, kinds: Kinds, app_id: str | None
    ) -> AsyncGenerator[Batch, None]:
        """Events behind a number as they come; without a number those from now on. The first batch is empty, and comes
        at once. Raises RateLimited where too many streams are open.
        """
        if self._streams[org_id] >= MOST_STREAMS:
            raise RateLimited(f"{MOST_STREAMS} streams of events are open; close one first", 60.0)
        await self._mark(org_id)
        start = await self._db.read(queries.latest, org_id) if after is None else _number(after)
        return self._batches(org_id, start, kinds, app_id)

    async def _batches(self, org_id: str, upto: int, kinds: Kinds, app_id: str | None) -> AsyncGenerator[Batch, None]:
        self._streams[org_id] += 1
        try:
            yield Batch((), upto)
            told = self._clock.now()
            while True:
                news = self._board.watch(org_id)
                events, seen = await self._db.read(queries.after, org_id, upto, kinds, app_id, _BATCH)
                alive = self._clock.now() - told >= HEARTBEAT * SECOND
                if events or alive:
                    told = self._clock.now()
                    await self._mark(org_id)
                    yield Batch(events, seen)
                if seen == upto:
                    await self._wait(news, HEARTBEAT - (self._clock.now() - told) / SECOND)
                upto = seen
        finally:
            self._streams[org_id] -= 1

    async def _wait(self, news: asyncio.Future[None], seconds: float) -> None:
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({news, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()

    async def _mark(self, org_id: str) -> None:
        """Somebody of this organisation reads. Written down now and then."""
        now = self._clock.now()
        if now - self._marked.get(org_id, -LISTENED) > LISTENED // 2:
            await self._db.write(queries.mark, org_id, now)
            self._marked[org_id] = now
            self._bell.ring()


def _number(after: int) -> int:
    if after < 0:
        raise Invalid("after: must be 0 or the number of an event")
    return after
