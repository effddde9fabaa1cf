"""Rooms as the first clients know them. Declared in ``contract/hathora/rooms_v1.py``.

Only what they are told differs; what did not change is answered by ``rooms_v2.py`` itself.
"""

from __future__ import annotations

from msgspec import UnsetType

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.rooms_v1 import ActiveConnectionInfo, ConnectionInfo, RoomsV1, StartingConnectionInfo
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.shape import GLOBAL

from . import rooms_v2

implements(RoomsV1.get_room_info)(rooms_v2.get_room_info)
implements(RoomsV1.get_active_rooms_for_process)(rooms_v2.get_active_rooms_for_process)
implements(RoomsV1.get_inactive_rooms_for_process)(rooms_v2.get_inactive_rooms_for_process)
implements(RoomsV1.destroy_room)(rooms_v2.destroy_room)
implements(RoomsV1.suspend_room)(rooms_v2.suspend_room)


@implements(RoomsV1.create_room)
async def create_room(
    visit: Visit, params: CreateRoomParams, app_id: str = GLOBAL, *, room_id: str | None = None
) -> str:
    return (await rooms_v2.create_room(visit, params, app_id, room_id=room_id)).room_id


@implements(RoomsV1.get_connection_info)
async def get_connection_info(visit: Visit, room_id: str, app_id: str = GLOBAL) -> ConnectionInfo:
    _, _, port = rooms_v2.connection(await rooms_v2.standing_seat(visit, app_id, room_id))
    if isinstance(port, UnsetType):
        return StartingConnectionInfo(room_id=room_id)
    return ActiveConnectionInfo(room_id=room_id, host=port.host, port=port.port, transport_type=port.transport_type)
