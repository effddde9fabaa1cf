"""Hosts go silent, are lost, come back, are drained and removed. No room sits twice, none ends without a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from factories import TestInn
from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.contract.hathora.words import RoomReadyStatus, RoomStatus
from innkeeper.engines.base import EndedBy
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.hosts import HostState
from innkeeper.sdk import StatusError
from manyhosts import alive, another, engine_of, no_port_is_lost, reason, spread, state_of, where
from troubled import Cut


@pytest.fixture
async def pair(house_url: str, tmp_path: Path) -> AsyncIterator[TestInn]:
    """An inn with two hosts that serve everywhere, once on each store."""
    inn = TestInn(tmp_path / "data", house_url)
    inn.further_hosts = [another(inn)]
    try:
        await inn.start()
        yield inn
    finally:
        await inn.stop()


async def test_a_lost_host_ends_its_rooms_with_the_reason_and_the_others_go_on(pair: TestInn) -> None:
    game = await pair.game()
    rooms = await spread(pair, game)
    engine = engine_of(pair, "other")
    engine.cut_off = True
    await pair.advance(5)
    assert state_of(pair, "other") is HostState.SILENT
    for room in rooms["other"]:  # a short silence ends nothing
        assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    await pair.advance(6)
    assert state_of(pair, "other") is HostState.LOST
    for room in rooms["other"]:
        assert (await game.info(room)).status == RoomStatus.DESTROYED
        assert await reason(pair, room) == "its server ended: host other has been silent for 10 s"
    for room in rooms["fake"]:
        assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    await no_port_is_lost(pair)
    fresh = await game.room()
    await pair.settle()
    assert await where(pair, fresh.process_id) == ("fake", "running")
    # It comes back: what runs there ends at once, and then it takes servers again.
    assert len(alive(engine)) == 2
    engine.cut_off = False
    await pair.settle()
    await pair.advance(1)
    assert alive(engine) == set()
    assert engine.reports() == {}
    assert state_of(pair, "other") is HostState.UP
    await pair.advance(60)
    await spread(pair, game, 6)
    await no_port_is_lost(pair)


async def test_a_short_silence_loses_nothing_and_what_happened_meanwhile_is_told(pair: TestInn) -> None:
    game = await pair.game()
    rooms = await spread(pair, game)
    engine = engine_of(pair, "other")
    engine.cut_off = True
    await pair.advance(3)
    crashed, stays = sorted(alive(engine))
    engine.end(crashed, EndedBy.EXIT, 3)
    await pair.advance(3)
    assert (await game.process(crashed)).status == ProcessStatus.RUNNING  # nobody can know
    engine.cut_off = False
    await pair.settle()
    assert (await game.process(crashed)).status == ProcessStatus.FAILED
    assert (await game.process(stays)).status == ProcessStatus.RUNNING
    assert state_of(pair, "other") is HostState.UP
    statuses = [(await game.info(room)).status for room in rooms["other"]]
    assert sorted(statuses) == sorted([RoomStatus.ACTIVE, RoomStatus.DESTROYED])


@pytest.mark.parametrize("answers_lost", [False, True])
async def test_a_partition_while_rooms_are_created_moves_them_elsewhere(pair: TestInn, answers_lost: bool) -> None:
    engine = engine_of(pair, "other")
    engine.lose_answers = answers_lost
    for each in (pair.engine, engine):
        each.behaviour = type(each.behaviour)(start_takes=5)
    game = await pair.game()
    rooms = [await game.room() for _ in range(4)]
    await pair.settle()
    placed = [await where(pair, room.process_id) for room in rooms]
    assert {host for host, _ in placed} == {"fake", "other"}
    engine.cut_off = True
    await pair.advance(6)
    await pair.advance(6)
    assert state_of(pair, "other") is HostState.LOST
    await pair.advance(6)
    for room in rooms:  # the same rooms on the same servers, all on the host that answers
        assert await where(pair, room.process_id) == ("fake", "running")
        assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
        assert (await game.connection(room)).exposed_port.host == "198.51.100.7"  # type: ignore[union-attr]
    assert len(alive(engine)) == 2
    engine.cut_off = engine.lose_answers = False
    await pair.settle()
    await pair.advance(1)
    assert alive(engine) == set()
    assert alive(pair.engine) == {room.process_id for room in rooms}
    for room in rooms:
        assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    await no_port_is_lost(pair)


async def test_servers_of_the_only_host_wait_for_it_and_are_not_confused_with_what_was_left_of_them(
    inn: TestInn,
) -> None:
    inn.behave(start_takes=20, stop_takes=3)
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    inn.engine.cut_off = True
    await inn.advance(11)
    assert await where(inn, room.process_id) == (None, "wanted")
    inn.engine.cut_off = False
    await inn.settle()
    await inn.advance(1)
    # The old one takes a while to end (it is killed at once); the new one comes after it, with ports of its own.
    await inn.advance(1)
    assert inn.engine.starts == 2
    await inn.advance(20)
    connection = await game.connection(room)
    assert connection.status == RoomReadyStatus.ACTIVE
    assert connection.exposed_port is not None
    assert connection.exposed_port.port == inn.engine.launches[room.process_id].ports[0].number
    await no_port_is_lost(inn)


async def test_a_server_that_nobody_takes_fails_by_its_deadline_with_the_reason(inn: TestInn) -> None:
    inn.behave(start_takes=20)
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    inn.engine.cut_off = True
    await inn.advance(11)
    with pytest.raises(StatusError, match=r"no server has a seat left.*host fake does not answer"):
        await game.room()
    await inn.advance(101)
    assert (await game.info(room)).status == RoomStatus.DESTROYED
    assert "no host at tokyo that could take it does so now: fake is lost" in await reason(inn, room.room_id)


async def test_standing_orders_are_filled_elsewhere(pair: TestInn) -> None:
    game = await pair.game()
    await game.order(4, 4, 8)
    await pair.settle()
    await pair.advance(1)
    assert len(alive(pair.engine)) == len(alive(engine_of(pair, "other"))) == 2
    engine_of(pair, "other").cut_off = True
    await pair.advance(11)
    await pair.advance(1)
    assert len(alive(pair.engine)) == 4
    engine_of(pair, "other").cut_off = False
    await pair.settle()
    await pair.advance(2)
    running = [one for one in await game.processes() if one.status == ProcessStatus.RUNNING]
    assert len(running) == 4
    assert alive(engine_of(pair, "other")) == set()


async def test_a_flapping_host_keeps_its_rooms_while_its_silences_are_short(pair: TestInn) -> None:
    game = await pair.game()
    rooms = await spread(pair, game)
    engine = engine_of(pair, "other")
    for _ in range(5):
        engine.cut_off = True
        await pair.advance(8)
        engine.cut_off = False
        await pair.settle()
        await pair.advance(1)
    for room in [*rooms["other"], *rooms["fake"]]:
        assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    for _ in range(3):  # and now long ones, in which a room is opened each time
        engine.cut_off = True
        await pair.advance(11)
        fresh = await game.room()
        await pair.settle()
        assert await where(pair, fresh.process_id) == ("fake", "running")
        engine.cut_off = False
        await pair.settle()
        await pair.advance(1)
        assert alive(engine) == set()
    await no_port_is_lost(pair)


async def test_a_restart_while_a_host_is_silent_or_lost(pair: TestInn) -> None:
    game = await pair.game()
    rooms = await spread(pair, game)
    engine = engine_of(pair, "other")
    engine.cut_off = True
    await pair.advance(5)
    await pair.restart()
    await pair.settle()
    for room in rooms["other"]:  # it is silent, and nothing is concluded from what it does not tell
        assert (await game.info(room)).status == RoomStatus.ACTIVE
    await pair.advance(11)
    await pair.restart()
    await pair.advance(11)
    for room in rooms["other"]:
        assert await reason(pair, room) == "its server ended: host other has been silent for 10 s"
    await pair.restart()
    await no_port_is_lost(pair)
    engine.cut_off = False
    await pair.settle()
    await pair.advance(1)
    assert alive(engine) == set()
    assert state_of(pair, "other") is HostState.UP
    await no_port_is_lost(pair)


async def test_what_is_stopped_on_a_silent_host_is_over_when_it_is_lost(pair: TestInn) -> None:
    game = await pair.game()
    rooms = await spread(pair, game)
    engine = engine_of(pair, "other")
    engine.cut_off = True
    process = (await game.info(rooms["other"][0])).current_allocation
    assert process is not None
    await game.cloud.processes_v3.stop_process(process.process_id)
    await pair.advance(1)
    assert (await game.process(process.process_id)).status == ProcessStatus.STOPPING
    await pair.advance(11)
    assert (await game.process(process.process_id)).status == ProcessStatus.STOPPED


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 5, 7])
async def test_cut_off_anywhere_while_a_host_is_lost_and_comes_back(pair: TestInn, at: int, after: bool) -> None:
    game = await pair.game()
    rooms = await spread(pair, game, 6)
    engine = engine_of(pair, "other")
    engine.cut_off = True
    pair.trouble.arm(at, after=after)
    try:
        await pair.advance(11)
        engine.cut_off = False
        await pair.settle()
        await pair.advance(1)
    except Cut:
        pass
    pair.trouble.arm(None)
    engine.cut_off = True
    other = pair.further_hosts[0]  # a new house makes it a new table of ports
    other.ports = PortTable(40_000, 40_099, pair.settings.port_quarantine, engine.port_is_free)
    await pair.restart()
    await pair.advance(11)
    fresh = await game.room()
    await pair.settle()
    assert await where(pair, fresh.process_id) == ("fake", "running")
    for room in rooms["other"]:
        assert (await game.info(room)).status == RoomStatus.DESTROYED
    for room in rooms["fake"]:
        assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    engine.cut_off = False
    await pair.settle()
    await pair.advance(1)
    assert alive(engine) == set()
    await no_port_is_lost(pair)


async def test_servers_of_a_host_that_is_not_there_any_more_are_over(pair: TestInn) -> None:
    game = await pair.game()
    rooms = await spread(pair, game)
    pair.further_hosts = []
    await pair.restart()
    await pair.settle()
    for room in rooms["other"]:
        told = "its server ended: host other is not one of this house any more"
        assert await reason(pair, room) == told
    for room in rooms["fake"]:
        assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE


async def test_a_port_that_a_stranger_has_is_given_up_for_another(inn: TestInn) -> None:
    game = await inn.game()
    inn.host.ports._probe = lambda port, transport: True  # as on a host elsewhere, where nobody can look
    inn.engine.taken_ports = {30_000, 30_001}
    room = await game.room()
    await inn.settle()
    connection = await game.connection(room)
    assert connection.exposed_port is not None
    assert connection.exposed_port.port == 30_002
    await no_port_is_lost(inn)
    inn.engine.taken_ports = set(range(30_000, 31_000))
    room = await game.room()
    await inn.settle()
    assert (await game.info(room)).status == RoomStatus.DESTROYED
    assert "is taken, and so were the other ports that it was given" in await reason(inn, room.room_id)
    await no_port_is_lost(inn)
