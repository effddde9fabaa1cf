"""Rooms and pings as the first clients know them, seen by new ones, and the other way round."""

from __future__ import annotations

import pytest

from api.wire import ask
from factories import TOKYO, TestInn
from innkeeper.contract.hathora.rooms_v1 import ActiveConnectionInfo, StartingConnectionInfo
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams, UpdateRoomConfigParams
from innkeeper.contract.hathora.words import Region, RoomReadyStatus, RoomStatus, TransportType
from innkeeper.sdk import NotFound, StatusError

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. use :DeprecationWarning")


async def test_a_room_of_an_old_client_is_a_room_to_new_ones(inn: TestInn) -> None:
    game = await inn.game(seats=10)
    old, new = game.cloud.rooms_v1, game.cloud.rooms_v2
    room_id = await old.create_room(CreateRoomParams(region=TOKYO, room_config="dust"), room_id="mine")
    assert room_id == "mine"
    assert await old.get_connection_info(room_id) == StartingConnectionInfo(room_id=room_id)
    await inn.settle()
    info = await new.get_room_info(room_id)
    assert (info.status, info.room_config) == (RoomStatus.ACTIVE, "dust")
    assert await old.get_room_info(room_id) == info
    assert info.current_allocation is not None
    process_id = info.current_allocation.process_id
    assert await old.get_active_rooms_for_process(process_id) == await new.get_active_rooms_for_process(process_id)
    await old.destroy_room(room_id)
    assert (await new.get_room_info(room_id)).status is RoomStatus.DESTROYED
    gone = await old.get_inactive_rooms_for_process(process_id)
    assert [room.room_id for room in gone] == [room_id]
    assert gone == await new.get_inactive_rooms_for_process(process_id)


async def test_a_room_of_a_new_client_is_a_room_to_old_ones(inn: TestInn) -> None:
    game = await inn.game(transport=TransportType.TCP)
    old = game.cloud.rooms_v1
    room = await game.room(room_config="dust")
    await inn.settle()
    await game.cloud.rooms_v2.update_room_config(room.room_id, UpdateRoomConfigParams(room_config="ice"))
    assert (await old.get_room_info(room.room_id)).room_config == "ice"
    port = (await game.connection(room)).exposed_port
    assert port
    told = await old.get_connection_info(room.room_id)
    assert told == ActiveConnectionInfo(
        room_id=room.room_id, host=port.host, port=port.port, transport_type=TransportType.TCP
    )
    assert told.status is RoomReadyStatus.ACTIVE
    await game.cloud.rooms_v2.destroy_room(room.room_id)
    with pytest.raises(NotFound, match="over"):
        await old.get_connection_info(room.room_id)


async def test_what_old_clients_read_is_flat(small_inn: TestInn) -> None:
    inn = small_inn
    game = await inn.game()
    path = f"/rooms/v1/{game.app_id}"
    made = await ask(inn, "POST", f"{path}/create?roomId=one", b'{"region":"Tokyo"}', token=inn.token)
    assert (made.status, made.json) == (201, "one")
    headers = {"content-type": "application/json"}  # and no body: old plugins do so
    starting = await ask(inn, "GET", f"{path}/connectioninfo/one", headers=headers)
    assert starting.json == {"status": "starting", "roomId": "one"}
    await inn.settle()
    active = await ask(inn, "GET", f"{path}/connectioninfo/one", headers=headers)
    assert active.json == {
        "status": "active", "roomId": "one", "host": "198.51.100.7", "port": active.json["port"],
        "transportType": "udp",
    }  # fmt: skip
    for body in (None, b"", b"{}"):
        sent = await ask(inn, "POST", f"{path}/destroy/one", body, token=inn.token, headers=headers)
        assert sent.status == (204 if body is None else 404)
    taken = await ask(inn, "POST", f"{path}/create?roomId=one", b'{"region":"Tokyo"}', token=inn.token)
    assert (taken.status, "one" in taken.message) == (400, True)


async def test_suspending_the_old_way_and_asking_where_to_connect(inn: TestInn) -> None:
    game = await inn.game(seats=1)
    old = game.cloud.rooms_v1
    room = await game.room(room_config="keep me")
    await inn.settle()
    await old.suspend_room(room.room_id)
    assert (await game.info(room)).status is RoomStatus.SUSPENDED
    assert (await old.get_connection_info(room.room_id)).status is RoomReadyStatus.ACTIVE  # its server has run on
    info = await game.info(room)
    assert (info.status, info.room_config, len(info.allocations)) == (RoomStatus.ACTIVE, "keep me", 2)


async def test_rooms_of_others_do_not_exist_to_old_clients_either(inn: TestInn) -> None:
    game = await inn.game()
    room = await game.room()
    rival = inn.client(await inn.another_org(), app_id=game.app_id).rooms_v1
    for call in (rival.get_room_info, rival.destroy_room, rival.suspend_room):
        with pytest.raises(NotFound):
            await call(room.room_id)
    for listing in (rival.get_active_rooms_for_process, rival.get_inactive_rooms_for_process):
        with pytest.raises(NotFound):
            await listing(room.process_id)
    with pytest.raises(NotFound):
        await rival.create_room(CreateRoomParams(region=TOKYO))
    with pytest.raises(NotFound):
        await inn.client(None, app_id="app-none").rooms_v1.get_connection_info(room.room_id)
    assert (await game.info(room)).status is RoomStatus.SCHEDULING
    with pytest.raises(StatusError) as refused:
        await game.cloud.rooms_v1.create_room(CreateRoomParams(region=TOKYO), room_id="a b")
    assert refused.value.status == 422


async def test_old_clients_are_not_told_of_regions_that_came_later(small_inn: TestInn) -> None:
    inn = small_inn
    players = inn.client(None)
    new = await players.discovery_v2.get_ping_service_endpoints()
    old = await players.discovery_v1.get_ping_service_endpoints()
    assert {each.region for each in new} == set(Region)
    assert set(Region) - {each.region for each in old} == {Region.DALLAS, Region.JOHANNESBURG, Region.DUBAI}
    assert {(each.host, each.port) for each in old} == {(each.host, each.port) for each in new}
    inn.locations = frozenset({"dallas", "tokyo"})
    await inn.restart()
    assert [each.region for each in await players.discovery_v1.get_ping_service_endpoints()] == [TOKYO]
