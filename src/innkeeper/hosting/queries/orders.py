"""Servers that somebody asked for with wishes of their own, and servers as those know them who have a short name for
each. Called by ``hosting/orders.py`` and, for what a launch needs, by ``placing.py``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from innkeeper.db.database import Many, Row, Statement, Steps, Value
from innkeeper.db.sql import FOR_UPDATE, listed
from innkeeper.hosting.model import Cause, Room, RoomState, Seat, Server, StopWhy
from innkeeper.hosting.plans import Order, SeatKind, Tag, read_plan, short_id
from innkeeper.kit.errors import Gone, LimitReached, NotFound, Taken

from . import notices
from .allowance import allowance
from .columns import ALIVE, SERVER, server_of
from .rooms import add_servers, wanted_server
from .saved import keep_output
from .servers import begin_stop

ORDER = (
    "server_id, org_id, app_id, label_id, plan, said, env_sealed, cpu, memory_mb, hosts, hooks, joinable, restarts,"
    " crash, closed_at, created_at"
)
_WIDTH = SERVER.count(",") + 1
_ORDER_WIDTH = ORDER.count(",") + 1
_ALL = (
    "select "
    + ", ".join(f"s.{name.strip()}" for name in SERVER.split(","))
    + ", "
    + ", ".join(f"q.{name.strip()}" for name in ORDER.split(","))
    + ", a.name, l.name, l.id, l.number, r.number, r.ports, r.build_key, r.cpu, r.memory_mb from servers s"
    " join apps a on a.id = s.app_id join releases r on r.id = s.release_id"
    " left join orders q on q.server_id = s.id left join labels l on l.id = q.label_id"
)


@dataclass(frozen=True, slots=True)
class Ordered:
    """A server with what was asked for of it, and what it is called by its owner."""

    server: Server
    order: Order | None  #: None: it was asked for without wishes of its own
    app_name: str
    label: str | None
    label_id: str | None
    label_number: int | None
    release_number: int
    ports: str  #: JSON list of PortSpec: what its release wants
    cpu: float
    memory_mb: float

    @property
    def short_id(self) -> str:
        """Twelve digits that it is called by."""
        return short_id(self.server.id)


def _ordered(row: Row) -> Ordered:
    order = row[_WIDTH : _WIDTH + _ORDER_WIDTH]
    app_name, label, label_id, label_number, number, ports, _, cpu, memory_mb = row[_WIDTH + _ORDER_WIDTH :]
    found = Order(*order) if order[0] is not None else None
    return Ordered(
        server_of(row[:_WIDTH]), found, app_name, label, label_id, label_number, number, ports,
        cpu if found is None or found.cpu is None else found.cpu,
        memory_mb if found is None or found.memory_mb is None else found.memory_mb,
    )  # fmt: skip


def order_of(server_id: str) -> Steps[Order | None]:
    """What was asked for of a server."""
    rows = yield Statement(f"select {ORDER} from orders where server_id = $1", (server_id,))
    return Order(*rows[0]) if rows else None


def tags_of(server_ids: Sequence[str]) -> Steps[dict[str, list[Tag]]]:
    """The tags of servers, the oldest first."""
    rows = yield Statement(
        "select server_id, name, created_at, changed_at from server_tags"
        f" where server_id in ({listed('$1')}) order by created_at, name",
        (json.dumps(list(server_ids)),),
    )
    found: dict[str, list[Tag]] = {}
    for server_id, *tag in rows:
        found.setdefault(server_id, []).append(Tag(*tag))
    return found


@dataclass(frozen=True, slots=True)
class Want:
    """A server that is wanted with wishes. All chance is in it, so that the transaction can be repeated."""

    order: Order
    release_id: str
    location: str
    seats: int
    kind: SeatKind
    tags: Sequence[str]
    stay_id: str
    until: int  #: deadline of a wanted server
    config: str | None = None  #: of the room that is made with it


def want(ask: Want) -> Steps[Server]:
    """Want it. Raises LimitReached where the organisation may have no more, Taken for a name somebody has."""
    order = ask.order
    server_id, now = order.server_id, order.created_at
    taken = yield Statement(
        "select 1 from servers where substr(id, 25) = $1 union all select 1 from rooms where id = $1",
        (short_id(server_id),),
    )
    if taken:
        raise Taken("there is a server with these twelve digits already")
    limit = yield from allowance(order.app_id, ask.release_id, now, hold=True, cpu=order.cpu)
    if limit is not None and limit.servers < 1:
        raise LimitReached(f"no server can be started: {limit.why}")
    alone = ask.kind is SeatKind.SERVER
    room_id = short_id(server_id) if alone else None
    server = wanted_server(
        server_id, order.app_id, ask.release_id, ask.location, ask.seats, int(alone),
        Cause.ROOM if alone else Cause.ASKED, room_id, now, ask.until,
    )  # fmt: skip
    yield from add_servers([server])
    yield from add_order(order, ask.tags)
    if room_id is not None:
        room = Room(
            room_id, order.app_id, RoomState.SEATED, ask.location, ask.release_id, ask.config, None, server_id,
            ask.stay_id, now, None, now, None,
        )  # fmt: skip
        yield from add_room(room)
        yield from notices.rooms_opened([Seat(room, server)])
    return server


def add_room(room: Room) -> Steps[None]:
    """Keep a room that has its seats already."""
    r = room
    yield Statement(
        "insert into rooms (id, app_id, state, location, release_id, config, client_ips, server_id, stay_id, seated_at,"
        " created_at, places) values ($1, $2, 'seated', $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        (
            r.id, r.app_id, r.location, r.release_id, r.config, r.client_ips, r.server_id, r.stay_id, r.seated_at,
            r.created_at, r.places,
        ),
    )  # fmt: skip


def add_order(order: Order, tags: Sequence[str]) -> Steps[None]:
    """Keep what was asked for of a server that was added just before."""
    values: list[Value] = [getattr(order, name.strip()) for name in ORDER.split(",")]
    yield Statement(
        f"insert into orders ({ORDER}) values ({', '.join(f'${n + 1}' for n in range(_ORDER_WIDTH))})", values
    )
    at = order.created_at
    yield Many(
        "insert into server_tags (server_id, name, created_at, changed_at) values ($1, $2, $3, $3)"
        " on conflict do nothing",
        [(order.server_id, tag, at) for tag in dict.fromkeys(tags)],
    )
    if (storage := read_plan(order.plan).storage) is not None:
        yield from keep_output(order.server_id, storage, at)


def find(org_id: str, short: str) -> Steps[Ordered]:
    """The organisation's server with this short name. Raises NotFound."""
    rows = yield Statement(f"{_ALL} where substr(s.id, 25) = $1 and a.org_id = $2", (short, org_id))
    if not rows:
        raise NotFound(f"there is no server {short}")
    return _ordered(rows[0])


