"""What a standing order asks for now: how many servers to want, and which to let go. Pure; called by its pass."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from msgspec.structs import replace as replace_order

from innkeeper.kit.clock import MINUTE, SECOND

from .model import ACCEPTING, Cause, Server, ServerState, StandingOrder

#: A server that ended by itself before it was this old did so soon.
STEADY = MINUTE
#: The longest pause between two tries of a release whose servers end soon, however often they did.
LONGEST_HOLD = MINUTE
#: How long ends are remembered for this: long enough for several tries at the longest pause.
REMEMBERED = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class StandingPlan:
    """The next step; empty when all is as ordered, or when something has to happen first."""

    want: int  #: new servers of the newest release
    drain: tuple[
        str, ...
    ]  #: servers of older releases, or on drained hosts, that take no more rooms from now on; without rooms they end
    surplus: tuple[str, ...]  #: empty servers of the newest release that are too many

    def held(self) -> StandingPlan:
        """The same without new servers."""
        return replace(self, want=0)


def plan_standing(
    order: StandingOrder, newest: str, servers: Sequence[Server], leaving: Collection[str | None] = ()
) -> StandingPlan:
    """The step from ``servers`` (the app's living ones at the order's location) towards ``order``.

    Old releases are replaced while at least ``least`` servers run and at most ``most`` exist in all. Where that leaves
    no way at all (:func:`_is_stuck`), ``least`` gives way by one server. Those with the fewest rooms go first.
    Servers on the hosts ``leaving``, which are drained, are replaced in the same way.
    """

    def stays(server: Server) -> bool:
        return server.release_id == newest and server.host_id not in leaving

    current = [s for s in servers if stays(s) and s.state in ACCEPTING]
    old = [s for s in servers if not stays(s) and s.state in ACCEPTING]
    running_old = sorted((s for s in old if s.state is ServerState.RUNNING), key=lambda s: s.taken)
    # One that is not ready and has rooms already can neither drain nor be stopped: it is let go once it runs.
    waiting_old = [s for s in old if s.state is not ServerState.RUNNING and not s.taken]
    missing = max(0, order.target - len(current))
    space = max(0, order.most - len(servers))
    spare = _running(servers) - order.least
    if _is_stuck(order, missing, servers):
        spare = 1
    if missing or _running(current) < len(current):
        running_old = running_old[: max(0, min(spare, missing - space))]
    drain = tuple(s.id for s in [*waiting_old, *running_old])
    return StandingPlan(min(missing, space), drain, _surplus(order, current, spare))


def within(order: StandingOrder, most: int) -> StandingOrder:
    """The order, as far as so many servers in all allow: a limit of the organisation leaves no more."""
    return replace_order(order, most=min(order.most, most), least=min(order.least, most))


def held_until(target: int, lives: Sequence[tuple[int, int]]) -> int:
    """Until when no more servers are wanted, because those that were ended by themselves soon after.

    ``lives`` are the beginnings and ends of such servers of the newest release (microseconds), the latest first. Once
    as many as are wanted have ended soon, the next try is at once; then after 1 s, 2 s, 4 s and so on. 0: not held.
    """
    soon = list(takewhile(lambda life: life[1] - life[0] < STEADY, lives))
    rounds = -(-len(soon) // max(1, target))
    if rounds < 2:
        return 0
    return max(ended for _, ended in soon) + min(LONGEST_HOLD, SECOND << min(rounds - 2, 30))


def _is_stuck(order: StandingOrder, missing: int, servers: Sequence[Server]) -> bool:
    """Whether an old server cannot go and a new one cannot come, and nothing that is under way will change that.

    That is so where least and most are one number and all are running. While any is on its way (starting, draining,
    stopping) its arrival or its end makes room, and both have a deadline.
    """
    return missing > 0 and order.least == order.most == len(servers) == _running(servers)


def _surplus(order: StandingOrder, current: Sequence[Server], spare: int) -> tuple[str, ...]:
    """Empty servers above the target: first those that do not run yet, then the youngest, as far as can be spared."""
    too_many = max(0, len(current) - order.target)
    empty = [s for s in reversed(current) if s.taken == 0 and s.cause == Cause.STANDING]
    waiting = [s.id for s in empty if s.state is not ServerState.RUNNING]
    running = [s.id for s in empty if s.state is ServerState.RUNNING]
    return tuple([*waiting, *running[: max(0, spare)]][:too_many])


def _running(servers: Sequence[Server]) -> int:
    return sum(1 for s in servers if s.state is ServerState.RUNNING)
