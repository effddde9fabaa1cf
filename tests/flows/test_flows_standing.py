"""Static allocation: servers that are kept whether or not there are rooms, and replaced under a new deployment."""

from __future__ import annotations

from collections import Counter

import pytest

from factories import Game, TestInn
from innkeeper.contract.hathora.apps_v2 import ServiceConfigWrite, StaticProcessAllocationConfigWrite
from innkeeper.contract.hathora.processes_v3 import ProcessStatus, ProcessV3
from innkeeper.contract.hathora.rooms_v2 import RoomReadyStatus
from innkeeper.contract.hathora.words import Region
from innkeeper.engines.base import EndedBy
from innkeeper.sdk import NotFound

ALIVE = [ProcessStatus.STARTING, ProcessStatus.RUNNING, ProcessStatus.DRAINING, ProcessStatus.STOPPING]


async def alive(game: Game) -> list[ProcessV3]:
    return await game.processes(status=ALIVE)


async def by_status(game: Game) -> Counter[str]:
    return Counter(str(process.status) for process in await alive(game))


async def test_the_target_is_kept_whatever_happens(inn: TestInn) -> None:
    game = await inn.game()
    await game.order(1, 3, 5)
    await inn.settle()
    assert await by_status(game) == {"running": 3}
    await inn.advance(3600)  # idle, and kept
    assert await by_status(game) == {"running": 3}
    [first, second, _] = await alive(game)
    inn.engine.end(first.process_id, EndedBy.EXIT, 1)
    await inn.settle()
    assert await by_status(game) == {"running": 3}
    await game.cloud.processes_v3.stop_process(second.process_id)
    await inn.settle()
    assert await by_status(game) == {"running": 3}


async def test_surplus_is_retired_when_it_is_empty(inn: TestInn) -> None:
    game = await inn.game()
    await game.order(0, 4, 6)
    await inn.settle()
    room = await game.room()
    await game.order(0, 1, 6)
    await inn.advance(1)
    assert [process.process_id for process in await alive(game)] == [room.process_id]


@pytest.mark.parametrize("seated", [False, True])
async def test_an_order_that_is_taken_back_ends_its_empty_servers(inn: TestInn, seated: bool) -> None:
    game = await inn.game()
    await game.order(1, 2, 2)
    await inn.settle()
    rooms = [await game.room()] if seated else []
    await game.serve()
    assert (await game.cloud.apps_v2.get_app()).service_config is None
    await inn.advance(1)
    await inn.advance(301)
    assert [process.process_id for process in await alive(game)] == [room.process_id for room in rooms]
    for room in rooms:
        await game.cloud.rooms_v2.destroy_room(room.room_id)
        await inn.advance(1)
        await inn.advance(301)
    assert await alive(game) == []


async def test_orders_are_kept_for_each_region(inn: TestInn) -> None:
    game = await inn.game()
    regions = [Region.TOKYO, Region.SYDNEY]
    wanted = [
        StaticProcessAllocationConfigWrite(region=region, min_processes=0, target_processes=at + 1, max_processes=3)
        for at, region in enumerate(regions)
    ]
    await game.serve(ServiceConfigWrite(static_process_allocation=wanted))
    await inn.settle()
    assert Counter(process.region for process in await alive(game)) == {Region.TOKYO: 1, Region.SYDNEY: 2}
    await game.order(0, 1, 3, Region.SYDNEY)
    await inn.advance(1)
    assert Counter(process.region for process in await alive(game)) == {Region.SYDNEY: 1}


@pytest.mark.parametrize(
    ("least", "target", "most", "rooms"),
    [(1, 3, 4, 0), (3, 3, 3, 0), (0, 3, 3, 0), (2, 2, 3, 1), (2, 3, 4, 2), (0, 2, 2, 2), (1, 2, 3, 2), (3, 3, 3, 2),
     (1, 1, 1, 0), (1, 1, 1, 1)],
)  # fmt: skip
async def test_a_new_deployment_replaces_the_old_servers_within_bounds(
    small_inn: TestInn, least: int, target: int, most: int, rooms: int
) -> None:
    """At every step: never fewer ready than the least, never more in all than the most. Where they are one number,
    nothing could be replaced so, and one fewer is ready while one is replaced."""
    inn = small_inn
    inn.behave(start_takes=5, stop_takes=2)
    game = await inn.game(seats=1)
    await game.order(least, target, most)
    await inn.settle()
    await inn.advance(5)
    seated = [await game.room() for _ in range(rooms)]
    assert await by_status(game) == {"running": target}
    new = await game.release(seats=1)
    floor = least - 1 if least == most else least
    ended_rooms = 0
    for second in range(60):
        await inn.settle()
        found = await alive(game)
        ready = [p for p in found if p.status in (ProcessStatus.RUNNING, ProcessStatus.DRAINING)]
        assert len(found) <= most, found
        assert len(ready) >= floor, found
        if second == 30:  # the old rooms end at last
            for room in seated:
                assert (await game.process(room.process_id)).status in (ProcessStatus.RUNNING, ProcessStatus.DRAINING)
                await game.cloud.rooms_v2.destroy_room(room.room_id)
                ended_rooms += 1
        await inn.advance(1)
    assert ended_rooms == rooms
    assert [(process.deployment_id, process.status) for process in await alive(game)] == [
        (new.deployment_id, ProcessStatus.RUNNING)
    ] * target


