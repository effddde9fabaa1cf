"""Hosts leave the house: what runs on them, what was made on them, and what their servers printed."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from factories import Game, TestInn
from innkeeper.contract.errors import BadRequest, Gone
from innkeeper.contract.hathora.rooms_v2 import RoomConnectionData
from innkeeper.contract.hathora.words import RoomStatus
from innkeeper.contract.house.hosts_v1 import HostState, NewHost
from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.fake_images import FakeImages
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.hosts import Host
from innkeeper.hostspecs import HostSpec
from manyhosts import alive, engine_of, where
from troubled import TroubledEngine

NEW = NewHost(name="fra", engine="ssh://me@203.0.113.9", ports="40000-40099", cpu=4, memory_mb=4096)


@pytest.fixture
async def inn(house_url: str, tmp_path: Path) -> AsyncIterator[TestInn]:
    """An inn that takes hosts, which are fuller than its own and so get the first server."""
    opened = TestInn(tmp_path / "data", house_url)

    def make(spec: HostSpec) -> Host:
        engine = TroubledEngine(opened.clock, opened.trouble)
        table = PortTable(*spec.port_range_or(), 60, engine.port_is_free)
        limits = spec.cpu or float("inf"), spec.memory_mb or float("inf")
        return Host(spec.name, engine, table, "203.0.113.9", frozenset(), *limits)

    opened.make = make
    try:
        await opened.start()
        yield opened
    finally:
        await opened.stop()


async def a_room_there(inn: TestInn) -> tuple[Game, RoomConnectionData, FakeEngine]:
    """A room on a host that was just added."""
    added = await inn.client(inn.token).house.hosts_v1.add_host(NEW)
    assert added.state == HostState.UP, "it takes servers as soon as it was answered for"
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    assert await where(inn, room.process_id) == ("fra", "running")
    return game, room, engine_of(inn, "fra")


async def test_a_host_that_does_not_answer_is_let_go_by_force_alone(
    inn: TestInn, caplog: pytest.LogCaptureFixture
) -> None:
    """What runs there cannot be ended: nobody shall think that it was."""
    game, room, engine = await a_room_there(inn)
    hosts = inn.client(inn.token).house.hosts_v1
    for seconds in (1, 20):  # silent, and lost
        engine.cut_off = True
        await inn.advance(seconds)
        with pytest.raises(BadRequest, match="host fra does not answer, and what may still run there cannot be ended"):
            await hosts.remove_host("fra")
    assert [one.name for one in (await hosts.get_hosts()).hosts] == ["fake", "fra"]
    with caplog.at_level(logging.WARNING):
        await hosts.remove_host("fra", force=True)
    assert "host fra did not answer: servers that run there run on until it is added again" in caplog.text
    assert alive(engine) == {room.process_id}
    assert (await game.info(room)).status == RoomStatus.DESTROYED


async def test_what_was_drained_while_it_is_lost_is_told(inn: TestInn) -> None:
    _, _, engine = await a_room_there(inn)
    hosts = inn.client(inn.token).house.hosts_v1
    engine.cut_off = True
    await inn.advance(20)
    drained = await hosts.drain_host("fra")
    assert drained.state == HostState.LOST
    assert drained.notes[-1] == "it is drained, and takes no servers when it is back"
    engine.cut_off = False
    await inn.advance(2)
    [_, back] = (await hosts.get_hosts()).hosts
    assert back.state == HostState.DRAINING
    assert "it is drained" not in " ".join(back.notes)


async def test_draining_and_resuming_are_changes_of_state_with_a_time(inn: TestInn) -> None:
    hosts = inn.client(inn.token).house.hosts_v1
    before = (await hosts.add_host(NEW)).since
    inn.clock.advance(60)
    drained = await hosts.drain_host("fra")
    assert drained.since > before
    inn.clock.advance(60)
    assert (await hosts.drain_host("fra")).since == drained.since, "it was drained already"
    assert (await hosts.resume_host("fra")).since > drained.since


async def test_health_counts_no_servers_of_a_lost_host(inn: TestInn) -> None:
    _, _, engine = await a_room_there(inn)
    figures = inn.inn.figures
    assert (await figures.health())[1]["servers"] == 1
    engine.cut_off = True
    await inn.advance(20)
    _, told = await figures.health()
    assert (told["hosts"]["lost"], told["servers"]) == (1, 0)


async def test_images_are_taken_away_from_a_host_that_leaves(inn: TestInn) -> None:
    hosts = inn.client(inn.token).house.hosts_v1
    await hosts.add_host(NEW)
    host = inn.inn.keeper.hosts.get("fra")
    assert host is not None
    images = host.images = FakeImages(engine_of(inn, "fra"))
    images.registry["game:1"] = "amd64"
    await images.pull("game:1", "localhost/innkeeper-h:k", lambda line: None, None)
    await hosts.remove_host("fra")
    assert await images.names() == []


async def test_what_servers_of_a_removed_host_printed_is_read_as_long_as_it_is_kept(inn: TestInn) -> None:
    game, room, _ = await a_room_there(inn)
    await inn.client(inn.token).house.hosts_v1.remove_host("fra", force=True)
    logs = game.cloud.logs_v1
    with pytest.raises(Gone, match="stayed with its host, which was removed"):
        await logs.download_log_for_process(room.process_id)
    kept = inn.settings.folder / "hosts" / "fra" / "logs" / f"{room.process_id}.log"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"one\ntwo\nbye\n")
    async with await logs.download_log_for_process(room.process_id) as log:
        assert await log.read() == b"one\ntwo\nbye\n"
    async with await logs.get_logs_for_process(room.process_id, tail_lines=1, follow=True) as log:
        assert await log.read() == b"bye\n"
    await inn.advance(inn.settings.keep_hours * 3600 + 120)
    await inn.sweep()
    assert not kept.exists()
