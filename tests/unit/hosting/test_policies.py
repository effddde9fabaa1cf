"""What a policy of a reserve asks for: a table of servers, and that its own wishes and refusals to end agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.hosting.model import ACCEPTING, ServerState
from innkeeper.hosting.policies import (
    MOST_WAITING,
    Bounds,
    InForce,
    Needs,
    Policy,
    PolicyKind,
    Reserved,
    check_bounds,
    is_needed,
    missing,
)
from innkeeper.kit.errors import Invalid

_STATES = {
    "w": ServerState.WANTED,
    "s": ServerState.STARTING,
    "r": ServerState.RUNNING,
    "d": ServerState.DRAINING,
    "x": ServerState.STOPPING,
}


def servers(text: str, seats: int = 4) -> list[Reserved]:
    """``r3 s d1``: one that runs with three seats taken, one that starts, one that drains. Called ``0``, ``1``, ..."""
    return [Reserved(str(at), _STATES[word[0]], seats, int(word[1:] or 0)) for at, word in enumerate(text.split())]


@pytest.mark.parametrize(
    ("bounds", "there", "more"),
    [
        ((2, 4, 0.5), "", 2),
        ((2, 4, 0.5), "w s", 0),
        ((2, 4, 0.5), "r", 1),
        ((1, 4, 0.5), "r1", 0),
        ((1, 4, 0.5), "r2", 1),  # 2 of 4 are at the threshold
        ((1, 4, 0.5), "r2 s", 0),  # one that starts has its seats to give
        ((1, 4, 0.5), "r4 s", 1),  # 4 of 8
        ((1, 9, 0.5), "r4 r4", 3),  # 8 of 16 would still be at it
        ((1, 9, 0.1), "r4", 9 - 1),
        ((1, 4, 1.0), "r3", 0),
        ((1, 4, 1.0), "r4", 1),
        ((1, 3, 0.7), "r4 r4 r4", 0),  # no more than the most
        ((2, 2, 0.5), "r4 x", 0),  # one that is being stopped is there until it has ended
        ((2, 3, 0.5), "r x", 1),
        ((1, 4, 0.5), "d4", 1),
        ((3, 4, 0.5), "r4", 2),  # the least comes first, and 4 of 12 is below the threshold
        ((2, 4, 0.5), "r4", 2),
        ((0, 4, 0.5), "", 0),
        ((50, 90, 0.5), "", MOST_WAITING),
        ((50, 90, 0.5), "w " * MOST_WAITING, 0),
        ((50, 90, 0.5), "s " * MOST_WAITING, MOST_WAITING),
    ],
)
def test_how_many_more(bounds: tuple[int, int, float], there: str, more: int) -> None:
    assert missing(Bounds(*bounds), 4, servers(there)) == more


def test_servers_that_are_one_match_each_have_no_seats_to_keep_free() -> None:
    assert missing(Bounds(2, 9, 0.1), None, servers("r1 r1", seats=1)) == 0
    assert missing(Bounds(2, 9, 0.1), None, servers("r1", seats=1)) == 1


@pytest.mark.parametrize(
    ("bounds", "there", "needed"),
    [
        ((1, 4, 0.5), "r", True),
        ((1, 4, 0.5), "r r", False),
        ((1, 4, 0.5), "r r1", False),
        ((1, 4, 0.5), "r r2", True),  # or another one would be wanted at once
        ((1, 1, 0.5), "r r2", False),  # above the most nothing is wanted
        ((0, 4, 0.5), "r", False),
        ((2, 4, 0.5), "r r x", True),
        ((2, 4, 0.5), "d r", False),  # it takes no more players
    ],
)
def test_which_empty_ones_stay(bounds: tuple[int, int, float], there: str, needed: bool) -> None:
    assert is_needed(Bounds(*bounds), "0", servers(there)) is needed


@given(
    st.integers(0, 4), st.integers(1, 8), st.integers(1, 10), st.integers(1, 6),
    st.lists(st.tuples(st.sampled_from(sorted(_STATES)), st.integers(0, 6)), max_size=8),
)  # fmt: skip
def test_what_it_asks_for_is_enough_and_what_may_end_is_not_wanted_again(
    least: int, most: int, tenths: int, seats: int, said: list[tuple[str, int]]
) -> None:
    bounds = Bounds(min(least, most), most, tenths / 10)
    there = servers(" ".join(f"{state}{min(taken, seats)}" for state, taken in said), seats)
    more = missing(bounds, seats, there)
    assert 0 <= more <= MOST_WAITING
    assert not more or len(there) + more <= most
    grown = there + [Reserved(f"new{at}", ServerState.STARTING, seats, 0) for at in range(more)]
    assert missing(bounds, seats, grown) == 0
    for one in grown:
        if one.state in ACCEPTING and one.taken == 0 and not is_needed(bounds, one.server_id, grown):
            rest = [other for other in grown if other is not one]
            assert len(rest) >= most or missing(bounds, seats, rest) == 0


def kept(**changes: bool) -> InForce:
    policy = Policy("p", "v", "tokyo", 1, PolicyKind.FILTERS, 2, 4, 0.5, "{}", "{}", 0, 0)
    return InForce(policy, "l", 0, changes.get("active", True), 4, "policy tokyo")


def test_of_several_that_are_too_many_not_all_end() -> None:
    needs = Needs([kept()], {("p", "l"): servers("r r r r1"), ("p", "other"): [Reserved("z", _STATES["r"], 4, 0)]})
    assert [needs.holds(name) for name in "012"] == [False, False, True]
    assert not needs.holds("z"), "it counts for this label no more"
    assert not needs.holds("a stranger")
    assert not Needs([kept(active=False)], {("p", "l"): servers("r")}).holds("0")
    assert not Needs().holds("0")


def test_the_least_is_no_more_than_the_most() -> None:
    check_bounds(2, 2)
    with pytest.raises(Invalid, match="minimum: 3 is more than the maximum, 2"):
        check_bounds(3, 2)