def whoever(short: str) -> Steps[Ordered | None]:
    """A server with this short name, whosever it is: for one that proves who it is."""
    rows = yield Statement(f"{_ALL} where substr(s.id, 25) = $1", (short,))
    return _ordered(rows[0]) if rows else None


def every(ids: Sequence[str]) -> Steps[dict[str, Ordered]]:
    """Servers by their full ids, whosever they are: for those who found them already."""
    rows = yield Statement(f"{_ALL} where s.id in ({listed('$1')})", (json.dumps(list(ids)),))
    found = [_ordered(row) for row in rows]
    return {one.server.id: one for one in found}


#: Alive, or failed and not yet done with by its owner. Each half has an index of its own, so that a list costs what
#: stands, not what there was; SQLite takes up cross joins in their order.
_STANDING = (
    "s.id in (select s.id from apps a join servers s on s.app_id = a.id where a.org_id = $1 and a.deleted_at is null"
    f" and s.state in {ALIVE}"
    " union all select s.id from apps a cross join servers s cross join orders q where a.org_id = $1"
    " and a.deleted_at is null and s.app_id = a.id and s.state = 'failed' and s.ended_at > $2 and q.server_id = s.id"
    " and q.closed_at is null)"
)


def standing(org_id: str, since: int, conditions: str, values: Sequence[Value], order: str, skip: int, most: int
             ) -> Steps[tuple[list[Ordered], int]]:  # fmt: skip
    """The organisation's servers that are not over, as many as fit on a page, and how many there are.

    ``conditions`` is SQL that :mod:`innkeeper.hosting.searching` made, with values from ``$3`` on; ``order`` likewise.
    Those that failed before ``since`` are over.
    """
    where = f"{_STANDING}{conditions}"
    all_values = (org_id, since, *values)
    rows = yield Statement(f"{_ALL} where {where} order by {order} limit {int(most)} offset {int(skip)}", all_values)
    count = yield Statement(
        "select count(*) from servers s join apps a on a.id = s.app_id left join orders q on q.server_id = s.id"
        f" left join labels l on l.id = q.label_id where {where}",
        all_values,
    )
    return [_ordered(row) for row in rows], count[0][0]


