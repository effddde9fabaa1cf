"""What tests of several hosts look at. Used by ``flows/test_flows_hosts.py``, ``_hostbook.py`` and ``_fleets.py``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from factories import Game, TestInn
from innkeeper.db.database import Statement, Steps
from innkeeper.engines.fake import FakeEngine
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.hosts import Host, HostState
from troubled import TroubledEngine


def another(inn: TestInn, name: str = "other", first: int = 40_000) -> Host:
    engine = TroubledEngine(inn.clock, inn.trouble)
    table = PortTable(first, first + 99, inn.settings.port_quarantine, engine.port_is_free)
    return Host(name, engine, table, "203.0.113.9")


async def set_aside(inn: TestInn, fleet_id: str, name: str = "apart", first: int = 41_000, **more: Any) -> Host:
    """A host that takes this fleet's servers alone, now and after the next start."""
    host = replace(another(inn, name, first), fleet=fleet_id, **more)
    inn.further_hosts.append(host)
    await inn.inn.keeper.take_on(host)
    await inn.settle()
    return host


def engine_of(inn: TestInn, host_id: str) -> FakeEngine:
    host = inn.inn.keeper.hosts.get(host_id)
    assert host is not None
    assert isinstance(host.engine, FakeEngine)
    return host.engine


def state_of(inn: TestInn, host_id: str) -> HostState:
    host = inn.inn.keeper.hosts.get(host_id)
    assert host is not None
    return host.state


async def where(inn: TestInn, process_id: str) -> tuple[str | None, str]:
    """The host that a server is on, and its state, as on record."""

    def steps() -> Steps[tuple[str | None, str]]:
        rows = yield Statement("select host_id, state from servers where id = $1", (process_id,))
        return rows[0][0], rows[0][1]

    return await inn.inn.db.read(steps)


async def reason(inn: TestInn, room_id: str) -> str:
    def steps() -> Steps[str]:
        rows = yield Statement("select ended_reason from rooms where id = $1", (room_id,))
        found: str = rows[0][0]
        return found

    return await inn.inn.db.read(steps)


def alive(engine: FakeEngine) -> set[str]:
    """What really runs on a host, whether anybody can hear of it or not."""
    return {server_id for server_id, report in engine._reports.items() if report.alive}


async def no_port_is_lost(inn: TestInn) -> None:
    """The tables and the record say the same."""

    def steps() -> Steps[list[tuple[str, int]]]:
        rows = yield Statement("select host_id, port from held_ports where freed_at is null order by host_id, port")
        return [(row[0], row[1]) for row in rows]

    held = await inn.inn.db.read(steps)
    assert held == sorted((host.id, port) for host in inn.inn.keeper.hosts for port in host.ports.in_use)


async def spread(inn: TestInn, game: Game, rooms: int = 4) -> dict[str, list[str]]:
    """Rooms on running servers of one room each: room ids by host."""
    made = [await game.room() for _ in range(rooms)]
    await inn.settle()
    found: dict[str, list[str]] = {}
    for room in made:
        host_id, state = await where(inn, room.process_id)
        assert state == "running"
        found.setdefault(host_id or "", []).append(room.room_id)
    assert set(found) == {"fake", "other"}, "servers are spread over hosts without limits"
    return found
