"""Calendar months in UTC, as numbers such as 203001: what accounts are kept by. Pure; used by hosting and billing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from .clock import SECOND
from .stamps import moment


def month_of(at: int) -> int:
    """The month of a point in time (microseconds since the epoch)."""
    when = moment(at)
    return when.year * 100 + when.month


def month_begin(month: int) -> int:
    """When a month begins."""
    return round(datetime(month // 100, month % 100, 1, tzinfo=UTC).timestamp()) * SECOND


def next_month(month: int) -> int:
    """The month after."""
    return month + (89 if month % 100 == 12 else 1)


def month_end(month: int) -> int:
    """When a month ends: the moment at which the next one begins."""
    return month_begin(next_month(month))


def month_name(month: int) -> str:
    """A month as it is written: ``2030-01``."""
    return f"{month // 100:04}-{month % 100:02}"


def parts_by_month(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """How much of a span of time lies in each month: month and microseconds. Nothing where it is empty."""
    while begin < end:
        month = month_of(begin)
        last = min(end, month_end(month))
        yield month, last - begin
        begin = last
