"""Keeps as many servers alive as the apps' standing orders say, and replaces old releases by new ones."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from innkeeper.db.database import Database, Steps
from innkeeper.hosting.apps import service_of
from innkeeper.hosting.hosts import Hosts
from innkeeper.hosting.model import ACCEPTING, App, Cause, Server, ServerState, StandingOrder, StopWhy
from innkeeper.hosting.queries import retiring as queries
from innkeeper.hosting.queries.allowance import allowance
from innkeeper.hosting.queries.rooms import add_servers, wanted_server
from innkeeper.hosting.queries.servers import begin_stop, move
from innkeeper.hosting.standing import REMEMBERED, StandingPlan, held_until, plan_standing, within
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.ids import Chance

log = logging.getLogger(__name__)

#: The release that serves (and its seats), and for each location that has anything to do, what.
Plans = tuple[tuple[str, int], dict[str, StandingPlan]]


class Standing:
    """Carries out ``standing.plan_standing``, about once a second and whenever something changed."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        chance: Chance,
        bell: Bell,
        hosts: Hosts,
        *,
        placing_seconds: float,
        draining_seconds: float,
        stopping_seconds: float,
    ) -> None:
        self._db, self._clock, self._chance, self._bell, self._hosts = db, clock, chance, bell, hosts
        self._placing = round(placing_seconds * SECOND)
        self._draining = round(draining_seconds * SECOND)
        self._stopping = round(stopping_seconds * SECOND)
        self._short: dict[str, str] = {}  # app -> why its orders stop short, as it was told last

    async def keep(self) -> None:
        """One step towards every order."""
        for app in await self._db.read(queries.apps_with_orders):
            now = self._clock.now()
            planned, short = await self._db.read(self._plans, app, now, hold=False)
            self._tell(app, short)
            if planned is None:  # most looks find nothing to do, and write nothing
                continue
            ids = [self._chance.uuid() for _ in range(sum(order.target for order in _orders(app)))]
            if await self._db.write(self._step, app, ids, now):
                self._bell.ring()

    def _tell(self, app: App, short: str | None) -> None:
        """Once for each time that an order comes to stop short of what it says."""
        if short is None:
            self._short.pop(app.id, None)
        elif app.id not in self._short:
            self._short[app.id] = short
            log.warning("app %s has fewer servers than its static allocation says: %s", app.id, short)

    def _plans(self, app: App, now: int, *, hold: bool) -> Steps[tuple[Plans | None, str | None]]:
        """What there is to do, None for nothing; and the limit that it stops short of, if there is one."""
        newest, servers = yield from queries.standing(app.id)
        if newest is None:
            return None, None
        short = None
        leaving = {host.id for host in self._hosts if host.draining}
        orders = {order.location: order for order in _orders(app)}
        there = {location: [s for s in servers if s.location == location] for location in orders}
        plans = {
            location: plan_standing(order, newest[0], there[location], leaving) for location, order in orders.items()
        }
        wanted = any(plan.want for plan in plans.values())
        limit = (yield from allowance(app.id, newest[0], now, hold=hold)) if wanted else None
        if limit is not None:
            left = limit.servers
            for location, plan in plans.items():
                if plan.want > left:
                    short = limit.why
                    order = within(orders[location], len(there[location]) + left)
                    plans[location] = plan_standing(order, newest[0], there[location], leaving)
                left -= plans[location].want
        for server in servers:
            idle = server.state in ACCEPTING and server.taken == 0
            if idle and server.cause == Cause.STANDING and server.location not in orders:
                before = plans.get(server.location, StandingPlan(0, (), ()))
                plans[server.location] = StandingPlan(0, (), (*before.surplus, server.id))
        if any(plan.want for plan in plans.values()):
            lives = yield from queries.short_lives(app.id, newest[0], now - REMEMBERED)
            for location, plan in plans.items():
                ended = [(began, end) for place, began, end in lives if place == location]
                if plan.want and now < held_until(orders[location].target, ended):
                    plans[location] = plan.held()
        plans = {location: plan for location, plan in plans.items() if plan != StandingPlan(0, (), ())}
        return ((newest, plans) if plans else None), short

    def _step(self, app: App, ids: Sequence[str], now: int) -> Steps[bool]:
        """Plan and carry out on one state of the database. True when there was something to do."""
        planned, _ = yield from self._plans(app, now, hold=True)
        if planned is None:
            return False
        newest, plans = planned
        fresh = iter(ids)
        for location, plan in plans.items():
            yield from self._carry_out(app, plan, location, newest, fresh, now)
        return True

    def _carry_out(
        self, app: App, plan: StandingPlan, location: str, newest: tuple[str, int], ids: Iterator[str], now: int
    ) -> Steps[None]:
        release_id, seats = newest
        wanted: list[Server] = [
            wanted_server(
                next(ids), app.id, release_id, location, seats, 0, Cause.STANDING, None, now, now + self._placing
            )
            for _ in range(plan.want)
        ]  # fmt: skip
        if wanted:
            yield from add_servers(wanted)
        for server_id in plan.drain:
            stopped = yield from begin_stop(
                server_id, StopWhy.DRAINED, "another server took over", now, now + self._stopping, empty=True
            )
            if not stopped:
                yield from move(
                    server_id, ServerState.DRAINING, [ServerState.RUNNING], at=now, until=now + self._draining
                )
        ordered = any(order.location == location for order in _orders(app))
        reason = "more than the standing order wants" if ordered else "no standing order wants it any more"
        for server_id in plan.surplus:
            yield from begin_stop(server_id, StopWhy.SURPLUS, reason, now, now + self._stopping, empty=True)


def _orders(app: App) -> Sequence[StandingOrder]:
    service = service_of(app)
    return [] if service is None else service.orders
