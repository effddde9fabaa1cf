"""Rooms that are asked for with their players: found a server, counted, changed and ended. Called by
``hosting/bookings.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from innkeeper.db.database import Row, Statement, Steps, Value
from innkeeper.db.outbox import Owed, owe
from innkeeper.db.sql import FOR_UPDATE, listed
from innkeeper.hosting.model import Room, RoomState, Seat, Server, ServerState
from innkeeper.hosting.plans import Booking, Guest, SeatKind
from innkeeper.hosting.seating import Candidate, first_fitting, places_of
from innkeeper.kit.errors import Gone, LimitReached, NotFound, Taken

from . import notices
from .columns import ALIVE, ROOM, SERVER, room_of, server_of
from .orders import Want, add_room, find, want
from .rooms import free_seats

BOOKING = "room_id, org_id, app_id, label_id, server_id, custom_id, kind, players, selectors, hook, reason, created_at"
_ROOMS, _SERVERS, _BOOKINGS = (names.count(",") + 1 for names in (ROOM, SERVER, BOOKING))
_ALL = (
    "select "
    + ", ".join(f"r.{name.strip()}" for name in ROOM.split(","))
    + ", "
    + ", ".join(f"s.{name.strip()}" for name in SERVER.split(","))
    + ", "
    + ", ".join(f"b.{name.strip()}" for name in BOOKING.split(","))
    + ", a.name, l.number, x.number, q.plan from rooms r join apps a on a.id = r.app_id"
    " left join servers s on s.id = r.server_id left join bookings b on b.room_id = r.id"
    " left join orders q on q.server_id = r.server_id"
    " left join labels l on l.id = coalesce(b.label_id, q.label_id) left join releases x on x.id = r.release_id"
)
_players = msgspec.json.Decoder(list[Guest]).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Booked:
    """A room with its server and with how it was asked for."""

    room: Room
    server: Server | None
    booking: Booking | None  #: None: it was opened without saying who plays
    app_name: str
    number: int  #: of its label; where it has none, of its release
    plan: str | None  #: JSON of Plan: of its server

    @property
    def guests(self) -> list[Guest]:
        """Who plays, as far as it was said."""
        return [] if self.booking is None else _players(self.booking.players)


def _booked(row: Row) -> Booked:
    booking = row[_ROOMS + _SERVERS : _ROOMS + _SERVERS + _BOOKINGS]
    app_name, label, release, plan = row[_ROOMS + _SERVERS + _BOOKINGS :]
    server = row[_ROOMS : _ROOMS + _SERVERS]
    found: list[Any] = list(booking)
    found[6] = SeatKind(found[6]) if found[6] is not None else None
    return Booked(
        room_of(row[:_ROOMS]), server_of(server) if server[0] is not None else None,
        Booking(*found) if found[0] is not None else None, app_name, label or release or 0, plan,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Book:
    """A room that somebody asks for. All chance is in it, so that the transaction can be repeated."""

    booking: Booking
    release_id: str
    release_ids: Sequence[str]  #: those whose servers will do, where no label says so
    locations: Sequence[str]  #: where it may be, the best first
    tags: frozenset[str]  #: that rooms on its server were marked with
    pinned: str | None  #: the short name of the server that it goes to, and no other
    want: Want | None  #: the server to be started for it where there is no seat
    why_none: str  #: why there is none, where none may be started
    stay_id: str
    config: str | None = None


def book(ask: Book) -> Steps[None]:
    """Seat it, start a server for it, or write down why there is none.

    Raises NotFound, Gone, Taken and LimitReached where a server was named that cannot take it.
    """
    booking, guests = ask.booking, _players(ask.booking.players)
    places, now = places_of(booking.kind, len(guests)), booking.created_at
    server: Server | None
    if ask.pinned is not None:
        server = yield from _pinned(ask, places)
    else:
        found = yield from _candidate(ask, places)
        server = found if found is not None or ask.want is None else (yield from want(ask.want))
    if server is not None and places > server.seats - server.taken:
        raise LimitReached(f"{places} seats are needed for it, and a server has {server.seats} in all")
    room = Room(
        booking.room_id, booking.app_id, RoomState.DESTROYED if server is None else RoomState.SEATED,
        "" if server is None else server.location, ask.release_id if server is None else server.release_id, ask.config,
        json.dumps([guest.ip for guest in guests]), None if server is None else server.id, ask.stay_id,
        now, None, now, None, places,
    )  # fmt: skip
    yield from add_room(room)
    if server is None:
        yield Statement(
            "update rooms set state = 'destroyed', left_at = $2, ended_reason = $3 where id = $1",
            (room.id, now, ask.why_none),
        )
    else:
        yield Statement("update servers set taken = taken + $2, idle_since = null where id = $1", (server.id, places))
        yield from notices.rooms_opened([Seat(room, server)])
    values: list[Value] = [getattr(booking, name.strip()) for name in BOOKING.split(",")]
    values[10] = ask.why_none if server is None else None
    yield Statement(
        f"insert into bookings ({BOOKING}) values ({', '.join(f'${n + 1}' for n in range(_BOOKINGS))})", values
    )
    if booking.hook is not None and (server is None or server.state is ServerState.RUNNING):
        yield from owe([owed(booking, "linked" if server is not None else "refused", now)])


def owed(booking: Booking, occasion: str, at: int) -> Owed:
    """What is told of a booked room, where that was asked for."""
    return Owed(booking.org_id, notices.ROOM_CALL, booking.room_id, occasion, booking.hook or "", at)


def _pinned(ask: Book, places: int) -> Steps[Server]:
    booking = ask.booking
    found = yield from find(booking.org_id, ask.pinned or "")
    rows = yield Statement(f"select {SERVER} from servers where id = $1 {FOR_UPDATE}", (found.server.id,))
    server = server_of(rows[0])
    if not server.accepting:
        raise Gone(f"server {ask.pinned} has ended, or is about to")
    if booking.custom_id is not None:
        there = yield Statement(
            "select 1 from bookings where server_id = $1 and custom_id = $2", (server.id, booking.custom_id)
        )
        if there:
            raise Taken(f"server {ask.pinned} has a room {booking.custom_id} already")
    elif server.release_id not in ask.release_ids and (found.label_id is None or found.label_id != booking.label_id):
        raise NotFound(f"server {ask.pinned} runs something else")
    if places > server.seats - server.taken:
        raise LimitReached(
            f"server {ask.pinned} has {server.seats - server.taken} of {server.seats} seats left; {places} are needed"
        )
    return server


def _candidate(ask: Book, places: int) -> Steps[Server | None]:
    """The best server with enough seats, held until the end of the transaction."""
    booking = ask.booking
    rows = yield Statement(
        "select s.id, s.location, s.state, s.taken, s.created_at from servers s"
        f" left join orders q on q.server_id = s.id where s.app_id = $5 and s.state in {ALIVE} and s.accepting = 1"
        " and s.seats - s.taken >= $1 and coalesce(q.joinable, 1) = 1"
        f" and (q.label_id = $2 or q.server_id is null and s.release_id in ({listed('$3')}))"
        f" and s.location in ({listed('$4')})",
        (
            places, booking.label_id or "", json.dumps(list(ask.release_ids)), json.dumps(list(ask.locations)),
            booking.app_id,
        ),
    )  # fmt: skip
    if ask.tags:
        marked = yield from _marks([row[0] for row in rows])
        rows = [row for row in rows if ask.tags <= marked.get(row[0], set())]
    candidates = [Candidate(row[0], row[1], ServerState(row[2]), row[3], row[4]) for row in rows]
    for candidate in first_fitting(candidates, ask.locations):
        held = yield Statement(
            f"select {SERVER} from servers where id = $1 and accepting = 1 and seats - taken >= $2 {FOR_UPDATE}",
            (candidate.server_id, places),
        )
        if held:
            return server_of(held[0])
    return None


def _marks(server_ids: Sequence[str]) -> Steps[dict[str, set[str]]]:
    """What rooms on servers are, or were, marked with."""
    rows = yield Statement(
        "select r.server_id, b.selectors from rooms r join bookings b on b.room_id = r.id"
        f" where b.selectors <> '[]' and r.server_id in ({listed('$1')})",
        (json.dumps(list(server_ids)),),
    )
    found: dict[str, set[str]] = {}
    for server_id, selectors in rows:
        found.setdefault(server_id, set()).update(one["tag"] for one in json.loads(selectors))
    return found


def booked(org_id: str, room_id: str) -> Steps[Booked]:
    """One room of the organisation, by the name it is known by. Raises NotFound, also for a server's own room."""
    rows = yield Statement(
        f"{_ALL} where r.id = $1 and a.org_id = $2 and (s.id is null or r.id <> substr(s.id, 25))", (room_id, org_id)
    )
    found = _booked(rows[0]) if rows else None
    if found is None or (found.room.state is RoomState.DESTROYED and found.booking is None):
        raise NotFound(f"there is no room {room_id}")
    return found


