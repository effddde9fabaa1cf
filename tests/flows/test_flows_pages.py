"""Lists that are asked for page by page lose nobody, however many came at once and however a client cuts a time."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from factories import TestInn, opened_inn
from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.hosting.model import Cause, Server
from innkeeper.hosting.queries import servers as queries
from innkeeper.hosting.queries.rooms import add_servers, wanted_server
from innkeeper.kit.clock import SECOND
from innkeeper.matchmaking.model import Lobby, Visibility
from innkeeper.matchmaking.queries import lobbies as lobby_queries

#: How clients say the time of the last item of a page.
CUTS: dict[str, Callable[[datetime], float]] = {
    "microseconds": lambda last: last.timestamp(),
    "milliseconds": lambda last: math.floor(last.timestamp() * 1000) / 1000,
    "milliseconds, as Date.getTime() has them": lambda last: math.floor(last.timestamp() * 1000),
    "seconds": lambda last: math.floor(last.timestamp()),
}
#: How near to each other servers are created: at one moment, or within so many microseconds.
NEAR = (1, 3, 900, 30_000, SECOND, 4 * SECOND, 60 * SECOND)


async def bursts(inn: TestInn, app_id: str, release_id: str, chance: random.Random, many: int) -> list[Server]:
    """Servers on record that came in bursts, the newest first."""
    made: list[Server] = []
    at = inn.clock.now() - 600 * SECOND
    while len(made) < many:
        at += chance.randrange(5 * SECOND)
        near = chance.choice(NEAR)
        for _ in range(min(chance.randint(1, 40), many - len(made))):
            created = at + chance.randrange(near)
            server_id = f"{chance.getrandbits(64):016x}"
            made.append(
                wanted_server(server_id, app_id, release_id, "tokyo", 1, 0, Cause.ASKED, None, created, 1 << 60)
            )
    await inn.inn.db.write(add_servers, made)
    return sorted(made, key=lambda server: (-server.created_at, server.id))


@pytest.mark.parametrize("cut", [1, 1000, SECOND])
async def test_no_page_ends_within_what_a_client_can_tell_apart(inn: TestInn, cut: int) -> None:
    org_id = inn.inn.founded.org_id
    chance = random.Random(cut)
    for _ in range(12):
        game = await inn.game()
        made = await bursts(inn, game.app_id, game.deployment.deployment_id, chance, chance.randint(1, 150))
        full = chance.choice((1, 2, 7, 10, 20))
        found: list[Server] = []
        before = 1 << 62
        while page := await inn.inn.db.read(queries.latest, game.app_id, org_id, before, ["wanted"], ["tokyo"], full):
            found += page
            before = page[-1].created_at // cut * cut
            if len(page) < full:
                assert len(found) == len(made), "a short page was not the last"
        assert [server.id for server in found] == [server.id for server in made], "in order, each once"


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
async def test_whoever_asks_page_by_page_sees_every_server(inn: TestInn, cut: Callable[[datetime], float]) -> None:
    chance = random.Random(11)
    for _ in range(3):
        game = await inn.game()
        made = await bursts(inn, game.app_id, game.deployment.deployment_id, chance, chance.randint(60, 150))
        found: list[str] = []
        page = await game.processes()
        while page:
            found += [process.process_id for process in page]
            page = await game.processes(before=cut(page[-1].created_at)) if len(page) >= 10 else []
        assert found == [server.id for server in made]
        pages = game.cloud.processes_v3.get_latest_processes.pages(status=[ProcessStatus.STARTING])
        assert [process.process_id async for page in pages for process in page] == found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_who_knows_no_pages_gets_ten(small_inn: TestInn) -> None:
    game = await small_inn.game()
    made = await bursts(small_inn, game.app_id, game.deployment.deployment_id, random.Random(2), 60)
    newest = [server.id for server in made[:10]]
    assert [one.process_id for one in await game.cloud.processes_v2.get_latest_processes()] == newest
    assert [one.process_id for one in await game.cloud.processes_v1.get_running_processes()] == newest


async def test_servers_of_rooms_that_were_created_at_once_are_all_listed(inn: TestInn) -> None:
    game = await inn.game()
    rooms = await asyncio.gather(*(game.room() for _ in range(30)))
    await inn.settle()
    pages = [page async for page in game.cloud.processes_v3.get_latest_processes.pages()]
    listed = [process for page in pages for process in page]
    assert len({process.created_at for process in listed}) < 30, "they were not created at once: it proves nothing"
    assert sorted(process.process_id for process in listed) == sorted(room.process_id for room in rooms)


async def swept(inn: TestInn, lobbies: Sequence[Lobby], passes: int) -> int:
    """Put these lobbies on record, and sweep; how many are left."""
    for lobby in lobbies:
        await inn.inn.db.write(lobby_queries.add_lobby, lobby)
    for _ in range(passes):
        await inn.inn.wings.lobbies.sweep(60.0)
    left = await inn.inn.db.read(lobby_queries.created_between, (0, ""), 1 << 62, 10_000)
    return len(left)


async def test_lobbies_of_one_moment_are_all_looked_through(tmp_path: Path) -> None:
    async with opened_inn(tmp_path / "data", f"sqlite:///{tmp_path / 'innkeeper.db'}") as inn:
        game = await inn.game(seats=600)
        old = inn.clock.now()
        stand = [(await game.room(f"stands-{number:03}")).room_id for number in range(500)]
        inn.clock.advance(3600)
        # More than are looked at in one pass, of which the first ones stand: in each round those behind are due too.
        lobbies = [
            Lobby(room_id, game.app_id, "code", Visibility.PUBLIC, "p", "tokyo", None, old, False, None)
            for room_id in [*stand, "z-over"]
        ]
        assert await swept(inn, lobbies, passes=2) == 500, "the one behind those that stand was never looked at"
