"""Ports with the transport ``tls``: where players are sent, where the plain bytes go, and that both are right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from factories import TestInn, opened_inn
from innkeeper.contract.hathora.deployments_v3 import ContainerPort
from innkeeper.contract.hathora.rooms_v2 import ConnectionInfoV2
from innkeeper.contract.hathora.words import Region, RoomReadyStatus, TransportType
from innkeeper.engines.base import Transport
from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.hosts import Host, TlsDoor
from innkeeper.sdk import StatusError

TLS = TransportType.TLS


@pytest.fixture
async def inn(house_url: str, tmp_path: Path) -> AsyncIterator[TestInn]:
    async with opened_inn(tmp_path / "data", house_url) as inn:
        yield inn


def dialled(connection: ConnectionInfoV2) -> tuple[str, int, str]:
    port = connection.exposed_port
    assert port
    return port.host, port.port, port.transport_type


async def test_players_dial_one_port_and_the_program_binds_another(inn: TestInn) -> None:
    game = await inn.game(transport=TLS, ports=[ContainerPort(name="voice", port=1, transport_type=TLS)])
    room = await game.room()
    await inn.settle()
    connection = await game.connection(room)
    launch = inn.engine.launches[room.process_id]
    assert [(port.name, port.transport) for port in launch.ports] == [
        ("default", Transport.TCP), ("voice", Transport.TCP),
    ]  # fmt: skip
    behind, voice_behind = (port.number for port in launch.ports)
    host, public, transport = dialled(connection)
    [voice] = connection.additional_exposed_ports
    assert (host, transport, voice.transport_type) == ("198.51.100.7", "tls", "tls")
    assert len({public, voice.port, behind, voice_behind}) == 4
    assert inn.terminator.routes == {public: ("127.0.0.1", behind), voice.port: ("127.0.0.1", voice_behind)}
    assert inn.terminator.table.address == "127.0.0.1"  # this house is on loopback alone
    assert launch.env["PORT"] == str(behind)
    assert launch.env["PORT_VOICE"] == str(voice_behind)
    assert launch.env["HATHORA_DEFAULT_PORT"] == str(public)
    assert launch.env["HATHORA_VOICE_PORT"] == str(voice.port)
    assert inn.host.ports.in_use == {public, voice.port, behind, voice_behind}

    await game.cloud.processes_v3.stop_process(room.process_id)
    await inn.settle()
    assert inn.terminator.routes == {}
    assert inn.host.ports.in_use == frozenset()


async def test_the_route_stays_while_a_server_says_good_bye(inn: TestInn) -> None:
    inn.behave(stop_takes=5.0)
    game = await inn.game(transport=TLS)
    room = await game.room()
    await inn.settle()
    routes = inn.terminator.routes
    await game.cloud.processes_v3.stop_process(room.process_id)
    await inn.settle()
    assert inn.terminator.routes == routes != {}
    await inn.advance(6)
    assert inn.terminator.routes == {}


async def test_what_does_not_change_is_not_told_again(inn: TestInn) -> None:
    plain = await inn.game()
    await plain.room()
    await inn.settle()
    assert inn.terminator.told == 0
    game = await inn.game(transport=TLS, seats=10)
    await game.room()
    await inn.settle()
    assert inn.terminator.told == 1
    for _ in range(5):
        await game.room()
        await plain.room()
        await inn.advance(1)
    assert inn.terminator.told == 1


async def test_nobody_is_told_of_a_server_that_players_cannot_reach(inn: TestInn) -> None:
    inn.terminator.away = "there is no memory left"
    game, plain = await inn.game(transport=TLS), await inn.game()
    room, other = await game.room(), await plain.room()
    await inn.settle()
    assert room.process_id not in inn.engine.launches
    assert (await game.connection(room)).status == RoomReadyStatus.STARTING
    assert (await plain.connection(other)).status == RoomReadyStatus.ACTIVE  # which does not concern it
    inn.terminator.away = ""
    await inn.advance(6)
    assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    assert dialled(await game.connection(room))[1] in inn.terminator.routes


async def test_a_server_that_is_never_reached_fails_with_the_reason(inn: TestInn) -> None:
    inn.terminator.away = "there is no memory left"
    game = await inn.game(transport=TLS)
    room = await game.room()
    await inn.settle()
    await inn.advance(101)
    with pytest.raises(StatusError, match=r"TLS cannot be ended for it yet: there is no memory left"):
        await game.connection(room)
    assert inn.host.ports.in_use == frozenset()


async def test_a_port_that_a_stranger_has_is_exchanged(inn: TestInn) -> None:
    game = await inn.game(transport=TLS)
    first = await game.room()
    await inn.settle()
    taken = dialled(await game.connection(first))[1] + 2
    inn.terminator.taken = {taken, taken + 1}
    second = await game.room()
    await inn.settle()
    await inn.advance(6)
    number = dialled(await game.connection(second))[1]
    assert number not in inn.terminator.taken
    assert number in inn.terminator.routes


async def test_a_terminator_that_died_is_told_everything_again(inn: TestInn) -> None:
    game = await inn.game(transport=TLS)
    await game.room()
    await inn.settle()
    routes = inn.terminator.routes
    inn.terminator.die()
    await inn.settle()
    assert inn.terminator.routes == routes != {}


async def test_over_a_restart_of_the_house_nothing_changes(inn: TestInn) -> None:
    game = await inn.game(transport=TLS)
    room = await game.room()
    await inn.settle()
    before, routes, held = await game.connection(room), inn.terminator.routes, inn.host.ports.in_use
    identity = inn.terminator.identity
    await inn.restart()
    assert inn.host.ports.in_use == held
    assert inn.terminator.routes == routes
    await inn.settle()
    assert inn.terminator.routes == routes
    assert inn.terminator.identity == identity  # made once, and kept
    assert await game.connection(room) == before


async def test_what_ended_while_the_house_was_closed_is_no_longer_served(inn: TestInn) -> None:
    game = await inn.game(transport=TLS)
    room = await game.room()
    await inn.settle()
    await inn.stop()
    inn.engine.forget_on_restart = True
    await inn.start()
    await inn.settle()
    await inn.advance(31)
    assert (await game.process(room.process_id)).status == "failed"
    assert inn.terminator.routes == {}


# -- hosts elsewhere ---------------------------------------------------------------------------------------------------


@pytest.fixture
async def far(house_url: str, tmp_path: Path) -> AsyncIterator[TestInn]:
    """A house with one host here, in Tokyo, and one elsewhere, in Sydney. One of them has two ports to dial."""
    inn = TestInn(tmp_path / "data", house_url)
    inn.locations = frozenset({"tokyo"})
    engine = FakeEngine(inn.clock)
    there = PortTable(41_000, 41_009, 60, engine.port_is_free)
    door = TlsDoor(PortTable(42_000, 42_001, 60, lambda *_: True), "198.51.100.7")
    host = Host("syd", engine, there, "203.0.113.9", frozenset({"sydney"}), tls=door)
    inn.further_hosts = [host]
    try:
        await inn.start()
        yield inn
    finally:
        await inn.stop()


async def test_tls_for_a_host_elsewhere_ends_here(far: TestInn) -> None:
    [host] = far.further_hosts
    assert host.tls
    game = await far.game(
        transport=TLS, ports=[ContainerPort(name="game", port=7777, transport_type=TransportType.UDP)]
    )
    room = await game.room(region=Region.SYDNEY)
    await far.settle()
    connection = await game.connection(room)
    assert dialled(connection) == ("198.51.100.7", 42_000, "tls")
    [udp] = connection.additional_exposed_ports
    assert (udp.host, udp.transport_type) == ("203.0.113.9", "udp")
    [(public, (address, behind))] = far.terminator.routes.items()
    assert (public, address) == (42_000, "203.0.113.9")
    assert host.ports.in_use == {behind, udp.port}
    assert host.tls.ports.in_use == {42_000}

    for table in (host.ports, host.tls.ports):  # a house that was killed, and begins with empty ones
        for port in table.in_use:
            table.release(port, far.clock.now() - 10**12)
    await far.restart()
    await far.settle()
    assert host.ports.in_use == {behind, udp.port}
    assert host.tls.ports.in_use == {42_000}

    await game.cloud.processes_v3.stop_process(room.process_id)
    await far.settle()
    assert far.terminator.routes == {}
    assert host.ports.in_use == host.tls.ports.in_use == frozenset()
    second = await game.room(region=Region.SYDNEY)
    await far.settle()
    assert dialled(await game.connection(second))[1] == 42_001  # the other one rests


async def test_without_a_port_to_dial_the_host_keeps_its_own(far: TestInn) -> None:
    [host] = far.further_hosts
    game = await far.game(transport=TLS)
    rooms = [await game.room(region=Region.SYDNEY) for _ in range(3)]
    await far.settle()
    states = [(await game.connection(room)).status for room in rooms]
    assert sorted(states) == [RoomReadyStatus.ACTIVE, RoomReadyStatus.ACTIVE, RoomReadyStatus.STARTING]
    waiting = rooms[states.index(RoomReadyStatus.STARTING)]
    for _ in range(20):  # asked again and again, in vain
        await far.advance(1)
    assert len(host.ports.in_use) == 2
    assert host.ports.free_count(far.clock.now()) == 8
    here = await game.room()
    await far.settle()
    assert (await game.connection(here)).status == RoomReadyStatus.ACTIVE  # another host, other ports
    await far.advance(81)
    with pytest.raises(StatusError, match=r"2 ports 42000-42001, 2 are in use"):
        await game.connection(waiting)
