"""What an organisation's servers used: processor hours, and the most processors at one time. Called by the doors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from innkeeper.db.database import Database, Statement, Steps
from innkeeper.kit.clock import HOUR, SECOND, Clock
from innkeeper.kit.stamps import moment

_WEEK = 7 * 24 * HOUR


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


class UsageAccount:
    """Adds up what servers used."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def of(self, org_id: str) -> Used:
        """What the organisation's servers have used."""
        now = self._clock.now()
        month = month_start(now)
        spans = await self._db.read(_spans, org_id, min(month, now - _WEEK), now)
        return Used(cpu_hours(spans, month, now), most_cpus(spans, now - _WEEK, now))


def month_start(now: int) -> int:
    """When the calendar month of a point in time began, in UTC."""
    at = moment(now)
    return round(datetime(at.year, at.month, 1, tzinfo=at.tzinfo).timestamp()) * SECOND


def cpu_hours(spans: Sequence[Span], first: int, last: int) -> float:
    """Processor hours within a time."""
    micros = sum(max(0, min(span.end, last) - max(span.begin, first)) * span.cpu for span in spans)
    return micros / HOUR


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


def _spans(org_id: str, first: int, now: int) -> Steps[list[Span]]:
    rows = yield Statement(
        "select s.ready_at, coalesce(s.stopping_at, s.ended_at, $3), r.cpu from servers s"
        " join apps a on a.id = s.app_id join releases r on r.id = s.release_id"
        " where a.org_id = $1 and s.ready_at is not null and coalesce(s.stopping_at, s.ended_at, $3) > $2",
        (org_id, first, now),
    )
    return [Span(*row) for row in rows]
