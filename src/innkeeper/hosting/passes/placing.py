"""Places wanted servers on hosts and tells the hosts to start them. The intent is on record before a host is told.

A host is told by a task for each server, so that a slow one holds nobody up; telling it again after a crash starts
nothing twice, which is an engine's promise.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import islice
from math import isfinite
from typing import Protocol

import msgspec

from innkeeper.db.database import Database
from innkeeper.engines.base import Ended, EndedBy, HostUnavailable, ImageMissing, NotStarted, PortTaken, Report
from innkeeper.engines.ports import NoPortLeft
from innkeeper.hosting.addresses import given_ports
from innkeeper.hosting.hosts import Host, Hosts, held_numbers
from innkeeper.hosting.launching import Launches
from innkeeper.hosting.model import Build, PortSpec, Server, ServerState
from innkeeper.hosting.placement import HostSpace, Need, Spread
from innkeeper.hosting.queries import placing, servers
from innkeeper.hosting.queries.placing import LaunchFacts, Placement, Wish
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock

from .reporting import Reporting

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
#: Servers placed in one transaction.
_AT_ONCE = 200
#: Wanted servers looked through for those: where one place is full, the ones behind its many may go elsewhere.
_LOOKED_THROUGH = 2000
#: A host is told of so many servers at a time.
_TOLD_AT_ONCE = 64
#: How long an image may take to its host, in seconds.
_BRINGING = 900.0
#: A server is given other ports so often, when somebody else has those it was given.
_MOST_TRIES = 20
#: How many ports a host is taken to have until it says otherwise.
_MANY = 1 << 16

#: Brings the image of a build to a host. Raises ``NotStarted`` or ``HostUnavailable``.
Bring = Callable[[Host, Build], Awaitable[None]]


async def bring_nothing(host: Host, build: Build) -> None:
    """Where nobody keeps images."""
    raise NotStarted(f"host {host.id} does not have the image of build {build.id}")


class Reach(Protocol):
    """Whether players would get through to a server that starts: ``hosting/tls.py``."""

    def lacking(self, server: Server) -> str | None:
        """Why its host must not be told of it yet; None when nothing is in the way."""
        ...

    def check(self, server: Server) -> None:
        """Raises ``PortTaken`` where a port that players would dial can never be had."""
        ...


class AllReach:
    """Where servers are dialled without anything in between."""

    def lacking(self, server: Server) -> str | None:
        """Nothing."""
        return None

    def check(self, server: Server) -> None:
        """Every port is the host's own."""


