"""Measures what running servers use, and forgets what was kept long enough. ``inn.py`` runs a loop for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from innkeeper.db.database import Database, Steps
from innkeeper.engines.base import HostUnavailable
from innkeeper.engines.logfiles import LeftLogs
from innkeeper.hosting.builds import Builds
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.queries import retiring as queries
from innkeeper.kit.clock import SECOND, Clock

log = logging.getLogger(__name__)
_AT_ONCE = 500


class Metering:
    """Takes a measurement of every running server at regular times."""

    def __init__(self, db: Database, clock: Clock, hosts: Iterable[Host], *, every_seconds: float) -> None:
        self._db, self._clock, self._hosts, self._every = db, clock, hosts, every_seconds

    async def keep(self) -> float:
        """Measure once. Returns the seconds until the next time."""
        for host in self._hosts:
            if not host.answers:
                continue
            alive = [report.server_id for report in host.engine.reports().values() if report.alive]
            for at in range(0, len(alive), _AT_ONCE):
                try:
                    usage = await host.engine.usage(alive[at : at + _AT_ONCE])
                except HostUnavailable as error:
                    log.warning("host %s does not tell what its servers use: %s", host.id, error)
                    break
                now = self._clock.now()
                samples = [
                    (server_id, now, used.cpu_seconds, used.memory_bytes, used.connections, used.egress_bytes)
                    for server_id, used in usage.items()
                ]
                if samples:
                    await self._db.write(queries.add_samples, samples)
        return self._every


class Sweeping:
    """Forgets ended rooms and servers, their output and measurements, and files and images that nothing needs."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        hosts: Iterable[Host],
        builds: Builds,
        left: LeftLogs,
        *,
        keep_seconds: float,
        records_seconds: float,
        every_seconds: float,
    ) -> None:
        self._db, self._clock, self._hosts, self._builds, self._left = db, clock, hosts, builds, left
        self._keep, self._records = round(keep_seconds * SECOND), round(records_seconds * SECOND)
        self._every = every_seconds

    async def keep(self) -> float:
        """Forget what is due. Returns the seconds until the next time; soon, when there is more."""
        now = self._clock.now()
        before = now - self._keep
        outdated = await self._db.read(queries.outdated_output, before, _AT_ONCE)
        for server_id in outdated:
            for host in self._hosts:
                await host.engine.discard(server_id)
            await asyncio.to_thread(self._left.discard, server_id)
        if outdated:
            await self._db.write(queries.output_gone, outdated)
        counts = [
            len(outdated),
            await self._forget(queries.forget_servers, now - self._records),
            await self._forget(queries.forget_rooms, before),
            await self._forget(queries.forget_samples, before),
        ]
        await self._builds.sweep()
        return 0.05 if max(counts) >= _AT_ONCE else self._every

    async def _forget(self, steps: Callable[[int, int], Steps[int]], before: int) -> int:
        return await self._db.write(steps, before, _AT_ONCE)
