"""Points in time between the house (whole microseconds) and the wire (aware datetimes)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(micros: int) -> datetime:
    """The datetime, with offset, of a point in time in microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=micros)


def moment_or_none(micros: int | None) -> datetime | None:
    """The same, and None for what has not happened yet."""
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)
