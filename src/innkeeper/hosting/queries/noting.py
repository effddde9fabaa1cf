"""Writing down what hosts report of their servers: booted, ready, ended. Called by ``passes/reporting.py``."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

import msgspec

from innkeeper.db.database import Statement, Steps
from innkeeper.engines.base import Report
from innkeeper.hosting.endings import ending
from innkeeper.hosting.model import ALIVE, Server, ServerState
from innkeeper.hosting.plans import Crash, Plan, read_crash, read_plan
from innkeeper.hosting.restarting import Again, again, by_itself, is_past

from .placing import over
from .servers import move, server_by_id


class Noted(Enum):
    """What became of a report."""

    NOTHING = auto()  #: nothing new
    BOOTED = auto()
    READY = auto()
    ENDED = auto()  #: its end is on record from now on
    OVER = auto()  #: its end was on record before
    AGAIN = auto()  #: of a run that has ended, and that another one follows
    UNKNOWN = auto()  #: no such server here, or it belongs to another host by now


def note_reports(reports: Sequence[tuple[str, Report]], now: int, ready: int) -> Steps[list[Noted]]:
    """Write down what hosts report, each with its host's id. The same report may come any number of times.

    What another host than the server's own says of it counts for nothing: it ran there before that host was lost.
    ``ready`` is how long a server that is started again may take to bind its ports, in microseconds, where its plan
    does not say.
    """
    noted = []
    for host_id, report in reports:
        server = yield from server_by_id(report.server_id)
        if server is None or (server.host_id != host_id and server.state in ALIVE):
            noted.append(Noted.UNKNOWN)
        elif server.state not in ALIVE:
            noted.append(Noted.OVER if report.ended is not None else Noted.UNKNOWN)
        elif is_past(server, report.handle):
            noted.append(Noted.AGAIN)
        elif report.ended is not None:
            noted.append((yield from _note_end(server, report, now, ready)))
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
        first = report.ready_at if server.ready_at is None else server.ready_at  # of several runs
        if (
            yield from move(
                server.id, ServerState.RUNNING, at=report.ready_at, ready_at=first, until=None, idle_since=idle
            )
        ):
            what = Noted.READY
    return what


def _note_end(server: Server, report: Report, now: int, ready: int) -> Steps[Noted]:
    assert report.ended is not None
    rows = yield Statement(
        "select coalesce(q.memory_mb, r.memory_mb), q.plan, q.crash from servers s join releases r on"
        " r.id = s.release_id left join orders q on q.server_id = s.id where s.id = $1",
        (server.id,),
    )
    memory_mb, plan, crash = rows[0]
    state, reason = ending(server, report.ended, memory_mb)
    if plan is not None and by_itself(server, report.ended):
        found = yield from _start_again(server, report, read_plan(plan), read_crash(crash), now, ready)
        known = Crash(
            report.ended.at, report.ended.code, reason, row=0 if found is None else found.row,
            again_at=None if found is None else found.at,
        )  # fmt: skip
        yield Statement(
            "update orders set crash = $2, restarts = restarts + $3 where server_id = $1",
            (server.id, msgspec.json.encode(known).decode(), int(found is not None)),
        )
        if found is not None:
            return Noted.AGAIN
    moved = yield from over(server, state, reason, report.ended.at, now)
    return Noted.ENDED if moved else Noted.OVER


def _start_again(
    server: Server, report: Report, plan: Plan, last: Crash | None, now: int, ready: int
) -> Steps[Again | None]:
    """Have a server started again where its plan says so: its host is told once that is due. None: it is over.

    It keeps the handle of the run that has ended, by which everything that is reported of that one later is known.
    """
    assert report.ended is not None
    found = again(server, report.ended, plan, last, now, ready)
    if found is None:
        return None
    if server.state is ServerState.RUNNING:
        moved = yield from move(
            server.id, ServerState.STARTING, [ServerState.RUNNING], at=report.ended.at, handle=report.handle,
            booted_at=None, idle_since=None, until=found.until,
        )  # fmt: skip
        return found if moved else None
    rows = yield Statement(
        "update servers set handle = $2, booted_at = null, until = $3 where id = $1 and state = 'starting'"
        " returning id",
        (server.id, report.handle, found.until),
    )
    return found if rows else None
