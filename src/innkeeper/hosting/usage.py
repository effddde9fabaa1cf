"""What an organisation's servers used: processor hours and bytes sent, by month and app, and the most at one time.

Servers and their measurements are forgotten after a while; what they used is not. :meth:`UsageAccount.count`, a pass,
adds it to sums that stay (``usage_months``), and notes in the same transaction how far it has counted each server: cut
off anywhere and repeated, nothing is counted twice and nothing left out. What is not in the sums yet is added when
somebody asks. Called by the doors, by the loop in ``inn.py``, and by billing as handed-in verbs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from innkeeper.db.database import Database, Steps
from innkeeper.kit.clock import HOUR, Clock
from innkeeper.kit.months import month_begin, month_of, parts_by_month

from .queries import usage as queries

_WEEK = 7 * 24 * HOUR
#: How often usage is counted, in seconds: a limit by the month is noticed so late.
COUNT_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class Used:
    """What was used up to now."""

    month_cpu_hours: float  #: processor hours since the month began (UTC)
    week_most_cpus: float  #: the most processors at one time in the last seven days


@dataclass(frozen=True, slots=True)
class Span:
    """A time that a server ran: from when it was ready until it was asked to end, in microseconds."""

    begin: int
    end: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """What was used of everything that is counted."""

    cpu_micros: int = 0  #: processor microseconds: a server with two processors makes two of them in one
    egress_bytes: int = 0  #: sent by servers, where their hosts can measure it

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.cpu_micros + other.cpu_micros, self.egress_bytes + other.egress_bytes)


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A server that is not counted to its end, and how far it is."""

    server_id: str
    app_id: str
    org_id: str
    cpu: float
    ready_at: int | None
    over_at: int | None  #: when it was asked to end, or ended; None while it serves
    ended_at: int | None
    until: int  #: counted up to here
    sampled_at: int  #: the last measurement that was counted; -1 for none
    egress_bytes: int  #: what that one said


class UsageAccount:
    """Adds up what servers used."""

    def __init__(self, db: Database, clock: Clock, *, at_once: int = 500) -> None:
        self._db, self._clock, self._at_once = db, clock, at_once
        self._counting = asyncio.Lock()

    async def of(self, org_id: str) -> Used:
        """What the organisation's servers have used."""
        now = self._clock.now()
        used = await self.month(org_id, month_of(now))
        spans = [Span(*row) for row in await self._db.read(queries.spans, org_id, now - _WEEK, now)]
        return Used(sum(one.cpu_micros for one in used.values()) / HOUR, most_cpus(spans, now - _WEEK, now))

    async def month(self, org_id: str, month: int) -> dict[str, Quantity]:
        """What each app of an organisation used in a month, up to now."""
        stored, rows, samples = await self._db.read(queries.month, org_id, month)
        found = {app_id: Quantity(cpu, egress) for app_id, cpu, egress in stored}
        now = self._clock.now()
        for server in (Uncounted(*row) for row in rows):
            more = growth(server, samples.get(server.server_id, ()), now).get(month)
            if more is not None:
                found[server.app_id] = found.get(server.app_id, Quantity()) + more
        return found

    async def app_names(self, app_ids: Sequence[str]) -> Mapping[str, str]:
        """How the apps of an account are called, by id; those that were deleted too."""
        return await self._db.read(queries.app_names, app_ids)

    async def months_before(self, month: int) -> list[tuple[str, int]]:
        """Organisations and earlier months in which anything was counted."""
        return await self._db.read(queries.months_before, month)

    async def count(self) -> float:
        """Count all up to now. Returns the seconds until the next time."""
        async with self._counting:
            after: str | None = ""
            while after is not None:
                after = await self._db.write(_count, after, self._clock.now(), self._at_once)
        return COUNT_EVERY


def month_start(now: int) -> int:
    """When the calendar month of a point in time began, in UTC."""
    return month_begin(month_of(now))


def growth(server: Uncounted, samples: Sequence[tuple[int, int]], now: int) -> dict[int, Quantity]:
    """What a server used that is not counted yet, by month. ``samples`` are later measurements: time and bytes sent.

    Processor time goes by the difference of two sums from its beginning, so that portions add up to the whole; it is
    negative where the server turned out to have ended before it was last counted. A count of bytes that went back
    began anew: the server's host was started again.
    """
    found: dict[int, Quantity] = {}
    if server.ready_at is not None:
        end = now if server.over_at is None else server.over_at
        for sign, upto in ((1, end), (-1, server.until)):
            for month, micros in parts_by_month(server.ready_at, upto):
                found[month] = found.get(month, Quantity()) + Quantity(sign * round(micros * server.cpu))
    before = server.egress_bytes
    for at, sent in samples:
        more = sent - before if sent >= before else sent
        found[month_of(at)] = found.get(month_of(at), Quantity()) + Quantity(0, more)
        before = sent
    return {month: quantity for month, quantity in found.items() if quantity != Quantity()}


def _count(after: str, now: int, most: int) -> Steps[str | None]:
    """Count some servers, those with ids above ``after``. The last id; None when there are no more."""
    yield from queries.hold_counting(now)
    rows, samples = yield from queries.uncounted(after, most)
    sums: dict[tuple[str, str, int], Quantity] = {}
    marks: list[tuple[str, int, int, int]] = []
    done: list[str] = []
    for server in (Uncounted(*row) for row in rows):
        found = samples.get(server.server_id, ())
        for month, quantity in growth(server, found, now).items():
            key = (server.app_id, server.org_id, month)
            sums[key] = sums.get(key, Quantity()) + quantity
        if server.ended_at is not None and server.ended_at <= now - queries.LATE:
            done.append(server.server_id)
        elif server.ready_at is not None or found:
            end = now if server.over_at is None else server.over_at
            sampled_at, sent = found[-1] if found else (server.sampled_at, server.egress_bytes)
            marks.append((server.server_id, end, sampled_at, sent))
    yield from queries.add_counted(
        [(app, month, org, q.cpu_micros, q.egress_bytes) for (app, org, month), q in sums.items()], marks, done
    )
    return rows[-1][0] if len(rows) == most else None


def most_cpus(spans: Sequence[Span], first: int, last: int) -> float:
    """The most processors in use at one time within a time."""
    steps = sorted(
        step
        for span in spans
        if span.end > first and span.begin < last
        for step in ((max(span.begin, first), 1, span.cpu), (span.end, 0, -span.cpu))
    )
    most = held = 0.0
    for _, _, change in steps:
        held += change
        most = max(most, held)
    return most
