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
from pathlib import Path
from typing import Protocol

import msgspec

from innkeeper.db.database import Database
from innkeeper.engines.base import Ended, EndedBy, HostUnavailable, ImageMissing, NotStarted, PortTaken, Report
from innkeeper.engines.ports import NoPortLeft
from innkeeper.hosting.addresses import given_ports
from innkeeper.hosting.hosts import Host, Hosts, held_numbers
from innkeeper.hosting.hostspaces import are_limited, spaces_of
from innkeeper.hosting.launching import Launches
from innkeeper.hosting.model import Build, BuildState, PortSpec, Server, ServerState
from innkeeper.hosting.placement import HostSpace, Need, Spread
from innkeeper.hosting.plans import read_plan
from innkeeper.hosting.pulling import Pulls
from innkeeper.hosting.queries import placing, servers
from innkeeper.hosting.queries.placing import LaunchFacts, Placement, Wish
from innkeeper.hosting.restarting import is_past
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
#: Seconds between two looks for what is known of servers that wait no more.
_FORGET_EVERY = 60.0
#: A server is given other ports so often, when somebody else has those it was given.
_MOST_TRIES = 20

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


class Guards(Protocol):
    """Who keeps people away from servers that are not for everybody: ``guarding.py``."""

    async def prove(self) -> None:
        """Find out, once, where that can be done: ``Host.unguarded``."""
        ...

    def lacking(self, server: Server) -> str | None:
        """Why its host must not be told of it yet: everybody could reach it. None when nothing is in the way."""
        ...


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
        guards: Guards | None = None,
        pulls: Pulls | None = None,
        *,
        placing_seconds: float,
        ready_seconds: float,
    ) -> None:
        self._db, self._clock, self._bell, self._launches, self._reporting = db, clock, bell, launches, reporting
        self._hosts, self._bring, self._reach, self._guards = hosts, bring, reach or AllReach(), guards
        self._pulls = pulls
        self._wanted, self._ready = round(placing_seconds * SECOND), round(ready_seconds * SECOND)
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}  # (host, server) -> who tells
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._tries: Counter[str] = Counter()  # how often a server met a port that somebody else had
        self._next_forgetting = 0
        self.next_start: int | None = None  #: when the next of those is due that are to be started again
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
        if self._guards is not None and any(wish.guarded for wish in wishes.values()):
            await self._guards.prove()
        spread = Spread(await self._spaces(wanted))
        wanted = [server for server in wanted if not await self._in_vain(server, wishes[server.id])]
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

    async def _in_vain(self, server: Server, wish: Wish) -> bool:
        """Whether what it runs is not there: it waits for that, or is over where that has failed."""
        if wish.build is BuildState.FAILED:
            now = self._clock.now()
            reason = f"what it runs could not be had: {wish.build_detail}"
            await self._db.write(placing.over, server, ServerState.FAILED, reason, now, now)
        elif wish.build is not BuildState.SUCCEEDED:
            self._waits(server, "the image of its build is still being fetched")
        return wish.build is not BuildState.SUCCEEDED

    async def _spaces(self, wanted: Sequence[Server]) -> list[HostSpace]:
        hosts = list(self._hosts)
        counted = len(hosts) > 1 or are_limited(hosts)
        used = await self._db.read(placing.used_of_hosts) if counted else {}
        return spaces_of(hosts, used, [server.id for server in wanted])

    def _choose(self, server: Server, wish: Wish, spread: Spread) -> Placement | None:
        release = wish.release
        ports = msgspec.json.decode(release.ports, type=list[PortSpec])
        need = Need(
            server.location, wish.cpu, wish.memory_mb, wish.image is not None, wish.architecture, len(ports),
            server.id, wish.fleet, wish.threshold, tuple(wish.hosts), wish.guarded,
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
            host.guarded_moves += need.guarded
            held = tuple(held_numbers(host.id, given))
            until = now + self._ready_in(wish.start_seconds)
            return Placement(server.id, host.id, host.address, _encode(given).decode(), held, now, until)
        self._waits(server, " and ".join(short) or spread.why_none(need))
        return None

    async def tell(self) -> None:
        """Tell hosts of placed servers that they have not been told of, and of those that are started again."""
        self.next_start = None
        for server, due in await self._db.read(placing.placed, 1000):
            host = self._hosts.get(server.host_id)
            if host is None:
                continue
            if due > self._clock.now():
                self.next_start = due if self.next_start is None else min(due, self.next_start)
                continue
            if not host.answers:
                self.trouble[server.id] = f"host {host.id} does not answer"
            elif (lacking := self._lacking(server)) is not None:
                self._waits(server, lacking)
            elif (host.id, server.id) not in self._tasks:
                task = asyncio.create_task(self._start(host, server))
                self._tasks[host.id, server.id] = task
                task.add_done_callback(partial(self._told, host.id, server.id))
        await self._forget()

    async def _forget(self) -> None:
        """Of servers that ended while they waited nothing is kept. Now and then: it is memory, and not a lie."""
        now = self._clock.now()
        if now < self._next_forgetting:
            return
        self._next_forgetting = now + round(_FORGET_EVERY * SECOND)
        known = [*{*self.trouble, *self._tries}]
        if known:
            for gone in {*known} - set(await self._db.read(placing.waiting_of, known)):
                self.trouble.pop(gone, None)
                self._tries.pop(gone, None)

    def _lacking(self, server: Server) -> str | None:
        lacking = self._reach.lacking(server)
        return lacking if lacking is not None or self._guards is None else self._guards.lacking(server)

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
        try:
            await self._tell(host, server)
        finally:
            if self._pulls is not None:
                await self._pulls.drop(server.id)

    async def _tell(self, host: Host, server: Server) -> None:
        facts = await self._db.read(placing.launch_facts, server.id)
        if facts is None or facts.server.host_id != host.id:
            return
        files: Path | None = None
        try:
            known = host.engine.reports().get(server.id)
            if known is not None and known.ended is not None and is_past(facts.server, known.handle):
                # Nobody else has the host forget that run: what came late would hit the one that follows it.
                log.info("server %s is started again", server.id)
                await host.engine.forget(server.id)
            elif known is None:  # otherwise its program has its ports already
                self._reach.check(server)
            try:
                files = await self._files(host, facts)
                report = await self._start_on(host, facts, files)
            except ImageMissing as error:
                await self._bring_image(host, facts, str(error))
                report = await self._start_on(host, facts, files)
            self.trouble.pop(server.id, None)
            self._tries.pop(server.id, None)
        except HostUnavailable as error:
            self.trouble[server.id] = f"host {host.id} does not answer: {error}"
            log.warning("server %s cannot be started now: %s", server.id, error)
            await self._clock.sleep(1.0)
            self._bell.ring()
            return
        except PortTaken as error:
            if facts.server.ready_at is None:
                await self._place_anew(host, facts.server, str(error))
            else:  # players know its ports: it waits for them
                self.trouble[server.id] = f"host {host.id}: {error}"
                await self._clock.sleep(1.0)
                self._bell.ring()
            return
        except Exception as error:
            if not isinstance(error, NotStarted):
                log.exception("starting server %s failed", server.id)
            now = self._clock.now()
            report = Report(server.id, "", now, None, Ended(EndedBy.NOT_STARTED, None, now, str(error)))
        self._reporting.add(host.id, report)  # at once: what the host reports from now on is newer

    async def _start_on(self, host: Host, facts: LaunchFacts, files: Path | None) -> Report:
        async with self._slots.setdefault(host.id, asyncio.Semaphore(_TOLD_AT_ONCE)):
            return await host.engine.start(self._launches.launch(facts, files))

    async def _files(self, host: Host, facts: LaunchFacts) -> Path | None:
        """What is laid over its root, where its label says so. Its time to start is counted from when that is there."""
        server, label_id = facts.server, None if facts.order is None else facts.order.label_id
        if self._pulls is None or label_id is None or server.id in host.engine.reports():
            return None
        pulls = await self._pulls.of(label_id)
        if not pulls:
            return None
        self.trouble[server.id] = "the files that it gets are on their way from their bucket"
        await self._db.write(placing.give_time, server, self._clock.now() + round(_BRINGING * SECOND))
        files = await self._pulls.bring(server.id, pulls)
        await self._give_time_to_start(facts)
        return files

    async def _bring_image(self, host: Host, facts: LaunchFacts, why: str) -> None:
        """Its time to start is counted from when the image is there."""
        server = facts.server
        log.info("server %s waits for its image: %s", server.id, why)
        self.trouble[server.id] = f"the image of its build is on its way to host {host.id}"
        now = self._clock.now()
        await self._db.write(placing.give_time, server, now + round(_BRINGING * SECOND))
        await self._bring(host, facts.build)
        await self._give_time_to_start(facts)

    async def _give_time_to_start(self, facts: LaunchFacts) -> None:
        seconds = read_plan(None if facts.order is None else facts.order.plan).start_seconds
        await self._db.write(placing.give_time, facts.server, self._clock.now() + self._ready_in(seconds))

    def _ready_in(self, seconds: int | None) -> int:
        """How long a server may take to bind its ports, in microseconds; None: as long as any."""
        return self._ready if seconds is None else seconds * SECOND

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
