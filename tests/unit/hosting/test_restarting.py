"""Whether a server whose program has ended is started again, when, and until when it may take."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import Any

import pytest
from msgspec.structs import replace

from innkeeper.engines.base import Ended, EndedBy
from innkeeper.hosting.endings import lost
from innkeeper.hosting.model import Server, ServerState, StopWhy
from innkeeper.hosting.plans import Crash, Plan, Restart
from innkeeper.hosting.restarting import CLOSELY, WAITS, Again, again, due_at, is_past
from innkeeper.kit.clock import SECOND

NOW, READY = 1_800_000_000 * SECOND, 100 * SECOND
ALWAYS, FAILURE = Plan(restart=Restart.ALWAYS), Plan(restart=Restart.ON_FAILURE)
_fields: dict[str, Any] = dict.fromkeys(Server.__struct_fields__)
_fields |= {
    "id": "s", "app_id": "a", "release_id": "r", "location": "tokyo", "accepting": 1, "seats": 1, "taken": 1,
    "cause": "room", "handle": "run:1", "created_at": 0, "ports": "[]", "booted_at": 5, "ready_at": 9,
    "state": ServerState.RUNNING,
}  # fmt: skip
RUNNING = Server(**_fields)
STARTING = replace(RUNNING, state=ServerState.STARTING, until=NOW + 30 * SECOND)
FAILED = Ended(EndedBy.EXIT, 3, NOW)


@pytest.mark.parametrize(
    ("server", "ended", "plan", "is_again"),
    [
        (RUNNING, FAILED, ALWAYS, True),
        (RUNNING, FAILED, FAILURE, True),
        (RUNNING, FAILED, Plan(), False),
        (RUNNING, changed(FAILED, code=0), ALWAYS, True),
        (RUNNING, changed(FAILED, code=0), FAILURE, False),
        (RUNNING, Ended(EndedBy.SIGNAL, 0, NOW), FAILURE, True),
        (RUNNING, Ended(EndedBy.MEMORY, 137, NOW), FAILURE, True),
        (RUNNING, Ended(EndedBy.LOST, None, NOW), FAILURE, True),  # the machine was started again
        (RUNNING, Ended(EndedBy.NOT_STARTED, None, NOW), ALWAYS, False),
        (RUNNING, Ended(EndedBy.STOPPED, 0, NOW), ALWAYS, False),
        (RUNNING, Ended(EndedBy.KILLED, 9, NOW), ALWAYS, False),
        (STARTING, FAILED, ALWAYS, True),
        (replace(STARTING, ready_at=None), FAILED, ALWAYS, False),  # it was never ready
        (replace(RUNNING, stop_why=StopWhy.ASKED), FAILED, ALWAYS, False),
        (replace(RUNNING, state=ServerState.DRAINING), FAILED, ALWAYS, False),
        (replace(RUNNING, state=ServerState.STOPPING, stop_why=StopWhy.IDLE), FAILED, ALWAYS, False),
    ],
)
def test_who_is_started_again(server: Server, ended: Ended, plan: Plan, is_again: bool) -> None:
    assert (again(server, ended, plan, None, NOW, READY) is not None) == is_again


@pytest.mark.parametrize(
    ("last", "row"),
    [
        (None, 0),
        (Crash(1, 3, "", 0, NOW - CLOSELY + 1), 1),
        (Crash(1, 3, "", 6, NOW - SECOND), 7),
        (Crash(1, 3, "", 40, NOW - SECOND), 41),
        (Crash(1, 3, "", 6, NOW - CLOSELY), 0),  # it ran for long enough
        (Crash(NOW - 1, 3, "", 6, None), 0),
    ],
)
def test_who_ends_often_waits_longer(last: Crash | None, row: int) -> None:
    wait = (*WAITS, *[60] * 40)[row] * SECOND
    assert again(RUNNING, FAILED, ALWAYS, last, NOW, READY) == Again(NOW + wait, row, NOW + wait + READY)


def test_starts_that_come_to_nothing_share_their_time() -> None:
    last = Crash(1, 3, "", 2, NOW - SECOND)
    found = again(STARTING, FAILED, ALWAYS, last, NOW, READY)
    assert found == Again(NOW + 4 * SECOND, 3, NOW + 30 * SECOND)
    assert again(STARTING, FAILED, ALWAYS, Crash(1, 3, "", 4, NOW - SECOND), NOW, READY) is not None  # 16 s
    assert again(STARTING, FAILED, ALWAYS, Crash(1, 3, "", 5, NOW - SECOND), NOW, READY) is None  # 32 s: too late
    own = Plan(restart=Restart.ALWAYS, start_seconds=20)
    assert again(RUNNING, FAILED, own, None, NOW, READY) == Again(NOW, 0, NOW + 20 * SECOND)
    assert again(STARTING, FAILED, own, last, NOW, READY) == found


@pytest.mark.parametrize(
    ("server", "handle", "past"),
    [
        (replace(STARTING, booted_at=None), "run:1", True),
        (replace(STARTING, booted_at=None), "run:2", False),
        (replace(STARTING, booted_at=None, handle=""), "", False),  # it could not be started at all
        (STARTING, "run:1", False),
        (RUNNING, "run:1", False),
        (replace(RUNNING, state=ServerState.STOPPING, booted_at=None), "run:1", False),
    ],
)
def test_a_run_that_is_over_is_told_from_the_next(server: Server, handle: str, past: bool) -> None:
    assert is_past(server, handle) == past


def test_whoever_was_never_crashed_is_due_at_once() -> None:
    assert [due_at(one) for one in (None, Crash(1, 3, ""), Crash(1, 3, "", 0, 7))] == [0, 0, 7]


def test_a_server_that_players_know_is_not_moved_from_a_lost_host() -> None:
    assert lost(replace(STARTING, ready_at=None), "gone") is None
    assert lost(STARTING, "gone") == (ServerState.FAILED, "gone")
