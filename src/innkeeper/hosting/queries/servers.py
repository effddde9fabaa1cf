"""Servers as their owners and the passes see them. Called by ``hosting/servers.py`` and ``hosting/passes``.

Moves are guarded by the states they start from (``model.SERVER_MOVES``): a statement that moves nobody lost a race,
and its caller looks again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import listed
from innkeeper.hosting.hosts import Lack
from innkeeper.hosting.model import ACCEPTING, SERVER_MOVES, Cause, Server, ServerState, StopWhy, sources_of
from innkeeper.kit.clock import SECOND
from innkeeper.kit.errors import LimitReached, NotFound

from . import notices
from .allowance import allowance
from .columns import SERVER, server_of
from .fleets import why_none
from .rooms import add_servers, release_for, wanted_server
from .seats import require_app


def move(
    server_id: str,
    state: ServerState,
    sources: Sequence[ServerState] | None = None,
    *,
    at: int,
    empty: bool = False,
    **changes: str | int | None,
) -> Steps[bool]:
    """Move a server to a state, with other columns. False: it was in no state that it can be moved from.

    ``sources`` narrows the states it may come from; ``empty`` moves it only while no room has a seat on it; ``at`` is
    when that is, for those who are told.
    """
    allowed = [s for s in sources_of(state) if sources is None or s in sources]
    assert allowed, f"nothing moves to {state} from {sources}"
    columns = {"state": state.value, "accepting": int(state in ACCEPTING), **changes}
    sets = ", ".join(f"{name} = ${at + 3}" for at, name in enumerate(columns))
    rows = yield Statement(
        f"update servers set {sets} where id = $1 and state in ({listed('$2')})"
        + (" and taken = 0" if empty else "")
        + f" returning {notices.HOOKS if state in notices.CALLED else 'id'}",
        (server_id, json.dumps(allowed), *columns.values()),
    )
    if rows:
        yield from notices.server_moved(server_id, at)
        if state in notices.CALLED and rows[0][0] is not None:
            yield from notices.server_called(server_id, state, rows[0][0], at)
        if state in notices.CALLED and rows[0][1]:
            yield from notices.rooms_called(server_id, state, at)
    return bool(rows)


def server(app_id: str, org_id: str, server_id: str) -> Steps[Server]:
    """A server of an app of the organisation."""
    yield from require_app(app_id, org_id)
    rows = yield Statement(f"select {SERVER} from servers where id = $1 and app_id = $2", (server_id, app_id))
    if not rows:
        raise NotFound(f"there is no server {server_id}")
    return server_of(rows[0])


def server_by_id(server_id: str) -> Steps[Server | None]:
    """A server, whosever it is: for the house itself."""
    rows = yield Statement(f"select {SERVER} from servers where id = $1", (server_id,))
    return server_of(rows[0]) if rows else None


def _chosen(states: Sequence[str], locations: Sequence[str]) -> str:
    where = ""
    if states:
        where += " and state in (" + ", ".join(f"'{ServerState(state).value}'" for state in states) + ")"
    if locations:
        where += f" and location in ({listed('$3')})"
    return where


def latest(
    app_id: str, org_id: str, before: int, states: Sequence[str], locations: Sequence[str], full: int
) -> Steps[list[Server]]:
    """The app's latest servers created before a time, the newest first; no states or locations: all.

    A page holds ``full`` of them at least, where there are so many, and goes on to the end of the last one's second:
    whoever asks for those before its last server misses nobody, also where that time was cut to milliseconds or
    seconds. Servers that are wanted together are created at the same microsecond.
    """
    yield from require_app(app_id, org_id)
    values = (app_id, before, json.dumps(list(locations))) if locations else (app_id, before)
    which = f"app_id = $1 and created_at < $2{_chosen(states, locations)}"
    rows = yield Statement(
        f"select {SERVER} from servers where {which} and created_at >="
        f" (select min(created_at) - min(created_at) % {SECOND} from"
        f" (select created_at from servers where {which} order by created_at desc limit {int(full)}) as page)"
        " order by created_at desc, id",
        values,
    )
    return [server_of(row) for row in rows]


def ended(app_id: str, org_id: str, locations: Sequence[str], most: int) -> Steps[list[Server]]:
    """The app's servers that ended last, the latest first; no locations: all."""
    yield from require_app(app_id, org_id)
    values = (app_id, json.dumps(list(locations))) if locations else (app_id,)
    rows = yield Statement(
        f"select {SERVER} from servers where app_id = $1 and state in ('stopped', 'failed')"
        + (f" and location in ({listed('$2')})" if locations else "")
        + f" order by ended_at desc, id limit {int(most)}",
        values,
    )
    return [server_of(row) for row in rows]