def whoever(room_id: str) -> Steps[Booked | None]:
    """One room, whosever it is: for the house itself."""
    rows = yield Statement(f"{_ALL} where r.id = $1", (room_id,))
    return _booked(rows[0]) if rows else None


def custom(org_id: str, short: str, custom_id: str) -> Steps[Booked]:
    """A room that its caller has named, on a server. Raises NotFound."""
    server = yield from find(org_id, short)
    rows = yield Statement(f"{_ALL} where b.server_id = $1 and b.custom_id = $2", (server.server.id, custom_id))
    if not rows:
        raise NotFound(f"server {short} has no room {custom_id}")
    return _booked(rows[0])


def customs(org_id: str, short: str, skip: int, most: int) -> Steps[tuple[list[Booked], int]]:
    """Those that callers have named on a server, the oldest first, and how many there are."""
    server = yield from find(org_id, short)
    where = "b.server_id = $1 and b.custom_id is not null"
    rows = yield Statement(
        f"{_ALL} where {where} order by b.created_at, b.room_id limit {int(most)} offset {int(skip)}",
        (server.server.id,),
    )
    count = yield Statement(f"select count(*) from bookings b where {where}", (server.server.id,))
    return [_booked(row) for row in rows], count[0][0]


#: Seated rooms are those of servers that stand, and suspended ones are few: the rooms that are over are passed over.
_OPEN = (
    "select r.id from apps a join servers s on s.app_id = a.id join rooms r on r.server_id = s.id where a.org_id = $1"
    f" and a.deleted_at is null and s.state in {ALIVE} and r.state = 'seated' and r.id <> substr(s.id, 25)"
    " union all select r.id from apps a join rooms r on r.app_id = a.id where a.org_id = $1 and a.deleted_at is null"
    " and r.state = 'suspended' and (r.server_id is null or r.id <> substr(r.server_id, 25))"
)


