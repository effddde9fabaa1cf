"""What a standing order asks for now: how many servers to want, and which to let go. Pure; called by its pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .model import ACCEPTING, Cause, Server, ServerState, StandingOrder


@dataclass(frozen=True, slots=True)
class StandingPlan:
    """The next step; empty when all is as ordered."""

    want: int  #: new servers of the newest release
    drain: tuple[str, ...]  #: servers of older releases that take no more rooms from now on
    surplus: tuple[str, ...]  #: empty servers of the newest release that are too many


def plan_standing(order: StandingOrder, newest: str, servers: Sequence[Server]) -> StandingPlan:
    """The step from ``servers`` (the app's living ones at the order's location) towards ``order``.

    Old releases are replaced while at least ``least`` servers run and at most ``most`` exist in all.
    """
    current = [s for s in servers if s.release_id == newest and s.state in ACCEPTING]
    old = [s for s in servers if s.release_id != newest and s.state in ACCEPTING]
    ready = sum(1 for s in current + old if s.state is ServerState.RUNNING)
    missing = max(0, order.target - len(current))
    space = max(0, order.most - len(servers))
    if all(s.state is ServerState.RUNNING for s in current) and not missing:
        drain = [s.id for s in old]
    else:
        spare = max(0, ready - order.least)
        running_old = [s.id for s in old if s.state is ServerState.RUNNING]
        waiting_old = [s.id for s in old if s.state is not ServerState.RUNNING]
        blocked = missing - space
        drain = [*waiting_old, *running_old[: min(spare, max(0, blocked))]]
    spare_current = [s for s in current if s.taken == 0 and s.cause == Cause.STANDING]
    surplus = max(0, len(current) - order.target)
    return StandingPlan(min(missing, space), tuple(drain), tuple(s.id for s in spare_current[-surplus:] if surplus))
