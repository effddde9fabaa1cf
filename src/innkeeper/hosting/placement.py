"""Which server a room is seated on, and which host a server is placed on. Pure; called inside transactions.

Rooms go to the fullest server with space, so that emptier ones can run dry and be stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, auto
from math import inf, isinf


@dataclass(frozen=True, slots=True)
class Seating:
    """Where each of the rooms goes, in the order they were asked for."""

    chosen: list[str]  #: a server's id for each room
    started: list[str]  #: ids of servers that have to be wanted, in the order of their first room
    taken: dict[str, int]  #: seats newly taken, by server


def seat_rooms(spaces: Sequence[tuple[str, int]], rooms: Sequence[str], seats: int) -> Seating:
    """Seat rooms on servers of one release at one location.

    ``spaces`` are standing servers with free seats, the best one first, as ``(id, free)``; ``rooms`` has, for each
    room, the id that a new server would get if this room had to have one started; ``seats`` is a new server's size.
    """
    chosen: list[str] = []
    started: list[str] = []
    taken: dict[str, int] = {}
    open_spaces = list(reversed(spaces))
    server, free = open_spaces.pop() if open_spaces else ("", 0)
    for new_id in rooms:
        while free <= 0 and open_spaces:
            server, free = open_spaces.pop()
        if free <= 0:
            server, free = new_id, seats
            started.append(new_id)
        chosen.append(server)
        taken[server] = taken.get(server, 0) + 1
        free -= 1
    return Seating(chosen, started, taken)


@dataclass(frozen=True, slots=True)
class HostSpace:
    """A host as far as placing goes. What is promised counts for all hosts of one machine together."""

    host_id: str
    machine: str  #: hosts with the same one share its processors and memory
    locations: frozenset[str] = frozenset()  #: where its servers may count as being; empty is everywhere
    cpu: float = inf  #: processors to give out, those that are promised included
    memory_mb: float = inf  #: MiB to give out, likewise
    used_cpu: float = 0.0  #: promised to living servers of its machine
    used_memory_mb: float = 0.0
    runs_images: bool = False  #: it runs images and no programs, or the other way round
    architecture: str | None = None  #: of the images it can run; None where nobody can tell
    shut: str = ""  #: why it takes no servers now: ``silent``, ``lost``, ``draining``; empty when it does
    ports: int = 1  #: how many could be given out now
    knows: frozenset[str] = frozenset()  #: servers that it has something of, perhaps from before it was lost
    fleet: str = ""  #: it is set aside for this fleet's servers; empty: it is common
    unguarded: str = ""  #: why people cannot be kept away from its servers; empty where they can

    def serves(self, location: str) -> bool:
        """Whether its servers may count as being there."""
        return not self.locations or location in self.locations

    @property
    def left(self) -> tuple[float, float]:
        """Processors and MiB that are not promised; never below nothing."""
        return max(0.0, self.cpu - self.used_cpu), max(0.0, self.memory_mb - self.used_memory_mb)

    def promised(self, cpu: float, memory_mb: float) -> HostSpace:
        """The same with so much more promised on its machine."""
        return replace(self, used_cpu=self.used_cpu + cpu, used_memory_mb=self.used_memory_mb + memory_mb)


@dataclass(frozen=True, slots=True)
class Need:
    """What a server needs of a host."""

    location: str
    cpu: float = 0.0
    memory_mb: float = 0.0
    image: bool = False  #: its build is an image and not a program
    architecture: str | None = None  #: that its image is made for; None where nobody can tell
    ports: int = 1
    server_id: str = ""
    fleet: str = ""  #: whose hosts it may use beside the common ones; empty: none
    threshold: float = 100.0  #: percent of the fleet's own processors; above it the common hosts go first
    first: tuple[str, ...] = ()  #: hosts that are tried before all others, in this order
    guarded: bool = False  #: only those who are listed may reach it


class Stage(IntEnum):
    """How far a host comes towards taking a server: what is in its way, the plainest obstacle first."""

    ELSEWHERE = auto()  #: it does not serve the location
    SET_ASIDE = auto()  #: it is there for the servers of another fleet alone
    KIND = auto()  #: it runs programs and the build is an image, or the other way round
    ARCHITECTURE = auto()  #: its machine cannot run the image
    UNGUARDED = auto()  #: everybody could reach a server there of which only some shall
    SHUT = auto()  #: it does not answer, was lost, or is drained
    FULL = auto()  #: too little of its processors or memory is left
    NO_PORTS = auto()
    REMAINS = auto()  #: something of this very server is still there, from before the host was lost
    FITS = auto()


def stage_of(host: HostSpace, need: Need) -> Stage:
    """What keeps a host from taking a server, or FITS."""
    cpu, memory_mb = host.left
    checks = (
        (Stage.ELSEWHERE, host.serves(need.location)),
        (Stage.SET_ASIDE, host.fleet in ("", need.fleet)),
        (Stage.KIND, host.runs_images == need.image),
        (Stage.ARCHITECTURE, not need.image or None in (host.architecture, need.architecture)
         or host.architecture == need.architecture),
        (Stage.UNGUARDED, not (need.guarded and host.unguarded)),
        (Stage.SHUT, not host.shut),
        (Stage.FULL, cpu >= need.cpu and memory_mb >= need.memory_mb),
        (Stage.NO_PORTS, host.ports >= need.ports),
        (Stage.REMAINS, need.server_id not in host.knows),
    )  # fmt: skip
    return next((stage for stage, holds in checks if not holds), Stage.FITS)


def overflows(hosts: Iterable[HostSpace], need: Need) -> bool:
    """Whether a fleet uses more of its own hosts there than it wants to: more percent than its threshold.

    Those count that take servers now, and each machine once. One without a limit never fills up.
    """
    whole: dict[str, float] = {}
    used: dict[str, float] = {}
    for host in hosts:
        if host.fleet and host.fleet == need.fleet and host.serves(need.location) and not host.shut:
            whole[host.machine] = max(host.cpu, whole.get(host.machine, 0.0))
            used[host.machine] = host.used_cpu
    # Multiplied out: a whole of nothing, or without end, is divided by nowhere.
    return 100 * sum(used.values()) > need.threshold * sum(whole.values())


def choose_host(hosts: Iterable[HostSpace], need: Need) -> HostSpace | None:
    """The best of the hosts that can take the server, or None.

    A server of a fleet goes to the hosts that are set aside for it, and to common ones where those have no place. Past
    the fleet's threshold it is the other way round. A server without one goes to common hosts alone.

    A host that names the location goes before one that serves every one: somebody said that it is there. Hosts with
    limits are packed, the fullest by its scarcer part first, so that the others keep room for large servers. Those
    without come after them and are spread by the processors promised, for nobody knows when they are full.
    """
    hosts = list(hosts)
    fitting = [host for host in hosts if stage_of(host, need) is Stage.FITS]
    first = "" if need.fleet and overflows(hosts, need) else need.fleet
    return min(fitting, key=lambda host: (_named(host, need), host.fleet != first, *_rank(host, need)), default=None)


def _named(host: HostSpace, need: Need) -> int:
    """The place of a host among those that were named for the server; all others come after them."""
    return need.first.index(host.host_id) if host.host_id in need.first else len(need.first)


def _rank(host: HostSpace, need: Need) -> tuple[bool, bool, float, str]:
    if isinf(host.cpu) and isinf(host.memory_mb):
        return not host.locations, True, host.used_cpu, host.host_id
    shares = [
        (used + needed) / whole
        for used, needed, whole in (
            (host.used_cpu, need.cpu, host.cpu),
            (host.used_memory_mb, need.memory_mb, host.memory_mb),
        )
        if whole > 0
    ]
    return not host.locations, False, -max(shares, default=0.0), host.host_id


def why_no_host(hosts: Sequence[HostSpace], need: Need) -> str:
    """The sentence for the server's owner where no host takes it: what keeps those away that came nearest."""
    told = _nearest_reason(hosts, need)
    if not need.fleet:
        return told
    own = any(host.fleet == need.fleet and host.serves(need.location) for host in hosts)
    return (
        f"{told} (neither a host of its fleet nor a common one)"
        if own
        else (f"{told} (its fleet has no host of its own there)")
    )


