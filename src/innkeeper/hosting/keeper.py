"""The hosting keeper: moves servers and rooms towards what is wanted, one repeatable pass at a time.

``inn.py`` opens it, runs its loops and closes it. A pass takes no input: it looks at the database and at what hosts
reported. The order of its steps matters only for speed; each is safe alone, and safe to be cut off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from innkeeper.db.database import Database
from innkeeper.engines.base import HostUnavailable
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.ids import Chance
from innkeeper.kit.keeper import KeeperLoop

from .hosts import Host
from .launching import Launches
from .passes.placing import Placing
from .passes.reporting import Reporting
from .passes.retiring import Retiring
from .passes.standing import Standing
from .queries import placing as placing_queries
from .queries import servers as server_queries

log = logging.getLogger(__name__)

#: The pass is made at least this often, in seconds: what has no bell (idle servers, deadlines) is seen by then.
EVERY = 1.0
#: The record is held against what hosts know this often, in seconds.
COMPARE_EVERY = 30.0


@dataclass(frozen=True, slots=True)
class Rules:
    """How long things may take, in seconds. Settings of the house."""

    placing: float = 100.0  #: a wanted server waits so long for a host
    ready: float = 100.0  #: a started server has so long to bind its ports
    idle: float = 300.0  #: a server without rooms and connections lives so long
    grace: float = 10.0  #: between SIGTERM and SIGKILL
    draining: float = 24 * 3600.0  #: a draining server may serve its rooms so long
    keep: float = 72 * 3600.0  #: ended rooms, output and measurements are kept so long
    records: float = 35 * 24 * 3600.0  #: ended servers are remembered so long
    measure: float = 15.0  #: time between two measurements of a server

    @property
    def stopping(self) -> float:
        """A stopping server is looked at again after so long."""
        return self.grace + 5.0


class HostingKeeper:
    """Wires the steps of the pass together."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        chance: Chance,
        bell: Bell,
        hosts: Sequence[Host],
        launches: Launches,
        rules: Rules,
    ) -> None:
        self._db, self._clock, self._bell = db, clock, bell
        self.hosts = hosts
        self.reporting = Reporting(db, clock, bell, hosts)
        self.placing = Placing(db, clock, bell, hosts, launches, self.reporting, ready_seconds=rules.ready)
        self.retiring = Retiring(
            db, clock, hosts, self.reporting, self.placing, grace_seconds=rules.grace, idle_seconds=rules.idle,
            ready_seconds=rules.ready,
        )  # fmt: skip
        self.standing = Standing(
            db, clock, chance, bell, placing_seconds=rules.placing, draining_seconds=rules.draining,
            stopping_seconds=rules.stopping,
        )  # fmt: skip
        self.loop = KeeperLoop("hosting", self.keep, bell, clock, chance)
        self._tasks: list[asyncio.Task[None]] = []
        self._next_compare = 0

    async def open(self) -> None:
        """Reach the hosts and take over what runs on them."""
        for host in self.hosts:
            abilities = await host.engine.open()
            log.info("host %s: memory held by %s, CPU by %s", host.id, abilities.memory, abilities.cpu)
            for note in abilities.notes:
                log.info("host %s: %s", host.id, note)
            for port, freed_at in await self._db.read(placing_queries.held_ports, host.id):
                host.ports.hold(port, freed_at)
            self._tasks.append(asyncio.create_task(self.reporting.listen(host)))

    def start(self) -> None:
        """Run the loop until :meth:`close`."""
        self._tasks.append(asyncio.create_task(self.loop.run()))

    async def close(self) -> None:
        """Let go of the hosts; their servers run on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self.placing.close()
        for host in self.hosts:
            await host.engine.close()

    async def keep(self) -> float | None:
        """One pass. Returns the seconds until the next one is due though nobody rings."""
        now = self._clock.now()
        if now >= self._next_compare:
            for host in self.hosts:
                try:
                    await self.reporting.compare(host, self.placing.starting)
                except HostUnavailable as error:
                    log.warning("host %s does not answer: %s", host.id, error)
            self._next_compare = now + round(COMPARE_EVERY * SECOND)
        await self.reporting.note()
        await self.placing.place()
        await self.placing.tell()
        await self.retiring.give_up()
        await self.retiring.retire()
        await self.retiring.stop()
        await self.standing.keep()
        deadline = await self._db.read(server_queries.next_deadline)
        if deadline is None:
            return EVERY
        return min(EVERY, max(0.01, (deadline - self._clock.now()) / SECOND))
