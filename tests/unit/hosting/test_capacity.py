"""How much a fleet has, and what is made of it: pure rules, by tables."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.engines.base import Abilities
from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.capacity import (
    CHANGE_EVERY,
    Sample,
    Trouble,
    check_baseline,
    check_pause,
    hosts_of,
    next_trouble,
    sample_of,
    why_in_trouble,
)
from innkeeper.hosting.fleets import FleetMetric, fleet_points
from innkeeper.hosting.hosts import Host
from innkeeper.kit.clock import MINUTE, SECOND, ManualClock
from innkeeper.kit.errors import Invalid, RateLimited

CLOCK = ManualClock()


def host(name: str, *locations: str, away: bool = False, machine_cpu: float | None = 16, **more: Any) -> Host:
    engine = FakeEngine(CLOCK)
    engine.cut_off = away
    table = PortTable(1, 9, 0, engine.port_is_free)
    abilities = Abilities("none", "none", machine_cpu=machine_cpu, machine_memory_mb=1024)
    return Host(name, engine, table, "x", frozenset(locations), abilities=abilities, **more)


def names(hosts: list[Host]) -> list[str]:
    return [one.id for one in hosts]


COMMON = host("common")
TOKYO = host("tokyo", "tokyo", fleet="f")
FOREIGN = host("foreign", "tokyo", fleet="g")
LONDON = host("london", "london")
EVERYWHERE = host("everywhere", fleet="f")


@pytest.mark.parametrize(
    ("hosts", "location", "found"),
    [
        ([COMMON, TOKYO, FOREIGN], "tokyo", ["tokyo"]),
        ([COMMON, TOKYO, FOREIGN, LONDON], "london", ["common", "london"]),
        ([FOREIGN], "tokyo", []),
        ([COMMON, TOKYO, FOREIGN, LONDON], None, ["tokyo", "common", "london"]),
        ([host("a", "tokyo"), TOKYO], None, ["tokyo"]),
        ([host("a", "tokyo", "london"), TOKYO], None, ["tokyo", "a"]),
        ([COMMON, LONDON, EVERYWHERE], None, ["everywhere"]),
        ([COMMON, LONDON, EVERYWHERE], "london", ["everywhere"]),
    ],
)
def test_which_hosts_are_a_fleets(hosts: list[Host], location: str | None, found: list[str]) -> None:
    assert names(hosts_of(hosts, "f", location)) == found


@given(st.lists(st.sampled_from([COMMON, TOKYO, FOREIGN, LONDON, EVERYWHERE]), unique_by=lambda one: one.id))
def test_all_hosts_of_a_fleet_are_those_of_its_locations(hosts: list[Host]) -> None:
    """Wherever a host of it is one at some location, it is one in all; and a stranger's never is."""
    places = ["tokyo", "london", "elsewhere"]
    by_place = {one.id for place in places for one in hosts_of(hosts, "f", place)}
    assert {one.id for one in hosts_of(hosts, "f")} == by_place
    assert "foreign" not in by_place


@pytest.mark.parametrize(
    ("last", "now", "wait"),
    [
        (None, 0, None),
        (0, CHANGE_EVERY, None),
        (0, CHANGE_EVERY + 1, None),
        (0, CHANGE_EVERY - 1, 0.000001),
        (7, 7, 300),
        (MINUTE, 2 * MINUTE, 240),
    ],
)
def test_the_pause_between_two_changes(last: int | None, now: int, wait: float | None) -> None:
    if wait is None:
        check_pause(last, now)
        return
    with pytest.raises(RateLimited) as caught:
        check_pause(last, now)
    assert caught.value.retry_after == pytest.approx(wait)


@pytest.mark.parametrize(("hosts", "most", "good"), [(0, 0, True), (10, 10, True), (11, 10, False), (-1, 10, False)])
def test_how_high_a_baseline_may_be(hosts: int, most: int, good: bool) -> None:
    if good:
        check_baseline(hosts, most)
        return
    with pytest.raises(Invalid):
        check_baseline(hosts, most)


@pytest.mark.parametrize(
    ("hosts", "baseline", "told"),
    [
        ([], 0, None),
        ([], 1, "0 of 1 hosts serve tokyo"),
        ([host("a")], 1, None),
        ([host("a"), host("b", away=True)], 1, None),
        ([host("a"), host("b", away=True)], 2, "1 of 2 hosts serve tokyo: b does not answer"),
        ([host("a", draining=True)], 1, "0 of 1 hosts serve tokyo: a is drained"),
        ([host("a", draining=True, away=True)], 2, "0 of 2 hosts serve tokyo: a does not answer"),
    ],
)
def test_why_a_fleet_is_in_trouble(hosts: list[Host], baseline: int, told: str | None) -> None:
    assert why_in_trouble(hosts, "tokyo", baseline) == told


NOW = 50
OPEN, OVER = Trouble("a", 10, None), Trouble("a", 10, 20)


@pytest.mark.parametrize(
    ("last", "text", "found"),
    [
        (None, None, None),
        (None, "a", Trouble("a", NOW, None)),
        (OPEN, "a", OPEN),
        (OPEN, "b", Trouble("b", 10, None)),
        (OPEN, None, Trouble("a", 10, NOW)),
        (OVER, None, OVER),
        (OVER, "a", Trouble("a", NOW, None)),
    ],
)
def test_what_is_on_record_then(last: Trouble | None, text: str | None, found: Trouble | None) -> None:
    assert next_trouble(last, text, NOW) == found


@pytest.mark.parametrize(
    ("hosts", "found"),
    [
        ([], Sample(0, 0, 1, 0)),
        ([host("a", cpu=4.0)], Sample(4, 0, 1, 12)),
        ([host("a")], Sample(16, 0, 1, 0)),
        ([host("a", cpu=4.0, hosting="cloud"), host("b", cpu=2.0, hosting="shared")], Sample(2, 4, 1, 26)),
        ([host("a", cpu=4.0, machine_cpu=None), host("b", cpu=4.0)], Sample(8, 0, 1, None)),
        ([host("a", machine_cpu=None)], Sample(0, 0, 1, None)),
        ([host("a", cpu=4.0, away=True), host("b", cpu=2.0)], Sample(2, 0, 1, 14)),
        ([host("a", cpu=4.0, machine="m"), host("b", cpu=6.0, machine="m")], Sample(6, 0, 1, 10)),
        ([host("a", cpu=20.0)], Sample(20, 0, 1, 0)),
        ([host("a", cpu=4.0, draining=True)], Sample(4, 0, 1, 12)),
    ],
)
def test_what_a_fleet_has(hosts: list[Host], found: Sample) -> None:
    assert sample_of(hosts, 1.0) == found


def test_a_series_has_the_last_count_of_each_step() -> None:
    samples = [(at * MINUTE, Sample(at, 10, 0, None if at == 2 else 1)) for at in range(5)]
    assert fleet_points(FleetMetric.METAL, samples, 0, 2 * MINUTE) == [(MINUTE, 1), (3 * MINUTE, 3), (4 * MINUTE, 4)]
    assert fleet_points(FleetMetric.GIVEN_OUT, samples, 0, MINUTE)[3] == (3 * MINUTE, 13)
    assert len(fleet_points(FleetMetric.OVERHEAD, samples, 0, SECOND)) == 4, "nobody knew at one time"
    assert fleet_points(FleetMetric.CLOUD, [], 0, MINUTE) == []
