"""Rooms: create, find, configure, destroy. Declared in ``contract/hathora/rooms_v2.py``."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.rooms_v2 import (
    ConnectionInfoV2,
    CreateRoomParams,
    Room,
    RoomAllocation,
    RoomAllocationData,
    RoomConnectionData,
    RoomsV2,
    RoomWithoutAllocations,
    UpdateRoomConfigParams,
)
from innkeeper.contract.hathora.words import ExposedPort, RoomReadyStatus
from innkeeper.contract.shape import GLOBAL
from innkeeper.hosting.model import RoomState, Seat, Stay
from innkeeper.hosting.rooms import is_ready
from innkeeper.kit.errors import NotFound
from innkeeper.kit.stamps import moment, moment_or_none

from .words import exposed_ports, location_of, room_status


def connection(seat: Seat) -> tuple[RoomReadyStatus, list[ExposedPort], ExposedPort | UnsetType]:
    """Whether players can connect, and where: status, additional ports, default port."""
    if not is_ready(seat) or seat.server is None:
        return RoomReadyStatus.STARTING, [], UNSET
    ports = exposed_ports(seat.server)
    return RoomReadyStatus.ACTIVE, ports[1:], ports[0] if ports else UNSET


def _allocation(seat: Seat) -> RoomAllocation | None:
    """Where a room sits now."""
    room = seat.room
    if room.state is not RoomState.SEATED or room.server_id is None or room.seated_at is None:
        return None
    return RoomAllocation(
        room_allocation_id=room.stay_id or "",
        process_id=room.server_id,
        scheduled_at=moment(room.seated_at),
        unscheduled_at=None,
    )


def _past(stay: Stay) -> RoomAllocation:
    return RoomAllocation(
        room_allocation_id=stay.id,
        process_id=stay.server_id,
        scheduled_at=moment(stay.seated_at),
        unscheduled_at=moment_or_none(stay.left_at),
    )


def _last_stay(seat: Seat) -> list[RoomAllocation]:
    """The room's present stay, or its last one."""
    room = seat.room
    if room.server_id is None or room.seated_at is None:
        return []
    return [
        RoomAllocation(
            room_allocation_id=room.stay_id or "",
            process_id=room.server_id,
            scheduled_at=moment(room.seated_at),
            unscheduled_at=moment_or_none(room.left_at),
        )
    ]


def plain(seat: Seat) -> RoomWithoutAllocations:
    """A room and where it is now."""
    room = seat.room
    return RoomWithoutAllocations(
        app_id=room.app_id,
        room_id=room.id,
        status=room_status(seat),
        current_allocation=_allocation(seat),
        room_config=room.config,
    )


@implements(RoomsV2.create_room)
async def create_room(
    visit: Visit, params: CreateRoomParams, app_id: str = GLOBAL, *, room_id: str | None = None
) -> RoomConnectionData:
    seat = await visit.wings.rooms.open(
        app_id,
        visit.org,
        location_of(params.region),
        config=params.room_config or None,
        room_id=room_id,
        release_id=params.deployment_id or None,
        client_ips=params.client_ips or None,
    )
    status, others, first = connection(seat)
    return RoomConnectionData(
        room_id=seat.room.id,
        process_id=seat.room.server_id or "",
        status=status,
        additional_exposed_ports=others,
        exposed_port=first,
    )


@implements(RoomsV2.get_room_info)
async def get_room_info(visit: Visit, room_id: str, app_id: str = GLOBAL) -> Room:
    seat, stays = await visit.wings.rooms.info(app_id, visit.org, room_id)
    return Room(
        app_id=app_id,
        room_id=room_id,
        status=room_status(seat),
        current_allocation=_allocation(seat),
        allocations=[*_last_stay(seat), *map(_past, stays)],
        room_config=seat.room.config,
    )


@implements(RoomsV2.get_active_rooms_for_process)
async def get_active_rooms_for_process(
    visit: Visit, process_id: str, app_id: str = GLOBAL
) -> list[RoomWithoutAllocations]:
    return [plain(seat) for seat in await visit.wings.rooms.on_server(app_id, visit.org, process_id)]


@implements(RoomsV2.get_inactive_rooms_for_process)
async def get_inactive_rooms_for_process(
    visit: Visit, process_id: str, app_id: str = GLOBAL
) -> list[RoomWithoutAllocations]:
    return [plain(seat) for seat, _ in await visit.wings.rooms.gone_from(app_id, visit.org, process_id)]


@implements(RoomsV2.destroy_room)
async def destroy_room(visit: Visit, room_id: str, app_id: str = GLOBAL) -> None:
    await visit.wings.rooms.close(app_id, visit.org, room_id, f"destroyed by {visit.by}")


@implements(RoomsV2.suspend_room)
async def suspend_room(visit: Visit, room_id: str, app_id: str = GLOBAL) -> None:
    await visit.wings.rooms.suspend(app_id, visit.org, room_id)


async def standing_seat(visit: Visit, app_id: str, room_id: str) -> Seat:
    """A room for those who want to connect to it: a suspended one is resumed, one that is over is NotFound."""
    seat = await visit.wings.rooms.seat(app_id, room_id)
    if seat.room.state is RoomState.SUSPENDED:
        seat = await visit.wings.rooms.resume(app_id, None, room_id)
    if seat.room.state is RoomState.DESTROYED:
        raise NotFound(f"room {room_id} is over: {seat.room.ended_reason}")
    return seat


@implements(RoomsV2.get_connection_info)
async def get_connection_info(visit: Visit, room_id: str, app_id: str = GLOBAL) -> ConnectionInfoV2:
    status, others, first = connection(await standing_seat(visit, app_id, room_id))
    return ConnectionInfoV2(room_id=room_id, status=status, additional_exposed_ports=others, exposed_port=first)


@implements(RoomsV2.resume_room)
async def resume_room(visit: Visit, room_id: str, app_id: str = GLOBAL) -> RoomAllocationData:
    seat = await visit.wings.rooms.resume(app_id, visit.org, room_id)
    status, others, first = connection(seat)
    return RoomAllocationData(
        room_id=room_id,
        process_id=seat.room.server_id or "",
        status=status,
        additional_exposed_ports=others,
        exposed_port=first,
    )


@implements(RoomsV2.update_room_config)
async def update_room_config(visit: Visit, room_id: str, params: UpdateRoomConfigParams, app_id: str = GLOBAL) -> None:
    await visit.wings.rooms.set_config(app_id, visit.org, room_id, params.room_config)
