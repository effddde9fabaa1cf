"""The pure choice behind standing orders: a table of steps, what no step may do, and that the steps lead there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innkeeper.hosting.model import ACCEPTING, ALIVE, Cause, Server, ServerState, StandingOrder
from innkeeper.hosting.queries.columns import server_of
from innkeeper.hosting.standing import StandingPlan, held_until, plan_standing
from innkeeper.kit.clock import SECOND

W, S, R, D, X = (
    ServerState.WANTED,
    ServerState.STARTING,
    ServerState.RUNNING,
    ServerState.DRAINING,
    ServerState.STOPPING,
)


def server(name: str, state: ServerState, release: str, rooms: int = 0, cause: Cause = Cause.STANDING) -> Server:
    accepting, until = int(state in ACCEPTING), None if state is R else 100
    return server_of(
        (name, "app", release, "tokyo", state, accepting, 9, rooms, cause.value, None, None, "[]", "", None, None, None,
         None, 1, None, None, None, None, None, None, until)
    )  # fmt: skip


def servers(text: str) -> list[Server]:
    """``R R2 s`` is a running one, a running one with two rooms, and one of the newest release that starts.

    Capitals are servers of an older release; a ``*`` is one that a room asked for. They are called ``0``, ``1``, ...
    """
    states = {"w": W, "s": S, "r": R, "d": D, "x": X}
    return [
        server(
            str(at), states[word[0].lower()], "old" if word[0].isupper() else "new",
            int(word[1:].rstrip("*") or 0), Cause.ROOM if word.endswith("*") else Cause.STANDING,
        )
        for at, word in enumerate(text.split())
    ]  # fmt: skip


# -- steps ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "there", "want", "drain", "surplus"),
    [
        # Nothing is replaced.
        ((1, 2, 3), "", 2, "", ""),
        ((1, 2, 3), "w s", 0, "", ""),
        ((1, 2, 3), "r r", 0, "", ""),
        ((0, 0, 0), "", 0, "", ""),
        ((1, 2, 2), "r x", 0, "", ""),  # what ends counts as long as it lives
        ((1, 2, 3), "r2* r* ", 0, "", ""),  # whoever asked for it, it is one
        ((0, 3, 3), "R R R", 0, "012", ""),
        # More than wanted: the empty ones, those that do not run yet first, then the youngest.
        ((0, 1, 4), "r r r", 0, "", "21"),
        ((0, 1, 4), "r r1 r*", 0, "", "0"),
        ((0, 1, 3), "s r r", 0, "", "02"),
        ((1, 1, 3), "s r", 0, "", "0"),
        ((1, 1, 3), "r s1*", 0, "", ""),  # the least is not left for one that may never run
        ((1, 1, 3), "r r1*", 0, "", "0"),
        # There is room above: new ones come first, and the old ones go when they run.
        ((2, 2, 3), "R R", 1, "", ""),
        ((0, 1, 2), "R", 1, "", ""),  # the old one could go, and need not yet
        ((2, 2, 3), "R R s", 0, "", ""),
        ((2, 2, 3), "R R r", 0, "0", ""),
        ((2, 2, 3), "D R r", 0, "", ""),
        ((2, 2, 3), "R r", 1, "", ""),
        ((2, 2, 3), "R r r", 0, "0", ""),
        # There is room below: old ones go first, those with the fewest rooms, then the oldest.
        ((1, 3, 3), "R2 R R1", 0, "12", ""),
        ((2, 3, 3), "R1 R R", 0, "1", ""),
        ((2, 3, 3), "R1 X R", 0, "", ""),
        ((2, 3, 3), "R1 R s", 0, "", ""),
        # Neither: the least gives way by one, and by no more.
        ((1, 1, 1), "R", 0, "0", ""),
        ((1, 1, 1), "R5", 0, "0", ""),
        ((1, 1, 1), "D5", 0, "", ""),
        ((1, 1, 1), "X", 0, "", ""),
        ((1, 1, 1), "w", 0, "", ""),
        ((3, 3, 3), "R2 R1 R1", 0, "1", ""),
        ((3, 3, 3), "R2 D1 R1", 0, "", ""),
        ((3, 3, 3), "R2 D1 R", 0, "", ""),  # the one that drains may be gone any time
        ((3, 3, 3), "R2 R1", 1, "", ""),
        ((3, 3, 3), "R2 R1 s", 0, "", ""),
        ((3, 3, 3), "R2 R1 r", 0, "1", ""),
        ((3, 3, 3), "r r r", 0, "", ""),
        # More than the order knows of, for rooms start servers too: it gives way when its own are all that there are.
        ((1, 1, 1), "R D3* D1*", 0, "", ""),
        ((1, 1, 1), "R1 R1*", 0, "0", ""),
        ((1, 1, 1), "R2 R1*", 0, "1", ""),
        ((1, 1, 1), "R r1*", 0, "0", ""),
        ((1, 1, 1), "R s1*", 0, "", ""),
        # Old ones that do not run yet serve nobody: they go at once, but not with rooms that wait for them.
        ((1, 2, 2), "W S", 0, "01", ""),
        ((1, 1, 1), "S1", 0, "", ""),
        ((1, 1, 2), "S1 r", 0, "", ""),
        ((1, 1, 2), "R1 r", 0, "0", ""),
    ],
)
def test_steps(bounds: tuple[int, int, int], there: str, want: int, drain: str, surplus: str) -> None:
    plan = plan_standing(StandingOrder("tokyo", *bounds), "new", servers(there))
    assert plan == StandingPlan(want, tuple(drain), tuple(surplus))


# -- what no step may do --------------------------------------------------------------------------------------------

orders = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)).map(
    lambda bounds: StandingOrder("tokyo", *sorted(bounds))
)
any_servers = st.lists(
    st.builds(
        lambda state, release, rooms, cause: (state, release, rooms, cause),
        st.sampled_from([W, S, R, R, R, D, X]),
        st.sampled_from(["old", "older", "new"]),
        st.integers(0, 2),
        st.sampled_from(list(Cause)),
    ),
    max_size=7,
).map(lambda found: [server(str(at), *one) for at, one in enumerate(found)])


@settings(max_examples=500, deadline=None)
@given(orders, any_servers)
def test_no_step_goes_beyond_the_bounds(order: StandingOrder, there: list[Server]) -> None:
    plan = plan_standing(order, "new", there)
    by_name = {one.id: one for one in there}
    assert 0 <= plan.want <= max(0, order.most - len(there))
    drained, surplus = [by_name[name] for name in plan.drain], [by_name[name] for name in plan.surplus]
    assert len({*plan.drain, *plan.surplus}) == len(drained) + len(surplus)
    # Each can be carried out, so that a step that was taken is not asked for again.
    assert all(one.release_id != "new" and (one.state is R or one.taken == 0) for one in drained)
    assert all(one.release_id == "new" and one.taken == 0 and one.cause == Cause.STANDING for one in surplus)
    assert all(one.state in ACCEPTING for one in drained + surplus)
    # Who has rooms stays longer.
    staying = [one for one in there if one.release_id != "new" and one.state is R and one not in drained]
    going = [one.taken for one in drained if one.state is R]
    assert not going or not staying or max(going) <= min(one.taken for one in staying)
    # At least the least are left, or one fewer where nothing else could move.
    running = sum(one.state is R for one in there)
    gone = sum(one.state is R for one in drained + surplus)
    if gone and running - gone < order.least:
        assert (gone, order.least, running) == (1, order.most, len(there))


# -- where the steps lead -------------------------------------------------------------------------------------------


@dataclass
class World:
    """A pretended host: servers start, drain and end when ``soon`` says so; some never start, and rooms may stay."""

    order: StandingOrder
    there: list[Server]
    soon: Callable[[], bool]
    names: count[int] = field(default_factory=lambda: count(100))

    def carry_out(self, plan: StandingPlan) -> None:
        for one in list(self.there):
            if one.id in plan.surplus or (one.id in plan.drain and not one.taken):
                self.become(one, X)
            elif one.id in plan.drain:
                assert one.state is R
                self.become(one, D)
        self.there += [server(str(next(self.names)), W, "new") for _ in range(plan.want)]

    def move(self, *, calm: bool) -> None:
        """A while goes by. In a calm one everything goes well, and rooms end only with the time of those that drain."""
        for one in list(self.there):
            if not self.soon():
                continue
            if one.state in (W, S) and not calm and self.soon():
                self.there.remove(one)  # it has no place, or never binds its ports
            elif one.state in (W, S):
                self.become(one, S if one.state is W else R)
            elif one.state is D:
                self.become(one, X)
            elif one.state is X:
                self.there.remove(one)

    def become(self, one: Server, state: ServerState) -> None:
        at = self.there.index(one)
        self.there[at] = server(one.id, state, one.release_id, one.taken, Cause(one.cause))

    @property
    def running(self) -> int:
        return sum(one.state is R for one in self.there)


def never_worse(world: World, steps: Sequence[bool]) -> None:
    """Carry out plans while time goes by, and look at the bounds after each. ``steps`` says which whiles are calm."""
    order = world.order
    floor = order.least - 1 if order.least == order.most else order.least
    reached = False
    for calm in steps:
        before = len(world.there)
        world.carry_out(plan_standing(order, "new", world.there))
        assert all(one.state in ALIVE for one in world.there)
        assert len(world.there) <= max(order.most, before)
        reached = reached or world.running >= order.least
        assert not reached or world.running >= floor
        world.move(calm=calm)


@settings(max_examples=300, deadline=None)
@given(orders, any_servers, st.data())
def test_the_newest_release_takes_over_whatever_was_there(
    order: StandingOrder, there: list[Server], data: st.DataObject
) -> None:
    """Through delays and failed starts the bounds hold, and once all goes well there is just what was ordered."""
    there = [one for one in there if one.release_id != "new" or (not one.taken and one.cause == Cause.STANDING)]
    world = World(order, there, lambda: data.draw(st.booleans()))
    never_worse(world, [False] * 15)
    world.soon = lambda: True
    never_worse(world, [True] * 40)
    assert [(one.release_id, one.state) for one in world.there] == [("new", R)] * order.target


@pytest.mark.parametrize("number", [1, 2, 5])
def test_where_least_is_most_one_goes_after_the_other(number: int) -> None:
    there = [server(str(rooms), R, "old", rooms) for rooms in range(number)]
    world = World(StandingOrder("tokyo", number, number, number), there, lambda: True)
    seen = []
    for _ in range(number * 6):
        world.carry_out(plan_standing(world.order, "new", world.there))
        seen.append(world.running)
        world.move(calm=True)
    assert {one.release_id for one in world.there} == {"new"}
    assert set(seen) == {number - 1, number}
    assert seen.count(number) >= number  # it is back to its number before the next one goes


# -- pauses between tries ---------------------------------------------------------------------------------------------

T = 1_000 * SECOND


@pytest.mark.parametrize(
    ("target", "lives", "pause"),
    [
        (1, [], None),  # nothing ended
        (1, [1], None),  # one try that failed: the next at once
        (1, [1, 1], 1),
        (1, [1, 1, 1], 2),
        (1, [1] * 5, 8),
        (1, [1] * 8, 60),  # never longer
        (1, [1] * 500, 60),
        (1, [60], None),  # it lived long: an end like any other
        (1, [1, 1, 60, 1, 1, 1], 1),  # what came before one that lived long does not count
        (3, [1, 1, 1], None),  # three servers, one try
        (3, [1, 1, 1, 1], 1),
        (3, [1] * 7, 2),
        (0, [1, 1], 1),
    ],
)
def test_servers_that_end_soon_are_tried_again_after_longer_and_longer_pauses(
    target: int, lives: list[int], pause: int | None
) -> None:
    ends = [(T - seconds * SECOND, T) for seconds in lives]
    assert held_until(target, ends) == (0 if pause is None else T + pause * SECOND)
