"""Asking until a room's server is ready, as one dialogue for both modes. Called by ``hathora.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from innkeeper.contract.errors import AnswerUnreadable, DeadlineExceeded
from innkeeper.contract.hathora.rooms_v2 import ConnectionInfoV2, RoomsV2
from innkeeper.contract.hathora.words import ExposedPort, RoomReadyStatus
from innkeeper.contract.resource import Raw
from innkeeper.contract.shape import UnsetType

from .wire import Delay, Steps

if TYPE_CHECKING:
    from .engine import Engine

#: Seconds until the second question. Most rooms are open by then; those that are not are asked for ever less often.
SOON = 0.1


class ActiveRoom(ConnectionInfoV2):
    """Where players connect, of a room that is active: its port is always there."""

    # Narrower than in the base, where it may be left out. An answer that was read is not written to.
    exposed_port: ExposedPort  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


def until_active(engine: Engine, room_id: str, app_id: Any, timeout: float, every: float) -> Steps[ActiveRoom]:
    """Ask at once, soon again, and then less and less often, at most ``every`` seconds apart.

    Raises ``DeadlineExceeded`` when the next question would be too late, and ``AnswerUnreadable`` for an active room
    without a port.
    """
    world, asked, pause = engine.world, 0, min(SOON, every)
    until = world.now() + timeout
    while True:
        left = until - world.now()
        each = left if engine.timeout is None else min(left, engine.timeout)
        raw: Raw[ConnectionInfoV2] = yield from engine.raw(
            RoomsV2.get_connection_info, (room_id, app_id), {}, {"timeout": each}
        )
        asked += 1
        if raw.value.status == RoomReadyStatus.ACTIVE:
            return _active(raw, asked)
        if world.now() + pause >= until:
            raise DeadlineExceeded(
                f"room {room_id} is still {raw.value.status} after {timeout:g} s",
                operation=RoomsV2.get_connection_info.id,
                attempts=asked,
            )
        yield Delay(pause)
        pause = min(2 * pause, every)


def _active(raw: Raw[ConnectionInfoV2], asked: int) -> ActiveRoom:
    info = raw.value
    port = info.exposed_port
    if isinstance(port, UnsetType):
        raise AnswerUnreadable(
            f"room {info.room_id} is told as active without an exposedPort: there is no address to dial",
            status=raw.status,
            headers=raw.headers,
            body=raw.body,
            operation=RoomsV2.get_connection_info.id,
            attempts=asked,
        )
    return ActiveRoom(
        room_id=info.room_id,
        status=info.status,
        exposed_port=port,
        additional_exposed_ports=info.additional_exposed_ports,
    )
