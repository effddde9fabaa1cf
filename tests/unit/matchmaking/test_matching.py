"""Who plays with whom: a table, and what holds of whatever the kernel makes."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.kit.clock import SECOND
from innkeeper.matchmaking.matching import Waiting, matches
from innkeeper.matchmaking.rules import Choice, Loosened, Profile, Span, Tolerance, ease

MODE = Choice("mode", ("casual", "ranked"))
SCORE = Span("score", Tolerance(below=20, above=40))


def waits(id: str, since: float = 0, mode: str | None = None, score: float | None = None, player: str = "") -> Waiting:
    return Waiting(id, player, round(since * SECOND), (mode,), (score,))


def made(profile: Profile, *waiting: Waiting, now: float = 100) -> list[list[str]]:
    return [[one.id for one in match] for match in matches(profile, waiting, round(now * SECOND))]


DUEL = Profile("duel", 2, choices=(MODE,), spans=(SCORE,))
LOOSE = Profile("loose", 4, choices=(MODE,), spans=(SCORE,), loosened=(
    Loosened(10, size=3), Loosened(30, size=2, tolerances={"score": Tolerance(100, 100)}),
))  # fmt: skip


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        ([], []),
        ([waits("a")], []),
        ([waits("a"), waits("b")], [["a", "b"]]),
        ([waits("b", 2), waits("a", 1), waits("c", 3)], [["a", "b"]]),  # who has waited longest is first
        ([waits("a", mode="casual"), waits("b", mode="ranked"), waits("c", mode="casual")], [["a", "c"]]),
        ([waits("a"), waits("b", mode="casual")], []),  # who chose nothing plays with others who chose nothing
        ([waits("a", score=100), waits("b", score=120)], [["a", "b"]]),
        ([waits("a", score=100), waits("b", score=121)], []),  # b does not go so far down
        ([waits("a", score=100), waits("b")], [["a", "b"]]),  # who said nothing fits everybody
        ([waits("a", 1, score=100), waits("b", 2, score=500), waits("c", 3, score=110)], [["a", "c"]]),
        ([waits("a", player="ann"), waits("b", player="ann"), waits("c", player="cid")], [["a", "c"]]),
        ([waits("a", player=""), waits("b", player="")], [["a", "b"]]),
    ],
)
def test_a_match_of_two(waiting: list[Waiting], expected: list[list[str]]) -> None:
    assert made(DUEL, *waiting) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (9.9, []),
        (10, [["a", "b", "c"]]),  # three are enough for a, who has waited so long
        (30, [["a", "b", "c"]]),  # d still goes no further than its own tolerance
        (60, [["a", "b", "c", "d"]]),
    ],
)
def test_who_waits_long_is_easier_to_please(now: float, expected: list[list[str]]) -> None:
    waiting = [
        waits("a", 0, score=100),
        waits("b", 0.1, score=100),
        waits("c", 0.2, score=110),
        waits("d", 30, score=190),
    ]
    assert made(LOOSE, *waiting, now=now) == expected


def test_ease_takes_the_steps_that_are_due() -> None:
    assert ease(LOOSE, 0) == (4, (Tolerance(20, 40),))
    assert ease(LOOSE, 10 * SECOND) == (3, (Tolerance(20, 40),))
    assert ease(LOOSE, 31 * SECOND) == (2, (Tolerance(100, 100),))


def test_a_long_queue_of_players_whom_nobody_fits_is_looked_through_once() -> None:
    far = [waits(f"{at:05}", at / 1000, score=at * 1000.0) for at in range(5000)]
    assert made(DUEL, *far) == []
    near = [waits(f"{at:05}", at / 1000, score=float(at % 7)) for at in range(5001)]
    assert len(made(DUEL, *near)) == 2500


class Compared(float):
    """A number that knows how often it was held against another."""

    times = 0

    def __sub__(self, other: float) -> float:
        Compared.times += isinstance(other, Compared)
        return float(self) - other


def test_players_are_looked_for_by_the_number_that_tells_them_apart() -> None:
    profile = Profile("duel", 2, spans=(SCORE, Span("level", Tolerance(1, 1)), SCORE))
    Compared.times = 0
    alike = [Waiting(f"{at:05}", "", at, (), (Compared(7), Compared(at * 2), None)) for at in range(3000)]
    assert matches(profile, alike, SECOND) == []
    assert Compared.times < 10 * len(alike)


queues = st.lists(
    st.builds(
        waits,
        st.uuids().map(str),
        st.floats(0, 99),
        st.sampled_from(["casual", "ranked", None]),
        st.one_of(st.none(), st.floats(0, 300)),
        st.sampled_from(["", "ann", "bob", "cid"]),
    ),
    max_size=30,
)


@given(queues, st.sampled_from([DUEL, LOOSE]))
def test_whatever_is_made_holds(waiting: list[Waiting], profile: Profile) -> None:
    now = 100 * SECOND
    found = matches(profile, waiting, now)
    everybody = [one.id for match in found for one in match]
    assert len(everybody) == len(set(everybody))
    for match in found:
        first = min(match, key=lambda one: (one.since, one.id))
        assert match[0] == first
        assert ease(profile, now - first.since)[0] <= len(match) <= profile.size
        assert len({one.choices for one in match}) == 1
        named = [one.player for one in match if one.player]
        assert len(named) == len(set(named))
        for one, other in combinations(match, 2):
            a, b = one.numbers[0], other.numbers[0]
            if a is not None and b is not None:
                for mine, theirs, who in ((a, b, one), (b, a, other)):
                    allowed = ease(profile, now - who.since)[1][0]
                    assert -allowed.below <= theirs - mine <= allowed.above


@given(
    st.lists(
        st.builds(waits, st.uuids().map(str), st.floats(0, 99), st.sampled_from(["casual", "ranked"])), max_size=30
    )
)
def test_where_only_choices_count_nobody_waits_who_could_play(waiting: list[Waiting]) -> None:
    taken = {one.id for match in matches(DUEL, waiting, 100 * SECOND) for one in match}
    for mode in ("casual", "ranked"):
        assert len([one for one in waiting if one.choices == (mode,) and one.id not in taken]) < 2
