"""Static allocation: servers that are kept whether or not there are rooms, and replaced under a new deployment."""

from __future__ import annotations

from collections import Counter

import pytest

from factories import Game, TestInn
from innkeeper.contract.hathora.apps_v2 import ServiceConfigWrite, StaticProcessAllocationConfigWrite
from innkeeper.contract.hathora.processes_v3 import ProcessStatus, ProcessV3
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
    [(1, 3, 4, 0), (3, 3, 3, 0), (0, 3, 3, 0), (2, 2, 3, 1), (2, 3, 4, 2), (0, 2, 2, 2), (1, 2, 3, 2)],
)
async def test_a_new_deployment_replaces_the_old_servers_within_bounds(
    small_inn: TestInn, least: int, target: int, most: int, rooms: int
) -> None:
    """At every step: never fewer ready than the least, never more in all than the most. (3, 3, 3) cannot be replaced
    at all without breaking one of the two, and stays until an operator gives way."""
    inn = small_inn
    inn.behave(start_takes=5, stop_takes=2)
    game = await inn.game(seats=1)
    await game.order(least, target, most)
    await inn.settle()
    await inn.advance(5)
    seated = [await game.room() for _ in range(rooms)]
    assert await by_status(game) == {"running": target}
    new = await game.release(seats=1)
    ended_rooms = 0
    for second in range(60):
        await inn.settle()
        found = await alive(game)
        ready = [p for p in found if p.status in (ProcessStatus.RUNNING, ProcessStatus.DRAINING)]
        assert len(found) <= most, found
        assert len(ready) >= least, found
        if second == 30:  # the old rooms end at last
            for room in seated:
                assert (await game.process(room.process_id)).status in (ProcessStatus.RUNNING, ProcessStatus.DRAINING)
                await game.cloud.rooms_v2.destroy_room(room.room_id)
                ended_rooms += 1
        await inn.advance(1)
    found = await alive(game)
    assert ended_rooms == rooms
    if least == target == most:
        assert {process.deployment_id for process in found} != {new.deployment_id}
        await game.order(least - 1, target, most)
        for _ in range(60):
            await inn.advance(1)
        found = await alive(game)
    assert [(process.deployment_id, process.status) for process in found] == [
        (new.deployment_id, ProcessStatus.RUNNING)
    ] * target


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
