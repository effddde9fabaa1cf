"""The hosts of the house: an engine each, with what it has to give out. Made by ``inn.py``, used by the passes.

Which hosts there are may change while the house is open: :class:`Hosts` is the set of the moment. The keeper takes
them on and lets them go, ``passes/living.py`` follows whether they answer, ``hostbook.py`` has the operator's verbs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from innkeeper.engines.base import Abilities, Engine, Transport
from innkeeper.engines.images import ImageStore
from innkeeper.engines.ports import NoPortLeft, PortTable
from innkeeper.hostspecs import METAL, HostSpec
from innkeeper.kit.clock import Clock

from .model import GivenPort, PortSpec

#: The transport of a port whose TLS is ended for the game; and whose public numbers on this machine are held under
#: this name, when the server itself is elsewhere.
TLS = "tls"
#: The transport of a port that is one number for both.
BOTH = "tcp+udp"


class HostState(StrEnum):
    """How a host stands."""

    UP = "up"  #: answers, and takes servers
    DRAINING = "draining"  #: answers, takes no servers, and keeps those it has until their rooms have ended
    SILENT = "silent"  #: does not answer, or has just come back; nothing is placed there, its rooms go on
    LOST = "lost"  #: was silent for too long: its rooms have ended, and what still runs there ends when it comes back


@dataclass(frozen=True, slots=True)
class TlsDoor:
    """Where TLS is ended for servers that are elsewhere: this machine."""

    ports: PortTable  #: that its public ports come from
    address: str  #: where players reach it


@dataclass(slots=True)
class Host:
    """A machine reached through an engine."""

    id: str
    engine: Engine
    ports: PortTable  #: hosts of one machine may share one
    address: str  #: where players reach it
    locations: frozenset[str] = frozenset()  #: where its servers may count as being; empty is everywhere
    cpu: float = float("inf")  #: processors to give out
    memory_mb: float = float("inf")  #: MiB to give out
    images: ImageStore | None = None  #: where servers are containers; None: they are programs
    machine: str = ""  #: hosts with the same one share its processors and memory; empty: it has them alone
    draining: bool = False  #: no new servers; those that run serve their rooms to the end
    published: bool = True  #: whether containers listen on a port of their own, which the host's port leads to
    tls: TlsDoor | None = None  #: where TLS is ended for its servers; None: right there, on this machine
    tls_moves: int = 0  #: grows whenever a port with the transport ``tls`` is given out or comes back
    #: why people cannot be kept away from its servers, to go behind "on host X"; empty where they can
    unguarded: str = "nobody has found out whether rules can be held"
    guarded_moves: int = 0  #: grows whenever a guarded server is given ports there
    spec: HostSpec | None = None  #: what the operator said of it; None for this machine
    added: bool = False  #: by command, and not in the settings
    architecture: str | None = None  #: of the images it can run; None until it has told
    abilities: Abilities | None = None  #: told when it was opened
    settled: bool = False  #: it answers, and what it runs was compared with the record since it last came back
    lost: bool = False  #: its servers were written off since it last answered
    missed: bool = False  #: those who listen were told that it is silent or lost, and not yet that it is back
    since: int = 0  #: when it came up, went silent or was lost, microseconds since the epoch
    up_since: int = 0  #: when it last came up, or the house opened on it
    fleet: str = ""  #: it is set aside for this fleet's servers; empty: it is common
    hosting: str = METAL  #: whose machine it is, of ``hostspecs.HOSTINGS``

    def serves(self, location: str) -> bool:
        """Whether its servers may count as being there."""
        return not self.locations or location in self.locations

    @property
    def answers(self) -> bool:
        """Whether it can be asked anything now."""
        return self.engine.silent_since is None

    @property
    def is_open(self) -> bool:
        """Whether servers can be placed there now, as far as its life goes."""
        return self.answers and self.settled and not self.draining

    @property
    def state(self) -> HostState:
        """How it stands, for people."""
        if self.lost:
            return HostState.LOST
        if not (self.answers and self.settled):
            return HostState.SILENT
        return HostState.DRAINING if self.draining else HostState.UP

    def give_ports(self, wanted: Sequence[PortSpec], now: int) -> list[GivenPort]:
        """Ports for a server: all or none. Raises :class:`innkeeper.engines.ports.NoPortLeft`.

        A port with the transport ``tls`` takes two numbers: one that players dial, where TLS is ended, and one on the
        host, which the program binds. A program in a container binds the number that its release says, and for a port
        of 0 the one that players dial.
        """
        # What players dial is bound inside too: it may not be what another port has there.
        inside = {port.port for port in wanted if port.port} if any(not port.port for port in wanted) else set[int]()
        own = self.ports.take(len(wanted), [transports_of(port.transport) for port in wanted], now, inside)
        door = self.ports if self.tls is None else self.tls.ports
        count = sum(port.transport == TLS for port in wanted)
        try:
            public = iter(door.take(count, [Transport.TCP] * count, now, inside) if count else ())
        except NoPortLeft:
            self.ports.put_back(own)  # without a rest, or asking in vain would use them all up
            raise
        self.tls_moves += count
        address = "" if self.tls is None else self.tls.address
        contained = self.images is not None and self.published
        given: list[GivenPort] = []
        for port, number in zip(wanted, own, strict=True):
            if port.transport == TLS:
                dialled = next(public)
                bound = (port.port or dialled) if contained else 0
                given.append(GivenPort(port.name, TLS, dialled, number, address, bound, awaited=port.awaited))
            else:
                bound = port.port if contained else 0
                given.append(GivenPort(port.name, port.transport, number, inside=bound, awaited=port.awaited))
        return given

    def take_back(self, given: Sequence[GivenPort], now: int) -> None:
        """The ports of a server that is gone, or never was: they rest, then are free again."""
        for host_id, number in held_numbers(self.id, given):
            if host_id == self.id:
                self.ports.release(number, now)
            elif self.tls is not None:
                self.tls.ports.release(number, now)
        self.tls_moves += sum(port.transport == TLS for port in given)


def transports_of(transport: str) -> tuple[Transport, ...]:
    """By what a program's port is reached: by both, where it says so. Whoever ends TLS speaks plain TCP to it."""
    if transport == BOTH:
        return Transport.TCP, Transport.UDP
    return (Transport.TCP if transport == TLS else Transport(transport),)


