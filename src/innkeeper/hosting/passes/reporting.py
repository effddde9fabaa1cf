"""Writes down what hosts report: booted, ready, ended. An early step of the pass, so that the others see the truth."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from innkeeper.db.database import Database
from innkeeper.engines.base import Ended, EndedBy, Report
from innkeeper.hosting.addresses import given_ports
from innkeeper.hosting.hosts import Host, Hosts
from innkeeper.hosting.model import ServerState
from innkeeper.hosting.queries import hosts as host_queries
from innkeeper.hosting.queries import noting, servers
from innkeeper.hosting.queries.noting import Noted
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock

from .lanes import Lanes

log = logging.getLogger(__name__)

#: What is owed to a host, by server: its report, and what became of it.
_Owed = dict[str, tuple[Report, Noted]]


class Reporting:
    """Gathers reports as they come and notes them, many in one transaction."""

    def __init__(
        self, db: Database, clock: Clock, bell: Bell, hosts: Hosts, lanes: Lanes, *, ready_seconds: float
    ) -> None:
        self._ready = round(ready_seconds * SECOND)
        self._db, self._clock, self._bell, self._hosts, self._lanes = db, clock, bell, hosts, lanes
        self._waiting: dict[tuple[str, str], Report] = {}
        self._owed: dict[str, _Owed] = {}

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
            reports = [(host_id, report) for (host_id, _), report in waiting.items()]
            try:
                noted = await self._db.write(noting.note_reports, reports, self._clock.now(), self._ready)
            except BaseException:
                self._waiting = {**waiting, **self._waiting}
                raise
            for (host_id, report), what in zip(reports, noted, strict=True):
                host = self._hosts.get(host_id)
                if host is None:  # it was removed meanwhile
                    continue
                if what is Noted.ENDED:
                    await self._free_ports(host, report.server_id)
                elif what is Noted.READY:
                    log.info("server %s is ready on host %s", report.server_id, host_id)
                # Of a run that another one follows, ``Placing`` tells the host, right before that one.
                if what is Noted.UNKNOWN or (report.ended is not None and what is not Noted.AGAIN):
                    self._owed.setdefault(host_id, {})[report.server_id] = (report, what)
        await self._answer()

    async def _answer(self) -> None:
        """Tell the hosts what their reports led to, all at once."""
        for host_id in list(self._owed):
            host = self._hosts.get(host_id)
            if host is None or not host.answers:
                del self._owed[host_id]  # when it is back, it is compared and reports all of it again
        hosts = [host for host in self._hosts if self._owed.get(host.id)]
        await asyncio.gather(*(self._lanes.run(host, "take answers", partial(self._pay, host)) for host in hosts))

    async def _pay(self, host: Host) -> None:
        owed = self._owed[host.id]
        while owed:
            server_id, (report, what) = next(iter(owed.items()))
            if report.ended is not None:
                await host.engine.forget(server_id)
            elif what is Noted.UNKNOWN:
                log.warning("host %s runs %s, which is not on record as alive there; it is stopped", host.id, server_id)
                await host.engine.stop(server_id, 0)
            if owed.get(server_id) == (report, what):  # otherwise it has reported again meanwhile
                del owed[server_id]
        self._owed.pop(host.id, None)

    async def _free_ports(self, host: Host, server_id: str) -> None:
        """Its end is on record: its ports rest. Once only, for a port may have a new server soon."""
        server = await self._db.read(servers.server_by_id, server_id)
        if server is None:
            return
        log.info("server %s %s: %s", server_id, server.state, server.exit_reason)
        host.take_back(given_ports(server.ports), self._clock.now())

    async def compare(self, host: Host, starting: frozenset[str]) -> None:
        """Hold the record against what the host knows: a server that should be there and is not was lost.

        ``starting`` are servers which the host is being told about at this moment.
        """
        on_record = await self._db.read(host_queries.on_host, host.id, 1 << 20)
        reports = host.engine.reports()  # after the record: what is booted there, the host knows
        for report in reports.values():
            self.add(host.id, report)
        for server in on_record:
            if server.id in reports or server.id in starting:
                continue
            if server.state is ServerState.STARTING and server.booted_at is None:
                continue  # the host was perhaps never told: placing tells it (again)
            now = self._clock.now()
            detail = "its host does not know it any more (was the machine restarted?)"
            by = EndedBy.STOPPED if server.booted_at is None else EndedBy.LOST
            ended = Ended(by, None, now, detail)
            self.add(host.id, Report(server.id, server.handle, server.booted_at or now, server.ready_at, ended))