class Placing:
    """Moves servers from WANTED to STARTING, and tells hosts to start them."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        bell: Bell,
        hosts: Hosts,
        launches: Launches,
        reporting: Reporting,
        bring: Bring = bring_nothing,
        reach: Reach | None = None,
        *,
        placing_seconds: float,
        ready_seconds: float,
    ) -> None:
        self._db, self._clock, self._bell, self._launches, self._reporting = db, clock, bell, launches, reporting
        self._hosts, self._bring, self._reach = hosts, bring, reach or AllReach()
        self._wanted, self._ready = round(placing_seconds * SECOND), round(ready_seconds * SECOND)
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}  # (host, server) -> who tells
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._tries: Counter[str] = Counter()  # how often a server met a port that somebody else had
        self.trouble: dict[str, str] = {}  #: why a wanted or starting server is not further yet, for its owner

    def starting_on(self, host_id: str | None) -> frozenset[str]:
        """Servers which the host is being told about at this moment."""
        return frozenset(server_id for told, server_id in self._tasks if told == host_id)

    @property
    def telling(self) -> frozenset[asyncio.Task[None]]:
        """The tasks that tell them. Those that wait to tell again, after a host did not answer, are among them."""
        return frozenset(self._tasks.values())

    async def place(self) -> None:
        """Give every wanted server a host and ports, as far as there are any."""
        wanted = await self._db.read(servers.in_states, [ServerState.WANTED], _LOOKED_THROUGH)
        if not wanted:
            return
        wishes = await self._db.read(placing.wishes_of, [server.id for server in wanted])
        spread = Spread(await self._spaces(wanted))
        chosen = (self._choose(server, wishes[server.id], spread) for server in wanted)
        placements = list(islice((placement for placement in chosen if placement is not None), _AT_ONCE))
        moved = [False] * len(placements)
        try:
            if placements:
                moved = await self._db.write(placing.place, placements)
        finally:
            # Whoever was stopped meanwhile, or could not be written down, has never used its ports.
            for placement, done in zip(placements, moved, strict=True):
                host = self._hosts.get(placement.host_id)
                if not done and host is not None:
                    host.take_back(given_ports(placement.ports), self._clock.now())
        if len(placements) == _AT_ONCE:  # there may be more; what finds no place waits for the next usual pass
            self._bell.ring()

    async def _spaces(self, wanted: Sequence[Server]) -> list[HostSpace]:
        hosts = list(self._hosts)
        counted = len(hosts) > 1 or any(isfinite(host.cpu) or isfinite(host.memory_mb) for host in hosts)
        used = await self._db.read(placing.used_of_hosts) if counted else {}
        promised: dict[str, tuple[float, float]] = {}
        for host in hosts:
            (cpu, memory_mb), (more_cpu, more_mb) = promised.get(_machine(host), (0, 0)), used.get(host.id, (0, 0))
            promised[_machine(host)] = cpu + more_cpu, memory_mb + more_mb
        return [_space(host, promised[_machine(host)], wanted) for host in hosts]

    def _choose(self, server: Server, wish: Wish, spread: Spread) -> Placement | None:
        release = wish.release
        ports = msgspec.json.decode(release.ports, type=list[PortSpec])
        need = Need(
            server.location, release.cpu, release.memory_mb, wish.image is not None, wish.architecture, len(ports),
            server.id, wish.fleet, wish.threshold,
        )  # fmt: skip
        short: list[str] = []
        while (space := spread.choose(need)) is not None:
            host, now = self._hosts.get(space.host_id), self._clock.now()
            assert host is not None  # nobody removes one while servers are chosen for
            try:
                given = host.give_ports(ports, now)
            except NoPortLeft as error:
                short.append(str(error))
                spread.short_of_ports(host.id, need.ports)
                continue
            self.trouble.pop(server.id, None)
            spread.promise(space, need)
            held = tuple(held_numbers(host.id, given))
            return Placement(server.id, host.id, host.address, _encode(given).decode(), held, now, now + self._ready)
        self._waits(server, " and ".join(short) or spread.why_none(need))
        return None

    async def tell(self) -> None:
        """Tell hosts of placed servers that they have not been told of."""
        for server in await self._db.read(placing.placed, 1000):
            host = self._hosts.get(server.host_id)
            if host is None:
                continue
            if not host.answers:
                self.trouble[server.id] = f"host {host.id} does not answer"
            elif (lacking := self._reach.lacking(server)) is not None:
                self._waits(server, lacking)
            elif (host.id, server.id) not in self._tasks:
                task = asyncio.create_task(self._start(host, server))
                self._tasks[host.id, server.id] = task
                task.add_done_callback(partial(self._told, host.id, server.id))

    def _waits(self, server: Server, why: str) -> None:
        """Keep it for its owner, and tell the operator once."""
        if self.trouble.get(server.id) != why:
            log.warning("server %s of app %s waits: %s", server.id, server.app_id, why)
        self.trouble[server.id] = why

    def _told(self, host_id: str, server_id: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get((host_id, server_id)) is task:
            del self._tasks[host_id, server_id]
        if not task.cancelled() and task.exception() is not None:
            log.error("telling the host of server %s failed; it is told again", server_id, exc_info=task.exception())
            self._bell.ring()

    async def _start(self, host: Host, server: Server) -> None:
        facts = await self._db.read(placing.launch_facts, server.id)
        if facts is None or facts.server.host_id != host.id:
            return
        try:
            if server.id not in host.engine.reports():  # otherwise its program has its ports already
                self._reach.check(server)
            try:
                report = await self._start_on(host, facts)
            except ImageMissing as error:
                await self._bring_image(host, facts, str(error))
                report = await self._start_on(host, facts)
            self.trouble.pop(server.id, None)
            self._tries.pop(server.id, None)
        except HostUnavailable as error:
            self.trouble[server.id] = f"host {host.id} does not answer: {error}"
            log.warning("server %s cannot be started now: %s", server.id, error)
            await self._clock.sleep(1.0)
            self._bell.ring()
            return
        except PortTaken as error:
            await self._place_anew(host, facts.server, str(error))
            return
        except Exception as error:
            if not isinstance(error, NotStarted):
                log.exception("starting server %s failed", server.id)
            now = self._clock.now()
            report = Report(server.id, "", now, None, Ended(EndedBy.NOT_STARTED, None, now, str(error)))
        self._reporting.add(host.id, report)

    async def _start_on(self, host: Host, facts: LaunchFacts) -> Report:
        async with self._slots.setdefault(host.id, asyncio.Semaphore(_TOLD_AT_ONCE)):
            return await host.engine.start(self._launches.launch(facts))

    async def _bring_image(self, host: Host, facts: LaunchFacts, why: str) -> None:
        """Its time to start is counted from when the image is there."""
        server = facts.server
        log.info("server %s waits for its image: %s", server.id, why)
        self.trouble[server.id] = f"the image of its build is on its way to host {host.id}"
        now = self._clock.now()
        await self._db.write(placing.give_time, server, now + round(_BRINGING * SECOND))
        await self._bring(host, facts.build)
        await self._db.write(placing.give_time, server, self._clock.now() + self._ready)

    async def _place_anew(self, host: Host, server: Server, why: str) -> None:
        """Somebody else has its port: it gets others, a few times."""
        now = self._clock.now()
        self._tries[server.id] += 1
        if self._tries[server.id] >= _MOST_TRIES:
            ended = Ended(EndedBy.NOT_STARTED, None, now, f"{why}, and so were the other ports that it was given")
            self._reporting.add(host.id, Report(server.id, "", now, None, ended))
            return
        if await self._db.write(placing.back_to_wanted, server, now + self._wanted, now):
            log.warning("server %s gets other ports: host %s: %s", server.id, host.id, why)
            host.take_back(given_ports(server.ports), now)
            self.trouble[server.id] = f"host {host.id}: {why}"
            self._bell.ring()

    async def call_off(self, host_id: str) -> None:
        """A host is not told any more: it is lost, or goes. What it took in nevertheless it reports when back."""
        tasks = [task for (told, _), task in self._tasks.items() if told == host_id]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    async def close(self) -> None:
        """Let go of what is being told. The next house tells it again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _machine(host: Host) -> str:
    return host.machine or host.id


def _space(host: Host, promised: tuple[float, float], wanted: Sequence[Server]) -> HostSpace:
    known = host.engine.reports()
    return HostSpace(
        host.id,
        _machine(host),
        host.locations,
        host.cpu,
        host.memory_mb,
        *promised,
        runs_images=host.images is not None,
        architecture=host.architecture,
        shut="" if host.is_open else host.state.value,
        ports=_MANY,
        knows=frozenset(server.id for server in wanted if server.id in known),
        fleet=host.fleet,
    )
