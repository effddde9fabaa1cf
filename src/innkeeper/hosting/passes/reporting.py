"""Writes down what hosts report: booted, ready, ended. First step of the pass, so that the others see the truth."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from innkeeper.db.database import Database
from innkeeper.engines.base import Ended, EndedBy, Report
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.model import Server, ServerState
from innkeeper.hosting.queries import placing, servers
from innkeeper.hosting.queries.placing import Noted
from innkeeper.hosting.servers import given_ports
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock

log = logging.getLogger(__name__)


class Reporting:
    """Gathers reports as they come and notes them, many in one transaction."""

    def __init__(self, db: Database, clock: Clock, bell: Bell, hosts: Sequence[Host]) -> None:
        self._db, self._clock, self._bell, self._hosts = db, clock, bell, {host.id: host for host in hosts}
        self._waiting: dict[tuple[str, str], Report] = {}

    def add(self, host_id: str, report: Report) -> None:
        """A host reports; noted in the next pass. Only the latest report of a server counts."""
        self._waiting[host_id, report.server_id] = report
        self._bell.ring()

    async def listen(self, host: Host) -> None:
        """Take reports from a host for ever."""
        async for report in host.engine.changes():
            self.add(host.id, report)

    async def note(self) -> None:
        """Note everything that was reported. What cannot be noted now stays for the next pass."""
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            try:
                noted = await self._db.write(placing.note_reports, list(waiting.values()), self._clock.now())
            except BaseException:
                self._waiting = {**waiting, **self._waiting}
                raise
            for ((host_id, server_id), report), what in zip(waiting.items(), noted, strict=True):
                await self._follow(self._hosts[host_id], server_id, report, what)

    async def _follow(self, host: Host, server_id: str, report: Report, what: Noted) -> None:
        if what is Noted.UNKNOWN and report.alive:
            log.warning("host %s runs server %s, which is not on record as alive; it is stopped", host.id, server_id)
            await host.engine.stop(server_id, 0)
        elif report.ended is not None:
            server = await self._db.read(servers.server_by_id, server_id)
            if server is not None:
                self.free_ports(host, server)
                log.info("server %s %s: %s", server_id, server.state, server.exit_reason)
            await host.engine.forget(server_id)
        elif what is Noted.READY:
            log.info("server %s is ready", server_id)

    def free_ports(self, host: Host, server: Server) -> None:
        """Its end is on record: its ports rest."""
        for port in given_ports(server):
            host.ports.release(port.number, self._clock.now())

    async def compare(self, host: Host, starting: frozenset[str]) -> None:
        """Hold the record against what the host knows: a server that should be there and is not was lost.

        ``starting`` are servers which the host is being told about at this moment.
        """
        reports = host.engine.reports()
        for report in reports.values():
            self.add(host.id, report)
        expected = [ServerState.STARTING, ServerState.RUNNING, ServerState.DRAINING, ServerState.STOPPING]
        for server in await self._db.read(servers.in_states, expected, 1 << 20):
            if server.host_id != host.id or server.id in reports or server.id in starting:
                continue
            if server.state is ServerState.STARTING and server.booted_at is None:
                continue  # the host was perhaps never told: placing tells it (again)
            now = self._clock.now()
            detail = "its host does not know it any more (was the machine restarted?)"
            by = EndedBy.STOPPED if server.booted_at is None else EndedBy.LOST
            ended = Ended(by, None, now, detail)
            self.add(host.id, Report(server.id, server.handle, server.booted_at or now, server.ready_at, ended))
        await asyncio.sleep(0)
