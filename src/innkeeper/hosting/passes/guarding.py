"""Makes rules of access stand: before a host is told of a guarded server, and for as long as its program may run.

``keep`` is a step of the keeper's pass, after servers are placed and before hosts are told of them. It costs nothing
while no guarded server came or went. Where rules cannot be held, no guarded server is placed (``Host.unguarded``);
where they could and cannot now, guarded servers wait. What stood stays, whatever becomes of this house.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from innkeeper.db.database import Database
from innkeeper.engines.firewall.nftables import FirewallAway
from innkeeper.engines.firewall.walls import Listed, Walls, listed
from innkeeper.hosting.access import network_of
from innkeeper.hosting.addresses import given_ports
from innkeeper.hosting.hosts import Host, Hosts
from innkeeper.hosting.model import Server
from innkeeper.hosting.queries import access as queries
from innkeeper.hosting.queries.access import Guarded
from innkeeper.hostspecs import LOCAL
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.ids import Chance
from innkeeper.kit.retry import for_ever

log = logging.getLogger(__name__)

#: Seconds between two looks at what stands, while something is guarded: other programs can take rules away.
_LOOK_EVERY = 10.0
#: Seconds until it is tried again whether rules can be held, where they could not.
_PROVE_EVERY = 60.0
#: A pass waits so many seconds for the firewall; the next ones find it done.
_WAITED_FOR = 2.0


class Firewall(Protocol):
    """What keeps people away from ports of this machine: ``engines/firewall``, or what a test pretends."""

    async def why_not(self, engine: str = "") -> str:
        """Why it cannot for servers of this machine, as far as one sees it without trying; else empty.

        ``engine`` is the socket of the container engine that runs them; empty: they are programs.
        """
        ...

    async def prove(self) -> str:
        """The same by trying."""
        ...

    async def hold(self, walls: Walls) -> bool:
        """Make exactly this stand. False: it did already. Raises ``FirewallAway``."""
        ...


class Guarding:
    """One for a house. ``wanted`` False: no guarded server is placed any more; those that run stay guarded."""

    def __init__(
        self, db: Database, clock: Clock, chance: Chance, bell: Bell, hosts: Hosts, firewall: Firewall, *,
        wanted: bool = True,
    ) -> None:  # fmt: skip
        self._db, self._clock, self._chance, self._bell = db, clock, chance, bell
        self._hosts, self._firewall, self._wanted = hosts, firewall, wanted
        self._guarded: Mapping[str, Guarded] = {}  # by server: all that are guarded, as of the last look
        self._walls = Walls()  # what shall stand, as of the last look
        self._numbers: Collection[int] = ()  # of those that are alive on record
        self._held: Walls | None = None  # what stands, as far as we know
        self._tried: Walls | None = None  # what was tried last
        self._moves: list[tuple[str, int]] | None = None
        self._changed = False
        self._next_look = self._next_check = self._next_try = self._next_proof = 0
        self._failures = 0
        self._proven = False
        self._task: asyncio.Task[None] | None = None
        self.trouble = ""  #: why rules cannot be made to stand now; empty while they can

    # -- where rules can be held -----------------------------------------------------------------------------------

    async def look_at(self, host: Host) -> None:
        """A host has come: find out whether rules can be held there."""
        if not self._wanted:
            host.unguarded = 'the setting firewall is "none"'
        elif host.machine != LOCAL:
            host.unguarded = "it is another machine than Innkeeper's"
        else:
            socket = "" if host.spec is None else host.spec.engine.removeprefix("unix://")
            host.unguarded = await self._firewall.why_not(socket)

    async def prove(self) -> None:
        """Servers are to be placed that are guarded. Try once whether that can be done, and again while it cannot."""
        now = self._clock.now()
        if self._proven or not self._wanted or now < self._next_proof:
            return
        self._next_proof = now + round(_PROVE_EVERY * SECOND)
        here = [host for host in self._hosts if host.machine == LOCAL]
        for host in here:
            await self.look_at(host)
        usable = [host for host in here if not host.unguarded]
        if usable and (why := await self._firewall.prove()):
            log.error("rules of access cannot be held on this machine: %s", why)
            for host in usable:
                host.unguarded = why
        self._proven = all(not host.unguarded for host in here)

    # -- that they stand -------------------------------------------------------------------------------------------

    def look_soon(self) -> None:
        """A list has changed."""
        self._changed = True
        self._bell.ring()

    def lacking(self, server: Server) -> str | None:
        """Why a server's host must not be told of it yet: nobody would be kept away. None when nothing is in the way,
        as with all that are not guarded."""
        if server.id not in self._guarded:
            return None
        held, wanted = self._held or Walls(), self._walls
        stand = all(
            held.open_to.get(port) == wanted.open_to.get(port) if port in wanted.open_to else port in held.inner
            for port in numbers_of(server)
        )
        if stand and not self._failures:
            return None
        return f"its rules of access do not stand yet{': ' if self.trouble else ''}{self.trouble}"

    async def keep(self) -> None:
        """One step of the pass. Never raises for a firewall that refuses: servers that are open are not its matter."""
        await self._look()
        while self._task is not None or self._is_due():
            if self._task is None:
                self._task = asyncio.create_task(self._hold(self._walls))
            task = self._task
            done, _ = await asyncio.wait([task], timeout=_WAITED_FOR)
            if not done:
                task.add_done_callback(lambda _: self._bell.ring())
                return
            self._task = None
            task.result()

    async def close(self) -> None:
        """Let go. What stands stays: so do the servers."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _look(self) -> None:
        """What shall stand: read when a guarded server came or went, when a list has changed, and now and then."""
        moves, now, first = self._moved(), self._clock.now(), self._moves is None
        if not (first or self._changed or moves != self._moves or now >= self._next_look or self._any_gone()):
            return
        self._changed = False
        try:
            found = await self._db.read(queries.guarded_servers)
            left = await self._left({one.server.id for one in found}, first)
            every = [*found, *left]
            labels = sorted({one.label_id for one in every if one.label_id is not None})
            cidrs = await self._db.read(queries.listed_addresses, labels) if labels else {}
            if first and not every and await self._is_clear():
                self._held = Walls()
        except BaseException:
            self._changed = True
            raise
        self._guarded = {one.server.id: one for one in every}
        self._walls = walls_of(found, left, cidrs, self._is_used)
        self._numbers = [number for one in found for number in numbers_of(one.server)]
        self._moves, self._next_look = moves, now + round(_LOOK_EVERY * SECOND)

    async def _left(self, alive: Collection[str], first: bool) -> list[Guarded]:
        """Those that are over on record while what they ran may not be: their host cannot be asked, or runs it yet."""
        if first:  # an earlier house knew
            shut = [host.id for host in self._hosts if host.machine == LOCAL and not host.answers]
            return await self._db.read(queries.left_on, shut) if shut else []
        return [one for server_id, one in self._guarded.items() if server_id not in alive and self._may_run(one.server)]

    async def _is_clear(self) -> bool:
        """Whether no house before us can have left anything, or we could not take it away."""
        return not await self._db.read(queries.ever_guarded) or bool(await self._firewall.why_not())

    def _may_run(self, server: Server) -> bool:
        host = self._hosts.get(server.host_id)
        if host is None:
            return False
        report = host.engine.reports().get(server.id)
        return not host.answers or host.lost or (report is not None and report.alive)

    def _is_used(self, port: int) -> bool:
        return any(host.ports.uses(port) for host in self._hosts if host.machine == LOCAL)

    def _any_gone(self) -> bool:
        """Whether ports of a guarded server came back: somebody else may have them soon."""
        return any(not self._is_used(number) for number in self._numbers)

    def _moved(self) -> list[tuple[str, int]]:
        return [(host.id, host.guarded_moves) for host in self._hosts]

    def _is_due(self) -> bool:
        now = self._clock.now()
        if self._failures and self._walls == self._tried:
            return now >= self._next_try
        return self._walls != self._held or (bool(self._walls) and now >= self._next_check)

    async def _hold(self, walls: Walls) -> None:
        self._tried = walls
        try:
            again = await self._firewall.hold(walls) and walls == self._held
        except FirewallAway as error:
            self._failed(str(error))
            return
        if again:
            log.warning("rules of access of %d ports had been taken away, and stand again", len(walls.open_to))
        self._held, self._failures, self.trouble = walls, 0, ""
        self._next_check = self._clock.now() + round(_LOOK_EVERY * SECOND)

    def _failed(self, why: str) -> None:
        if why != self.trouble or not self._failures:
            log.error("rules of access do not stand: %s; it is tried again, and guarded servers wait", why)
        self._failures += 1
        self.trouble = why
        self._next_try = self._clock.now() + round(for_ever(self._failures, self._chance.fraction()) * SECOND)


