"""The pure decisions of hosting, against their promises and against slower ways to the same answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from innkeeper.engines.base import Ended, EndedBy
from innkeeper.hosting.endings import ending
from innkeeper.hosting.metrics import Metric, points
from innkeeper.hosting.model import ACCEPTING, ALIVE, SERVER_MOVES, Cause, Server, ServerState, StopWhy
from innkeeper.hosting.placement import seat_rooms
from innkeeper.hosting.queries.rooms import wanted_server
from innkeeper.hosting.usage import Span, month_start, most_cpus
from innkeeper.kit.clock import SECOND


def server(
    number: int, state: ServerState, release: str = "new", taken: int = 0, cause: Cause = Cause.STANDING
) -> Server:
    wanted = wanted_server(f"s{number:03}", "app", release, "tokyo", 4, taken, cause, None, number, 100)
    return replace(wanted, state=state, accepting=int(state in ACCEPTING))


# -- seats ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 5), max_size=6), st.integers(0, 20), st.integers(1, 6))
def test_every_room_is_seated_and_no_seat_is_given_twice(free: list[int], rooms: int, seats: int) -> None:
    spaces = [(f"old{at}", count) for at, count in enumerate(free)]
    found = seat_rooms(spaces, [f"new{at}" for at in range(rooms)], seats)
    assert len(found.chosen) == rooms
    sizes = dict(spaces) | dict.fromkeys(found.started, seats)
    for name, count in found.taken.items():
        assert count <= sizes[name]
        assert found.chosen.count(name) == count
    # The standing ones are used up in their order before a new one is started, and a new one before the next.
    order = list(dict.fromkeys(found.chosen))
    assert order == [name for name, _ in spaces][: len(order)] + found.started
    for name in order[:-1]:
        assert found.taken[name] == sizes[name]
    assert len(found.started) == max(0, -(-(rooms - sum(free)) // seats))


# -- states and endings ---------------------------------------------------------------------------------------------


def test_every_state_leads_to_an_end() -> None:
    for state in ServerState:
        seen, ahead = set(), {state}
        while ahead:
            one = ahead.pop()
            seen.add(one)
            ahead |= SERVER_MOVES[one] - seen
        assert seen & {ServerState.STOPPED, ServerState.FAILED}
        assert (state in ALIVE) == bool(SERVER_MOVES[state])
        assert state not in SERVER_MOVES[state]


@pytest.mark.parametrize(
    ("by", "code", "ready", "why", "state", "told"),
    [
        (EndedBy.EXIT, 0, True, None, "stopped", "exited by itself with code 0"),
        (EndedBy.EXIT, 0, False, None, "failed", "exited with code 0 before it had bound its ports"),
        (EndedBy.EXIT, 2, True, None, "failed", "exited with code 2"),
        (EndedBy.SIGNAL, 9, True, None, "failed", "killed by signal 9 (SIGKILL)"),
        (EndedBy.SIGNAL, 999, True, None, "failed", "killed by signal 999 (not a signal of this machine)"),
        (EndedBy.MEMORY, 9, True, None, "failed", "ran out of memory: it needed more than its 64 MiB"),
        (EndedBy.MEMORY, 9, True, StopWhy.ASKED, "failed", "ran out of memory: it needed more than its 64 MiB"),
        (EndedBy.LOST, None, True, None, "failed", "ended while nobody could see how"),
        (EndedBy.NOT_STARTED, None, False, None, "failed", "could not be started: no file"),
        (EndedBy.NOT_STARTED, None, False, StopWhy.ASKED, "failed", "could not be started: no file"),
        (EndedBy.STOPPED, 0, True, StopWhy.ASKED, "stopped", "by somebody (it ended when asked)"),
        (EndedBy.STOPPED, 1, True, StopWhy.IDLE, "stopped", "by somebody (it ended when asked)"),
        (EndedBy.KILLED, 9, True, StopWhy.SURPLUS, "stopped", "by somebody (it did not end within its grace and"),
        (EndedBy.EXIT, 5, True, StopWhy.ASKED, "stopped", "by somebody (exited with code 5)"),
        (EndedBy.KILLED, 9, False, StopWhy.NOT_READY, "failed", "by somebody (it did not end within its grace and"),
    ],
)
def test_endings_are_told_so_that_people_understand(
    by: EndedBy, code: int | None, ready: bool, why: StopWhy | None, state: str, told: str
) -> None:
    one = replace(
        server(1, ServerState.RUNNING),
        ready_at=1 if ready else None,
        stop_why=why,
        stop_reason="by somebody" if why else None,
    )
    detail = "no file" if by is EndedBy.NOT_STARTED else ""
    found, text = ending(one, Ended(by, code, 5, detail), 64)
    assert found == state
    assert text.startswith(told)


def test_every_ending_of_every_engine_has_words() -> None:
    for by in EndedBy:
        for why in (None, *StopWhy):
            for code in (0, 1) if by is EndedBy.SIGNAL else (None, 0, 1):  # an engine knows which signal it was
                one = replace(server(1, ServerState.STOPPING), stop_why=why, stop_reason=why and "asked", ready_at=1)
                state, text = ending(one, Ended(by, code, 5, "detail"), 64)
                assert state in (ServerState.STOPPED, ServerState.FAILED)
                assert text
                assert "None" not in text


# -- figures --------------------------------------------------------------------------------------------------------

spans = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 3)).map(
        lambda t: Span(min(t[0], t[1]), max(t[0], t[1]) + 1, float(t[2]))
    ),
    max_size=8,
)


@given(spans, st.integers(0, 30), st.integers(1, 30))
def test_usage_is_what_counting_every_moment_gives(found: list[Span], first: int, width: int) -> None:
    last = first + width
    moments = [sum(s.cpu for s in found if s.begin <= at < s.end) for at in range(first, last)]
    assert most_cpus(found, first, last) == max(moments)


def test_a_month_begins_at_midnight_utc() -> None:
    assert month_start(1_800_000_000 * SECOND) == 1_798_761_600 * SECOND  # 2027-01-01


@given(st.lists(st.integers(1, 600), min_size=1, max_size=40, unique=True), st.integers(1, 90))
def test_series_tell_the_last_measurement_of_each_step_and_rates_that_add_up(times: list[int], step: int) -> None:
    samples = [(at * SECOND, at * 0.5, at, None, at * 7) for at in sorted(times)]
    start, width = 100 * SECOND, step * SECOND
    memory = points(Metric.MEMORY, samples, start, width)
    inside = [at for at in sorted(times) if at >= 100]
    by_step: dict[int, int] = {}
    for at in inside:
        by_step[(at - 100) // step] = at
    assert memory == [(at * SECOND, float(at)) for at in by_step.values()]
    assert points(Metric.CONNECTIONS, samples, start, width) == []
    for metric, rate in ((Metric.CPU, 0.5), (Metric.EGRESS_RATE, 7.0)):
        for _, value in points(metric, samples, start, width):
            assert value == pytest.approx(rate)


def test_a_count_that_begins_anew_is_never_negative() -> None:
    samples = [(0, 10.0, 0, 0, 0), (SECOND, 1.0, 0, 0, 0)]
    assert points(Metric.CPU, samples, 0, SECOND)[-1][1] == 0.0
