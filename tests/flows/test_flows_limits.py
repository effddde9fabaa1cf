"""What an organisation may use: refused at exactly the limit, whoever asks at the same time, and never more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec
import pytest

from factories import TOKYO, Game, TestInn
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbyVisibility
from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.contract.house.orgs_v1 import ChangedLimits, Org
from innkeeper.engines.base import EndedBy
from innkeeper.kit.clock import SECOND
from innkeeper.kit.months import month_end, month_of
from innkeeper.sdk import LimitReached, NotFound, RateLimited, StatusError

ALIVE = [ProcessStatus.STARTING, ProcessStatus.RUNNING, ProcessStatus.DRAINING, ProcessStatus.STOPPING]


async def limited(inn: TestInn, **limits: Any) -> Org:
    """The organisation may use so much."""
    return await inn.client().house.orgs_v1.set_limits(inn.inn.founded.org_id, ChangedLimits(**limits))


async def alive(game: Game) -> int:
    return len(await game.processes(status=ALIVE))


async def outcomes(calls: list[Awaitable[Any]]) -> tuple[int, int]:
    """How many came to be, and how many were refused for a limit."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    refused = [one for one in found if isinstance(one, LimitReached)]
    assert len(refused) + sum(1 for one in found if not isinstance(one, BaseException)) == len(found), found
    return len(found) - len(refused), len(refused)


def lobby(player: Any) -> Awaitable[Any]:
    return player.lobbies_v3.create_lobby(CreateLobbyV3Params(visibility=LobbyVisibility.PUBLIC, region=TOKYO))


async def test_the_processors_of_all_servers_together(inn: TestInn) -> None:
    """Each server takes half a processor. Two apps, three ways to ask, all at once: five servers and no more."""
    first, second = await inn.game(), await inn.game()
    await limited(inn, cpus=2.5)
    players = [await first.player() for _ in range(4)]
    calls = [
        *(game.room() for game in (first, second) for _ in range(4)),
        *(game.cloud.processes_v3.create_process(TOKYO) for game in (first, second) for _ in range(3)),
        *(lobby(player) for player in players),
    ]
    made, refused = await outcomes(calls)
    # An empty server that was asked for may have been given to a room: those two are one server.
    servers = await alive(first) + await alive(second)
    assert servers == 5
    assert made >= 5
    assert refused >= 18 - 10
    await inn.settle()
    with pytest.raises(LimitReached, match=r"may use 2.5 processors; its servers have 2.5, and one more takes 0.5"):
        await first.cloud.processes_v3.create_process(TOKYO)
    [server, *_] = await first.processes(status=ALIVE) or await second.processes(status=ALIVE)
    inn.engine.end(server.process_id, EndedBy.EXIT, 0)
    await inn.settle()
    assert (await outcomes([game.cloud.processes_v3.create_process(TOKYO) for game in (first, second)]))[0] == 1
    rival = await inn.another_org()
    assert (await inn.client(rival).organizations_v1.get_usage_limits()).concurrent_process_vcpus_limit != 2.5
    told = await inn.client().organizations_v1.get_usage_limits()
    assert told.concurrent_process_vcpus_limit == 2.5


async def test_rooms_fill_the_servers_that_may_be_there(inn: TestInn) -> None:
    game = await inn.game(seats=3)
    await limited(inn, cpus=1)
    assert await outcomes([game.room() for _ in range(20)]) == (6, 14)
    assert await alive(game) == 2
    await inn.settle()
    await limited(inn, cpus=None)
    assert await outcomes([game.room() for _ in range(4)]) == (4, 0)


async def test_a_room_of_standing_servers_is_never_refused(inn: TestInn) -> None:
    game = await inn.game(seats=2)
    await game.room()
    await limited(inn, cpus=0, cpu_hours_a_month=0)
    await game.room()
    with pytest.raises(LimitReached):
        await game.room()


@pytest.mark.filterwarnings("ignore:SuspendRoom:DeprecationWarning")
async def test_a_room_that_was_suspended_waits_for_a_place(inn: TestInn) -> None:
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    await game.cloud.rooms_v2.suspend_room(room.room_id)
    await game.cloud.processes_v3.stop_process(room.process_id)
    await inn.settle()
    await limited(inn, cpus=0.4)
    with pytest.raises(LimitReached, match="no server has a seat left, and none can be started: the organisation may"):
        await game.cloud.rooms_v2.resume_room(room.room_id)
    await limited(inn, cpus=0.5)
    await game.cloud.rooms_v2.resume_room(room.room_id)


async def test_standing_orders_stop_short_of_it_and_still_renew(inn: TestInn) -> None:
    game = await inn.game()
    await limited(inn, cpus=1)
    await game.order(1, 4, 6)
    await inn.settle()
    assert await alive(game) == 2
    await inn.advance(10)
    assert await alive(game) == 2
    await game.release()
    for _ in range(20):
        await inn.advance(1)
    found = await game.processes(status=ALIVE)
    assert {one.deployment_id for one in found} == {game.deployment.deployment_id}
    assert len(found) == 2
    await limited(inn, cpus=None)
    await inn.advance(2)
    assert await alive(game) == 4


