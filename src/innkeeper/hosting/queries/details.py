"""What is told of servers besides their own records, of many by a few statements. Called by ``hosting/servers.py``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import listed
from innkeeper.hosting.details import ServerDetails
from innkeeper.hosting.model import Room

from .columns import ROOM, room_of
from .releases import numbers


def details(servers: Sequence[tuple[str, str]], most_rooms: int) -> Steps[dict[str, ServerDetails]]:
    """For servers and their releases, by server. ``most_rooms`` of each are told; 0: none."""
    ids = json.dumps([server_id for server_id, _ in servers])
    number_of = yield from numbers(sorted({release_id for _, release_id in servers}))
    changed = yield from _rooms_changed(ids)
    measured = yield from _measured(ids)
    rooms = (yield from _rooms(ids, most_rooms)) if most_rooms else {}
    found: dict[str, ServerDetails] = {}
    for server_id, release_id in servers:
        at, connections, egress = measured.get(server_id, (None, None, None))
        total, seated = rooms.get(server_id, (0, []))
        found[server_id] = ServerDetails(
            number_of[release_id], changed.get(server_id), at, connections, egress, tuple(seated), total
        )
    return found


def _rooms_changed(ids: str) -> Steps[dict[str, int]]:
    """When a room came or left last."""
    rows = yield Statement(
        "select server_id, max(at) from"
        f" (select server_id, seated_at as at from rooms where server_id in ({listed('$1')})"
        f" union all select server_id, left_at as at from rooms where server_id in ({listed('$1')})"
        f" union all select server_id, left_at as at from stays where server_id in ({listed('$1')})) as moves"
        " where at is not null group by server_id",
        (ids,),
    )
    return {row[0]: row[1] for row in rows}


def _measured(ids: str) -> Steps[dict[str, tuple[int, int | None, int | None]]]:
    """The newest measurements: time, connections, bytes sent."""
    rows = yield Statement(
        "select s.id, u.at, u.connections, u.egress_bytes from servers s join usage_samples u on u.server_id = s.id"
        " and u.at = (select max(at) from usage_samples where server_id = s.id)"
        f" where s.id in ({listed('$1')})",
        (ids,),
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _rooms(ids: str, most: int) -> Steps[dict[str, tuple[int, list[Room]]]]:
    """How many rooms sit on each, and the oldest of them, in order."""
    rows = yield Statement(
        f"select {ROOM}, total from (select {ROOM}, count(*) over (partition by server_id) as total,"
        " row_number() over (partition by server_id order by seated_at, id) as place"
        f" from rooms where server_id in ({listed('$1')}) and left_at is null) as seated"
        " where place <= $2 order by server_id, place",
        (ids, most),
    )
    found: dict[str, tuple[int, list[Room]]] = {}
    for row in rows:
        room = room_of(row[:-1])
        found.setdefault(room.server_id or "", (row[-1], []))[1].append(room)
    return found