def _nearest_reason(hosts: Sequence[HostSpace], need: Need) -> str:
    stages = [(stage_of(host, need), host) for host in hosts]
    furthest = max((stage for stage, _ in stages), default=Stage.ELSEWHERE)
    nearest = [host for stage, host in stages if stage is furthest]
    ids = ", ".join(host.host_id for host in nearest)
    match furthest:
        case Stage.ELSEWHERE:
            return f"no host of this house serves {need.location}"
        case Stage.SET_ASIDE:
            return f"the hosts at {need.location} are set aside for the servers of other fleets"
        case Stage.KIND if need.image:
            return f"the build is an image, and no host at {need.location} has a container engine"
        case Stage.KIND:
            return f"the build is a program, and the hosts at {need.location} run images alone"
        case Stage.ARCHITECTURE:
            found = " and ".join(sorted({host.architecture or "" for host in nearest}))
            return f"the build is for {need.architecture}, and the hosts at {need.location} are {found}"
        case Stage.UNGUARDED:
            told = ", ".join(f"on host {host.host_id} ({host.unguarded})" for host in nearest)
            return f"its rules of access cannot be held at {need.location}: not {told}"
        case Stage.SHUT:
            told = ", ".join(f"{host.host_id} is {host.shut}" for host in nearest)
            return f"no host at {need.location} that could take it does so now: {told}"
        case Stage.FULL:
            most = _most_left(nearest, need)
            cpu, memory_mb = most.left
            left = [f"{cpu:g} CPU"] * (not isinf(cpu)) + [f"{memory_mb:g} MiB"] * (not isinf(memory_mb))
            return (
                f"no host at {need.location} has {need.cpu:g} CPU and {need.memory_mb:g} MiB of memory left; the most"
                f" that is free is {' and '.join(left)}, on host {most.host_id}"
            )
        case Stage.NO_PORTS:
            return f"no {need.ports} free port{'' if need.ports == 1 else 's'} at {need.location} (hosts: {ids})"
        case Stage.REMAINS:
            return f"what was left of it on host {ids} has to end there first"
        case Stage.FITS:
            return "a host takes it soon"


