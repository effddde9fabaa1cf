"""Writes down what hosts report: booted, ready, ended. First step of the pass, so that the others see the truth."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from innkeeper.db.database import Database
from innkeeper.engines.base import Ended, EndedBy, HostUnavailable, Report
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.model import ServerState
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
            outcomes = [
                (self._hosts[key[0]], report, what) for (key, report), what in zip(waiting.items(), noted, strict=True)
            ]
            for host, report, what in outcomes:
                if what is Noted.ENDED:
                    await self._free_ports(host, report.server_id)
            for host, report, what in outcomes:
                try:
                    await self._answer(host, report, what)
                except HostUnavailable as error:  # it reports again when it is back
                    log.warning("host %s does not answer: %s", host.id, error)

    async def _answer(self, host: Host, report: Report, what: Noted) -> None:
        """Tell the host what its report led to."""
        if what is Noted.UNKNOWN and report.alive:
            log.warning("host %s runs %s, which is not on record as alive; it is stopped", host.id, report.server_id)
            await host.engine.stop(report.server_id, 0)
        elif report.ended is not None:
            await host.engine.forget(report.server_id)
        elif what is Noted.READY:
            log.info("server %s is ready on host %s", report.server_id, host.id)

    async def _free_ports(self, host: Host, server_id: str) -> None:
        """Its end is on record: its ports rest. Once only, for a port may have a new server soon."""
        server = await self._db.read(servers.server_by_id, server_id)
        if server is None:
            return
        log.info("server %s %s: %s", server_id, server.state, server.exit_reason)
        for port in given_ports(server.ports):
            host.ports.release(port.number, self._clock.now())

    async def compare(self, host: Host, starting: frozenset[str]) -> None:
        """Hold the record against what the host knows: a server that should be there and is not was lost.

        ``starting`` are servers which the host is being told about at this moment.
        """
        expected = [ServerState.STARTING, ServerState.RUNNING, ServerState.DRAINING, ServerState.STOPPING]
        on_record = await self._db.read(servers.in_states, expected, 1 << 20)
        reports = host.engine.reports()  # after the record: what is booted there, the host knows
        for report in reports.values():
            self.add(host.id, report)
        for server in on_record:
            if server.host_id != host.id or server.id in reports or server.id in starting:
                continue
            if server.state is ServerState.STARTING and server.booted_at is None:
                continue  # the host was perhaps never told: placing tells it (again)
            now = self._clock.now()
            detail = "its host does not know it any more (was the machine restarted?)"
            by = EndedBy.STOPPED if server.booted_at is None else EndedBy.LOST
            ended = Ended(by, None, now, detail)
            self.add(host.id, Report(server.id, server.handle, server.booted_at or now, server.ready_at, ended))