def numbers_of(server: Server) -> list[int]:
    """Every number of this machine that packets for a server come to."""
    return [number for port in given_ports(server.ports) for number in (port.number, port.behind) if number]


def walls_of(
    alive: Sequence[Guarded], left: Sequence[Guarded], cidrs: Mapping[str, Sequence[str]], used: Callable[[int], bool]
) -> Walls:
    """What shall stand. Pure but for ``used``, which tells whether a number is somebody's now.

    ``left`` are over on record and may run still: a number of theirs that another server has is that one's.
    """
    lists = {label_id: _listed(tuple(texts)) for label_id, texts in cidrs.items()}
    open_to: dict[int, Listed] = {}
    inner: set[int] = set()
    for one, over in _each(alive, left):
        for port in given_ports(one.server.ports):
            if not (over and used(port.number)):
                open_to[port.number] = lists.get(one.label_id or "", _listed(()))
            if port.behind and not (over and used(port.behind)):
                inner.add(port.behind)
    return Walls(open_to, frozenset(inner))


@lru_cache(maxsize=1024)
def _listed(cidrs: tuple[str, ...]) -> Listed:
    return listed(map(network_of, cidrs))


def _each(alive: Iterable[Guarded], left: Iterable[Guarded]) -> Iterable[tuple[Guarded, bool]]:
    # Those that are over come first: a number that both have is the living one's.
    yield from ((one, True) for one in left)
    yield from ((one, False) for one in alive)
