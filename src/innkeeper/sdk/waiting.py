"""Asking until a room's server is ready, as one dialogue for both modes. Called by ``hathora.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from innkeeper.contract.errors import DeadlineExceeded
from innkeeper.contract.hathora.rooms_v2 import ConnectionInfoV2, RoomsV2
from innkeeper.contract.hathora.words import RoomReadyStatus

from .wire import Delay, Steps

if TYPE_CHECKING:
    from .engine import Engine


def until_active(engine: Engine, room_id: str, app_id: Any, timeout: float, every: float) -> Steps[ConnectionInfoV2]:
    """Ask at once, then every so many seconds. Raises ``DeadlineExceeded`` when the next question would be too late."""
    world, asked = engine.world, 0
    until = world.now() + timeout
    while True:
        left = until - world.now()
        each = left if engine.timeout is None else min(left, engine.timeout)
        info: ConnectionInfoV2 = yield from engine.call(
            RoomsV2.get_connection_info, (room_id, app_id), {}, {"timeout": each}
        )
        asked += 1
        if info.status == RoomReadyStatus.ACTIVE:
            return info
        if world.now() + every >= until:
            raise DeadlineExceeded(
                f"room {room_id} is still {info.status} after {timeout:g} s",
                operation=RoomsV2.get_connection_info.id,
                attempts=asked,
            )
        yield Delay(every)
