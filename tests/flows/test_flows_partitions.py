"""Random lives of a house with three hosts: cuts, crashes, restarts, drains. Whatever came, in the end all is as told.

Each life is made by a seed, so that one that goes wrong can be lived again.
"""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from factories import Game, TestInn
from innkeeper.contract.hathora.words import RoomReadyStatus, RoomStatus
from innkeeper.db.database import Statement, Steps
from innkeeper.engines.base import EndedBy
from innkeeper.engines.fake import Behaviour
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.hosts import HostState
from innkeeper.sdk import LimitReached, NotFound
from manyhosts import alive, another, engine_of, no_port_is_lost

HOSTS = ("fake", "h1", "h2")


def on_record() -> Steps[list[tuple[str, str, str | None]]]:
    rows = yield Statement(
        "select id, state, host_id from servers where state in ('starting', 'running', 'draining', 'stopping')"
    )
    return [(row[0], row[1], row[2]) for row in rows]


def unexplained() -> Steps[list[str]]:
    rows = yield Statement(
        "select id from rooms where (state = 'destroyed' and ended_reason is null)"
        " or (state = 'seated' and server_id in (select id from servers where state in ('stopped', 'failed')))"
    )
    return [row[0] for row in rows]


class Life:
    """A house, and what chance does to it."""

    def __init__(self, inn: TestInn, game: Game, seed: int) -> None:
        self.inn, self.game, self.random = inn, game, random.Random(seed)
        self.rooms: list[str] = []

    async def step(self) -> None:
        deeds: list[tuple[int, Any]] = [
            (8, self.open_room), (3, self.end_room), (5, self.cut), (5, self.mend), (2, self.crash), (1, self.restart),
            (2, self.drain), (3, self.resume), (2, self.lose_answers), (12, self.wait),
        ]  # fmt: skip
        [deed] = self.random.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])
        await deed()
        await self.inn.settle()
        await self.look()

    async def look(self) -> None:
        """What holds at every moment: a server that a host runs by right is on record there, and nowhere else."""
        for server_id, state, host_id in await self.inn.inn.db.read(on_record):
            if state in ("running", "draining"):
                others = [name for name in HOSTS if name != host_id and server_id in alive(engine_of(self.inn, name))]
                answering = [name for name in others if not engine_of(self.inn, name).cut_off]
                # What is left of it elsewhere can only be on a host that nobody can reach, or was told to end.
                for name in answering:
                    assert server_id in engine_of(self.inn, name)._kill_at
        assert await self.inn.inn.db.read(unexplained) == []
        await no_port_is_lost(self.inn)

    async def open_room(self) -> None:
        with suppress(LimitReached):  # where no host answers
            self.rooms.append((await self.game.room()).room_id)

    async def end_room(self) -> None:
        if self.rooms:
            room = self.rooms.pop(self.random.randrange(len(self.rooms)))
            with suppress(NotFound):  # it is over already
                await self.game.cloud.rooms_v2.destroy_room(room)

    def engine(self) -> Any:
        return engine_of(self.inn, self.random.choice(HOSTS))

    async def cut(self) -> None:
        self.engine().cut_off = True

    async def mend(self) -> None:
        self.engine().cut_off = False

    async def crash(self) -> None:
        engine = self.engine()
        running = sorted(alive(engine))
        if running:
            engine.end(self.random.choice(running), EndedBy.EXIT, 1)

    async def lose_answers(self) -> None:
        engine = self.engine()
        engine.lose_answers = not engine.lose_answers

    async def restart(self) -> None:
        for number, host in enumerate(self.inn.further_hosts):  # a new house makes new tables
            first = 40_000 + 1000 * number
            host.ports = PortTable(first, first + 99, self.inn.settings.port_quarantine, host.engine.port_is_free)
        await self.inn.restart()

    async def drain(self) -> None:
        await self.game.cloud.house.hosts_v1.drain_host(self.random.choice(HOSTS))

    async def resume(self) -> None:
        await self.game.cloud.house.hosts_v1.resume_host(self.random.choice(HOSTS))

    async def wait(self) -> None:
        for _ in range(self.random.choice([1, 3, 12])):
            await self.inn.advance(1)

    async def peace(self) -> None:
        """All is mended, and there is time."""
        for name in HOSTS:
            engine = engine_of(self.inn, name)
            engine.cut_off = engine.lose_answers = False
            await self.game.cloud.house.hosts_v1.resume_host(name)
        for _ in range(40):
            await self.inn.advance(1)


@pytest.mark.parametrize("seed", range(12))
async def test_a_life(seed: int, tmp_path: Path) -> None:
    inn = TestInn(tmp_path / "data", f"sqlite:///{tmp_path / 'innkeeper.db'}")
    inn.further_hosts = [another(inn, "h1", 40_000), another(inn, "h2", 41_000)]
    for host in inn.further_hosts:
        host.engine.behaviour = Behaviour(start_takes=2, stop_takes=3)  # type: ignore[attr-defined]
    inn.behave(start_takes=1, stop_takes=1)
    try:
        await inn.start()
        game = await inn.game(seats=2)
        if seed % 2:
            await game.order(2, 3, 6)
        life = Life(inn, game, seed)
        for _ in range(45):
            await life.step()
        await life.peace()
        there = {(server_id, host_id) for server_id, _, host_id in await inn.inn.db.read(on_record)}
        really = {(server_id, name) for name in HOSTS for server_id in alive(engine_of(inn, name))}
        assert there == really
        assert all(host.state is HostState.UP for host in inn.inn.keeper.hosts)
        for room in life.rooms:
            info = await game.info(room)
            if info.status == RoomStatus.DESTROYED:
                continue  # with a reason, which look() has seen to
            assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
        await no_port_is_lost(inn)
    finally:
        await inn.stop()
