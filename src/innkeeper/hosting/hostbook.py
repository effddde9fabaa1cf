"""Verbs on hosts, for the house's operator: list, add, drain, resume, remove. Called by the house's own API.

Hosts come from three sides: this machine, the settings, and the table ``hosts``, which also keeps who is drained.
:func:`hosts_at_start` puts them together for ``inn.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from innkeeper.db.database import Database
from innkeeper.engines.base import HostUnavailable
from innkeeper.hostspecs import LOCAL, HostSpec, clashes, read_spec
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.errors import HouseError, Invalid, NotFound, Taken

from .addresses import awaited_ports
from .hosts import Host, Hosts, HostState
from .keeper import HostingKeeper
from .model import Server, ServerState
from .queries import hosts as queries
from .queries.fleets import known as fleets_known
from .queries.placing import used_of_hosts

log = logging.getLogger(__name__)
#: States in which something may be in a server's way.
_WAITING = (ServerState.WANTED, ServerState.STARTING)
#: Most programs have bound their ports by then.
_SOON = SECOND

#: Makes a host of what was said of it. Raises ``Invalid``.
Make = Callable[[HostSpec], Host]


@dataclass(frozen=True, slots=True)
class HostView:
    """A host as it stands now. Infinity is no limit."""

    name: str
    runs_images: bool
    engine: str  #: where it answers, or the kind of engine that runs programs here
    source: str  #: ``machine``, ``settings`` or ``added``
    state: str  #: of ``hosts.HostState``
    since: int  #: when it came to that, microseconds since the epoch
    locations: frozenset[str]
    address: str
    ports: str
    free_ports: int
    servers: int
    cpu: float
    free_cpu: float
    memory_mb: float
    free_memory_mb: float
    architecture: str | None
    fleet: str  #: that it is set aside for; empty is none
    hosting: str  #: of ``hostspecs.HOSTINGS``
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class ServerView:
    """A server that lives, as the operator sees it."""

    server: Server
    app_name: str
    waits: str | None  #: why it has no place yet, is not started there, or not ready; None: nothing is in its way

    @property
    def rooms(self) -> int:
        """How many have a seat on it now. Those of one that is stopping are over, though its seats are not freed."""
        return 0 if self.server.state is ServerState.STOPPING else self.server.taken


async def hosts_at_start(
    db: Database, clock: Clock, here: Iterable[Host], specs: Iterable[HostSpec], make: Make
) -> Hosts:
    """This machine's hosts, those of the settings, and those that were added; drained ones are still drained.

    One that was being taken in when the house ended is taken in now, and told.
    Raises ``Invalid`` for one that cannot be made.
    """
    hosts = Hosts(here)
    for spec in specs:
        hosts.add(_made(spec, make))
    for record in await db.read(queries.records):
        host = hosts.get(record.id)
        if not record.is_told:
            await db.write(queries.taken_in, record.id, clock.now())
        if record.spec is not None and host is not None:
            log.warning("host %s was added and is in the settings too: the settings hold", record.id)
        elif record.spec is not None:
            host = _made(read_spec(msgspec.json.decode(record.spec)), make)
            host.added = True
            hosts.add(host)
        if host is not None:
            host.draining = host.draining or record.draining
    if clash := clashes([host.spec for host in hosts if host.spec is not None], _here(hosts)):
        raise Invalid(f"{clash} (one of the settings and one that was added)")
    wanted = {host.fleet for host in hosts if host.fleet}
    for unknown in wanted - await db.read(fleets_known, sorted(wanted)) if wanted else ():
        log.warning("hosts are set aside for fleet %s, which no organisation has: no server goes there", unknown)
    return hosts


def _here(hosts: Hosts) -> tuple[str, tuple[int, int]] | None:
    """Where players reach this machine, and the range of its own ports, if it is a host."""
    for host in hosts:
        if host.spec is None or host.spec.is_ours:
            return host.address, (host.ports.first, host.ports.last)
    return None


def _how_to_end(host: Host) -> str:
    """What makes the next start do without a host that nobody added by command."""
    if host.spec is not None and not host.spec.is_ours:
        return "take it out of the settings file"
    return "set programs = false" if host.images is None else 'set container_engine = "none"'


def _notes(host: Host) -> Sequence[str]:
    """What an operator should know of it."""
    told = () if host.abilities is None else tuple(host.abilities.notes)
    if host.machine == LOCAL and host.unguarded:  # that others cannot is no news
        told = (*told, f"servers with rules of access are not started there: {host.unguarded}")
    hidden = host.draining and host.state is not HostState.DRAINING
    return (*told, "it is drained, and takes no servers when it is back") if hidden else told


def _made(spec: HostSpec, make: Make) -> Host:
    host = make(spec)
    host.spec, host.fleet, host.hosting = spec, spec.fleet, spec.hosting
    return host


class HostBook:
    """The hosts, and what their operator does with them."""

    def __init__(self, db: Database, clock: Clock, hosts: Hosts, keeper: HostingKeeper, make: Make) -> None:
        self._db, self._clock, self._hosts, self._keeper, self._make = db, clock, hosts, keeper, make
        self._changing = asyncio.Lock()  # two changes at once could both find a name free

    async def list(self) -> list[HostView]:
        """All hosts, in the order in which they came."""
        counts, used = await self._db.read(queries.counts), await self._db.read(used_of_hosts)
        return [self._view(host, counts.get(host.id, 0), used) for host in self._hosts]

    async def servers(self, host: str | None = None) -> Sequence[ServerView]:
        """The servers that live, of all apps or on one host, the oldest first. Raises NotFound for an unknown host."""
        if host is not None:
            self._host(host)
        now, trouble = self._clock.now(), self._keeper.placing.trouble
        return [
            ServerView(
                server,
                app_name,
                trouble.get(server.id) or self._awaited(server, now) if server.state in _WAITING else None,
            )
            for server, app_name in await self._db.read(queries.living, host)
        ]

    def _awaited(self, server: Server, now: int) -> str | None:
        """The ports that its program has not bound, where that takes long."""
        if server.booted_at is None or now - server.booted_at < _SOON:
            return None
        host = self._hosts.get(server.host_id)
        report = None if host is None else host.engine.reports().get(server.id)
        if report is None or report.ready_at is not None or not report.alive:
            return None
        return f"its program has not bound its ports: {awaited_ports(server.ports, report.bound)}"

    def locations(self) -> frozenset[str]:
        """Where servers may count as being; empty is everywhere."""
        each = [host.locations for host in self._hosts]
        return frozenset().union(*each) if all(each) else frozenset()

    async def get(self, name: str) -> HostView:
        """One host. Raises NotFound."""
        self._host(name)
        return next(view for view in await self.list() if view.name == name)

    async def add(self, spec: HostSpec, by: str) -> HostView:
        """Take in a machine. Raises Taken, and Invalid, also while its engine does not answer."""
        async with self._changing:
            if self._hosts.get(spec.name) is not None:
                raise Taken(f"there is a host {spec.name} already")
            specs = [*(host.spec for host in self._hosts if host.spec is not None), spec]
            if clash := clashes(specs, _here(self._hosts)):
                raise Invalid(clash)
            if spec.fleet and not await self._db.read(fleets_known, [spec.fleet]):
                raise Invalid(f"host {spec.name}: fleet: no organisation has a fleet {spec.fleet}")
            host = _made(spec, self._make)
            host.added = True
            text = msgspec.json.encode(spec).decode()
            # The intent first, for a crash may leave things of ours on the machine; who listens hears of what was done.
            if not await self._db.write(queries.intend, spec.name, text):
                raise Taken(f"there is a host {spec.name} already")
            try:
                await self._keeper.take_on(host)
                if not host.answers:
                    raise HostUnavailable("; ".join(_notes(host)) or f"there is no answer at {spec.engine}")
                await self._db.write(queries.taken_in, spec.name, self._clock.now())
            except BaseException as error:
                await self._keeper.let_go(host.id)
                await self._db.write(queries.not_taken_in, spec.name)
                log.info("host %s was not taken in", spec.name)
                if isinstance(error, HostUnavailable):
                    raise Invalid(f"host {spec.name}: engine: {error}") from None
                raise
            log.info("host %s was added by %s", spec.name, by)
        with contextlib.suppress(HouseError):  # the keeper's own pass tells
            await self._keeper.keep()  # what runs there is compared: it takes servers when we answer
        return await self.get(spec.name)

    async def drain(self, name: str, by: str) -> HostView:
        """Place nothing there any more; what is there serves its rooms to the end. Raises NotFound."""
        return await self._set_draining(name, by, draining=True)

    async def resume(self, name: str, by: str) -> HostView:
        """Place servers there again. Raises NotFound."""
        return await self._set_draining(name, by, draining=False)

    async def _set_draining(self, name: str, by: str, *, draining: bool) -> HostView:
        async with self._changing:
            host = self._host(name)
            await self._db.write(queries.set_draining, name, draining, self._clock.now())
            if host.draining is not draining:
                host.draining, host.since = draining, self._clock.now()
            self._keeper.ring()
            log.info("host %s is %s by %s", name, "drained" if draining else "used again", by)
        return await self.get(name)

    async def remove(self, name: str, by: str, *, force: bool) -> None:
        """Let a host go that was added. Raises NotFound, Invalid for one that was not, Taken while servers are there.

        ``force`` ends those servers, and their rooms with the reason that the host was removed. Taken, too, while it
        does not answer: with ``force`` what still runs there runs on, until its engine is a host of the house again.
        """
        async with self._changing:
            host = self._host(name)
            if not host.added:
                raise Invalid(f"host {name} was not added by command: {_how_to_end(host)}, or drain it")
            if not host.answers and not force:
                told = "and what may still run there cannot be ended: bring it back, or let it go as it is with --force"
                raise Taken(f"host {name} does not answer, {told}")
            counts = await self._db.read(queries.counts)
            if counts.get(name, 0) and not force:
                told = f"drain it first, or end them with --force. `innkeeper hosts servers {name}` lists them"
                raise Taken(f"servers are on host {name} ({counts[name]}): {told}")
            was_draining, host.draining = host.draining, True
            try:
                await self._keeper.let_go(name, f"host {name} was removed", empty=not force)
            except BaseException:
                host.draining = was_draining
                raise
            await self._db.write(queries.forget, name, self._clock.now(), f"removed by {by}")
            log.info("host %s was removed by %s", name, by)
            if not host.answers:
                log.warning("host %s did not answer: servers that run there run on until it is added again", name)

    def _host(self, name: str) -> Host:
        host = self._hosts.get(name)
        if host is None:
            raise NotFound(f"there is no host {name}")
        return host

    def _view(self, host: Host, servers: int, used: dict[str, tuple[float, float]]) -> HostView:
        sharing = [one.id for one in self._hosts if one.machine and one.machine == host.machine] or [host.id]
        cpu = sum(used.get(one, (0.0, 0.0))[0] for one in sharing)
        memory_mb = sum(used.get(one, (0.0, 0.0))[1] for one in sharing)
        return HostView(
            name=host.id,
            runs_images=host.images is not None,
            engine=host.engine.name if host.spec is None else host.spec.engine,
            source="added" if host.added else "machine" if host.spec is None or host.spec.is_ours else "settings",
            state=host.state.value,
            since=host.since,
            locations=host.locations,
            address=host.address,
            ports=f"{host.ports.first}-{host.ports.last}",
            free_ports=host.ports.free_count(self._clock.now()),
            servers=servers,
            cpu=host.cpu,
            free_cpu=max(0.0, host.cpu - cpu),
            memory_mb=host.memory_mb,
            free_memory_mb=max(0.0, host.memory_mb - memory_mb),
            architecture=host.architecture,
            fleet=host.fleet,
            hosting=host.hosting,
            notes=_notes(host),
        )
