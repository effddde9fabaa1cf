"""Rooms as the first clients know them. Declared here, answered in ``api/hathora/rooms_v1.py``."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, Camel

from . import operation
from .rooms_v2 import CreateRoomParams, Room, RoomWithoutAllocations
from .words import CHECKED_READ, READ, WRITE, AppId, ProcessId, RoomId, RoomIdTold, RoomReadyStatus, TransportType


class ActiveConnectionInfo(Camel, tag_field="status", tag="active"):
    """Where players connect to a room whose server is ready. On the wire its ``status`` is ``active``."""

    status: ClassVar[RoomReadyStatus] = RoomReadyStatus.ACTIVE
    room_id: RoomIdTold
    host: str
    port: int  #: the public one of the default port
    transport_type: TransportType


class StartingConnectionInfo(Camel, tag_field="status", tag="starting"):
    """A room whose server is not ready yet: ask again. On the wire its ``status`` is ``starting``."""

    status: ClassVar[RoomReadyStatus] = RoomReadyStatus.STARTING
    room_id: RoomIdTold


ConnectionInfo = Annotated[
    ActiveConnectionInfo | StartingConnectionInfo,
    Meta(title="ConnectionInfo", description="Where players connect, once the room's server is ready."),
]


class RoomsV1(Resource[M]):
    """Rooms, as the first clients create and find them."""

    @operation(
        "POST", "/rooms/v1/{appId}/create", status=201, recorded=False, scope="processes:read-write",
        errors=(400, 402, *WRITE), id="CreateRoomDeprecated", replaced_by="rooms_v2.create_room",
    )  # fmt: skip
    def create_room(self, params: CreateRoomParams, app_id: AppId = GLOBAL, *, room_id: RoomId | None = None) -> str:
        """Open a room on a server with space for it, and tell its id.

        Answers at once; ask ``get_connection_info`` until it is active.
        """
        ...

    @operation(
        "GET", "/rooms/v1/{appId}/info/{roomId}", scope="processes:read", errors=CHECKED_READ,
        id="GetRoomInfoDeprecated", replaced_by="rooms_v2.get_room_info",
    )  # fmt: skip
    def get_room_info(self, room_id: RoomId, app_id: AppId = GLOBAL) -> Room:
        """Tell a room's state, config and every server it has been on."""
        ...

    @operation(
        "GET", "/rooms/v1/{appId}/list/{processId}/active", scope="processes:read", errors=READ,
        id="GetActiveRoomsForProcessDeprecated", replaced_by="rooms_v2.get_active_rooms_for_process",
    )  # fmt: skip
    def get_active_rooms_for_process(
        self, process_id: ProcessId, app_id: AppId = GLOBAL
    ) -> list[RoomWithoutAllocations]:
        """List the rooms that sit on a server now, the oldest first."""
        ...

    @operation(
        "GET", "/rooms/v1/{appId}/list/{processId}/inactive", scope="processes:read", errors=READ,
        id="GetInactiveRoomsForProcessDeprecated", replaced_by="rooms_v2.get_inactive_rooms_for_process",
    )  # fmt: skip
    def get_inactive_rooms_for_process(
        self, process_id: ProcessId, app_id: AppId = GLOBAL
    ) -> list[RoomWithoutAllocations]:
        """List the rooms that have left a server, the latest first."""
        ...

    @operation(
        "POST", "/rooms/v1/{appId}/destroy/{roomId}", status=204, recorded=False, scope="processes:read-write",
        errors=(*READ, 500), id="DestroyRoomDeprecated", replaced_by="rooms_v2.destroy_room",
    )  # fmt: skip
    def destroy_room(self, room_id: RoomId, app_id: AppId = GLOBAL) -> None:
        """End a room and free its seat. Its server runs on."""
        ...

    @operation(
        "POST", "/rooms/v1/{appId}/suspend/{roomId}", status=204, recorded=False, scope="processes:read-write",
        errors=(*READ, 500), id="SuspendRoomDeprecated", replaced_by="rooms_v2.destroy_room",
    )  # fmt: skip
    def suspend_room(self, room_id: RoomId, app_id: AppId = GLOBAL) -> None:
        """Take a room off its server and keep its id. Asking for its connection info seats it again."""
        ...

    @operation(
        "GET", "/rooms/v1/{appId}/connectioninfo/{roomId}", key="none", errors=(400, 402, 404, 408, 429, 500),
        id="GetConnectionInfoDeprecated", replaced_by="rooms_v2.get_connection_info",
    )  # fmt: skip
    def get_connection_info(self, room_id: RoomId, app_id: AppId = GLOBAL) -> ConnectionInfo:
        """Tell players where to connect: the default port alone. Needs no credentials; a suspended room is resumed."""
        ...
