"""The columns of rooms and servers, and what is made of a row of them. Used by the modules beside this one."""

from __future__ import annotations

from innkeeper.db.database import Row
from innkeeper.hosting.model import Room, RoomState, Seat, Server, ServerState

ROOM = (
    "id, app_id, state, location, release_id, config, client_ips, server_id, stay_id, seated_at, left_at, created_at,"
    " ended_reason, places"
)
SERVER = (
    "id, app_id, release_id, location, state, accepting, seats, taken, cause, host_id, address, ports, handle, room_id,"
    " stop_why, stop_reason, exit_reason, created_at, placed_at, booted_at, ready_at, stopping_at, ended_at,"
    " idle_since, until"
)
#: The states of servers that are not over. Text and order are those of the index ``servers_alive``, which SQLite takes
#: for just this text.
ALIVE = "('wanted', 'starting', 'running', 'draining', 'stopping')"
_ROOM_WIDTH = ROOM.count(",") + 1


def room_of(row: Row) -> Room:
    """A row of ROOM."""
    return Room(row[0], row[1], RoomState(row[2]), *row[3:])


def server_of(row: Row) -> Server:
    """A row of SERVER."""
    values = list(row)
    values[4] = ServerState(values[4])
    return Server(*values)


def seat_of(row: Row) -> Seat:
    """A row of ROOM followed by SERVER, the latter all null where there is none."""
    room = room_of(row[:_ROOM_WIDTH])
    return Seat(room, server_of(row[_ROOM_WIDTH:]) if row[_ROOM_WIDTH] is not None else None)
