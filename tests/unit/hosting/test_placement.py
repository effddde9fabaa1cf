"""Which host a server is placed on, and what its owner is told where there is none."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isinf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.hosting.placement import HostSpace, Need, Spread, Stage, choose_host, overflows, stage_of, why_no_host

TOKYO = frozenset({"tokyo"})
NEED = Need("tokyo", 1, 512)

OF_F = replace(NEED, fleet="f")
HALF = replace(OF_F, threshold=50)
GUARDED = replace(NEED, guarded=True)


def host(name: str = "a", **more: object) -> HostSpace:
    return replace(HostSpace(name, name), **more)  # type: ignore[arg-type]


CHOICES: list[tuple[str, list[HostSpace], Need, str | None]] = [
    ("nobody", [], NEED, None),
    ("the only one", [host()], NEED, "a"),
    ("ties by id", [host("b"), host("a")], NEED, "a"),
    ("the fuller one", [host("a", cpu=8, used_cpu=1), host("b", cpu=8, used_cpu=4)], NEED, "b"),
    ("the smaller one", [host("a", cpu=16), host("b", cpu=4)], NEED, "b"),
    ("by the scarcer part", [host("a", cpu=8, memory_mb=8192), host("b", cpu=8, memory_mb=1024)], NEED, "b"),
    ("the full one is passed by", [host("a", cpu=8, used_cpu=7.5), host("b", cpu=8)], NEED, "b"),
    ("exactly what is left", [host("a", cpu=8, used_cpu=7)], NEED, "a"),
    ("without limits comes after", [host("a"), host("b", cpu=64)], NEED, "b"),
    ("without limits when the others are full", [host("a"), host("b", cpu=1, used_cpu=1)], NEED, "a"),
    ("those without limits are spread", [host("a", used_cpu=3), host("b", used_cpu=2)], NEED, "b"),
    ("who names the place goes first", [host("a", cpu=2), host("b", locations=TOKYO)], NEED, "b"),
    ("a limit of memory alone is one", [host("a"), host("b", memory_mb=1024)], NEED, "b"),
    ("what was promised elsewhere on its machine counts", [host("a", machine="m", cpu=2, used_cpu=1.5)], NEED, None),
    ("images where images run", [host("a"), host("b", runs_images=True)], replace(NEED, image=True), "b"),
    ("programs where programs run", [host("a", runs_images=True), host("b")], NEED, "b"),
    ("not where some of it is left", [host(knows=frozenset({"s"})), host("b")], replace(NEED, server_id="s"), "b"),
    ("a server that needs nothing", [host("a", cpu=0, memory_mb=0)], Need("tokyo"), "a"),
    ("not where a host is set aside", [host("a", fleet="f"), host("b", used_cpu=9)], NEED, "b"),
    ("nor with another fleet", [host("a", fleet="f"), host("b")], replace(NEED, fleet="g"), "b"),
    ("its fleet's own first", [host("a", cpu=8), host("b", fleet="f")], OF_F, "b"),
    ("though a common one names the place", [host("a", locations=TOKYO), host("b", fleet="f")], OF_F, "b"),
    ("a common one when its own is full", [host("a"), host("b", fleet="f", cpu=1, used_cpu=1)], OF_F, "a"),
    ("a common one when its own is shut", [host("a"), host("b", fleet="f", shut="lost")], OF_F, "a"),
    ("a common one above the threshold", [host("a"), host("b", fleet="f", cpu=8, used_cpu=4.5)], HALF, "a"),
    ("its own right at it", [host("a"), host("b", fleet="f", cpu=8, used_cpu=4)], HALF, "b"),
    ("not where everybody could reach it", [host(unguarded="no"), host("b", used_cpu=9)], GUARDED, "b"),
    ("anywhere when it is for everybody", [host(unguarded="no"), host("b", used_cpu=9)], NEED, "a"),
    ("its own above it, where nothing else is", [host("b", fleet="f", cpu=8, used_cpu=6)], HALF, "b"),
]  # fmt: skip


@pytest.mark.parametrize(("hosts", "need", "chosen"), [row[1:] for row in CHOICES], ids=[row[0] for row in CHOICES])
def test_the_choice(hosts: list[HostSpace], need: Need, chosen: str | None) -> None:
    found = choose_host(hosts, need)
    assert (None if found is None else found.host_id) == chosen


IMAGE = replace(NEED, image=True, architecture="arm64")
SENTENCES: list[tuple[list[HostSpace], Need, str]] = [
    ([], NEED, "no host of this house serves tokyo"),
    ([host(locations=frozenset({"sydney"}))], NEED, "no host of this house serves tokyo"),
    ([host()], IMAGE, "the build is an image, and no host at tokyo has a container engine"),
    ([host(runs_images=True)], NEED, "the build is a program, and the hosts at tokyo run images alone"),
    ([host(), host("b", runs_images=True, architecture="amd64")], IMAGE,
     "the build is for arm64, and the hosts at tokyo are amd64"),
    ([host(unguarded="nftables is not there"), host("b", unguarded="it is another machine", shut="lost")], GUARDED,
     "its rules of access cannot be held at tokyo: not on host a (nftables is not there), on host b (it is another"
     " machine)"),
    ([host(shut="lost"), host("b", shut="draining"), host("c", locations=frozenset({"sydney"}))], NEED,
     "no host at tokyo that could take it does so now: a is lost, b is draining"),
    ([host(cpu=1, used_cpu=0.5), host("b", cpu=4, used_cpu=3.25, memory_mb=100), host("c", shut="lost")], NEED,
     "no host at tokyo has 1 CPU and 512 MiB of memory left; the most that is free is 0.5 CPU, on host a"),
    ([host(ports=1)], replace(NEED, ports=2), "no 2 free ports at tokyo (hosts: a)"),
    ([host(knows=frozenset({"s"}))], replace(NEED, server_id="s"),
     "what was left of it on host a has to end there first"),
    ([host(fleet="f"), host("b", locations=frozenset({"sydney"}))], NEED,
     "the hosts at tokyo are set aside for the servers of other fleets"),
    ([host(fleet="g")], OF_F,
     "the hosts at tokyo are set aside for the servers of other fleets (its fleet has no host of its own there)"),
    ([host(fleet="f", shut="lost"), host("b", fleet="g")], OF_F,
     "no host at tokyo that could take it does so now: a is lost (neither a host of its fleet nor a common one)"),
]  # fmt: skip


@pytest.mark.parametrize(("hosts", "need", "told"), SENTENCES, ids=[row[2][:50] for row in SENTENCES])
def test_the_nearest_reason_is_told(hosts: list[HostSpace], need: Need, told: str) -> None:
    assert choose_host(hosts, need) is None
    assert why_no_host(hosts, need) == told


limits = st.one_of(st.just(inf), st.integers(0, 8).map(float))
spaces = st.builds(
    HostSpace,
    host_id=st.sampled_from("abcdefgh"),
    machine=st.sampled_from(["m", "n", "o"]),
    locations=st.sampled_from([frozenset(), TOKYO, frozenset({"sydney"})]),
    cpu=limits,
    memory_mb=limits,
    used_cpu=st.integers(0, 8).map(float),
    used_memory_mb=st.integers(0, 8).map(float),
    runs_images=st.booleans(),
    architecture=st.sampled_from([None, "amd64", "arm64"]),
    shut=st.sampled_from(["", "", "lost"]),
    ports=st.integers(0, 3),
    knows=st.sampled_from([frozenset(), frozenset({"s"})]),
    fleet=st.sampled_from(["", "", "f", "g"]),
    unguarded=st.sampled_from(["", "", "no"]),
)
needs = st.builds(
    Need,
    location=st.sampled_from(["tokyo", "sydney"]),
    cpu=st.integers(0, 4).map(float),
    memory_mb=st.integers(0, 4).map(float),
    image=st.booleans(),
    architecture=st.sampled_from([None, "amd64"]),
    ports=st.integers(1, 2),
    server_id=st.sampled_from(["s", "t"]),
    fleet=st.sampled_from(["", "f"]),
    threshold=st.sampled_from([1, 50, 75, 100]),
    guarded=st.booleans(),
)
fleets = st.lists(spaces, max_size=8, unique_by=lambda one: one.host_id)


@given(fleets, needs)
def test_who_is_chosen_can_take_it_and_where_nobody_can_that_is_said(hosts: list[HostSpace], need: Need) -> None:
    found = choose_host(hosts, need)
    can = [
        one
        for one in hosts
        if (not one.locations or need.location in one.locations)
        and one.fleet in ("", need.fleet)
        and one.runs_images == need.image
        and not (need.image and one.architecture and need.architecture and one.architecture != need.architecture)
        and not (need.guarded and one.unguarded)
        and not one.shut
        and one.used_cpu + need.cpu <= max(one.cpu, one.used_cpu)
        and one.used_memory_mb + need.memory_mb <= max(one.memory_mb, one.used_memory_mb)
        and one.ports >= need.ports
        and need.server_id not in one.knows
    ]
    assert (found is None) == (not can)
    if found is None:
        assert why_no_host(hosts, need)
        return
    assert found in can
    assert choose_host(list(reversed(hosts)), need) == found, "the order in which hosts are named does not matter"
    own = [one for one in can if one.fleet]
    common = [one for one in can if not one.fleet]
    if own and common:
        assert bool(found.fleet) != overflows(hosts, need), "its own first, and past the threshold the common ones"
    can = own if found.fleet else common
    if any(one.locations for one in can):
        assert found.locations
    alike = [one for one in can if bool(one.locations) == bool(found.locations)]
    if isinf(found.cpu) and isinf(found.memory_mb):
        assert all(isinf(one.cpu) and isinf(one.memory_mb) for one in alike)
        assert found.used_cpu == min(one.used_cpu for one in alike)


@given(fleets, st.lists(needs, max_size=30))
def test_nothing_is_promised_twice(hosts: list[HostSpace], wanted: list[Need]) -> None:
    """Hosts of one machine give out what the machine has, once."""
    spread = Spread(hosts)
    promised: dict[str, tuple[float, float]] = {}
    for need in wanted:
        found = spread.choose(need)
        if found is None:
            assert spread.why_none(need)
            continue
        spread.promise(found, need)
        cpu, memory_mb = promised.get(found.machine, (0.0, 0.0))
        promised[found.machine] = cpu + need.cpu, memory_mb + need.memory_mb
        [before] = [one for one in hosts if one.host_id == found.host_id]
        assert not need.cpu or before.used_cpu + promised[found.machine][0] <= before.cpu
        assert not need.memory_mb or before.used_memory_mb + promised[found.machine][1] <= before.memory_mb


OVERFLOWS: list[tuple[str, list[HostSpace], Need, bool]] = [
    ("no host", [], HALF, False),
    ("exactly at it", [host(fleet="f", cpu=8, used_cpu=4)], HALF, False),
    ("above it", [host(fleet="f", cpu=8, used_cpu=4.01)], HALF, True),
    ("all of them together", [host(fleet="f", cpu=8, used_cpu=8), host("b", fleet="f", cpu=8)], HALF, False),
    ("those elsewhere do not count",
     [host(fleet="f", cpu=8, used_cpu=8), host("b", fleet="f", cpu=8, locations=frozenset({"sydney"}))], HALF, True),
    ("those of others do not count", [host(fleet="g", cpu=8, used_cpu=8), host("b", cpu=1, used_cpu=1)], HALF, False),
    ("those that are shut do not count",
     [host(fleet="f", cpu=8, used_cpu=8), host("b", fleet="f", cpu=8, shut="lost")], HALF, True),
    ("a machine counts once",
     [host(fleet="f", machine="m", cpu=8, used_cpu=5), host("b", fleet="f", machine="m", cpu=8, used_cpu=5)],
     replace(HALF, threshold=62), True),
    ("without a limit there is no share", [host(fleet="f", used_cpu=999)], HALF, False),
    ("full is not more than full", [host(fleet="f", cpu=8, used_cpu=8)], OF_F, False),
    ("nothing to give out", [host(fleet="f", cpu=0)], OF_F, False),
    ("without a fleet there is none", [host(cpu=8, used_cpu=8)], NEED, False),
]  # fmt: skip


@pytest.mark.parametrize(("hosts", "need", "over"), [row[1:] for row in OVERFLOWS], ids=[row[0] for row in OVERFLOWS])
def test_when_a_fleet_overflows(hosts: list[HostSpace], need: Need, over: bool) -> None:
    assert overflows(hosts, need) is over


def test_the_stages_are_told_from_far_to_near() -> None:
    assert list(Stage) == sorted(Stage)
    assert stage_of(host(), NEED) is Stage.FITS


def test_a_host_short_of_ports_is_left_to_those_that_need_fewer() -> None:
    spread = Spread([host()])
    spread.short_of_ports("a", 3)
    assert spread.choose(replace(NEED, ports=3)) is None
    assert spread.choose(replace(NEED, ports=2)) is not None
