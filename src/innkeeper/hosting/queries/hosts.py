"""What is on record about hosts: those that were added, those that are drained, and who lives there.

Called by ``hosting/hostbook.py`` and ``hosting/passes/living.py``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import listed
from innkeeper.hosting.endings import lost
from innkeeper.hosting.model import ALIVE, Server, ServerState

from . import notices
from .columns import SERVER, server_of
from .placing import back_to_wanted, over

#: States in which a server is on a host, or about to be.
_THERE = "('starting', 'running', 'draining', 'stopping')"
#: Those, and the one in which it waits for a place.
_LIVING = ", ".join(f"'{state.value}'" for state in ServerState if state in ALIVE)


@dataclass(frozen=True, slots=True)
class HostRecord:
    """A host that somebody said something about."""

    id: str
    #: JSON of HostSpec where it was added by command; None for one of the settings, or of this machine.
    spec: str | None
    draining: bool
    is_told: bool = True  #: False for one that was added while nobody came to tell of it, as after a crash


def records() -> Steps[list[HostRecord]]:
    """All of them, in the order in which they came."""
    rows = yield Statement("select id, spec, draining, added_at from hosts order by added_at, id")
    return [HostRecord(row[0], row[1], bool(row[2]), row[1] is None or row[3] > 0) for row in rows]


def intend(host_id: str, spec: str) -> Steps[bool]:
    """Keep that a host is about to be taken in; nobody is told yet. False: one of that name was added before."""
    rows = yield Statement(
        "insert into hosts (id, spec, draining, added_at) values ($1, $2, 0, 0) on conflict (id) do update"
        " set spec = excluded.spec, draining = 0, added_at = 0 where hosts.spec is null returning id",
        (host_id, spec),
    )
    return bool(rows)


def taken_in(host_id: str, now: int) -> Steps[None]:
    """It was taken in: from now on it counts as added, and those who listen are told, once."""
    rows = yield Statement(
        "update hosts set added_at = $2 where id = $1 and spec is not null and added_at = 0 returning id",
        (host_id, now),
    )
    if rows:
        yield from notices.host_changed("added", host_id, now)


def not_taken_in(host_id: str) -> Steps[None]:
    """It could not be taken in: nothing has happened, and nobody is told."""
    yield Statement("delete from hosts where id = $1 and added_at = 0", (host_id,))


def forget(host_id: str, now: int, reason: str) -> Steps[None]:
    """It was removed."""
    yield Statement("delete from hosts where id = $1", (host_id,))
    yield from notices.host_changed("removed", host_id, now, reason)


def set_draining(host_id: str, draining: bool, now: int) -> Steps[None]:
    """Keep whether it is drained."""
    yield Statement(
        "insert into hosts (id, spec, draining, added_at) values ($1, null, $2, $3)"
        " on conflict (id) do update set draining = excluded.draining",
        (host_id, int(draining), now),
    )
    yield from notices.host_changed("draining" if draining else "up", host_id, now)


def counts() -> Steps[dict[str, int]]:
    """How many servers are on each host, or about to be."""
    rows = yield Statement(
        f"select host_id, count(*) from servers where state in {_THERE} and host_id is not null group by host_id"
    )
    return {row[0]: row[1] for row in rows}


def living(host_id: str | None) -> Steps[list[tuple[Server, str]]]:
    """Servers that live or are wanted, each with its app's name, the oldest first: of one host, or (None) all."""
    names = ", ".join(f"s.{name.strip()}" for name in SERVER.split(","))
    there = "" if host_id is None else " and s.host_id = $1"
    rows = yield Statement(
        f"select a.name, {names} from servers s join apps a on a.id = s.app_id"
        f" where s.state in ({_LIVING}){there} order by s.created_at, s.id",
        () if host_id is None else (host_id,),
    )
    return [(server_of(row[1:]), row[0]) for row in rows]


def on_host(host_id: str, most: int) -> Steps[list[Server]]:
    """Servers on a host, or about to be, the oldest first."""
    rows = yield Statement(
        f"select {SERVER} from servers where state in {_THERE} and host_id = $1 order by created_at, id limit $2",
        (host_id, most),
    )
    return [server_of(row) for row in rows]


def running_on(host_ids: Sequence[str]) -> Steps[list[Server]]:
    """Running servers on some hosts."""
    rows = yield Statement(
        f"select {SERVER} from servers where state = 'running' and host_id in ({listed('$1')}) order by created_at, id",
        (json.dumps(list(host_ids)),),
    )
    return [server_of(row) for row in rows]


def write_off(servers: Sequence[Server], reason: str, now: int, until: int) -> Steps[list[ServerState | None]]:
    """Their host is gone: those that were never ready are wanted again, with a deadline of ``until``; the others end.

    The state that each has come to; None for one that has moved on meanwhile.
    """
    moved: list[ServerState | None] = []
    for server in servers:
        end = lost(server, reason)
        if end is None:
            done = yield from back_to_wanted(server, until, now)
            moved.append(ServerState.WANTED if done else None)
        else:
            state, told = end
            done = yield from over(server, state, told, now, now)
            moved.append(state if done else None)
    return moved
