"""What is counted of servers, and what limits leave: pure decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.hosting.allowance import allowed
from innkeeper.hosting.model import StandingOrder
from innkeeper.hosting.standing import within
from innkeeper.hosting.usage import Quantity, Uncounted, growth
from innkeeper.kit.clock import HOUR
from innkeeper.kit.months import month_begin, month_end

JANUARY, FEBRUARY = 202701, 202702
TURN = month_end(JANUARY)
SERVER = Uncounted("s", "app", "org", 0.5, TURN - 10 * HOUR, None, None, 0, -1, 0)


def test_a_server_counts_where_it_ran() -> None:
    assert growth(SERVER, (), TURN - 8 * HOUR) == {JANUARY: Quantity(HOUR)}
    assert growth(SERVER, (), TURN + 4 * HOUR) == {JANUARY: Quantity(5 * HOUR), FEBRUARY: Quantity(2 * HOUR)}
    assert growth(replace(SERVER, until=TURN), (), TURN + 4 * HOUR) == {FEBRUARY: Quantity(2 * HOUR)}
    assert growth(replace(SERVER, over_at=TURN), (), TURN + 4 * HOUR) == {JANUARY: Quantity(5 * HOUR)}
    assert growth(replace(SERVER, ready_at=None), (), TURN) == {}


def test_what_was_counted_too_far_is_taken_back() -> None:
    counted = replace(SERVER, until=TURN + HOUR, over_at=TURN - HOUR)
    assert growth(counted, (), TURN + HOUR) == {JANUARY: Quantity(-HOUR // 2), FEBRUARY: Quantity(-HOUR // 2)}


def test_bytes_go_by_the_count_of_the_host() -> None:
    samples = [(TURN - 2, 100), (TURN - 1, 150), (TURN, 400), (TURN + 1, 30), (TURN + 2, 50)]
    unready = replace(SERVER, ready_at=None)
    assert growth(unready, samples, TURN) == {JANUARY: Quantity(0, 150), FEBRUARY: Quantity(0, 250 + 30 + 20)}
    assert growth(replace(unready, egress_bytes=100), samples[1:2], TURN) == {JANUARY: Quantity(0, 50)}


@given(
    st.integers(0, 100 * 24 * HOUR), st.lists(st.integers(0, 10 * 24 * HOUR), max_size=8), st.integers(1, 800),
    st.lists(st.tuples(st.integers(1, HOUR), st.integers(0, 10**9)), max_size=8),
)  # fmt: skip
def test_portions_make_the_whole(begin: int, gaps: list[int], cents: int, sent: list[tuple[int, int]]) -> None:
    """However often it is counted on the way, a server comes to the same."""
    ready, cpu = month_begin(JANUARY) + begin, cents / 100
    server = replace(SERVER, ready_at=ready, cpu=cpu)
    samples, at, count = [], ready, 0
    for gap, more in sent:
        at, count = at + gap, count + more
        samples.append((at, count))
    end = max([at, ready + sum(gaps)])
    whole = growth(server, samples, end)
    found: dict[int, Quantity] = {}
    now, done = ready, 0
    for gap in [*gaps, end - ready - sum(gaps)]:
        now += gap
        fresh = [one for one in samples[done:] if one[0] <= now]
        for month, quantity in growth(server, fresh, now).items():
            found[month] = found.get(month, Quantity()) + quantity
        done += len(fresh)
        server = replace(server, until=now, egress_bytes=fresh[-1][1] if fresh else server.egress_bytes)
    assert {month: one for month, one in found.items() if one != Quantity()} == whole


@pytest.mark.parametrize(
    ("each", "cpus", "held", "hours", "used", "servers", "why"),
    [
        (0.5, None, 99, None, 99, None, ""),
        (0.5, 2, 0, None, 0, 4, ""),
        (0.5, 2, 1.5, None, 0, 1, ""),
        (0.5, 2, 2, None, 0, 0, "may use 2 processors; its servers have 2, and one more takes 0.5"),
        (0.5, 2, 5, None, 0, 0, "its servers have 5"),
        (0.1, 1, 0.1 + 0.1 + 0.1, None, 0, 7, ""),
        (0.1, 0.3, 0.1 + 0.1, None, 0, 1, ""),
        (1, 0, 0, None, 0, 0, "may use 0 processors"),
        (1, None, 0, 100, 99.9, None, ""),
        (1, None, 0, 100, 100, 0, "the 100 processor hours that the organisation may use this month are used up"),
        (1, 9, 0, 100, 101, 0, "used up"),
        (1, 9, 0, 100, 1, 9, ""),
    ],
)
def test_limits_leave_so_many(
    each: float, cpus: float | None, held: float, hours: float | None, used: float, servers: int | None, why: str
) -> None:
    found = allowed(each=each, cpus=cpus, held=held, hours=hours, used_hours=used)
    assert (found and found.servers) == servers
    assert found is None or why in found.why


def test_an_order_stops_short_of_a_limit() -> None:
    order = StandingOrder("tokyo", 2, 3, 5)
    assert within(order, 9) == order
    assert within(order, 3) == StandingOrder("tokyo", 2, 3, 3)
    assert within(order, 1) == StandingOrder("tokyo", 1, 3, 1)
