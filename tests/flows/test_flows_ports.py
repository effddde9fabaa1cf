"""Ports: never given twice, exhaustion is a clear error, and it heals."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from factories import TOKYO, TestInn, opened_inn
from innkeeper.contract.hathora.words import Region, RoomReadyStatus
from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.hosts import Host
from innkeeper.sdk import LimitReached, StatusError


@pytest.fixture
async def narrow(house_url: str, tmp_path: Path) -> AsyncIterator[TestInn]:
    """An inn with three ports."""
    async with opened_inn(tmp_path / "data", house_url, ports=(40_000, 40_002)) as inn:
        yield inn


async def test_without_a_port_a_room_is_refused_until_one_has_rested(narrow: TestInn) -> None:
    game = await narrow.game()
    rooms = [await game.room() for _ in range(3)]
    await narrow.settle()
    told = [(await game.connection(room)).exposed_port for room in rooms]
    assert {port.port for port in told if port} == {40_000, 40_001, 40_002}
    for asked in (game.room(), game.cloud.processes_v3.create_process(TOKYO)):
        with pytest.raises(LimitReached, match=r"3 ports 40000-40002, 3 are in use.*setting 'ports'") as refused:
            await asked
        assert refused.value.status == 402

    await game.cloud.processes_v3.stop_process(rooms[1].process_id)
    await narrow.settle()
    with pytest.raises(StatusError, match="1 in quarantine"):
        await game.room()
    await narrow.advance(60)
    healed = await game.room()
    await narrow.settle()
    connection = await game.connection(healed)
    assert connection.exposed_port == told[1]


async def test_seats_that_are_left_are_given_though_no_server_can_be_started(narrow: TestInn) -> None:
    game = await narrow.game(seats=2)
    rooms = [await game.room() for _ in range(5)]
    await narrow.settle()
    assert len({room.process_id for room in rooms}) == 3
    assert (await game.room()).process_id == rooms[4].process_id
    with pytest.raises(LimitReached):
        await game.room()


async def test_rooms_that_were_answered_before_the_ports_ran_out_wait_for_one(narrow: TestInn) -> None:
    """Five servers are wanted before the keeper has placed any: two of them wait, and then are told why they ended."""
    game = await narrow.game()
    rooms = [await game.room() for _ in range(5)]
    await narrow.settle()
    states = [(await game.connection(room)).status for room in rooms]
    assert sorted(states) == [RoomReadyStatus.ACTIVE] * 3 + [RoomReadyStatus.STARTING] * 2
    active = [room for room, state in zip(rooms, states, strict=True) if state == RoomReadyStatus.ACTIVE]
    waiting = [room for room in rooms if room not in active]
    await game.cloud.processes_v3.stop_process(active[0].process_id)
    await narrow.settle()
    await narrow.advance(60)
    states = [(await game.connection(room)).status for room in waiting]
    assert sorted(states) == [RoomReadyStatus.ACTIVE, RoomReadyStatus.STARTING]
    await narrow.advance(41)
    [late] = [room for room, state in zip(waiting, states, strict=True) if state == RoomReadyStatus.STARTING]
    with pytest.raises(StatusError, match=r"could not be placed: no 1 free port"):
        await game.connection(late)


async def test_ports_are_remembered_over_a_restart(narrow: TestInn) -> None:
    game = await narrow.game()
    rooms = [await game.room() for _ in range(3)]
    await narrow.settle()
    await game.cloud.processes_v3.stop_process(rooms[0].process_id)
    await narrow.settle()
    held = narrow.host.ports.in_use
    await narrow.restart()
    assert narrow.host.ports.in_use == held
    assert len(held) == 2
    with pytest.raises(LimitReached, match="1 in quarantine"):
        await game.room()
    await narrow.advance(60)
    await game.room()


async def test_ports_that_strangers_hold_are_passed_over(narrow: TestInn) -> None:
    narrow.engine.taken_ports = {40_000, 40_002}
    game = await narrow.game()
    first = await game.room()
    await narrow.settle()
    connection = await game.connection(first)
    assert connection.exposed_port
    assert connection.exposed_port.port == 40_001
    second = await game.room()
    await narrow.settle()
    await narrow.advance(50)
    narrow.engine.taken_ports = set()
    await narrow.advance(1)
    assert (await game.connection(second)).status == RoomReadyStatus.ACTIVE


async def test_a_place_that_is_full_holds_up_no_other(tmp_path: Path) -> None:
    """More servers are wanted in Tokyo than are placed at once; the one in Sydney, behind them all, is."""
    inn = TestInn(tmp_path / "data", f"sqlite:///{tmp_path / 'innkeeper.db'}", ports=(40_000, 40_002))
    inn.locations = frozenset({"tokyo"})
    table = PortTable(41_000, 41_009, 60, inn.engine.port_is_free)
    inn.further_hosts = [Host("other", FakeEngine(inn.clock), table, "203.0.113.9", frozenset({"sydney"}))]
    try:
        await inn.start()
        game = await inn.game()
        many = await asyncio.gather(*(game.room() for _ in range(250)))
        inn.clock.advance(1)
        away = await game.room(region=Region.SYDNEY)
        await inn.settle()
        connection = await game.connection(away)
        assert connection.exposed_port
        assert connection.exposed_port.host == "203.0.113.9"
        counted = Counter([(await game.connection(room)).status for room in many])
        assert counted == {RoomReadyStatus.ACTIVE: 3, RoomReadyStatus.STARTING: 247}
    finally:
        await inn.stop()
