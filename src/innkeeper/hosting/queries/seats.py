"""Asking about single rooms, and taking them off and on servers. Called by ``hosting/rooms.py``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import FOR_UPDATE, listed
from innkeeper.hosting.model import RoomState, Seat, Stay
from innkeeper.kit.errors import Invalid, NotFound

from . import notices
from .columns import ROOM, SERVER, room_of, seat_of, server_of
from .rooms import OpenAsk, claim_seats, free_seats, no_seat, release_for

_SEAT = (
    "select "
    + ", ".join(f"r.{name.strip()}" for name in ROOM.split(","))
    + ", "
    + ", ".join(f"s.{name.strip()}" for name in SERVER.split(","))
    + " from rooms r left join servers s on s.id = r.server_id"
)


def seat(app_id: str, room_id: str) -> Steps[Seat]:
    """A room and its server. Destroyed rooms are found too, as long as they are kept."""
    rows = yield Statement(f"{_SEAT} where r.id = $1 and r.app_id = $2", (room_id, app_id))
    if not rows:
        raise NotFound(f"there is no room {room_id}")
    return seat_of(rows[0])


def seat_and_stays(app_id: str, org_id: str, room_id: str) -> Steps[tuple[Seat, list[Stay]]]:
    """The same for its owner, with its past stays, the latest first."""
    found = yield from owned_seat(app_id, org_id, room_id)
    rows = yield Statement(
        "select id, room_id, server_id, seated_at, left_at from stays where room_id = $1 order by seated_at desc",
        (room_id,),
    )
    return found, [Stay(*row) for row in rows]


def owned_seat(app_id: str, org_id: str, room_id: str) -> Steps[Seat]:
    """A room of an app of the organisation, and its server."""
    yield from require_app(app_id, org_id)
    return (yield from seat(app_id, room_id))


def require_app(app_id: str, org_id: str) -> Steps[None]:
    """Raise NotFound unless the app is the organisation's."""
    rows = yield Statement("select 1 from apps where id = $1 and org_id = $2 and deleted_at is null", (app_id, org_id))
    if not rows:
        raise NotFound(f"there is no app {app_id}")


def rooms_on(app_id: str, org_id: str, server_id: str) -> Steps[list[Seat]]:
    """The rooms that sit on a server, the oldest first."""
    yield from require_app(app_id, org_id)
    server = yield Statement(f"select {SERVER} from servers where id = $1 and app_id = $2", (server_id, app_id))
    if not server:
        raise NotFound(f"there is no server {server_id}")
    rows = yield Statement(
        f"select {ROOM} from rooms where server_id = $1 and left_at is null order by seated_at, id", (server_id,)
    )
    host = server_of(server[0])
    return [Seat(room_of(row), host) for row in rows]


def rooms_gone_from(app_id: str, org_id: str, server_id: str, most: int) -> Steps[list[tuple[Seat, Stay]]]:
    """The rooms that have left a server, the latest first, each with its stay there."""
    yield from require_app(app_id, org_id)
    server = yield Statement("select 1 from servers where id = $1 and app_id = $2", (server_id, app_id))
    if not server:
        raise NotFound(f"there is no server {server_id}")
    last = yield Statement(
        f"{_SEAT} where r.server_id = $1 and r.left_at is not null order by r.left_at desc, r.id limit $2",
        (server_id, most),
    )
    seats = [seat_of(row) for row in last]
    found = [
        (s, Stay(s.room.stay_id or "", s.room.id, server_id, s.room.seated_at or 0, s.room.left_at or 0)) for s in seats
    ]
    moved = yield Statement(
        "select id, room_id, server_id, seated_at, left_at from stays where server_id = $1"
        " order by left_at desc limit $2",
        (server_id, most),
    )
    for row in moved:
        stay = Stay(*row)
        rows = yield Statement(f"{_SEAT} where r.id = $1", (stay.room_id,))
        found.extend((seat_of(row), stay) for row in rows)
    found.sort(key=lambda pair: pair[1].left_at, reverse=True)
    return found[:most]


def set_config(app_id: str, org_id: str, room_id: str, config: str, now: int) -> Steps[None]:
    """Change what a room's server is told."""
    yield from require_app(app_id, org_id)
    rows = yield Statement(
        "update rooms set config = $3 where id = $1 and app_id = $2 and state <> 'destroyed' returning id",
        (room_id, app_id, config),
    )
    if not rows:
        raise NotFound(f"there is no room {room_id}")
    yield from notices.room_changed("room.configured", room_id, now)


def suspend(app_id: str, org_id: str, room_id: str, now: int) -> Steps[None]:
    """Take a room off its server. Suspended already: nothing happens."""
    yield from require_app(app_id, org_id)
    rows = yield Statement(f"select {ROOM} from rooms where id = $1 and app_id = $2 {FOR_UPDATE}", (room_id, app_id))
    if not rows or (room := room_of(rows[0])).state == RoomState.DESTROYED:
        raise NotFound(f"there is no room {room_id}")
    if room.state == RoomState.SUSPENDED:
        return
    yield Statement("update rooms set state = 'suspended', left_at = $2 where id = $1", (room_id, now))
    if room.server_id is not None:
        yield from free_seats({room.server_id: room.places}, now)
    yield from notices.room_changed("room.suspended", room_id, now)


def resume(ask: OpenAsk) -> Steps[Seat]:
    """Seat a suspended room again, on the release that serves now. A seated room stays where it is."""
    if ask.org_id is not None:
        yield from require_app(ask.app_id, ask.org_id)
    rows = yield Statement(
        f"select {ROOM} from rooms where id = $1 and app_id = $2 {FOR_UPDATE}", (ask.room_id, ask.app_id)
    )
    if not rows or (room := room_of(rows[0])).state == RoomState.DESTROYED:
        raise NotFound(f"there is no room {ask.room_id}")
    if room.state == RoomState.SUSPENDED:
        if room.places != 1:
            raise Invalid(f"room {room.id} takes {room.places} seats, and is seated by the one who booked it alone")
        release = yield from release_for(ask.app_id, ask.org_id, None)
        if isinstance(release, Exception):
            raise release
        servers, lacking = yield from claim_seats(release, room.location, [(ask.server_id, room.id)], ask)
        if not servers:
            raise no_seat(lacking)
        server = servers[0]
        if room.stay_id is not None:
            yield Statement(
                "insert into stays (id, room_id, server_id, seated_at, left_at) values ($1, $2, $3, $4, $5)",
                (room.stay_id, room.id, room.server_id, room.seated_at, room.left_at),
            )
        yield Statement(
            "update rooms set state = 'seated', server_id = $2, stay_id = $3, seated_at = $4, left_at = null,"
            " release_id = $5 where id = $1",
            (room.id, server.id, ask.stay_id, ask.now, release[0]),
        )
        yield from notices.room_changed("room.resumed", room.id, ask.now)
    return (yield from seat(ask.app_id, ask.room_id))


def standing_configs(room_ids: Sequence[str]) -> Steps[dict[str, str | None]]:
    """The configs of those rooms that are not destroyed."""
    rows = yield Statement(
        f"select id, config from rooms where id in ({listed('$1')}) and state <> 'destroyed'",
        (json.dumps(list(room_ids)),),
    )
    return {row[0]: row[1] for row in rows}