def _most_left(hosts: Sequence[HostSpace], need: Need) -> HostSpace:
    """The host that has the largest part of what is needed."""

    def held(host: HostSpace) -> float:
        return min(
            (left / needed for left, needed in zip(host.left, (need.cpu, need.memory_mb), strict=True) if needed > 0),
            default=1.0,
        )

    return max(hosts, key=lambda one: (held(one), one.host_id))


class Spread:
    """The hosts while a pass places servers on them: what one server is promised, the next does not find."""

    def __init__(self, hosts: Iterable[HostSpace]) -> None:
        self._hosts = {host.host_id: host for host in hosts}

    def choose(self, need: Need) -> HostSpace | None:
        """See :func:`choose_host`."""
        return choose_host(self._hosts.values(), need)

    def why_none(self, need: Need) -> str:
        """See :func:`why_no_host`."""
        return why_no_host(list(self._hosts.values()), need)

    def promise(self, chosen: HostSpace, need: Need) -> None:
        """The server goes there: all hosts of that machine have so much less."""
        for host in list(self._hosts.values()):
            if host.machine == chosen.machine:
                self._hosts[host.host_id] = host.promised(need.cpu, need.memory_mb)

    def short_of_ports(self, host_id: str, count: int) -> None:
        """It could not give so many ports, though it was thought to have them."""
        self._hosts[host_id] = replace(self._hosts[host_id], ports=count - 1)
