"""Places wanted servers on hosts and tells the hosts to start them. The intent is on record before a host is told.

A host is told by a task for each server, so that a slow one holds nobody up; telling it again after a crash starts
nothing twice, which is an engine's promise.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from math import isfinite

import msgspec

from innkeeper.db.database import Database
from innkeeper.engines.base import Ended, EndedBy, HostUnavailable, NotStarted, Report
from innkeeper.engines.ports import NoPortLeft
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.launching import Launches
from innkeeper.hosting.model import PortSpec, Release, Server, ServerState
from innkeeper.hosting.placement import HostSpace, choose_host
from innkeeper.hosting.queries import placing, servers
from innkeeper.hosting.queries.placing import Placement
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock

from .reporting import Reporting

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
#: Servers placed in one transaction.
_AT_ONCE = 200
#: Wanted servers looked through for those: where one place is full, the ones behind its many may go elsewhere.
_LOOKED_THROUGH = 2000
#: Hosts are told of so many servers at a time.
_TOLD_AT_ONCE = 64


class Placing:
    """Moves servers from WANTED to STARTING, and tells hosts to start them."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        bell: Bell,
        hosts: Sequence[Host],
        launches: Launches,
        reporting: Reporting,
        *,
        ready_seconds: float,
    ) -> None:
        self._db, self._clock, self._bell, self._launches, self._reporting = db, clock, bell, launches, reporting
        self._hosts = {host.id: host for host in hosts}
        self._ready = round(ready_seconds * SECOND)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(_TOLD_AT_ONCE)
        self.trouble: dict[str, str] = {}  #: why a wanted or starting server is not further yet, for its owner

    @property
    def starting(self) -> frozenset[str]:
        """Servers which their hosts are being told about at this moment."""
        return frozenset(self._tasks)

    @property
    def telling(self) -> frozenset[asyncio.Task[None]]:
        """The tasks that tell them. Those that wait to tell again, after a host did not answer, are among them."""
        return frozenset(self._tasks.values())

    async def place(self) -> None:
        """Give every wanted server a host and ports, as far as there are any."""
        wanted = await self._db.read(servers.in_states, [ServerState.WANTED], _LOOKED_THROUGH)
        if not wanted:
            return
        releases = await self._db.read(placing.releases_of, [server.id for server in wanted])
        spaces = await self._spaces()
        chosen = (self._choose(server, releases[server.id], spaces) for server in wanted)
        placements = list(islice((placement for placement in chosen if placement is not None), _AT_ONCE))
        moved = [False] * len(placements)
        try:
            if placements:
                moved = await self._db.write(placing.place, placements)
        finally:
            # Whoever was stopped meanwhile, or could not be written down, has never used its ports.
            for placement, done in zip(placements, moved, strict=True):
                for number in () if done else placement.numbers:
                    self._hosts[placement.host_id].ports.release(number, self._clock.now())
        if len(placements) == _AT_ONCE:  # there may be more; what finds no place waits for the next usual pass
            self._bell.ring()

    async def _spaces(self) -> dict[str, HostSpace]:
        limited = any(isfinite(host.cpu) or isfinite(host.memory_mb) for host in self._hosts.values())
        used = await self._db.read(placing.used_of_hosts) if limited else {}
        return {
            host.id: HostSpace(
                host.id,
                host.locations,
                host.cpu - used.get(host.id, (0, 0))[0],
                host.memory_mb - used.get(host.id, (0, 0))[1],
            )
            for host in self._hosts.values()
        }

    def _choose(self, server: Server, release: Release, spaces: dict[str, HostSpace]) -> Placement | None:
        space = choose_host(list(spaces.values()), server.location, release.cpu, release.memory_mb)
        if space is None:
            lacking = f"{release.cpu:g} CPU and {release.memory_mb:g} MiB of memory left"
            self._waits(server, f"no host at {server.location} has {lacking}")
            return None
        host, now = self._hosts[space.host_id], self._clock.now()
        try:
            given = host.give_ports(msgspec.json.decode(release.ports, type=list[PortSpec]), now)
        except NoPortLeft as error:
            self._waits(server, str(error))
            return None
        self.trouble.pop(server.id, None)
        spaces[host.id] = replace(space, cpu=space.cpu - release.cpu, memory_mb=space.memory_mb - release.memory_mb)
        numbers = tuple(port.number for port in given)
        return Placement(server.id, host.id, host.address, _encode(given).decode(), numbers, now, now + self._ready)

    async def tell(self) -> None:
        """Tell hosts of placed servers that they have not been told of."""
        for server in await self._db.read(placing.placed, 1000):
            if server.id not in self._tasks and server.host_id in self._hosts:
                task = asyncio.create_task(self._start(server))
                self._tasks[server.id] = task
                task.add_done_callback(partial(self._told, server.id))

    def _waits(self, server: Server, why: str) -> None:
        """Keep it for its owner, and tell the operator once."""
        if self.trouble.get(server.id) != why:
            log.warning("server %s of app %s waits: %s", server.id, server.app_id, why)
        self.trouble[server.id] = why

    def _told(self, server_id: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(server_id, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("telling the host of server %s failed; it is told again", server_id, exc_info=task.exception())
            self._bell.ring()

    async def _start(self, server: Server) -> None:
        host = self._hosts[server.host_id or ""]
        async with self._slots:
            facts = await self._db.read(placing.launch_facts, server.id)
            if facts is None:
                return
            try:
                report = await host.engine.start(self._launches.launch(facts))
                self.trouble.pop(server.id, None)
            except HostUnavailable as error:
                self.trouble[server.id] = f"host {host.id} does not answer: {error}"
                log.warning("server %s cannot be started now: %s", server.id, error)
                await self._clock.sleep(1.0)
                self._bell.ring()
                return
            except Exception as error:
                if not isinstance(error, NotStarted):
                    log.exception("starting server %s failed", server.id)
                now = self._clock.now()
                report = Report(server.id, "", now, None, Ended(EndedBy.NOT_STARTED, None, now, str(error)))
            self._reporting.add(host.id, report)

    async def close(self) -> None:
        """Let go of what is being told. The next house tells it again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