def stop(org_id: str, short: str, reason: str, now: int, until: int) -> Steps[tuple[Ordered, Ordered]]:
    """Ask a server to end, or be done with one that failed: how it was found, and how it is now.

    Raises NotFound, and Gone for one that is over.
    """
    before = yield from find(org_id, short)
    after = yield from end(before, reason, now, until)
    return before, after


def end(before: Ordered, reason: str, now: int, until: int) -> Steps[Ordered]:
    """The same for one that was found already."""
    server = before.server
    if server.alive:
        yield from begin_stop(server.id, StopWhy.ASKED, reason, now, until)
    else:
        closed = yield from close(server.id, now)
        if not closed:
            raise Gone(f"server {before.short_id} has ended already")
    return (yield from every([server.id]))[server.id]


def close(server_id: str, now: int) -> Steps[bool]:
    """Its owner has done with a server that failed. False: there is nothing to be done with."""
    rows = yield Statement(
        "update orders set closed_at = $2 where server_id = $1 and closed_at is null and exists"
        " (select 1 from servers s where s.id = $1 and s.state = 'failed') returning server_id",
        (server_id, now),
    )
    return bool(rows)


def set_joinable(org_id: str, short: str, joinable: bool) -> Steps[Ordered]:
    """Whether rooms may be seated on it that did not ask for it. Raises NotFound, Gone."""
    found = yield from find(org_id, short)
    if not found.server.alive:
        raise Gone(f"server {short} has ended already")
    if found.order is None:
        raise NotFound(f"server {short} was not started with sessions")
    yield Statement("update orders set joinable = $2 where server_id = $1", (found.server.id, int(joinable)))
    return (yield from find(org_id, short))


# -- tags -----------------------------------------------------------------------------------------------------------


def tag(server_id: str, name: str) -> Steps[Tag]:
    """One tag of a server. Raises NotFound."""
    for found in (yield from tags_of([server_id])).get(server_id, []):
        if found.name == name:
            return found
    raise NotFound(f"the server has no tag {name}")


def add_tag(server_id: str, name: str, now: int, most: int) -> Steps[Tag]:
    """Raises Taken for one that it has, LimitReached for one too many."""
    yield Statement(f"select id from servers where id = $1 {FOR_UPDATE}", (server_id,))
    there = (yield from tags_of([server_id])).get(server_id, [])
    if any(found.name == name for found in there):
        raise Taken(f"the server has the tag {name} already")
    if len(there) >= most:
        raise LimitReached(f"a server has {most} tags at most: take one away first")
    yield Statement(
        "insert into server_tags (server_id, name, created_at, changed_at) values ($1, $2, $3, $3)",
        (server_id, name, now),
    )
    return Tag(name, now, now)


def rename_tag(server_id: str, name: str, new: str, now: int) -> Steps[Tag]:
    """Raises NotFound, and Taken for a name that another one has."""
    yield Statement(f"select id from servers where id = $1 {FOR_UPDATE}", (server_id,))
    found = yield from tag(server_id, name)
    if new != name:
        there = (yield from tags_of([server_id])).get(server_id, [])
        if any(other.name == new for other in there):
            raise Taken(f"the server has the tag {new} already")
    yield Statement(
        "update server_tags set name = $3, changed_at = $4 where server_id = $1 and name = $2",
        (server_id, name, new, now),
    )
    return Tag(new, found.created_at, now)


def remove_tag(server_id: str, name: str) -> Steps[None]:
    """Raises NotFound."""
    yield from tag(server_id, name)
    yield Statement("delete from server_tags where server_id = $1 and name = $2", (server_id, name))


def tagged(org_id: str, names: Sequence[str]) -> Steps[dict[str, set[str]]]:
    """Which servers of the organisation, alive or over, have which of these tags: full ids by tag."""
    rows = yield Statement(
        "select t.name, t.server_id from server_tags t join servers s on s.id = t.server_id"
        f" join apps a on a.id = s.app_id where a.org_id = $1 and t.name in ({listed('$2')})",
        (org_id, json.dumps(list(names))),
    )
    found: dict[str, set[str]] = {}
    for name, server_id in rows:
        found.setdefault(name, set()).add(server_id)
    return found
