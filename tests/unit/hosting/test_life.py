"""What a host's silence leads to: each step alone, and whole lives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.hosting.endings import lost
from innkeeper.hosting.life import Step, next_step
from innkeeper.hosting.model import Cause, Server, ServerState, StopWhy
from innkeeper.hosting.queries.rooms import wanted_server

LOST_AFTER = 10


@pytest.mark.parametrize(
    ("silent_since", "settled", "lost", "now", "step"),
    [
        (None, True, False, 100, Step.REST),
        (None, False, False, 100, Step.COMPARE),  # just opened, or back after a short silence
        (None, False, True, 100, Step.COMPARE),  # back after a long one
        (95, True, False, 100, Step.SHUN),
        (50, True, False, 100, Step.SHUN),  # shunned first, written off in the next pass
        (95, False, False, 100, Step.REST),
        (91, False, False, 100, Step.REST),
        (90, False, False, 100, Step.WRITE_OFF),
        (90, False, True, 100, Step.REST),  # once is enough
    ],
)
def test_each_step(silent_since: int | None, settled: bool, lost: bool, now: int, step: Step) -> None:
    found = next_step(silent_since=silent_since, settled=settled, lost=lost, now=now, lost_after=LOST_AFTER)
    assert found is step


@given(st.lists(st.tuples(st.integers(1, 8), st.booleans()), max_size=60))
def test_whole_lives(seconds: list[tuple[int, bool]]) -> None:
    """Passes some seconds apart, at each of which the host answers or not; it is silent from the pass that saw it."""
    now, silent_since, settled, was_lost = 0, None, False, False
    for passed, answers in seconds:
        now += passed
        silent_since = None if answers else now if silent_since is None else silent_since
        step = next_step(silent_since=silent_since, settled=settled, lost=was_lost, now=now, lost_after=LOST_AFTER)
        if step is Step.WRITE_OFF:
            assert not settled, "nothing can be placed there between the look and the deed"
            assert silent_since is not None
            assert now - silent_since >= LOST_AFTER
            assert not was_lost
        settled = step is Step.COMPARE or (settled and step is not Step.SHUN)
        was_lost = step is Step.WRITE_OFF or (was_lost and step is not Step.COMPARE)
        if settled:
            assert answers or step is Step.SHUN
            assert not was_lost


def server(state: ServerState, why: StopWhy | None = None) -> Server:
    wanted = wanted_server("s", "app", "r", "tokyo", 1, 0, Cause.ROOM, None, 0, 100)
    return replace(wanted, state=state, stop_why=why, stop_reason=None if why is None else "somebody asked")


@pytest.mark.parametrize(
    ("one", "end"),
    [
        (server(ServerState.STARTING), None),
        (server(ServerState.RUNNING), (ServerState.FAILED, "host a is away")),
        (server(ServerState.DRAINING), (ServerState.FAILED, "host a is away")),
        (server(ServerState.STOPPING, StopWhy.ASKED), (ServerState.STOPPED, "somebody asked (host a is away)")),
        (server(ServerState.STOPPING, StopWhy.NOT_READY), (ServerState.FAILED, "somebody asked (host a is away)")),
    ],
)
def test_what_becomes_of_the_servers_of_a_lost_host(one: Server, end: tuple[ServerState, str] | None) -> None:
    assert lost(one, "host a is away") == end
