"""Rooms: create, find, configure, destroy. Declared here, answered in ``api/hathora/rooms_v2.py``."""

from __future__ import annotations

from msgspec import field

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType

from . import operation
from .words import (
    CHECKED_READ,
    READ,
    WRITE,
    AdditionalExposedPorts,
    AppId,
    DeploymentId,
    ExposedPort,
    ProcessId,
    Region,
    RoomConfig,
    RoomConfigTold,
    RoomId,
    RoomIdTold,
    RoomReadyStatus,
    RoomStatus,
)


class CreateRoomParams(Camel):
    """Where the room shall be, and what its server is told about it."""

    region: Region
    room_config: RoomConfig | UnsetType = UNSET  #: opaque to the platform, at most 10,000 characters
    client_ips: list[str] | UnsetType = field(
        default=UNSET, name="clientIPs"
    )  #: players' addresses, kept with the room
    deployment_id: DeploymentId | UnsetType = UNSET  #: an older release; the newest serves otherwise


class UpdateRoomConfigParams(Camel):
    """What the room's server is told from now on."""

    room_config: RoomConfig


class ConnectionInfoV2(Camel):
    """Where players connect. Asked without credentials, about once a second, until ``status`` is ``active``."""

    room_id: RoomIdTold
    status: RoomReadyStatus
    exposed_port: ExposedPort | UnsetType = UNSET  #: left out until the server is ready
    additional_exposed_ports: AdditionalExposedPorts


class RoomConnectionData(ConnectionInfoV2):
    """A room, the server it sits on, and where players connect once it is ready."""

    process_id: ProcessId


class RoomAllocationData(ConnectionInfoV2):
    """A resumed room, and where players connect once it is ready."""

    process_id: ProcessId | UnsetType = UNSET  #: left out while no server has it


class RoomAllocation(Camel):
    """One stay of a room on a server."""

    room_allocation_id: str
    process_id: ProcessId
    scheduled_at: Moment
    unscheduled_at: Moment | None  #: None while the room is there


class RoomWithoutAllocations(Camel):
    """A room and where it is now."""

    app_id: AppId
    room_id: RoomIdTold
    status: RoomStatus
    current_allocation: RoomAllocation | None
    room_config: RoomConfigTold | UnsetType | None = UNSET  #: None when there is none


class Room(RoomWithoutAllocations):
    """A room and all the servers it has been on, the newest first."""

    allocations: list[RoomAllocation]


class RoomsV2(Resource[M]):
    """Rooms: create, find, configure, destroy."""

    @operation(
        "POST", "/rooms/v2/{appId}/create", status=201, recorded=False, scope="processes:read-write",
        errors=(400, 402, *WRITE),
    )  # fmt: skip
    def create_room(
        self, params: CreateRoomParams, app_id: AppId = GLOBAL, *, room_id: RoomId | None = None
    ) -> RoomConnectionData:
        """Open a room on a server with space for it, starting one if there is none.

        Answers at once; ask ``get_connection_info`` until it is active. ``room_id`` chooses the id, which must be
        new among all rooms; a random one is made otherwise.
        """
        ...

    @operation("GET", "/rooms/v2/{appId}/info/{roomId}", scope="processes:read", errors=CHECKED_READ)
    def get_room_info(self, room_id: RoomId, app_id: AppId = GLOBAL) -> Room:
        """Tell a room's state, config and every server it has been on."""
        ...

    @operation("GET", "/rooms/v2/{appId}/list/{processId}/active", scope="processes:read", errors=READ)
    def get_active_rooms_for_process(
        self, process_id: ProcessId, app_id: AppId = GLOBAL
    ) -> list[RoomWithoutAllocations]:
        """List the rooms that sit on a server now, the oldest first. Servers of many rooms poll this."""
        ...

    @operation("GET", "/rooms/v2/{appId}/list/{processId}/inactive", scope="processes:read", errors=READ)
    def get_inactive_rooms_for_process(
        self, process_id: ProcessId, app_id: AppId = GLOBAL
    ) -> list[RoomWithoutAllocations]:
        """List the rooms that have left a server, the latest first."""
        ...

    @operation(
        "POST",
        "/rooms/v2/{appId}/destroy/{roomId}",
        status=204,
        recorded=False,
        scope="processes:read-write",
        errors=(*READ, 500),
    )
    def destroy_room(self, room_id: RoomId, app_id: AppId = GLOBAL) -> None:
        """End a room and free its seat. Its server runs on."""
        ...

    @operation(
        "POST", "/rooms/v2/{appId}/suspend/{roomId}", status=204, recorded=False, scope="processes:read-write",
        errors=(*READ, 500), id="SuspendRoomV2Deprecated", replaced_by="destroy_room",
    )  # fmt: skip
    def suspend_room(self, room_id: RoomId, app_id: AppId = GLOBAL) -> None:
        """Take a room off its server and keep its id, to be resumed later."""
        ...

    @operation(
        "GET", "/rooms/v2/{appId}/connectioninfo/{roomId}", key="none", errors=(400, 402, 404, 408, 422, 429, 500)
    )
    def get_connection_info(self, room_id: RoomId, app_id: AppId = GLOBAL) -> ConnectionInfoV2:
        """Tell players where to connect. Needs no credentials; a suspended room is resumed by it."""
        ...

    @operation(
        "POST",
        "/rooms/v2/{appId}/resume/{roomId}",
        recorded=False,
        scope="processes:read-write",
        errors=(400, 402, *WRITE),
    )
    def resume_room(self, room_id: RoomId, app_id: AppId = GLOBAL) -> RoomAllocationData:
        """Seat a suspended room again. A room that has a seat keeps it."""
        ...

    @operation(
        "POST",
        "/rooms/v2/{appId}/update/{roomId}",
        status=204,
        recorded=False,
        scope="processes:read-write",
        errors=WRITE,
    )
    def update_room_config(self, room_id: RoomId, params: UpdateRoomConfigParams, app_id: AppId = GLOBAL) -> None:
        """Change what a room's server and players are told about it."""
        ...