async def test_the_only_server_is_replaced_when_its_rooms_are_over_or_its_day_is(inn: TestInn) -> None:
    """Those who play go on; the new server comes when the old one is gone, in the end by the clock."""
    game = await inn.game(seats=2)
    await game.order(1, 1, 1)
    await inn.settle()
    first = await game.room()
    second = await game.release(seats=2)
    await inn.advance(3600)
    assert [(p.process_id, p.status) for p in await alive(game)] == [(first.process_id, ProcessStatus.DRAINING)]
    assert (await game.connection(first)).status == RoomReadyStatus.ACTIVE
    await game.cloud.rooms_v2.destroy_room(first.room_id)
    await inn.advance(1)
    await inn.advance(1)
    assert [(p.deployment_id, p.status) for p in await alive(game)] == [(second.deployment_id, ProcessStatus.RUNNING)]
    endless = await game.room()
    third = await game.release(seats=2)
    await inn.settle()
    assert await by_status(game) == {"draining": 1}
    await inn.advance(86_400)
    with pytest.raises(NotFound, match="time to drain"):
        await game.connection(endless)
    assert [(p.deployment_id, p.status) for p in await alive(game)] == [(third.deployment_id, ProcessStatus.RUNNING)]


async def test_a_room_is_never_refused_for_the_sake_of_an_order(inn: TestInn) -> None:
    """While the only server it allows drains, a new room has one started for it, which the order then counts."""
    game = await inn.game(seats=2)
    await game.order(1, 1, 1)
    await inn.settle()
    old = await game.room()
    await game.release(seats=2)
    await inn.settle()
    new = await game.room()
    await inn.settle()
    assert new.process_id != old.process_id
    assert {p.process_id: p.status for p in await alive(game)} == {
        old.process_id: ProcessStatus.DRAINING, new.process_id: ProcessStatus.RUNNING,
    }  # fmt: skip
    await game.cloud.rooms_v2.destroy_room(old.room_id)
    await inn.advance(1)
    assert [p.process_id for p in await alive(game)] == [new.process_id]


async def test_an_old_server_that_starts_for_a_room_is_let_go_once_it_runs(inn: TestInn) -> None:
    inn.behave(start_takes=5)
    game = await inn.game(seats=2)
    await game.order(1, 1, 2)
    await inn.settle()
    room = await game.room()
    await game.release(seats=2)
    await inn.settle()  # until then there is nothing to do, and nothing is done over and over
    assert (await game.process(room.process_id)).status == ProcessStatus.STARTING
    await inn.advance(5)
    await inn.advance(1)
    assert (await game.connection(room)).status == RoomReadyStatus.ACTIVE
    assert await by_status(game) == {"draining": 1, "running": 1}


async def test_a_release_that_does_not_start_takes_no_more_than_one_server(inn: TestInn) -> None:
    game = await inn.game()
    await game.order(3, 3, 3)
    await inn.settle()
    old = game.deployment.deployment_id
    inn.behave(start_takes=5, crash_after=2)
    broken = await game.release()
    for _ in range(30):
        await inn.advance(1)
        assert Counter(p.deployment_id for p in await alive(game) if p.status == ProcessStatus.RUNNING) == {old: 2}
    inn.behave()
    good = await game.release()
    assert broken.deployment_id != good.deployment_id
    for _ in range(10):
        await inn.advance(1)
    assert Counter(p.deployment_id for p in await alive(game)) == {good.deployment_id: 3}


async def test_new_rooms_never_go_to_a_draining_server(inn: TestInn) -> None:
    game = await inn.game(seats=4)
    await game.order(1, 1, 2)
    await inn.settle()
    old = await game.room()
    await game.release(seats=4)
    await inn.advance(1)
    await inn.advance(1)
    assert (await game.process(old.process_id)).status == ProcessStatus.DRAINING
    assert (await game.room()).process_id != old.process_id
    await game.cloud.rooms_v2.destroy_room(old.room_id)
    await inn.advance(1)
    process = await game.process(old.process_id)
    assert process.status == ProcessStatus.STOPPED
    assert "newer release took over" in str(process.summary_exit_reason)


async def test_a_draining_server_has_a_day(inn: TestInn) -> None:
    game = await inn.game(seats=2)
    await game.order(0, 1, 2)
    await inn.settle()
    room = await game.room()
    await game.release(seats=2)
    for _ in range(3):
        await inn.advance(1)
    assert (await game.process(room.process_id)).status == ProcessStatus.DRAINING
    await inn.advance(86_400)
    assert (await game.process(room.process_id)).status == ProcessStatus.STOPPED
    with pytest.raises(NotFound, match="time to drain"):
        await game.connection(room)


async def test_servers_that_end_at_once_are_not_started_without_a_pause(inn: TestInn) -> None:
    inn.behave(crash_after=0)
    game = await inn.game()
    await game.order(1, 1, 1)
    tries = []
    for _ in range(120):
        await inn.advance(1)
        tries.append(await game.cloud.processes_v3.get_processes_count_experimental())
    assert not await alive(game)
    assert tries[-1].count == 8  # at once, then after 0, 1, 2, 4, 8, 16, 32 and then 60 seconds each
    inn.behave()
    await inn.advance(60)
    assert await by_status(game) == {"running": 1}