async def test_the_processor_hours_of_a_month(inn: TestInn) -> None:
    game = await inn.game()
    await limited(inn, cpu_hours_a_month=1)
    room = await game.room()
    await inn.settle()
    await inn.advance(2 * 3600 - 1)
    await inn.inn.wings.usage.count()
    await game.room()
    await inn.advance(1)
    await inn.inn.wings.usage.count()
    for call in (game.room(), game.cloud.processes_v3.create_process(TOKYO)):
        with pytest.raises(LimitReached, match="the 1 processor hours that the organisation may use this month"):
            await call
    assert (await game.info(room)).status == "active"  # what is there goes on
    await inn.advance((month_end(month_of(inn.clock.now())) - inn.clock.now()) / SECOND)
    await game.room()


async def test_an_old_server_takes_no_more_rooms_and_ends(inn: TestInn) -> None:
    game = await inn.game(seats=2, idle=False)
    await limited(inn, server_hours=2)
    room = await game.room()
    spare = await game.cloud.processes_v3.create_process(TOKYO)
    await inn.settle()
    await inn.advance(2 * 3600 - 2)
    assert (await game.process(room.process_id)).status == ProcessStatus.RUNNING
    await inn.advance(3)
    await inn.advance(1)
    assert (await game.process(room.process_id)).status == ProcessStatus.DRAINING
    ended = await game.process(spare.process_id)
    why = "it is older than the 2 hours that a server of its organisation may live"
    assert ended.summary_exit_reason == f"{why} and its last room ended (it ended when asked)"
    assert (await game.room()).process_id != room.process_id
    await game.cloud.rooms_v2.destroy_room(room.room_id)
    await inn.advance(2)
    assert str((await game.process(room.process_id)).summary_exit_reason).startswith(why)


async def test_an_old_server_whose_room_does_not_end(inn: TestInn) -> None:
    game = await inn.game()
    await limited(inn, server_hours=1)
    room = await game.room()
    await inn.settle()
    await inn.advance(3600)
    await inn.advance(1)
    await inn.advance(86400)
    await inn.advance(1)
    reason = str((await game.process(room.process_id)).summary_exit_reason)
    assert "it is older than the 1 hours" in reason
    assert "and its time to drain was up" in reason


async def test_limits_are_the_operators(inn: TestInn) -> None:
    await inn.another_org()
    house = inn.client().house.orgs_v1
    before = {one.org_id: one for one in (await house.get_orgs()).orgs}
    assert len(before) == 2
    own = inn.inn.founded.org_id
    changed = await limited(inn, cpus=3, server_hours=None, memory_mb=1024)
    assert (changed.limits.cpus, changed.limits.memory_mb, changed.limits.server_hours) == (3, 1024, None)
    assert changed.limits.cpu_hours_a_month is None
    after = {one.org_id: one for one in (await house.get_orgs()).orgs}
    assert {org_id for org_id in before if before[org_id] != after[org_id]} == {own}
    with pytest.raises(NotFound):
        await house.set_limits("org-none", ChangedLimits(cpus=1))
    wrongs: list[dict[str, Any]] = [{"cpus": -1.0}, {"memory_mb": 0}]
    for wrong in wrongs:
        with pytest.raises(StatusError):
            await house.set_limits(own, ChangedLimits(**wrong))


# -- how often ------------------------------------------------------------------------------------------------------


async def rated(inn: TestInn, **rates: int) -> None:
    await inn.stop()
    inn.settings = msgspec.structs.replace(inn.settings, **rates)
    await inn.start()


async def test_a_player_makes_ten_lobbies_a_minute(small_inn: TestInn) -> None:
    inn = small_inn
    game = await inn.game(seats=100)
    one, another = await game.player(), await game.player()
    for _ in range(10):
        await lobby(one)
    with pytest.raises(RateLimited) as refused:
        await lobby(one)
    assert refused.value.headers["retry-after"] == "6"
    await lobby(another)
    inn.clock.advance(5.9)
    with pytest.raises(RateLimited):
        await lobby(one)
    inn.clock.advance(0.1)
    await lobby(one)
    await rated(inn, lobbies_a_minute=0)
    for _ in range(30):
        await lobby(one)


async def test_an_address_logs_in_so_often(small_inn: TestInn) -> None:
    inn = small_inn
    game = await inn.game()
    await rated(inn, logins_a_minute=3)
    for _ in range(3):
        await game.player()
    with pytest.raises(RateLimited, match="too many logins from this address"):
        await game.player("somebody")
    inn.clock.advance(20)
    await game.player("somebody")
    await rated(inn, logins_a_minute=0)
    for _ in range(100):
        await game.player()


async def test_a_token_asks_as_often_as_it_may(small_inn: TestInn) -> None:
    inn = small_inn
    rival = await inn.another_org()
    await rated(inn, requests_a_minute=5)
    for _ in range(5):
        await inn.client().apps_v2.get_apps()
    with pytest.raises(RateLimited, match="too many requests with this token"):
        await inn.client().apps_v2.get_apps()
    await inn.client(rival).apps_v2.get_apps()
    inn.clock.advance(12)
    await inn.client().apps_v2.get_apps()
