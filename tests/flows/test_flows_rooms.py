"""How rooms come to be, fill servers, and end."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from factories import TOKYO, TestInn
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams, UpdateRoomConfigParams
from innkeeper.contract.hathora.words import Region, RoomReadyStatus, RoomStatus
from innkeeper.sdk import UNSET, NotFound, StatusError

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. use :DeprecationWarning")  # suspended rooms


async def test_a_room_becomes_active_when_its_server_has_bound_its_ports(inn: TestInn) -> None:
    inn.behave(start_takes=3)
    game = await inn.game()
    room = await game.room()
    assert room.status == RoomReadyStatus.STARTING
    assert room.exposed_port is UNSET
    await inn.settle()
    assert (await game.connection(room)).status == RoomReadyStatus.STARTING
    assert (await game.info(room)).status == RoomStatus.SCHEDULING

    await inn.advance(3)

    told = await game.connection(room)
    assert told.status == RoomReadyStatus.ACTIVE
    assert told.exposed_port is not UNSET
    assert (told.exposed_port.host, told.exposed_port.name) == ("198.51.100.7", "default")
    assert (await game.info(room)).status == RoomStatus.ACTIVE
    process = await game.process(room.process_id)
    assert process.exposed_port == told.exposed_port
    moments = [process.created_at, process.scheduled_at, process.booted_at, process.started_at]
    assert None not in moments
    assert moments == sorted(moments, key=lambda moment: moment.timestamp() if moment else 0)


async def test_rooms_fill_a_server_before_another_one_is_started(inn: TestInn) -> None:
    game = await inn.game(seats=3)
    rooms = [await game.room() for _ in range(7)]
    await inn.settle()
    assert sorted(Counter(room.process_id for room in rooms).values()) == [1, 3, 3]
    assert inn.engine.starts == 3
    assert [(await game.process(p)).rooms_allocated for p in dict.fromkeys(r.process_id for r in rooms)] == [3, 3, 1]


async def test_the_fullest_server_with_space_is_taken_first(inn: TestInn) -> None:
    game = await inn.game(seats=4)
    rooms = [await game.room() for _ in range(8)]
    first, second = rooms[0].process_id, rooms[7].process_id
    assert first != second
    for room in (rooms[0], rooms[4], rooms[5]):
        await game.cloud.rooms_v2.destroy_room(room.room_id)
    assert [(await game.room()).process_id for _ in range(3)] == [first, second, second]


async def test_regions_do_not_share_servers(inn: TestInn) -> None:
    game = await inn.game(seats=10)
    one, other = await game.room(), await game.room(region=Region.SYDNEY)
    assert one.process_id != other.process_id
    assert (await game.process(other.process_id)).region == Region.SYDNEY


async def test_a_room_id_is_taken_for_good(inn: TestInn) -> None:
    game, stranger = await inn.game(), await inn.game()
    await game.room("lobby-1")
    for who in (game, stranger):  # ids are unique in the whole house
        with pytest.raises(StatusError, match="lobby-1") as refused:
            await who.room("lobby-1")
        assert refused.value.status == 400
    await game.cloud.rooms_v2.destroy_room("lobby-1")
    with pytest.raises(StatusError, match="lobby-1"):
        await game.room("lobby-1")
    assert (await game.info("lobby-1")).status == RoomStatus.DESTROYED


async def test_of_many_who_ask_for_one_room_id_at_once_one_gets_it(inn: TestInn) -> None:
    game = await inn.game(seats=100)
    asked = await asyncio.gather(*(game.room("the-one") for _ in range(20)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in asked) == ["BadRequest"] * 19 + ["RoomConnectionData"]
    [process] = await game.processes()
    assert process.rooms_allocated == 1


async def test_a_destroyed_room_frees_its_seat(inn: TestInn) -> None:
    game = await inn.game(seats=1)
    room = await game.room()
    await inn.settle()
    await game.cloud.rooms_v2.destroy_room(room.room_id)
    assert (await game.info(room)).status == RoomStatus.DESTROYED
    assert (await game.room()).process_id == room.process_id
    for call in (game.cloud.rooms_v2.destroy_room, game.cloud.rooms_v2.get_connection_info):
        with pytest.raises(NotFound, match=room.room_id):
            await call(room.room_id)


async def test_rooms_of_another_app_or_organisation_do_not_exist(inn: TestInn) -> None:
    game, other = await inn.game(), await inn.game()
    room = await game.room()
    rival = inn.client(await inn.another_org(), app_id=game.app_id).rooms_v2
    for rooms in (rival, other.cloud.rooms_v2):
        for call in (rooms.get_room_info, rooms.destroy_room, rooms.suspend_room, rooms.resume_room):
            with pytest.raises(NotFound) as missing:
                await call(room.room_id)
            never = await asyncio.gather(call("never-was"), return_exceptions=True)
            assert str(missing.value).replace(room.room_id, "never-was") == str(never[0])
        with pytest.raises(NotFound):
            await rooms.update_room_config(room.room_id, UpdateRoomConfigParams(room_config="mine"))
        with pytest.raises(NotFound):
            await rooms.get_active_rooms_for_process(room.process_id)
    with pytest.raises(NotFound):
        await rival.create_room(CreateRoomParams(region=TOKYO))
    assert (await game.info(room)).status == RoomStatus.SCHEDULING


async def test_a_server_starts_for_a_room_that_stands(inn: TestInn) -> None:
    game = await inn.game()  # one room for each server
    over = await game.room(room_config="map=A")
    await game.cloud.rooms_v2.destroy_room(over.room_id)
    room = await game.room(room_config="map=B")
    assert room.process_id == over.process_id, "its seat is free again"
    await inn.settle()
    env = inn.engine.launches[room.process_id].env
    assert (env["HATHORA_INITIAL_ROOM_ID"], env["HATHORA_INITIAL_ROOM_CONFIG"]) == (room.room_id, "map=B")


async def test_the_config_travels_with_the_room(inn: TestInn) -> None:
    game = await inn.game()
    room = await game.room(room_config='{"map":"dust"}')
    await inn.settle()
    env = inn.engine.launches[room.process_id].env
    assert env["HATHORA_INITIAL_ROOM_ID"] == room.room_id
    assert env["HATHORA_INITIAL_ROOM_CONFIG"] == '{"map":"dust"}'
    await game.cloud.rooms_v2.update_room_config(room.room_id, UpdateRoomConfigParams(room_config="ice"))
    assert (await game.info(room)).room_config == "ice"


async def test_lists_tell_who_sits_on_a_server_and_who_has_left_it(inn: TestInn) -> None:
    game = await inn.game(seats=10)
    rooms = []
    for _ in range(4):
        rooms.append(await game.room())
        await inn.advance(1)
    process_id = rooms[0].process_id
    for room in (rooms[2], rooms[0]):
        await game.cloud.rooms_v2.destroy_room(room.room_id)
        await inn.advance(1)
    active = await game.cloud.rooms_v2.get_active_rooms_for_process(process_id)
    inactive = await game.cloud.rooms_v2.get_inactive_rooms_for_process(process_id)
    assert [room.room_id for room in active] == [rooms[1].room_id, rooms[3].room_id]
    assert [room.room_id for room in inactive] == [rooms[0].room_id, rooms[2].room_id]
    assert {room.status for room in inactive} == {RoomStatus.DESTROYED}
    assert all(room.current_allocation is None for room in inactive)


async def test_a_suspended_room_keeps_its_id_and_history(inn: TestInn) -> None:
    game = await inn.game(seats=1)
    room = await game.room(room_config="keep me")
    await inn.advance(1)
    await game.cloud.rooms_v2.suspend_room(room.room_id)
    await game.cloud.rooms_v2.suspend_room(room.room_id)
    assert (await game.info(room)).status == RoomStatus.SUSPENDED
    taker = await game.room()
    assert taker.process_id == room.process_id
    await inn.advance(1)

    resumed = await game.cloud.rooms_v2.resume_room(room.room_id)
    assert resumed.process_id not in (UNSET, room.process_id)
    await inn.settle()
    info = await game.info(room)
    assert (info.status, info.room_config) == (RoomStatus.ACTIVE, "keep me")
    assert [stay.process_id for stay in info.allocations] == [resumed.process_id, room.process_id]
    assert [stay.unscheduled_at is None for stay in info.allocations] == [True, False]
    assert len({stay.room_allocation_id for stay in info.allocations}) == 2
    again = await game.cloud.rooms_v2.resume_room(room.room_id)
    assert again.process_id == resumed.process_id
    assert again.status == RoomReadyStatus.ACTIVE
    gone = await game.cloud.rooms_v2.get_inactive_rooms_for_process(room.process_id)
    assert [room.room_id for room in gone] == [room.room_id]


async def test_a_player_who_asks_where_to_connect_resumes_the_room(inn: TestInn) -> None:
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    await game.cloud.rooms_v2.suspend_room(room.room_id)
    stranger = inn.client(None, app_id=game.app_id)
    await stranger.rooms_v2.get_connection_info(room.room_id)
    assert (await stranger.rooms_v2.get_connection_info(room.room_id)).status == RoomReadyStatus.ACTIVE


async def test_rooms_open_on_the_newest_deployment_or_on_the_one_asked_for(inn: TestInn) -> None:
    game = await inn.game(seats=5)
    old, before = game.deployment, await game.room()
    new = await game.release(seats=5)
    room, pinned = await game.room(), await game.room(deployment_id=old.deployment_id)
    assert room.process_id != before.process_id
    assert pinned.process_id == before.process_id
    assert (await game.process(room.process_id)).deployment_id == new.deployment_id
    with pytest.raises(NotFound, match="dep-none"):
        await game.room(deployment_id="dep-none")
    other = await inn.game()
    with pytest.raises(NotFound, match=old.deployment_id):  # of another app
        await other.room(deployment_id=old.deployment_id)


async def test_a_room_needs_a_deployment_whose_build_is_there(inn: TestInn) -> None:
    game = await inn.game(seats=2)
    build_id = await inn.build(build_tag="v2")
    await inn.release(game.app_id, build_id, seats=2)
    running = await game.room()
    await inn.settle()
    await game.cloud.builds_v3.delete_build(build_id)
    with pytest.raises(StatusError, match="deleted") as refused:
        await game.room()
    assert refused.value.status in (400, 422)
    assert (await game.connection(running)).status == RoomReadyStatus.ACTIVE  # what runs, runs on


async def test_the_rooms_and_servers_of_a_deleted_app_end(inn: TestInn) -> None:
    game = await inn.game()
    room = await game.room()
    await inn.settle()
    await game.cloud.apps_v2.delete_app()
    for call in (game.info(room), game.room(), game.cloud.apps_v2.get_app()):
        with pytest.raises(NotFound):
            await call
    await inn.advance(1)
    assert not [report for report in inn.engine.reports().values() if report.alive]
    with pytest.raises(NotFound, match="app was deleted"):
        await game.connection(room)
