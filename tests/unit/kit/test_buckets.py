"""Buckets of tokens against a slower way to the same answer; months; and where mails are handed in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.kit.buckets import Buckets
from innkeeper.kit.clock import HOUR, MINUTE, SECOND
from innkeeper.kit.errors import Invalid
from innkeeper.kit.months import month_begin, month_end, month_name, month_of, next_month, parts_by_month
from innkeeper.kit.smtp import Post, read_smtp_url


@given(st.integers(1, 30), st.lists(st.integers(0, 20 * SECOND), max_size=80))
def test_it_gives_what_a_bucket_gives(a_minute: int, steps: list[int]) -> None:
    buckets, now = Buckets(a_minute), 10**15
    step = round(MINUTE / a_minute)
    tokens, filled = float(a_minute), now
    for gap in steps:
        now += gap
        tokens, filled = min(float(a_minute), tokens + (now - filled) / step), now
        wait = buckets.take("one", now)
        if abs(tokens - 1) < 1e-3:  # on the edge the two round differently
            tokens = max(0.0, tokens - 1) if wait == 0 else tokens
        elif tokens > 1:
            assert wait == 0
            tokens -= 1
        else:
            assert wait == pytest.approx((1 - tokens) * step / SECOND, abs=0.01)


def test_callers_have_their_own_and_few_are_remembered() -> None:
    buckets = Buckets(1, most=3)
    assert [buckets.take(name, 0) for name in "abc"] == [0, 0, 0]
    assert buckets.take("a", 0) == 60
    assert buckets.take("d", 0) == 0  # b was asked longest ago, and is forgotten
    assert len(buckets) == 3
    assert buckets.take("a", 59 * SECOND) == 1
    assert buckets.take("b", 0) == 0
    assert buckets.take("a", 60 * SECOND) == 0


@pytest.mark.parametrize(
    ("month", "after", "name"), [(202612, 202701, "2026-12"), (202701, 202702, "2027-01"), (202709, 202710, "2027-09")]
)
def test_months(month: int, after: int, name: str) -> None:
    assert next_month(month) == after
    assert month_name(month) == name
    assert month_of(month_begin(month)) == month == month_of(month_end(month) - 1)
    assert month_of(month_end(month)) == after
    assert 28 * 24 * HOUR <= month_end(month) - month_begin(month) <= 31 * 24 * HOUR


@given(st.integers(0, 4 * 10**15), st.integers(0, 10**13))
def test_parts_of_months_make_the_whole(begin: int, width: int) -> None:
    parts = list(parts_by_month(begin, begin + width))
    assert sum(micros for _, micros in parts) == width
    assert [month for month, _ in parts] == sorted({month for month, _ in parts})
    assert all(micros > 0 for _, micros in parts)


@pytest.mark.parametrize(
    ("url", "post"),
    [
        ("smtp://mail.example", Post("mail.example", 25, False, "", "")),
        ("smtp://a%40b:p%2Fw@mail.example", Post("mail.example", 587, False, "a@b", "p/w")),
        ("smtps://u:p@mail.example", Post("mail.example", 465, True, "u", "p")),
        ("smtps://mail.example:2465/", Post("mail.example", 2465, True, "", "")),
    ],
)
def test_where_mails_are_handed_in(url: str, post: Post) -> None:
    assert read_smtp_url(url) == post
    assert "p/w" not in repr(read_smtp_url(url))


@pytest.mark.parametrize("url", ["", "mail.example", "http://x", "smtp://", "smtp://x:y:z", "smtp://x:0", "smtp://x/y"])
def test_where_they_are_not(url: str) -> None:
    with pytest.raises(Invalid, match="smtp://HOST"):
        read_smtp_url(url)
