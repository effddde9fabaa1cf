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
from innkeeper.kit.errors import Gone, Invalid, RateLimited

from .board import Board
from .kinds import Kinds
from .model import LISTENED, Event, Seen
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
        self,
        org_id: str,
        *,
        after: int | None,
        seen: Seen | None = None,
        kinds: Kinds,
        app_id: str | None,
        limit: int | None,
    ) -> Page:
        """The events behind a number, the oldest first; without a number the newest ones, the oldest of them first.

        Raises Invalid, and Gone for a number that no event has had here, or that another one than ``seen`` has.
        """
        most = USUALLY_LISTED if limit is None else limit
        if not 1 <= most <= MOST_LISTED:
            raise Invalid(f"limit: must be from 1 to {MOST_LISTED}")
        await self._mark(org_id)
        if after is None:
            upto = await self._db.read(queries.latest, org_id)
            last = await self._db.read(queries.last, org_id, kinds, app_id, most)
            return Page(last, max(upto, last[-1].number if last else 0), more=False)
        await self._require(org_id, after, seen)
        found: list[Event] = []
        upto, looked = after, 0
        while looked < _MOST_LOOKED:
            events, come = await self._db.read(queries.after, org_id, upto, kinds, app_id, _BATCH)
            if come == upto:
                return Page(found, upto, more=False)
            looked += _BATCH
            if len(found) + len(events) > most:
                found += events[: most - len(found)]
                return Page(found, found[-1].number, more=True)
            found += events
            upto = come
        return Page(found, upto, more=True)

    async def follow(
        self, org_id: str, *, after: int | None, seen: Seen | None = None, kinds: Kinds, app_id: str | None
    ) -> AsyncGenerator[Batch, None]:
        """Events behind a number as they come; without a number those from now on. The first batch is empty, and comes
        at once. Raises RateLimited where too many streams are open, and as :meth:`list` does.
        """
        if self._streams[org_id] >= MOST_STREAMS:
            raise RateLimited(f"{MOST_STREAMS} streams of events are open; close one first", 60.0)
        await self._mark(org_id)
        if after is None:
            after = await self._db.read(queries.latest, org_id)
        else:
            await self._require(org_id, after, seen)
        return self._batches(org_id, after, kinds, app_id)

    async def _require(self, org_id: str, after: int, seen: Seen | None) -> None:
        """Who goes on from a number goes on in this very row of events. Raises Invalid and Gone."""
        if after < 0:
            raise Invalid("after: must be 0 or the number of an event")
        last = await self._db.read(queries.latest, org_id)
        there = None if seen is None else await self._db.read(queries.id_of, org_id, seen.number)
        why = other_row(after, seen, last, there)
        if why is not None:
            raise Gone(why)

    async def _batches(self, org_id: str, upto: int, kinds: Kinds, app_id: str | None) -> AsyncGenerator[Batch, None]:
        self._streams[org_id] += 1
        try:
            yield Batch((), upto)
            told = self._clock.now()
            while True:
                news = self._board.watch(org_id)
                events, come = await self._db.read(queries.after, org_id, upto, kinds, app_id, _BATCH)
                alive = self._clock.now() - told >= HEARTBEAT * SECOND
                if events or alive:
                    told = self._clock.now()
                    await self._mark(org_id)
                    yield Batch(events, come)
                if come == upto:
                    await self._wait(news, HEARTBEAT - (self._clock.now() - told) / SECOND)
                upto = come
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


def other_row(after: int, seen: Seen | None, last: int, there: str | None) -> str | None:
    """Why a reader's place is none in this house's row of events, and what to do; None where it is one. Pure.

    ``last`` is the number of the newest event, ``there`` the id of the event that has the number of ``seen``, where it
    is kept still.
    """
    cause = "it was restored from an older backup, or the number comes from another Innkeeper"
    then = f"look at how things stand now, and go on after {last}, or without a number"
    if after > last:
        return f"after: there is no event {after} on this Innkeeper, the last one is {last}: {cause}; {then}"
    if seen is not None and there is not None and there != seen.event_id:
        return f"seen: event {seen.number} is another one on this Innkeeper: {cause}; {then}"
    return None
