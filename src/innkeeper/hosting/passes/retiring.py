"""Ends servers: those asked to end, those that missed a deadline, idle ones, drained ones, those of deleted apps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from innkeeper.db.database import Database
from innkeeper.engines.base import Ended, EndedBy, Report
from innkeeper.hosting.addresses import awaited_ports
from innkeeper.hosting.hosts import Host, Hosts
from innkeeper.hosting.model import Server, ServerState, StopWhy
from innkeeper.hosting.plans import Plan, read_plan
from innkeeper.hosting.policies import Needs
from innkeeper.hosting.queries import orders, reserves, servers
from innkeeper.hosting.queries import retiring as queries
from innkeeper.kit.clock import MINUTE, SECOND, Clock

from .lanes import Lanes
from .placing import Placing
from .reporting import Reporting

log = logging.getLogger(__name__)

#: What a slow host told of connections counts for so long, in microseconds.
_FRESH = 5 * SECOND


class Retiring:
    """Moves servers towards their end, and makes hosts carry it out."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        hosts: Hosts,
        reporting: Reporting,
        placing: Placing,
        lanes: Lanes,
        *,
        grace_seconds: float,
        idle_seconds: float,
        ready_seconds: float,
        draining_seconds: float,
    ) -> None:
        self._db, self._clock, self._reporting, self._placing = db, clock, reporting, placing
        self._hosts, self._lanes = hosts, lanes
        self._grace = grace_seconds
        self._idle_seconds, self._ready_seconds = idle_seconds, ready_seconds
        self._draining = round(draining_seconds * SECOND)
        self._told: dict[str, int] = {}  # server -> when its host was asked to stop it
        self._graces: dict[str, float] = {}  # of stopping servers, those whose plans say their own
        self._seen: dict[str, tuple[int, int]] = {}  # idle server -> connections, and when that was so
        self._next_idle_look = 0

    def stopping_micros(self, server_id: str = "") -> int:
        """How long a server may be STOPPING before its host is asked again."""
        return round((self._graces.get(server_id, self._grace) + 5) * SECOND)

    async def stop(self) -> None:
        """Ask hosts to stop the servers that are STOPPING; write off those no host has."""
        now = self._clock.now()
        found = await self._db.read(queries.stopping, 10_000)
        stopping = [server for server, _ in found]
        ids = {server.id for server in stopping}
        self._told = {server_id: at for server_id, at in self._told.items() if server_id in ids}
        self._graces = {server.id: float(grace) for server, grace in found if grace is not None}
        if not stopping:
            return
        deeds: list[tuple[Host, list[str]]] = []
        for host in self._hosts:
            if not (host.answers and host.settled):  # of one that is silent nobody knows who is there
                continue
            reports, starting = host.engine.reports(), self._placing.starting_on(host.id)
            to_ask: list[str] = []
            for server in stopping:
                if server.host_id != host.id or now - self._told.get(server.id, 0) < self.stopping_micros(server.id):
                    continue
                if server.id in reports and not reports[server.id].alive:
                    self._reporting.add(host.id, reports[server.id])  # it waited to be started again
                elif server.id in reports:
                    to_ask.append(server.id)
                elif server.id not in starting:
                    by = EndedBy.STOPPED if server.booted_at is None else EndedBy.LOST
                    ended = Ended(
                        by, None, now, "" if server.booted_at is None else "its host does not know it any more"
                    )
                    self._reporting.add(host.id, Report(server.id, server.handle, now, None, ended))
            if to_ask:
                deeds.append((host, to_ask))
        await asyncio.gather(
            *(self._lanes.run(host, "stop servers", partial(self._ask, host, to_ask)) for host, to_ask in deeds)
        )

    async def _ask(self, host: Host, server_ids: Sequence[str]) -> None:
        for server_id in server_ids:
            await host.engine.stop(server_id, self._graces.get(server_id, self._grace))
            now = self._told[server_id] = self._clock.now()
            if server_id in self._graces:  # its deadline was set by whoever asked, who knew of no grace of its own
                await self._db.write(queries.stop_longer, server_id, now + self.stopping_micros(server_id))

    async def give_up(self) -> None:
        """End what missed its deadline."""
        now = self._clock.now()
        for server in await self._db.read(servers.overdue, now, 1000):
            trouble = self._placing.trouble.pop(server.id, None)
            if server.state is ServerState.WANTED:
                reason = f"could not be placed: {trouble or 'no host took it in time'}"
                await self._db.write(queries.never_placed, server, reason, now)
            elif server.state is ServerState.STARTING:
                order = await self._db.read(orders.order_of, server.id)
                own = read_plan(None if order is None else order.plan).start_seconds
                seconds = self._ready_seconds if own is None else own
                reason = self._not_ready(server, trouble, seconds)
                await self._begin_stop(server.id, StopWhy.NOT_READY, reason)
            elif server.state is ServerState.DRAINING:
                why = "" if server.stop_reason is None else f"{server.stop_reason}, and "
                await self._begin_stop(server.id, StopWhy.DRAINED, f"{why}its time to drain was up")
            else:  # STOPPING: ask the host again
                self._told.pop(server.id, None)
                await self._db.write(queries.stop_longer, server.id, now + self.stopping_micros(server.id))

    def _not_ready(self, server: Server, trouble: str | None, seconds: float) -> str:
        again = "" if server.ready_at is None else " again"
        if trouble:
            return f"could not be started{again} within {seconds:g} s: {trouble}"
        host = self._hosts.get(server.host_id)
        if host is not None and not host.answers:
            return f"could not be started{again} within {seconds:g} s: host {host.id} does not answer"
        report = None if host is None else host.engine.reports().get(server.id)
        ports = awaited_ports(server.ports, () if report is None else report.bound)
        return f"did not bind its ports{again} within {seconds:g} s: {ports}"

    async def retire(self) -> None:
        """End drained servers at once, and look for idle ones about once a second."""
        now = self._clock.now()
        if now < self._next_idle_look:
            return
        self._next_idle_look = now + SECOND
        for server_id, hours in await self._db.read(queries.worn_out, now):
            why = f"it is older than the {hours:g} hours that a server of its organisation may live"
            if await self._db.write(
                servers.move, server_id, ServerState.DRAINING, [ServerState.RUNNING], at=now, stop_reason=why,
                until=now + self._draining,
            ):  # fmt: skip
                log.info("server %s takes no more rooms: %s", server_id, why)
        for server_id, host_id, said in await self._db.read(queries.drained):
            host = self._hosts.get(host_id)
            leaving = host is not None and host.draining
            why = said or (f"host {host_id} is drained" if leaving else "a newer release took over")
            await self._begin_stop(server_id, StopWhy.DRAINED, f"{why} and its last room ended", empty=True)
        for server_id in await self._db.read(queries.of_deleted_apps):
            await self._begin_stop(server_id, StopWhy.APP_DELETED, "its app was deleted")
        await self._end_as_planned(now)
        await self._retire_idle(now)

    async def _end_as_planned(self, now: int) -> None:
        """End those whose order says how long they live, or how long without rooms."""
        needs: Needs | None = None
        for server_id, ready_at, idle_since, text in await self._db.read(queries.planned_ends):
            plan = msgspec.json.decode(text, type=Plan)
            if plan.life_minutes is not None and ready_at + plan.life_minutes * MINUTE <= now:
                reason = f"it has lived the {plan.life_minutes} minutes that it may"
                await self._begin_stop(server_id, StopWhy.LIFE, reason)
            elif (
                plan.empty_minutes is not None
                and idle_since is not None
                and idle_since + plan.empty_minutes * MINUTE <= now
            ):
                if needs is None:
                    needs = Needs(*await self._db.read(reserves.due))
                if needs.holds(server_id):
                    continue
                reason = f"it had no rooms for {plan.empty_minutes} minutes"
                await self._begin_stop(server_id, StopWhy.IDLE, reason, empty=True)

    async def _retire_idle(self, now: int) -> None:
        idle = await self._db.read(queries.idle, now - round(self._idle_seconds * SECOND))
        connections = await self._connections(idle)
        for server in idle:
            if connections.get(server.id) != 0:  # where its host cannot be asked, nobody knows whether it is idle
                continue
            reason = f"idle: no rooms and no connections for {self._idle_seconds / 60:g} minutes"
            await self._begin_stop(server.id, StopWhy.IDLE, reason, empty=True)

    async def _connections(self, idle: Sequence[Server]) -> Mapping[str, int]:
        """Who is connected to idle servers, as far as their hosts have told by now; a slow one tells the next look."""
        now = self._clock.now()
        found = {server_id: count for server_id, (count, at) in self._seen.items() if now - at < _FRESH}
        self._seen.clear()
        deeds = [
            (host, ids)
            for host in self._hosts
            if (ids := [server.id for server in idle if server.host_id == host.id and server.id not in found])
        ]
        await asyncio.gather(
            *(self._lanes.run(host, "tell who is connected", partial(self._count, host, ids)) for host, ids in deeds)
        )
        found.update((server_id, count) for server_id, (count, _) in self._seen.items())
        self._seen.clear()  # the next look asks anew; what comes in late is for it
        return found

    async def _count(self, host: Host, server_ids: Sequence[str]) -> None:
        for server_id, used in (await host.engine.usage(server_ids)).items():
            self._seen[server_id] = used.connections or 0, self._clock.now()

    async def _begin_stop(self, server_id: str, why: StopWhy, reason: str, *, empty: bool = False) -> None:
        now = self._clock.now()
        if await self._db.write(
            servers.begin_stop, server_id, why, reason, now, now + self.stopping_micros(), empty=empty
        ):
            log.info("server %s is stopped: %s", server_id, reason)