def standing(org_id: str, skip: int, most: int) -> Steps[tuple[list[Booked], int]]:
    """The organisation's rooms that are not over, the newest first, and how many there are."""
    rows = yield Statement(
        f"{_ALL} where r.id in ({_OPEN}) order by r.created_at desc, r.id limit {int(most)} offset {int(skip)}",
        (org_id,),
    )
    count = yield Statement(f"select count(*) from ({_OPEN}) as found", (org_id,))
    return [_booked(row) for row in rows], count[0][0]


def chosen(org_id: str, conditions: str, values: Sequence[Value], most: int) -> Steps[list[Booked]]:
    """Those of them that fulfil conditions, the newest first. ``conditions`` is SQL that
    :mod:`innkeeper.hosting.searching` made, with values from ``$2`` on.
    """
    rows = yield Statement(
        f"{_ALL} where r.id in ({_OPEN}){conditions} order by r.created_at desc, r.id limit {int(most)}",
        (org_id, *values),
    )
    return [_booked(row) for row in rows]


def on_servers(server_ids: Sequence[str]) -> Steps[Mapping[str, list[Booked]]]:
    """The rooms that sit on servers, the oldest first, but for the servers' own."""
    rows = yield Statement(
        f"{_ALL} where r.server_id in ({listed('$1')}) and r.left_at is null and r.id <> substr(r.server_id, 25)"
        " order by r.seated_at, r.id",
        (json.dumps(list(server_ids)),),
    )
    found: dict[str, list[Booked]] = {}
    for one in map(_booked, rows):
        found.setdefault(one.room.server_id or "", []).append(one)
    return found


def set_guests(
    room_id: str, revise: Callable[[Sequence[Guest]], Sequence[Guest]], hook: str | None = None
) -> Steps[Booked]:
    """Have ``revise`` say who plays, of those who do; each address counts once. ``hook``: where it is told from now on
    what becomes of it.

    Raises NotFound and Gone; LimitReached where there are not enough seats.
    """
    found = yield from _held(room_id)
    booking = found.booking
    if booking is None:
        raise NotFound(f"room {room_id} was opened without players: there is nothing to change")
    if found.server is None or found.room.state is not RoomState.SEATED:
        raise Gone(f"room {room_id} is over")
    guests = list({guest.ip: guest for guest in revise(found.guests)}.values())
    places = places_of(booking.kind, len(guests))
    more = places - found.room.places
    if more > found.server.seats - found.server.taken:
        left = found.server.seats - found.server.taken
        raise LimitReached(f"{more} seats more are needed, and {left} of {found.server.seats} are left on its server")
    yield Statement("update servers set taken = taken + $2 where id = $1", (found.server.id, more))
    yield Statement(
        "update rooms set places = $2, client_ips = $3 where id = $1",
        (room_id, places, json.dumps([guest.ip for guest in guests])),
    )
    yield Statement(
        "update bookings set players = $2, hook = coalesce($3, hook) where room_id = $1",
        (room_id, _encode(guests).decode(), hook),
    )
    return (yield from _held(room_id))


def _held(room_id: str) -> Steps[Booked]:
    """A room whose server and row nobody else changes until the end of the transaction."""
    yield Statement(
        f"select id from servers where id = (select server_id from rooms where id = $1) {FOR_UPDATE}", (room_id,)
    )
    yield Statement(f"select id from rooms where id = $1 {FOR_UPDATE}", (room_id,))
    rows = yield Statement(f"{_ALL} where r.id = $1", (room_id,))
    if not rows:
        raise NotFound(f"there is no room {room_id}")
    return _booked(rows[0])


def end(room_id: str, reason: str, now: int) -> Steps[Booked]:
    """End a room, free its seats and forget how it was asked for: as it was before. Raises NotFound; Gone where it was
    over and nothing is known of it any more."""
    found = yield from _held(room_id)
    yield Statement("delete from bookings where room_id = $1", (room_id,))
    if found.room.state is RoomState.DESTROYED:
        if found.booking is None:
            raise Gone(f"room {room_id} is over")
        return found
    yield Statement(
        "update rooms set state = 'destroyed', left_at = coalesce(left_at, $2), ended_reason = $3 where id = $1",
        (room_id, now, reason),
    )
    yield from notices.rooms_ended([room_id], now)
    if found.room.state is RoomState.SEATED and found.server is not None and found.server.alive:
        yield from free_seats({found.server.id: found.room.places}, now)
    return found