def held_numbers(host_id: str, given: Sequence[GivenPort]) -> Iterator[tuple[str, int]]:
    """Every number that these ports take, with the host whose it is, or :data:`TLS`: what is kept in ``held_ports``."""
    for port in given:
        if port.behind:
            yield host_id, port.behind
        yield (TLS if port.behind and port.host else host_id), port.number


class Hosts:
    """The hosts there are now, in the order in which they came."""

    def __init__(self, hosts: Iterable[Host] = ()) -> None:
        self._by_id: dict[str, Host] = {}
        for host in hosts:
            self.add(host)

    def add(self, host: Host) -> None:
        """Take one in. Two of one id are a mistake."""
        if host.id in self._by_id:
            raise ValueError(f"there is a host {host.id} already")
        self._by_id[host.id] = host

    def remove(self, host_id: str) -> Host | None:
        """Take one out; None when there is none."""
        return self._by_id.pop(host_id, None)

    def get(self, host_id: str | None) -> Host | None:
        """The host of that id, if there is one."""
        return self._by_id.get(host_id or "")

    def __iter__(self) -> Iterator[Host]:
        """Those of the moment at which the walk begins."""
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)


@dataclass(frozen=True, slots=True)
class Lack:
    """Why no server can be started at a location now, in a sentence for people."""

    text: str
    fleets: frozenset[str] = frozenset()  #: whose servers can be started nevertheless: they have hosts of their own


class Spaces:
    """Says at once where no server can be started, so that nobody waits for one in vain."""

    def __init__(self, hosts: Hosts, clock: Clock) -> None:
        self._hosts, self._clock = hosts, clock

    def lacking(self, location: str) -> Lack | None:
        """Why no server can be started at a location now; None when any can be, as far as ports and silence go."""
        now = self._clock.now()
        fleets: set[str] = set()
        for host in self._hosts:
            if host.serves(location) and host.answers and not host.draining and host.ports.any_free(now):
                if not host.fleet:
                    return None
                fleets.add(host.fleet)
        there = [host for host in self._hosts if host.serves(location)]
        return Lack(_why_none([host for host in there if not host.fleet], location, bool(there)), frozenset(fleets))


def _why_none(hosts: Sequence[Host], location: str, set_aside: bool) -> str:
    """The sentence for people where none of a location's common hosts can take a server.

    ``set_aside``: there are others, of whom is said no more than that: they may be anybody's.
    """
    if not hosts and set_aside:
        return f"no host at {location} but those that are set aside for a fleet, and none of those takes it"
    if not hosts:
        return f"no host of this house serves {location}"
    return " and ".join(
        f"host {host.id} does not answer"
        if not host.answers
        else f"host {host.id} is drained"
        if host.draining
        else f"host {host.id} has {host.ports.shortage()}"
        for host in hosts
    )
