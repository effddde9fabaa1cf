"""Right and wrong uses of a declared operation, for mypy and pyright: every wrong line carries an ignore, and an
ignore that is not needed is an error itself, so that this file fails when the types get weaker or stronger."""

from __future__ import annotations

from typing import assert_type

from innkeeper.contract.hathora.builds_v3 import BuildsV3, RegistryConfig
from innkeeper.contract.hathora.deployments_v3 import DeploymentsV3, DeploymentsV3Page
from innkeeper.contract.hathora.logs_v1 import LogsV1
from innkeeper.contract.hathora.rooms_v2 import (
    ConnectionInfoV2,
    CreateRoomParams,
    Room,
    RoomConnectionData,
    RoomsV2,
)
from innkeeper.contract.hathora.tokens_v1 import TokensV1
from innkeeper.contract.hathora.words import ExposedPort, Region
from innkeeper.contract.resource import Async, AsyncByteStream, ByteStream, Raw, Sync
from innkeeper.contract.shape import UnsetType


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
    rooms.create_room(params).room_id  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore


def objects(info: ConnectionInfoV2, room: Room) -> None:
    assert_type(info.exposed_port, ExposedPort | UnsetType)
    assert_type(room.room_config, str | UnsetType | None)
    CreateRoomParams(Region.TOKYO)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CreateRoomParams(region="Tokyo")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CreateRoomParams(room_config="{}")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    info.exposed_port.host  # type: ignore[union-attr]  # noqa: B018  # pyright: ignore


def other_groups(builds: BuildsV3[Sync], deployments: DeploymentsV3[Sync], tokens: TokensV1[Sync]) -> None:
    assert_type(builds.run_build("b", org_id=None), ByteStream)
    assert_type(builds.run_build_registry("b", RegistryConfig(image="i")), ByteStream)
    assert_type(tokens.revoke_org_token("t"), bool)
    for page in deployments.get_deployments.pages(build_tag="1.0"):
        assert_type(page, DeploymentsV3Page)
    builds.run_build.pages("b")  # type: ignore[attr-defined]  # pyright: ignore
    builds.run_build_registry("b")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
