"""Keeps as many servers alive as the apps' standing orders say, and replaces old releases by new ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from innkeeper.db.database import Database, Steps
from innkeeper.hosting.apps import service_of
from innkeeper.hosting.hosts import Hosts
from innkeeper.hosting.model import ACCEPTING, App, Cause, Server, ServerState, StandingOrder, StopWhy
from innkeeper.hosting.queries import retiring as queries
from innkeeper.hosting.queries.rooms import add_servers, wanted_server
from innkeeper.hosting.queries.servers import begin_stop, move
from innkeeper.hosting.standing import REMEMBERED, StandingPlan, held_until, plan_standing
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.ids import Chance


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

    async def keep(self) -> None:
        """One step towards every order."""
        for app in await self._db.read(queries.apps_with_orders):
            now = self._clock.now()
            if await self._db.read(self._plans, app, now) is None:  # most looks find nothing to do, and write nothing
                continue
            ids = [self._chance.uuid() for _ in range(sum(order.target for order in _orders(app)))]
            if await self._db.write(self._step, app, ids, now):
                self._bell.ring()

    def _plans(self, app: App, now: int) -> Steps[tuple[tuple[str, int], dict[str, StandingPlan]] | None]:
        """The release that serves, and for each location that has anything to do, what. None: nothing at all."""
        newest, servers = yield from queries.standing(app.id)
        if newest is None:
            return None
        leaving = {host.id for host in self._hosts if host.draining}
        orders = {order.location: order for order in _orders(app)}
        plans = {
            location: plan_standing(order, newest[0], [s for s in servers if s.location == location], leaving)
            for location, order in orders.items()
        }
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
        return (newest, plans) if plans else None

    def _step(self, app: App, ids: Sequence[str], now: int) -> Steps[bool]:
        """Plan and carry out on one state of the database. True when there was something to do."""
        planned = yield from self._plans(app, now)
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
                yield from move(server_id, ServerState.DRAINING, [ServerState.RUNNING], until=now + self._draining)
        ordered = any(order.location == location for order in _orders(app))
        reason = "more than the standing order wants" if ordered else "no standing order wants it any more"
        for server_id in plan.surplus:
            yield from begin_stop(server_id, StopWhy.SURPLUS, reason, now, now + self._stopping, empty=True)


def _orders(app: App) -> Sequence[StandingOrder]:
    service = service_of(app)
    return [] if service is None else service.orders
