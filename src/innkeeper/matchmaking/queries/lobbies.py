"""Lobbies. Called by ``matchmaking/lobbies.py``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from innkeeper.db.database import Many, Row, Statement, Steps
from innkeeper.db.sql import listed
from innkeeper.kit.errors import Taken
from innkeeper.matchmaking.model import Lobby, Visibility

_LOBBY = "room_id, app_id, short_code, visibility, created_by, location, config, created_at, hidden"


def _lobby(row: Row) -> Lobby:
    config = row[6]
    return Lobby(
        row[0], row[1], row[2], Visibility(row[3]), json.loads(row[4]), row[5], config, row[7], bool(row[8]), config
    )


def add_lobby(lobby: Lobby) -> Steps[None]:
    """Keep a lobby. Its room's id must be new."""
    rows = yield Statement("select 1 from lobbies where room_id = $1", (lobby.room_id,))
    if rows:
        raise Taken(f"room id: there is, or was, a lobby {lobby.room_id} already; choose another id")
    yield Statement(
        f"insert into lobbies ({_LOBBY}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        (
            lobby.room_id, lobby.app_id, lobby.short_code, lobby.visibility, json.dumps(lobby.created_by),
            lobby.location, lobby.first_config, lobby.created_at, int(lobby.hidden),
        ),
    )  # fmt: skip


def remove_lobbies(room_ids: Sequence[str]) -> Steps[None]:
    """Forget lobbies."""
    yield Many("delete from lobbies where room_id = $1", [(room_id,) for room_id in room_ids])


def lobby(app_id: str, room_id: str) -> Steps[Lobby | None]:
    """The lobby of a room."""
    rows = yield Statement(f"select {_LOBBY} from lobbies where room_id = $1 and app_id = $2", (room_id, app_id))
    return _lobby(rows[0]) if rows else None


def by_short_code(app_id: str, short_code: str, most: int) -> Steps[list[Lobby]]:
    """Lobbies with a short code, the newest first."""
    rows = yield Statement(
        f"select {_LOBBY} from lobbies where app_id = $1 and short_code = $2"
        " order by created_at desc, room_id limit $3",
        (app_id, short_code, most),
    )
    return [_lobby(row) for row in rows]


def shown(app_id: str, visibility: Visibility, location: str | None, most: int) -> Steps[list[Lobby]]:
    """Lobbies of a kind that anybody may see, the newest first, at one location or at all."""
    rows = yield Statement(
        f"select {_LOBBY} from lobbies where app_id = $1 and visibility = $2 and hidden = 0"
        " and location = coalesce($3, location) order by created_at desc, room_id limit $4",
        (app_id, visibility, location, most),
    )
    return [_lobby(row) for row in rows]


def state_sizes(room_ids: Sequence[str]) -> Steps[dict[str, int]]:
    """How many characters the states have of those lobbies that have one."""
    rows = yield Statement(
        f"select room_id, length(state) from lobbies where room_id in ({listed('$1')}) and state is not null",
        (json.dumps(room_ids),),
    )
    return {row[0]: row[1] for row in rows}


def states(room_ids: Sequence[str]) -> Steps[dict[str, str]]:
    """The states of those lobbies that have one."""
    rows = yield Statement(
        f"select room_id, state from lobbies where room_id in ({listed('$1')}) and state is not null",
        (json.dumps(room_ids),),
    )
    return {row[0]: row[1] for row in rows}


def set_state(app_id: str, room_id: str, state: str) -> Steps[bool]:
    """Keep a lobby's state; whether there is that lobby."""
    rows = yield Statement(
        "update lobbies set state = $3 where room_id = $2 and app_id = $1 returning room_id", (app_id, room_id, state)
    )
    return bool(rows)


def created_between(after: tuple[int, str], before: int, most: int) -> Steps[list[Lobby]]:
    """Lobbies created after that of a time and room, and before a time; the oldest first."""
    rows = yield Statement(
        f"select {_LOBBY} from lobbies where (created_at > $1 or (created_at = $1 and room_id > $2))"
        " and created_at < $3 order by created_at, room_id limit $4",
        (*after, before, most),
    )
    return [_lobby(row) for row in rows]
