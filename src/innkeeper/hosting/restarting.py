"""Whether a server whose program ended by itself is started again, and when. Pure; called by ``queries/noting.py``.

It is started where it was: same host, same ports, same rooms. Whoever is connected loses that run of the game, and
finds the next one at the same address.
"""

from __future__ import annotations

from dataclasses import dataclass

from innkeeper.engines.base import Ended, EndedBy
from innkeeper.kit.clock import MINUTE, SECOND

from .model import Server, ServerState
from .plans import Crash, Plan, Restart

#: Seconds before each start of those that follow one another closely; the last goes on.
WAITS = (0, 1, 2, 4, 8, 16, 32, 60)
#: What follows the start before it after so long begins anew with the first wait.
CLOSELY = 10 * MINUTE
#: How a program ends by itself. One that could not be started would not be the next time either.
_BY_ITSELF = frozenset({EndedBy.EXIT, EndedBy.SIGNAL, EndedBy.MEMORY, EndedBy.LOST})


@dataclass(frozen=True, slots=True)
class Again:
    """A further start of a server."""

    at: int  #: when, in microseconds since the epoch
    row: int  #: how many others came before it, each closely after the one before
    until: int  #: when it has to have bound its ports


def by_itself(server: Server, ended: Ended) -> bool:
    """Whether the server's program ended without being asked to."""
    return server.stop_why is None and ended.by in _BY_ITSELF


def again(server: Server, ended: Ended, plan: Plan, last: Crash | None, now: int, ready: int) -> Again | None:
    """The next start of a server whose program has ended; None when that is the server's end.

    A program that has never been ready is not started again: what is wrong with it is wrong with its build or its
    settings, and its owner is told at once. Nor is one that drains. ``ready`` is how long a start may take, in
    microseconds, where the plan does not say: the first one after a run that was ready. Those that follow it until the
    program is ready share that time, with their waits; one that would have none of it left is not made.
    """
    if plan.restart is Restart.NEVER or not by_itself(server, ended):
        return None
    if plan.restart is Restart.ON_FAILURE and ended.by is EndedBy.EXIT and ended.code == 0:
        return None
    if server.ready_at is None or server.state not in (ServerState.STARTING, ServerState.RUNNING):
        return None
    closely = last is not None and last.again_at is not None and now - last.again_at < CLOSELY
    row = last.row + 1 if last is not None and closely else 0
    if plan.start_seconds is not None:
        ready = plan.start_seconds * SECOND
    wait = WAITS[min(row, len(WAITS) - 1)] * SECOND
    if server.state is ServerState.RUNNING or server.until is None:
        return Again(now + wait, row, now + wait + ready)
    return Again(now + wait, row, server.until) if now + wait < server.until else None


def due_at(crash: Crash | None) -> int:
    """When the host of a server that waits for its start is told; 0: now, as with a first start."""
    return 0 if crash is None or crash.again_at is None else crash.again_at


def is_past(server: Server, handle: str) -> bool:
    """Whether this is the handle of a run that ended before the one that the server is waiting for."""
    waits = server.state is ServerState.STARTING and server.booted_at is None
    return waits and handle != "" and handle == server.handle
