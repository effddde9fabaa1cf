"""Follows whether hosts answer: shuns silent ones, writes off lost ones, compares those that come back, drains.

First step of the pass. What it does is on record before anything follows from it, and is done again after a crash:
which hosts are silent is found out anew at every start, and a server is written off but once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from innkeeper.db.database import Database
from innkeeper.engines.base import HostUnavailable
from innkeeper.hosting.addresses import given_ports
from innkeeper.hosting.apps import service_of
from innkeeper.hosting.hosts import Host, Hosts
from innkeeper.hosting.life import Step, next_step
from innkeeper.hosting.model import Server, ServerState
from innkeeper.hosting.queries import hosts as queries
from innkeeper.hosting.queries import notices, retiring
from innkeeper.hosting.queries.servers import move
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock

from .lanes import Lanes
from .placing import Placing
from .reporting import Reporting

log = logging.getLogger(__name__)

#: The record is held against what hosts know this often, in seconds.
COMPARE_EVERY = 30.0
#: A host that is let go of has so long to end what runs there, in seconds beyond the grace of its servers.
_CLEARED_IN = 15.0
#: Servers written off in one transaction.
_AT_ONCE = 200


class Living:
    """The life of the hosts."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        bell: Bell,
        hosts: Hosts,
        reporting: Reporting,
        placing: Placing,
        lanes: Lanes,
        *,
        lost_seconds: float,
        placing_seconds: float,
        draining_seconds: float,
        grace_seconds: float,
    ) -> None:
        self._db, self._clock, self._bell, self._hosts = db, clock, bell, hosts
        self._reporting, self._placing, self._lanes = reporting, placing, lanes
        self._lost_seconds, self._grace = lost_seconds, grace_seconds
        self._wanted_for, self._draining_for = round(placing_seconds * SECOND), round(draining_seconds * SECOND)
        self._next_compare = 0
        self._compared: list[Host] = []

    async def look(self) -> None:
        """Take each host a step further. Those that were compared are settled by :meth:`settle`."""
        now = self._clock.now()
        due = now >= self._next_compare
        self._compared = []
        for host in self._hosts:
            silent_since = host.engine.silent_since
            step = next_step(
                silent_since=silent_since, settled=host.settled, lost=host.lost, now=now,
                lost_after=round(self._lost_seconds * SECOND),
            )  # fmt: skip
            if step is Step.SHUN:
                await self._announce(host, "silent", silent_since or now)
                host.settled, host.since = False, silent_since or now
                log.warning("host %s does not answer; nothing is placed there until it does", host.id)
            elif step is Step.WRITE_OFF:
                await self._lose(host, silent_since or now)
            elif step is Step.COMPARE or (due and silent_since is None):
                await self._reporting.compare(host, self._placing.starting_on(host.id))
                self._compared.append(host)
        if due:
            await self._write_off_strangers()
            self._next_compare = now + round(COMPARE_EVERY * SECOND)

    async def settle(self) -> None:
        """What the compared hosts run is on record by now, and strays were told to end: they take servers again."""
        for host in self._compared:
            if host.settled or not host.answers:
                continue
            if host.images is not None and host.architecture is None:
                await self._lanes.run(host, "tell what it is", partial(_get_to_know, host))
            if host.lost:
                log.warning("host %s is back", host.id)
            if host.missed:
                await self._announce(host, "up", self._clock.now())
            host.settled, host.lost = True, False
            host.since = host.up_since = self._clock.now()
        self._compared = []

    async def _lose(self, host: Host, silent_since: int) -> None:
        reason = f"host {host.id} has been silent for {self._lost_seconds:g} s"
        log.error("%s: it is lost, and its rooms end", reason)
        await self.write_off(host.id, reason)
        await self._announce(host, "lost", self._clock.now(), reason)
        host.lost, host.since = True, silent_since

    async def _announce(self, host: Host, kind: str, at: int, reason: str = "") -> None:
        """Tell those who listen how a host is now. Told again after a crash in between."""
        await self._db.write(notices.host_changed, kind, host.id, at, reason)
        host.missed = kind != "up"

    async def _write_off_strangers(self) -> None:
        """Servers on record whose host is not one of this house any more: nobody can tell how they are."""
        for host_id in await self._db.read(queries.counts):
            if self._hosts.get(host_id) is None:
                log.error("there is no host %s any more; the servers on record there are over", host_id)
                await self.write_off(host_id, f"host {host_id} is not one of this house any more")

    async def write_off(self, host_id: str, reason: str) -> None:
        """End the servers of a host, and want those elsewhere that nobody was told of yet. Safe to repeat."""
        await self._placing.call_off(host_id)
        while servers := await self._db.read(queries.on_host, host_id, _AT_ONCE):
            now = self._clock.now()
            outcome = await self._db.write(queries.write_off, servers, reason, now, now + self._wanted_for)
            self._tell(host_id, servers, outcome, reason)
            self._bell.ring()

    async def clear(self, host: Host) -> None:
        """End whatever runs on a host that is let go of, as far as it answers, and have it forgotten."""
        patience = self._grace + _CLEARED_IN

        async def end_all() -> None:
            changes = host.engine.changes()
            for server_id, report in host.engine.reports().items():
                if report.alive:
                    await host.engine.stop(server_id, self._grace)
            async with asyncio.timeout(patience):
                while any(report.alive for report in host.engine.reports().values()):
                    await anext(changes)
            for server_id in host.engine.reports():
                await host.engine.forget(server_id)

        try:
            await self._lanes.run(host, "end its servers", end_all, patience=patience + 5)
        except TimeoutError:
            log.error("host %s has not ended all its servers within %g s; they run on", host.id, patience)

    def _tell(self, host_id: str, servers: Sequence[Server], outcome: Sequence[ServerState | None], why: str) -> None:
        host, now = self._hosts.get(host_id), self._clock.now()
        for server, state in zip(servers, outcome, strict=True):
            if state is None:
                continue
            if host is not None:
                host.take_back(given_ports(server.ports), now)
            if state is ServerState.WANTED:
                self._placing.trouble[server.id] = why
                log.warning("server %s is wanted elsewhere: %s", server.id, why)
            else:
                log.warning("server %s %s: %s", server.id, state, why)

    async def drain(self) -> None:
        """Servers on drained hosts take no more rooms. Those that an order asks for are replaced by ``Standing``."""
        leaving = [host.id for host in self._hosts if host.draining]
        running = await self._db.read(queries.running_on, leaving) if leaving else []
        if not running:
            return
        ordered = {
            (app.id, order.location)
            for app in await self._db.read(retiring.apps_with_orders)
            if (service := service_of(app)) is not None
            for order in service.orders
        }
        now = self._clock.now()
        until = now + self._draining_for
        for server in running:
            if (server.app_id, server.location) not in ordered:
                running_yet = [ServerState.RUNNING]
                await self._db.write(move, server.id, ServerState.DRAINING, running_yet, at=now, until=until)
                log.info("server %s takes no more rooms: host %s is drained", server.id, server.host_id)


async def _get_to_know(host: Host) -> None:
    assert host.images is not None
    if host.abilities is not None and host.abilities.memory == "unknown":  # it was silent when it was opened
        host.abilities = await host.engine.abilities()
    host.architecture = await host.images.architecture()


async def open_host(host: Host) -> None:
    """Reach a host's engine; what it can do is told in the log. Raises ``HostUnavailable``."""
    abilities = host.abilities = await host.engine.open()
    if host.engine.silent_since is not None:
        log.warning("host %s does not answer (%s)", host.id, "; ".join(abilities.notes))
        return
    log.info("host %s: memory held by %s, CPU by %s", host.id, abilities.memory, abilities.cpu)
    for note in abilities.notes:
        log.info("host %s: %s", host.id, note)


async def close_host(host: Host) -> None:
    """Let go of a host's engine, whatever it says to that."""
    try:
        await asyncio.shield(host.engine.close())
    except HostUnavailable as error:
        log.warning("host %s could not be let go of: %s", host.id, error)
