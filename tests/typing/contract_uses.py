"""Right and wrong uses of a declared operation, for mypy and pyright: every wrong line carries an ignore, and an
ignore that is not needed is an error itself, so that this file fails when the types get weaker or stronger."""

from __future__ import annotations

from typing import assert_type

from innkeeper.contract.hathora.logs_v1 import LogsV1
from innkeeper.contract.hathora.rooms_v2 import (
    CreateRoomParams,
    Room,
    RoomConnectionData,
    RoomsV2,
)
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.resource import Async, AsyncByteStream, ByteStream, Raw, Sync


def sync(rooms: RoomsV2[Sync], logs: LogsV1[Sync]) -> None:
    params = CreateRoomParams(region=Region.TOKYO)
    assert_type(rooms.create_room(params), RoomConnectionData)
    assert_type(rooms.create_room(params, "app-1", room_id="r"), RoomConnectionData)
    assert_type(rooms.get_room_info.raw("r"), Raw[Room])
    assert_type(rooms.get_room_info.options(timeout=3.0)("r"), Room)
    assert_type(rooms.destroy_room("r"), None)
    assert_type(logs.get_logs_for_process("p", follow=True), ByteStream)
    rooms.get_room_info(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    rooms.create_room(params, room="r")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    rooms.create_room(Region.TOKYO)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    rooms.get_room_info.options(timout=3.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    logs.get_logs_for_process("p", follow=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def asynchronous(rooms: RoomsV2[Async], logs: LogsV1[Async]) -> None:
    params = CreateRoomParams(region=Region.TOKYO)
    assert_type(await rooms.create_room(params), RoomConnectionData)
    assert_type((await rooms.get_room_info.raw("r")).value, Room)
    assert_type(await logs.get_logs_for_process("p"), AsyncByteStream)
    async for page in rooms.get_room_info.pages("r"):
        assert_type(page, Room)
    rooms.create_room(params).room_id  # type: ignore[attr-defined]  # pyright: ignore