def count(app_id: str, org_id: str, before: int, states: Sequence[str], locations: Sequence[str]) -> Steps[int]:
    """How many there are."""
    yield from require_app(app_id, org_id)
    values = (app_id, before, json.dumps(list(locations))) if locations else (app_id, before)
    rows = yield Statement(
        f"select count(*) from servers where app_id = $1 and created_at < $2{_chosen(states, locations)}", values
    )
    number: int = rows[0][0]
    return number


def want(
    app_id: str, org_id: str, location: str, server_id: str, cause: str, now: int, until: int, lacking: Lack | None
) -> Steps[Server]:
    """Want an empty server of the release that serves. Raises LimitReached where the organisation may have no more, or
    none can be started there."""
    found = yield from release_for(app_id, org_id, None)
    if isinstance(found, Exception):
        raise found
    release_id, seats = found
    if (why := (yield from why_none(release_id, lacking))) is not None:
        raise LimitReached(f"no server can be started: {why}")
    limit = yield from allowance(app_id, release_id, now, hold=True)
    if limit is not None and limit.servers < 1:
        raise LimitReached(f"no server can be started: {limit.why}")
    wanted = wanted_server(server_id, app_id, release_id, location, seats, 0, Cause(cause), None, now, until)
    yield from add_servers([wanted])
    return wanted


def stop(app_id: str, org_id: str, server_id: str, reason: str, now: int, until: int) -> Steps[Server]:
    """Ask a server to end, and end its rooms. Stopping or over already: nothing changes."""
    yield from server(app_id, org_id, server_id)
    yield from begin_stop(server_id, StopWhy.ASKED, reason, now, until)
    return (yield from server(app_id, org_id, server_id))


def begin_stop(server_id: str, why: StopWhy, reason: str, now: int, until: int, *, empty: bool = False) -> Steps[bool]:
    """Move a server towards its end: one without a host is over at once. Its rooms end with the same reason.

    ``empty``: only while no room has a seat on it.
    """
    common: dict[str, str | int | None] = {
        "stop_why": why,
        "stop_reason": reason,
        "stopping_at": now,
        "idle_since": None,
    }
    moved = yield from move(
        server_id, ServerState.STOPPED, [ServerState.WANTED], at=now, empty=empty, exit_reason=reason, ended_at=now,
        until=None, **common,
    )  # fmt: skip
    if not moved:
        moved = yield from move(server_id, ServerState.STOPPING, None, at=now, empty=empty, until=until, **common)
    if moved:
        yield from end_rooms(server_id, reason, now)
    return moved


def end_rooms(server_id: str, reason: str, now: int) -> Steps[None]:
    """End all rooms that sit on a server. Its seats do not matter any more."""
    rows = yield Statement(
        "update rooms set state = 'destroyed', left_at = $2, ended_reason = $3"
        " where server_id = $1 and state = 'seated' returning id",
        (server_id, now, reason),
    )
    yield from notices.rooms_ended([row[0] for row in rows], now)


def in_states(states: Sequence[ServerState], most: int) -> Steps[list[Server]]:
    """Servers in some states, the oldest first."""
    names = ", ".join(f"'{state.value}'" for state in states)
    rows = yield Statement(
        f"select {SERVER} from servers where state in ({names}) order by created_at, id limit $1", (most,)
    )
    return [server_of(row) for row in rows]


def overdue(now: int, most: int) -> Steps[list[Server]]:
    """Servers whose state has lasted past its deadline."""
    transient = [s for s in ServerState if SERVER_MOVES[s] and s is not ServerState.RUNNING]
    names = ", ".join(f"'{state.value}'" for state in transient)
    rows = yield Statement(
        f"select {SERVER} from servers where state in ({names}) and until <= $1 order by until limit $2", (now, most)
    )
    return [server_of(row) for row in rows]


def next_deadline() -> Steps[int | None]:
    """The earliest deadline of any server in a transient state."""
    rows = yield Statement(
        "select min(until) from servers where state in ('wanted', 'starting', 'draining', 'stopping')"
    )
    found: int | None = rows[0][0]
    return found
