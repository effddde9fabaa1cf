"""Opening and closing rooms, many at a time. Called by ``hosting/rooms.py`` through a batcher: requests that wait
together are carried out by a handful of statements in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct

from innkeeper.db.database import Many, Statement, Steps
from innkeeper.db.sql import FOR_UPDATE, listed
from innkeeper.hosting.hosts import Lack
from innkeeper.hosting.model import Cause, Room, RoomState, Seat, Server, ServerState
from innkeeper.hosting.placement import seat_rooms
from innkeeper.kit.errors import Invalid, LimitReached, NotFound, Taken

from . import notices
from .allowance import allowance
from .columns import SERVER, server_of
from .fleets import why_none
from .newest import serving_of_labels


class OpenAsk(Struct, frozen=True, gc=False):
    """A room that somebody wants. All chance is in it, so that the transaction can be repeated."""

    app_id: str
    org_id: str | None  #: None where the caller is a player of the app, whose token was checked
    location: str
    config: str | None
    client_ips: str | None
    release_id: str | None  #: None: the newest
    room_id: str
    chosen_id: bool  #: whether the caller chose the room's id
    stay_id: str
    server_id: str  #: the id of the server to want if there is no seat
    now: int
    until: int  #: deadline of a wanted server
    lacking: Lack | None = None  #: why no server can be started there now; None when any can be


def open_rooms(asks: Sequence[OpenAsk]) -> Steps[Sequence[Seat | Exception]]:
    """Seat every room asked for, wanting servers where there is no space. Outcomes come in the order of the asks."""
    outcomes: dict[int, Seat | Exception] = {}
    taken_ids = yield from _existing([ask.room_id for ask in asks if ask.chosen_id])
    groups: dict[tuple[str, str | None, str | None, str], list[int]] = {}
    for at, ask in enumerate(asks):
        if ask.chosen_id and ask.room_id in taken_ids:
            outcomes[at] = Taken(f"room id: there is, or was, a room {ask.room_id} already; choose another id")
            continue
        if ask.chosen_id:
            taken_ids.add(ask.room_id)
        groups.setdefault((ask.app_id, ask.org_id, ask.release_id, ask.location), []).append(at)
    for (app_id, org_id, release_id, location), members in groups.items():
        release = yield from release_for(app_id, org_id, release_id)
        if isinstance(release, Exception):
            outcomes.update(dict.fromkeys(members, release))
            continue
        seats, lacking = yield from _seat(release, location, [asks[at] for at in members])
        outcomes.update(zip(members, seats))  # noqa: B905  # fewer seats than asks where no server can be started
        outcomes.update(dict.fromkeys(members[len(seats) :], no_seat(lacking)))
    return [outcomes[at] for at in range(len(asks))]


def no_seat(lacking: str | None) -> LimitReached:
    """The refusal of a room for which no server can be started."""
    return LimitReached(f"no server has a seat left, and none can be started: {lacking}")


def _existing(ids: list[str]) -> Steps[set[str]]:
    if not ids:
        return set()
    rows = yield Statement(f"select id from rooms where id in ({listed('$1')})", (json.dumps(ids),))
    return {row[0] for row in rows}


def release_for(app_id: str, org_id: str | None, release_id: str | None) -> Steps[tuple[str, int] | Exception]:
    """The release that serves, and its seats per server; or why there is none."""
    rows = yield Statement(
        "select a.org_id, r.id, r.seats, b.deleted_at, r.label_id from apps a"
        " left join releases r on r.app_id = a.id and "
        + ("r.id = $2" if release_id else "r.number = (select max(number) from releases where app_id = $1)")
        + " left join builds b on b.key = r.build_key where a.id = $1 and a.deleted_at is null",
        (app_id, release_id) if release_id else (app_id,),
    )
    if not rows or (org_id is not None and rows[0][0] != org_id):
        return NotFound(f"there is no app {app_id}")
    _, found, seats, build_deleted_at, label_id = rows[0]
    if found is None:
        return (
            NotFound(f"the app has no release {release_id}")
            if release_id
            else Invalid("the app has nothing to run yet: deploy a build first")
        )
    if label_id is not None and release_id is None:
        served = yield from serving_of_labels(app_id)
        return served or Invalid("the app has nothing that can be run yet: its newest image is not there")
    if build_deleted_at is not None:
        return Invalid("the build of this release was deleted: another release is needed")
    return found, seats


def _seat(release: tuple[str, int], location: str, asks: Sequence[OpenAsk]) -> Steps[tuple[list[Seat], str | None]]:
    servers, lacking = yield from claim_seats(
        release, location, [(ask.server_id, ask.room_id) for ask in asks], asks[0]
    )
    rooms = [
        Room(
            ask.room_id, ask.app_id, RoomState.SEATED, location, release[0], ask.config, ask.client_ips, server.id,
            ask.stay_id, ask.now, None, ask.now, None,
        )
        for ask, server in zip(asks, servers)  # noqa: B905  # the last ones may have found no seat
    ]  # fmt: skip
    yield Many(
        "insert into rooms (id, app_id, state, location, release_id, config, client_ips, server_id, stay_id, seated_at,"
        " created_at) values ($1, $2, 'seated', $3, $4, $5, $6, $7, $8, $9, $10)",
        [
            (
                r.id,
                r.app_id,
                r.location,
                r.release_id,
                r.config,
                r.client_ips,
                r.server_id,
                r.stay_id,
                r.seated_at,
                r.created_at,
            )
            for r in rooms
        ],
    )
    found = [Seat(room, server) for room, server in zip(rooms, servers, strict=True)]
    yield from notices.rooms_opened(found)
    return found, lacking


def claim_seats(
    release: tuple[str, int], location: str, rooms: Sequence[tuple[str, str]], ask: OpenAsk
) -> Steps[tuple[list[Server], str | None]]:
    """A seat for every room, on standing servers or on servers wanted for them.

    ``rooms`` has for each the id of the server to want if need be, and the room's own. Where no server can be started
    (``ask.lacking``, or a limit of the organisation), the last rooms may get no seat: the list is shorter, and why is
    told beside it.
    """
    release_id, seats = release
    servers = yield from _open_servers(release, location, len(rooms))
    if sum(seats - server.taken for server in servers.values()) < len(rooms):
        # Another transaction may have freed seats on the very servers that this one had to wait for: look again,
        # now that they are ours, before a server is started or a room refused.
        servers.update((yield from _open_servers(release, location, len(rooms))))
    free = sum(seats - server.taken for server in servers.values())
    lacking = None if ask.lacking is None else (yield from why_none(release_id, ask.lacking))
    if lacking is not None:
        rooms = rooms[:free]
    elif free < len(rooms) and (limit := (yield from allowance(ask.app_id, release_id, ask.now, hold=True))):
        rooms, lacking = rooms[: free + limit.servers * seats], limit.why
    seating = seat_rooms(
        [(server.id, seats - server.taken) for server in servers.values()], [new_id for new_id, _ in rooms], seats
    )
    if seating.started:
        first = dict(rooms)
        wanted = [
            wanted_server(
                server_id, ask.app_id, release_id, location, seats, seating.taken[server_id], Cause.ROOM,
                first[server_id], ask.now, ask.until,
            )
            for server_id in seating.started
        ]  # fmt: skip
        servers.update((server.id, server) for server in wanted)
        yield from add_servers(wanted)
    started = set(seating.started)
    grown = [(server_id, count) for server_id, count in seating.taken.items() if server_id not in started]
    if grown:
        yield Many("update servers set taken = taken + $2, idle_since = null where id = $1", grown)
    return [servers[server_id] for server_id in seating.chosen], lacking


def _open_servers(release: tuple[str, int], location: str, most: int) -> Steps[dict[str, Server]]:
    """Servers with free seats, the fullest first, locked against others.

    Locks are taken in the order of ids, here and in ``close_rooms``, so that two transactions do not wait for each
    other in a ring. Rows that somebody holds are waited for, not left out: their free seats are seats.
    """
    rows = yield Statement(
        f"select {SERVER} from servers where accepting = 1 and taken < $3 and id in"
        " (select id from servers where release_id = $1 and location = $2 and accepting = 1 and taken < $3"
        f" order by taken desc, created_at, id limit $4) order by id {FOR_UPDATE}",
        (release[0], location, release[1], most),
    )
    servers = sorted(map(server_of, rows), key=lambda server: (-server.taken, server.created_at, server.id))
    return {server.id: server for server in servers}


def wanted_server(
    id: str, app_id: str, release_id: str, location: str, seats: int, taken: int, cause: Cause, room_id: str | None,
    now: int, until: int,
) -> Server:  # fmt: skip
    """A server that no host has yet."""
    return Server(
        id, app_id, release_id, location, ServerState.WANTED, 1, seats, taken, cause.value, None, None, "[]", "",
        room_id,
        None, None, None, now, None, None, None, None, None, None if taken else now, until,
    )  # fmt: skip


_SERVER_FIELDS = [name.strip() for name in SERVER.split(",")]
_ADD_SERVER = f"insert into servers ({SERVER}) values ({', '.join(f'${n + 1}' for n in range(len(_SERVER_FIELDS)))})"


def add_servers(servers: Sequence[Server]) -> Steps[None]:
    """Insert wanted servers."""
    yield Many(_ADD_SERVER, [[getattr(server, name) for name in _SERVER_FIELDS] for server in servers])
    yield from notices.servers_wanted(servers)


class CloseAsk(Struct, frozen=True, gc=False):
    """A room that shall end. ``org_id`` None: its app alone decides."""

    app_id: str
    org_id: str | None
    room_id: str
    now: int
    reason: str


def close_rooms(asks: Sequence[CloseAsk]) -> Steps[Sequence[Exception | None]]:
    """End rooms and free their seats. A room that is over already, or is not the caller's, is NotFound."""
    ids = json.dumps([ask.room_id for ask in asks])
    yield Statement(
        f"select id from servers where id in (select server_id from rooms where id in ({listed('$1')}))"
        f" order by id {FOR_UPDATE}",
        (ids,),
    )
    rows = yield Statement(
        f"select id, app_id, state, server_id, places from rooms where id in ({listed('$1')}) order by id {FOR_UPDATE}",
        (ids,),
    )
    found = {row[0]: row for row in rows}
    owners = yield Statement(
        f"select id, org_id from apps where id in ({listed('$1')})", (json.dumps(sorted({ask.app_id for ask in asks})),)
    )
    org_of = {row[0]: row[1] for row in owners}
    outcomes: list[Exception | None] = []
    ended: list[tuple[str, int, str]] = []
    freed: dict[str, int] = {}
    for ask in asks:
        row = found.get(ask.room_id)
        foreign = ask.org_id is not None and ask.org_id != org_of.get(ask.app_id)
        if row is None or row[1] != ask.app_id or row[2] == RoomState.DESTROYED or foreign:
            outcomes.append(NotFound(f"there is no room {ask.room_id}"))
            continue
        del found[ask.room_id]
        outcomes.append(None)
        ended.append((ask.room_id, ask.now, ask.reason))
        if row[2] == RoomState.SEATED and row[3] is not None:
            freed[row[3]] = freed.get(row[3], 0) + row[4]
    if ended:
        yield Many(
            "update rooms set state = 'destroyed', left_at = coalesce(left_at, $2), ended_reason = $3 where id = $1",
            ended,
        )
        yield from notices.rooms_ended([room_id for room_id, _, _ in ended], asks[0].now)
    yield from free_seats(freed, asks[0].now)
    return outcomes


def free_seats(freed: dict[str, int], now: int) -> Steps[None]:
    """Give seats back. A server without rooms is idle from now on."""
    if freed:
        yield Many(
            "update servers set taken = taken - $2, idle_since = case when taken = $2 then $3 else idle_since end"
            " where id = $1",
            [(server_id, count, now) for server_id, count in sorted(freed.items())],
        )
