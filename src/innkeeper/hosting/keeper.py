"""The hosting keeper: moves servers and rooms towards what is wanted, one repeatable pass at a time.

``inn.py`` opens it, runs its loops and closes it. A pass takes no input: it looks at the database and at what hosts
reported. The order of its steps matters only for speed; each is safe alone, and safe to be cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from innkeeper.db.database import Database
from innkeeper.engines.base import HostUnavailable
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.errors import Taken
from innkeeper.kit.ids import Chance
from innkeeper.kit.keeper import KeeperLoop

from .hosts import TLS, Host, Hosts
from .launching import Launches
from .passes.guarding import Guarding
from .passes.lanes import Lanes
from .passes.living import Living, close_host, open_host
from .passes.placing import Bring, Placing, bring_nothing
from .passes.reporting import Reporting
from .passes.retiring import Retiring
from .passes.scaling import Scaling
from .passes.standing import Standing
from .pulling import Pulls
from .queries import hosts as host_queries
from .queries import placing as placing_queries
from .queries import servers as server_queries
from .tls import TlsRoutes

log = logging.getLogger(__name__)

#: The pass is made at least this often, in seconds: what has no bell (idle servers, deadlines) is seen by then.
EVERY = 1.0
#: Seconds that a host which is let go has to remove what is left of its servers.
_CLEARING = 15.0


@dataclass(frozen=True, slots=True)
class Rules:
    """How long things may take, in seconds. Settings of the house."""

    lost: float = 10.0  #: a host that is silent for so long is lost
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
        hosts: Hosts,
        launches: Launches,
        rules: Rules,
        bring: Bring = bring_nothing,
        tls: TlsRoutes | None = None,
        guarding: Guarding | None = None,
        pulls: Pulls | None = None,
    ) -> None:
        self._db, self._clock, self._bell = db, clock, bell
        self.hosts = hosts
        self._tls, self._guarding = tls, guarding
        self._lanes = Lanes()
        self.reporting = Reporting(db, clock, bell, hosts, self._lanes, ready_seconds=rules.ready)
        self.placing = Placing(
            db, clock, bell, hosts, launches, self.reporting, bring, tls, guarding, pulls,
            placing_seconds=rules.placing, ready_seconds=rules.ready,
        )  # fmt: skip
        self.living = Living(
            db, clock, bell, hosts, self.reporting, self.placing, self._lanes, lost_seconds=rules.lost,
            placing_seconds=rules.placing, draining_seconds=rules.draining, grace_seconds=rules.grace,
        )  # fmt: skip
        self.retiring = Retiring(
            db, clock, hosts, self.reporting, self.placing, self._lanes, grace_seconds=rules.grace,
            idle_seconds=rules.idle, ready_seconds=rules.ready, draining_seconds=rules.draining,
        )  # fmt: skip
        self.standing = Standing(
            db, clock, chance, bell, hosts, placing_seconds=rules.placing, draining_seconds=rules.draining,
            stopping_seconds=rules.stopping,
        )  # fmt: skip
        self.scaling: Scaling | None = None  #: of reserves; it wants servers by verbs that need a keeper
        self.loop = KeeperLoop("hosting", self.keep, bell, clock, chance)
        self._passing = asyncio.Lock()
        self._listening: dict[str, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Reach the hosts and take over what runs on them."""
        await asyncio.gather(*(self._open(host) for host in self.hosts))

    def ring(self) -> None:
        """Something about the hosts has changed: a pass is due."""
        self._bell.ring()

    async def take_on(self, host: Host) -> None:
        """One more host, while the house is open. Servers are placed there after the next pass."""
        try:
            await self._open(host)
        except BaseException:
            await self._leave(host)
            raise
        async with self._passing:
            self.hosts.add(host)
        self._bell.ring()

    async def let_go(self, host_id: str, why: str = "", *, empty: bool = False) -> None:
        """A host less. What is on record there is written off with the reason, and ended as far as it answers.

        Raises ``Taken`` where it has to be ``empty`` and is not; then nothing has happened. Unknown: nothing happens.
        """
        async with self._passing:
            host = self.hosts.get(host_id)
            if host is None:
                return
            if empty and (count := (await self._db.read(host_queries.counts)).get(host_id)):
                raise Taken(f"{count} servers are on host {host_id}")
            await self.placing.call_off(host_id)
            await self.living.write_off(host_id, why)
            await self.living.clear(host)
            self.hosts.remove(host_id)
        await self._lanes.close(host_id)
        if host.answers:  # what is left of its servers goes while there is a line to it
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLEARING):
                    await self._clear_up(host)
        await self._leave(host)
        if host.images is not None:
            await host.images.close()
        self._bell.ring()

    async def _clear_up(self, host: Host) -> None:
        """Nothing of the house is left there. Builds are kept by the house, and brought again where they are needed."""
        await host.engine.settled()
        try:
            if host.images is not None:
                for name in await host.images.names():
                    await host.images.remove(name)
            await host.engine.leave()
        except HostUnavailable as error:
            log.warning("what was made on host %s for all its servers stays there: %s", host.id, error)

    async def _open(self, host: Host) -> None:
        host.settled, host.lost = False, False
        host.since = host.up_since = self._clock.now()
        tables = {host.id: host.ports} if host.tls is None else {host.id: host.ports, TLS: host.tls.ports}
        for owner, table in tables.items():
            for port, freed_at in await self._db.read(placing_queries.held_ports, owner):
                table.hold(port, freed_at)
        await open_host(host)
        if self._guarding is not None:
            await self._guarding.look_at(host)
        self._listening[host.id] = asyncio.create_task(self.reporting.listen(host))

    async def _leave(self, host: Host) -> None:
        listening = self._listening.pop(host.id, None)
        if listening is not None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        await close_host(host)

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
        if self._tls is not None:
            await self._tls.close()
        if self._guarding is not None:
            await self._guarding.close()
        await self._lanes.close()
        for host in self.hosts:
            await self._leave(host)

    async def keep(self) -> float | None:
        """One pass. Returns the seconds until the next one is due though nobody rings."""
        async with self._passing:  # while hosts come and go, nobody is placed
            return await self._pass()

    async def _pass(self) -> float | None:
        await self.living.look()
        await self.reporting.note()
        await self.living.settle()
        await self.living.drain()
        await self.placing.place()
        if self._tls is not None:
            await self._tls.keep()
        if self._guarding is not None:
            await self._guarding.keep()
        await self.placing.tell()
        await self.retiring.give_up()
        await self.retiring.retire()
        await self.retiring.stop()
        await self.standing.keep()
        if self.scaling is not None:
            await self.scaling.keep()
        deadline = await self._db.read(server_queries.next_deadline)
        if self.placing.next_start is not None:
            deadline = min(deadline or self.placing.next_start, self.placing.next_start)
        if deadline is None:
            return EVERY
        return min(EVERY, max(0.01, (deadline - self._clock.now()) / SECOND))
