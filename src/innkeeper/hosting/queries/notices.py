"""Tells what happened to rooms, servers and builds, in the transaction in which it happened.

Steps that move something call this; ``db/outbox.py`` keeps it for those who listen. Where nobody does, one look-up is
all that it costs. Who asked with a server to be told of it at a URL is owed a callback, whoever listens.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from innkeeper.db.database import Statement, Steps
from innkeeper.db.outbox import News, Owed, listened_to, owe, tell
from innkeeper.db.sql import listed
from innkeeper.hosting.addresses import dialled_ports
from innkeeper.hosting.model import Build, Room, RoomState, Seat, Server, ServerState
from innkeeper.hosting.plans import Hooks

from .columns import ROOM, SERVER, room_of, server_of

_OPEN = (ServerState.RUNNING, ServerState.DRAINING)
#: The states of a server that are told where its order says, each with the occasions of it that are told: ``Hooks``.
CALLED = {
    ServerState.RUNNING: ("ready",),
    ServerState.STOPPED: ("ended",),
    ServerState.FAILED: ("failed", "ended"),
}
#: Of a server that is moved, its order's hooks.
HOOKS = (
    "(select o.hooks from orders o where o.server_id = servers.id),"
    # And whether somebody wants to be told of a room that sits there.
    " (select max(1) from rooms r join bookings b on b.room_id = r.id where r.server_id = servers.id"
    " and r.left_at is null and b.hook is not null)"
)
#: In whose words a callback about a room is told.
ROOM_CALL = "edgegap.session"
#: What a room has come to when its server has come to a state.
_ROOM_CALLED = {ServerState.RUNNING: "linked", ServerState.FAILED: "failed"}


def rooms_opened(seats: Sequence[Seat]) -> Steps[None]:
    """Rooms were seated for the first time; those whose server runs are active at once."""
    if seats and (yield from listened_to()):
        yield from tell(news_of_seats("room.opened", seats, seats[0].room.created_at))


def rooms_ended(room_ids: Sequence[str], at: int) -> Steps[None]:
    """Rooms are over."""
    if room_ids and (yield from listened_to()):
        rows = yield Statement(
            f"select {ROOM} from rooms where id in ({listed('$1')}) order by id", (json.dumps(list(room_ids)),)
        )
        yield from tell([_room("room.ended", room_of(row), None, at) for row in rows])


def room_changed(kind: str, room_id: str, at: int) -> Steps[None]:
    """A room was configured, suspended or resumed."""
    if not (yield from listened_to()):
        return
    rows = yield Statement(f"select {ROOM} from rooms where id = $1", (room_id,))
    room = room_of(rows[0])
    servers = yield Statement(f"select {SERVER} from servers where id = $1", (room.server_id,))
    seat = Seat(room, server_of(servers[0]) if servers else None)
    if kind == "room.resumed":
        yield from tell(news_of_seats(kind, [seat], at))
    else:
        yield from tell([_room(kind, room, seat.server, at)])


def servers_wanted(servers: Sequence[Server]) -> Steps[None]:
    """Servers were asked for."""
    if servers and (yield from listened_to()):
        yield from tell([_server(server, server.created_at) for server in servers])


def server_moved(server_id: str, at: int) -> Steps[None]:
    """A server came to another state. Rooms that waited for it to run are active now."""
    if not (yield from listened_to()):
        return
    rows = yield Statement(f"select {SERVER} from servers where id = $1", (server_id,))
    server = server_of(rows[0])
    news = [_server(server, at)]
    if server.state is ServerState.RUNNING:
        seated = yield Statement(
            f"select {ROOM} from rooms where server_id = $1 and state = 'seated' order by seated_at, id",
            (server_id,),
        )
        news += [_room("room.active", room_of(row), server, at) for row in seated]
    yield from tell(news)


def server_called(server_id: str, state: ServerState, hooks: str, at: int) -> Steps[None]:
    """A server came to one of the states of :data:`CALLED`, and its order has hooks: those for this are owed now.

    Unless they were already.
    """
    found = msgspec.json.decode(hooks, type=Hooks)
    wanted = occasions(found, state)
    if wanted:
        rows = yield Statement("select org_id from orders where server_id = $1", (server_id,))
        yield from owe([Owed(rows[0][0], found.api, server_id, occasion, url, at) for occasion, url in wanted])


def rooms_called(server_id: str, state: ServerState, at: int) -> Steps[None]:
    """A server came to one of the states of :data:`CALLED`, and somebody wants to be told of rooms that sit there."""
    occasion = _ROOM_CALLED.get(state)
    if occasion is not None:
        rows = yield Statement(
            "select b.org_id, b.room_id, b.hook from bookings b join rooms r on r.id = b.room_id"
            " where r.server_id = $1 and r.left_at is null and b.hook is not null order by b.created_at, b.room_id",
            (server_id,),
        )
        yield from owe([Owed(org_id, ROOM_CALL, room_id, occasion, hook, at) for org_id, room_id, hook in rows])


def occasions(hooks: Hooks, state: ServerState) -> list[tuple[str, str]]:
    """What is told of a server that came to a state, and where, in this order. Pure."""
    wanted = [(occasion, getattr(hooks, occasion)) for occasion in CALLED.get(state, ())]
    return [(occasion, url) for occasion, url in wanted if url]


def build_moved(build: Build, kind: str, at: int) -> Steps[None]:
    """A build was created, is run, has succeeded or failed, or was deleted."""
    if not (yield from listened_to()):
        return
    data = {"build": build.id, "number": build.number, "tag": build.tag, "state": build.state.value}
    if build.detail:
        data["reason"] = build.detail
    yield from tell([News(f"build.{kind}", build.id, at, data, build.app_id, build.org_id)])


def host_changed(kind: str, host_id: str, at: int, reason: str = "") -> Steps[None]:
    """A host was added or removed, or answers, is drained, has gone silent or is lost."""
    if (yield from listened_to()):
        data = {"host": host_id} | ({"reason": reason} if reason else {})
        yield from tell([News(f"host.{kind}", host_id, at, data)])


def news_of_seats(kind: str, seats: Sequence[Seat], at: int) -> list[News]:
    """Rooms got a seat; each that sits on a server that runs is active as well."""
    news: list[News] = []
    for seat in seats:
        news.append(_room(kind, seat.room, seat.server, at))
        if seat.server is not None and seat.server.state in _OPEN:
            news.append(_room("room.active", seat.room, seat.server, at))
    return news


def _room(kind: str, room: Room, server: Server | None, at: int) -> News:
    data: dict[str, Any] = {
        "room": room.id,
        "app": room.app_id,
        "location": room.location,
        "release": room.release_id,
        "server": room.server_id if room.state is not RoomState.SUSPENDED else None,
    }
    if kind == "room.active" and server is not None:
        data["addresses"] = _addresses(server)
    if kind == "room.ended":
        data["reason"] = room.ended_reason
    return News(kind, room.id, at, data, room.app_id)


def _server(server: Server, at: int) -> News:
    data: dict[str, Any] = {
        "server": server.id,
        "app": server.app_id,
        "release": server.release_id,
        "location": server.location,
        "cause": server.cause,
    }
    reason = server.exit_reason or server.stop_reason
    if reason is not None:
        data["reason"] = reason
    if server.state in _OPEN:
        data["addresses"] = _addresses(server)
    return News(f"server.{server.state.value}", server.id, at, data, server.app_id)


def _addresses(server: Server) -> list[dict[str, Any]]:
    return [
        {"name": port.name, "transport": port.transport, "host": port.host, "port": port.number}
        for port in dialled_ports(server)
    ]
