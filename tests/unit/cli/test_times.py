"""Times on the command line: as people write them, and as the program prints them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.cli.telling import moment
from innkeeper.cli.times import read_time
from innkeeper.kit.stamps import moment as stamp

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2030-01-31", NOON.replace(hour=0)),
        ("2030-01-31T12:00", NOON),
        ("2030-01-31 12:00", NOON),
        ("2030-01-31T12:00:00", NOON),
        ("2030-01-31 12:00:00Z", NOON),
        ("2030-01-31T12:00:00Z", NOON),
        ("2030-01-31t12:00:00z", NOON),
        (" 2030-01-31T12:00:00.000000Z ", NOON),
        ("2030-01-31T12:00:00.5Z", NOON.replace(microsecond=500_000)),
        ("2030-01-31T12:00:00.123456789Z", NOON.replace(microsecond=123_456)),
        ("2030-01-31T14:00:00+02:00", NOON),
        ("2030-01-31 14:00 +0200", NOON),
    ],
)
def test_a_time(text: str, time: datetime) -> None:
    assert read_time(text) == time
    assert read_time(text).tzinfo is not None


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "12:00", "2030-13-01", "2030-01-31T25:00", "2030-1-1", "1800000000", "2030-01-31Z", "٢٠٣٠-01-31"],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"^$|month|hour|" + re.escape(text)):
        read_time(text)


@given(st.integers(0, 10**17), st.integers(-12, 14))
def test_what_is_printed_is_read(micros: int, hours: int) -> None:
    time = stamp(micros).astimezone(timezone(timedelta(hours=hours)))
    assert read_time(moment(time)) == time.replace(microsecond=0)
    assert read_time(time.astimezone(UTC).isoformat().replace("+00:00", "Z")) == time
