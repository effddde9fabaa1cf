"""Placing servers on hosts and writing down what hosts report. Called by ``hosting/passes``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import listed
from innkeeper.engines.base import Report
from innkeeper.hosting.endings import ending
from innkeeper.hosting.model import ALIVE, App, Build, Release, Room, Server, ServerState

from .apps import APP
from .builds import BUILD, build_of
from .columns import ROOM, SERVER, room_of, server_of
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
            p.server_id, ServerState.STARTING, at=p.now, host_id=p.host_id, address=p.address, ports=p.ports,
            placed_at=p.now, until=p.until,
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
    return LaunchFacts(found, release, build_of(builds[0]), App(*apps[0]), room_of(rooms[0]) if rooms else None)


class Noted(Enum):
    """What became of a report."""

    NOTHING = auto()  #: nothing new
    BOOTED = auto()
    READY = auto()
    ENDED = auto()  #: its end is on record from now on
    OVER = auto()  #: its end was on record before
    UNKNOWN = auto()  #: no such server here, or it belongs to another host by now


def note_reports(reports: Sequence[tuple[str, Report]], now: int) -> Steps[list[Noted]]:
    """Write down what hosts report, each with its host's id. The same report may come any number of times.

    What another host than the server's own says of it counts for nothing: it ran there before that host was lost.
    """
    noted = []
    for host_id, report in reports:
        server = yield from server_by_id(report.server_id)
        if server is None or (server.host_id != host_id and server.state in ALIVE):
            noted.append(Noted.UNKNOWN)
        elif server.state not in ALIVE:
            noted.append(Noted.OVER if report.ended is not None else Noted.UNKNOWN)
        elif report.ended is not None:
            noted.append((yield from _note_end(server, report, now)))
        else:
            noted.append((yield from _note_life(server, report)))
    return noted


def _note_life(server: Server, report: Report) -> Steps[Noted]:
    what = Noted.NOTHING
    if server.booted_at is None:
        what = Noted.BOOTED
        yield Statement(
            "update servers set handle = $2, booted_at = $3 where id = $1",
            (server.id, report.handle, report.started_at),
        )
    if report.ready_at is not None and server.state is ServerState.STARTING:
        idle = report.ready_at if server.taken == 0 else None
        ready = report.ready_at
        if (yield from move(server.id, ServerState.RUNNING, at=ready, ready_at=ready, until=None, idle_since=idle)):
            what = Noted.READY
    return what


def _note_end(server: Server, report: Report, now: int) -> Steps[Noted]:
    assert report.ended is not None
    rows = yield Statement("select memory_mb from releases where id = $1", (server.release_id,))
    state, reason = ending(server, report.ended, rows[0][0])
    moved = yield from over(server, state, reason, report.ended.at, now)
    return Noted.ENDED if moved else Noted.OVER


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
    image: str | None  #: of its build; None: it is a program
    architecture: str | None  #: that the image is made for
    fleet: str  #: that the release names, if its organisation has it; else empty
    threshold: float  #: percent of that fleet's own processors; above it the common hosts go first


def wishes_of(server_ids: Sequence[str]) -> Steps[dict[str, Wish]]:
    """What each server is made from."""
    names = ", ".join(f"r.{name.strip()}" for name in RELEASE.split(","))
    rows = yield Statement(
        f"select s.id, b.image, b.architecture, f.id, f.threshold, {names} from servers s"
        " join releases r on r.id = s.release_id join builds b on b.key = r.build_key join apps a on a.id = s.app_id"
        f" left join fleets f on f.id = r.fleet_id and f.org_id = a.org_id where s.id in ({listed('$1')})",
        (json.dumps(list(server_ids)),),
    )
    return {row[0]: Wish(Release(*row[5:]), row[1], row[2], row[3] or "", row[4] or 100) for row in rows}


def used_of_hosts() -> Steps[dict[str, tuple[float, float]]]:
    """Processors and MiB promised to living servers, by host."""
    rows = yield Statement(
        "select s.host_id, sum(r.cpu), sum(r.memory_mb) from servers s join releases r on r.id = s.release_id"
        " where s.state in ('starting', 'running', 'draining', 'stopping') and s.host_id is not null group by s.host_id"
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def placed(most: int) -> Steps[list[Server]]:
    """Servers that their hosts have not confirmed, the oldest first."""
    rows = yield Statement(
        f"select {SERVER} from servers where state = 'starting' and booted_at is null order by created_at, id limit $1",
        (most,),
    )
    return [server_of(row) for row in rows]
