"""What is decided about images: how an archive is made runnable, on which host, and which images go."""

from __future__ import annotations

import pytest

from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.fake_images import FakeImages
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.answering import is_silent
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.images import SPARED, unneeded
from innkeeper.hosting.making import Way, choose_builder, way_of
from innkeeper.hosting.queries.images import Need
from innkeeper.kit.clock import SECOND, ManualClock

NOW = 1_800_000_000 * SECOND


@pytest.mark.parametrize(
    ("dockerfile", "procfile", "engine", "way"),
    [
        (True, False, True, Way.IMAGE),
        (True, True, True, Way.IMAGE),
        (True, True, False, Way.PROGRAM),
        (False, True, True, Way.PROGRAM),
        (False, True, False, Way.PROGRAM),
        (True, False, False, Way.WAIT),
        (False, False, True, Way.NONE),
        (False, False, False, Way.NONE),
    ],
)
def test_how_an_archive_is_made_runnable(dockerfile: bool, procfile: bool, engine: bool, way: Way) -> None:
    assert way_of(dockerfile=dockerfile, procfile=procfile, engine=engine) is way


def host(host_id: str, what: str) -> Host:
    engine = FakeEngine(ManualClock())
    found = Host(host_id, engine, PortTable(1, 2, 0, engine.port_is_free), "192.0.2.1")
    if "programs" not in what:
        found.images = FakeImages(engine)
    found.draining = "draining" in what
    engine.cut_off = "silent" in what
    return found


@pytest.mark.parametrize(
    ("hosts", "tried", "chosen"),
    [
        ([], (), None),
        (["programs"], (), None),
        (["silent"], (), None),
        (["silent draining"], (), None),
        (["up"], (), 0),
        (["up", "up"], (), 0),
        (["programs", "silent", "up"], (), 2),
        (["draining", "up"], (), 1),
        (["draining", "silent"], (), 0),
        (["up", "up"], (0,), 1),
        (["up", "draining"], (0,), 1),
        (["up", "silent"], (0,), None),
        (["up", "up"], (0, 1), None),
    ],
)
def test_where_an_image_is_made(hosts: list[str], tried: tuple[int, ...], chosen: int | None) -> None:
    found = choose_builder(
        [host(f"h{number}", what) for number, what in enumerate(hosts)], [f"h{number}" for number in tried]
    )
    assert (None if found is None else found.id) == (None if chosen is None else f"h{chosen}")


def test_it_is_made_where_the_fewest_are_made_now() -> None:
    hosts = [host("h0", "up"), host("h1", "draining"), host("h2", "up")]
    for busy, chosen in (({}, "h0"), ({"h0": 1}, "h2"), ({"h0": 2, "h2": 1}, "h2"), ({"h0": 5, "h2": 5}, "h0")):
        found = choose_builder(hosts, busy=busy)
        assert found is not None
        assert found.id == chosen, busy


@pytest.mark.parametrize(
    ("need", "age", "goes"),
    [
        (Need.RUNNING, SPARED * 9, False),
        (Need.LIVING, SPARED * 9, False),
        (Need.NEWEST, SPARED * 9, False),
        (Need.SPARE, SPARED - 1, False),
        (Need.SPARE, SPARED, True),
        (Need.NONE, 0, True),
        (None, SPARED - 1, False),
        (None, SPARED, True),
    ],
)
def test_which_images_go(need: Need | None, age: int, goes: bool) -> None:
    needed = {} if need is None else {"k": need}
    assert unneeded({"k": NOW - age}, needed, NOW) == (["k"] if goes else [])


@pytest.mark.parametrize(
    ("since", "silent"), [(None, False), (NOW, False), (NOW - 10 * SECOND + 1, False), (NOW - 10 * SECOND, True)]
)
def test_when_a_host_is_given_up(since: int | None, silent: bool) -> None:
    assert is_silent(since, NOW) is silent
