"""Placing servers on hosts, and what becomes of them there. Called by ``hosting/passes`` and the modules beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import listed
from innkeeper.hosting.model import App, Build, BuildKind, BuildState, Release, Room, Server, ServerState
from innkeeper.hosting.placement import Need
from innkeeper.hosting.plans import Order, read_crash, read_plan
from innkeeper.hosting.restarting import due_at

from .access import GUARDED, SAYS_GUARDED
from .apps import APP
from .builds import BUILD, build_of
from .columns import ROOM, SERVER, room_of, server_of
from .orders import order_of, tags_of
from .releases import RELEASE
from .servers import end_rooms, move, server_by_id


@dataclass(frozen=True, slots=True)
class Placement:
    """A wanted server on its host: the intent, written before the host is told."""

    server_id: str
    host_id: str
    address: str
    ports: str  #: JSON list of GivenPort
    held: tuple[tuple[str, int], ...]  #: every number it takes, with the host whose it is (or ``hosts.TLS``)
    now: int
    until: int


def place(placements: Sequence[Placement]) -> Steps[list[bool]]:
    """Move wanted servers to STARTING with their ports. False for one that is not wanted any more."""
    moved = []
    for p in placements:
        done = yield from move(
            p.server_id, ServerState.STARTING, [ServerState.WANTED], at=p.now, host_id=p.host_id, address=p.address,
            ports=p.ports, placed_at=p.now, until=p.until,
        )  # fmt: skip
        moved.append(done)
        for host_id, number in p.held if done else ():
            rows = yield Statement(
                "insert into held_ports (host_id, port, server_id, freed_at) values ($1, $2, $3, null)"
                " on conflict (host_id, port) do update set server_id = excluded.server_id, freed_at = null"
                " where held_ports.freed_at is not null returning port",
                (host_id, number, p.server_id),
            )
            if not rows:
                raise RuntimeError(f"port {number} of host {host_id} is held by a living server")
    return moved


def held_ports(host_id: str) -> Steps[list[tuple[int, int | None]]]:
    """Every port of a host that is in use (None) or was freed, with the time."""
    rows = yield Statement("select port, freed_at from held_ports where host_id = $1", (host_id,))
    return [(row[0], row[1]) for row in rows]


@dataclass(frozen=True, slots=True)
class LaunchFacts:
    """Everything a launch is made from."""

    server: Server
    release: Release
    build: Build
    app: App
    room: Room | None  #: the room that it is started for; where that is over already, the first that waits for it
    order: Order | None = None  #: what was asked for of it beyond its release
    tags: Sequence[str] = ()


def launch_facts(server_id: str) -> Steps[LaunchFacts | None]:
    """The facts of a server that waits for its host; None when it is in another state by now."""
    found = yield from server_by_id(server_id)
    if found is None or found.state is not ServerState.STARTING:
        return None
    releases = yield Statement(f"select {RELEASE} from releases where id = $1", (found.release_id,))
    release = Release(*releases[0])
    builds = yield Statement(f"select {BUILD} from builds where key = $1", (release.build_key,))
    apps = yield Statement(f"select {APP} from apps where id = $1", (found.app_id,))
    rooms = yield Statement(
        f"select {ROOM} from rooms where server_id = $1 and state = 'seated'"
        " order by case when id = $2 then 0 else 1 end, seated_at, id limit 1",
        (server_id, found.room_id or ""),
    )
    order = yield from order_of(server_id)
    tags = () if order is None else (yield from tags_of([server_id])).get(server_id, ())
    room = room_of(rooms[0]) if rooms else None
    return LaunchFacts(found, release, build_of(builds[0]), App(*apps[0]), room, order, [tag.name for tag in tags])


def over(server: Server, state: ServerState, reason: str, at: int, now: int) -> Steps[bool]:
    """A server has ended: so have its rooms, and its ports are free after their quarantine."""
    moved = yield from move(server.id, state, at=at, exit_reason=reason, ended_at=at, until=None, idle_since=None)
    if moved:
        yield from end_rooms(server.id, f"its server ended: {reason}", now)
        yield from _free_ports(server.id, now)
    return moved


def back_to_wanted(server: Server, until: int, now: int) -> Steps[bool]:
    """A server that was never ready is to be placed anew: its host is lost, or has no use for it there.

    False when it is not the one that was placed then: it has moved on meanwhile.
    """
    found = yield from server_by_id(server.id)
    if found is None or (found.host_id, found.placed_at) != (server.host_id, server.placed_at):
        return False
    moved = yield from move(
        server.id, ServerState.WANTED, [ServerState.STARTING], at=now, host_id=None, address=None, ports="[]",
        handle="", placed_at=None, booted_at=None, until=until,
    )  # fmt: skip
    if moved:
        yield from _free_ports(server.id, now)
    return moved


def give_time(server: Server, until: int) -> Steps[None]:
    """Another deadline for a server that its host has not confirmed."""
    yield Statement(
        "update servers set until = $2 where id = $1 and state = 'starting' and booted_at is null and placed_at = $3",
        (server.id, until, server.placed_at),
    )


def _free_ports(server_id: str, now: int) -> Steps[None]:
    yield Statement("update held_ports set freed_at = $2 where server_id = $1 and freed_at is null", (server_id, now))


@dataclass(frozen=True, slots=True)
class Wish:
    """What a wanted server is made from, as far as placing goes."""

    release: Release
    cpu: float  #: processors that it gets: the release's, unless others were asked for
    memory_mb: float
    hosts: Sequence[str]  #: that are tried first
    start_seconds: int | None  #: that it may take to bind its ports; None: as long as any
    build: BuildState  #: it can be started once that has succeeded
    build_detail: str  #: why it failed
    image: str | None  #: of its build; None: it is a program
    architecture: str | None  #: that the image is made for
    fleet: str  #: that the release names, if its organisation has it; else empty
    threshold: float  #: percent of that fleet's own processors; above it the common hosts go first
    guarded: bool  #: only those who are listed may reach it


def wishes_of(server_ids: Sequence[str]) -> Steps[dict[str, Wish]]:
    """What each server is made from."""
    names = ", ".join(f"r.{name.strip()}" for name in RELEASE.split(","))
    rows = yield Statement(
        f"select s.id, b.image, b.architecture, f.id, f.threshold, coalesce(q.cpu, r.cpu),"
        f" coalesce(q.memory_mb, r.memory_mb), q.hosts, b.state, b.detail,"
        f" case when {GUARDED} then 1 else 0 end, q.plan, {names} from servers s"
        " join releases r on r.id = s.release_id join builds b on b.key = r.build_key join apps a on a.id = s.app_id"
        " left join orders q on q.server_id = s.id left join labels l on l.id = r.label_id and q.server_id is null"
        f" left join fleets f on f.id = r.fleet_id and f.org_id = a.org_id where s.id in ({listed('$1')})",
        (json.dumps(list(server_ids)),),
    )
    return {
        row[0]: Wish(
            Release(*row[12:]), row[5], row[6], json.loads(row[7] or "[]"), read_plan(row[11]).start_seconds,
            BuildState(row[8]), row[9], row[1], row[2], row[3] or "", row[4] or 100, bool(row[10]),
        )
        for row in rows
    }  # fmt: skip


def need_of(release_id: str) -> Steps[Need]:
    """What a server of a release would need of a host, wherever it is."""
    rows = yield Statement(
        f"select r.cpu, r.memory_mb, r.ports, b.kind, b.image, b.architecture, f.id, f.threshold,"
        f" case when l.plan {SAYS_GUARDED} then 1 else 0 end from releases r"
        " join builds b on b.key = r.build_key join apps a on a.id = r.app_id left join labels l on l.id = r.label_id"
        " left join fleets f on f.id = r.fleet_id and f.org_id = a.org_id where r.id = $1",
        (release_id,),
    )
    cpu, memory_mb, ports, kind, image, architecture, fleet, threshold, guarded = rows[0]
    is_image = image is not None or kind == BuildKind.IMAGE
    count = len(json.loads(ports))
    return Need(
        "", cpu, memory_mb, is_image, architecture, count, fleet=fleet or "", threshold=threshold or 100,
        guarded=bool(guarded),
    )  # fmt: skip


def used_of_hosts() -> Steps[dict[str, tuple[float, float]]]:
    """Processors and MiB promised to living servers, by host."""
    rows = yield Statement(
        "select s.host_id, sum(coalesce(q.cpu, r.cpu)), sum(coalesce(q.memory_mb, r.memory_mb)) from servers s"
        " join releases r on r.id = s.release_id left join orders q on q.server_id = s.id"
        " where s.state in ('starting', 'running', 'draining', 'stopping') and s.host_id is not null group by s.host_id"
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def waiting_of(server_ids: Sequence[str]) -> Steps[list[str]]:
    """Those of some servers that wait for a host, or to be ready there."""
    rows = yield Statement(
        f"select id from servers where id in ({listed('$1')}) and state in ('wanted', 'starting')",
        (json.dumps(list(server_ids)),),
    )
    return [row[0] for row in rows]


def placed(most: int) -> Steps[list[tuple[Server, int]]]:
    """Servers that their hosts have not confirmed, each with when its host is to be told (0: now).

    The oldest first, and those that ended and are started again behind all that never ran, which do not wait.
    """
    names = ", ".join(f"s.{name.strip()}" for name in SERVER.split(","))
    rows = yield Statement(
        f"select q.crash, {names} from servers s left join orders q on q.server_id = s.id"
        " where s.state = 'starting' and s.booted_at is null"
        " order by case when q.crash is null then 0 else 1 end, s.created_at, s.id limit $1",
        (most,),
    )
    return [(server_of(row[1:]), due_at(read_crash(row[0]))) for row in rows]
