"""Which port a new server gets. Called by ``hosting/placement.py`` through ``hosting/keeper.py``.

:class:`PortTable` is bookkeeping alone: time and the look at the machine are handed in. A port is reused as late as
possible, for players and networks remember where a server was: it first rests in quarantine and then queues behind
every other free port.
"""

from __future__ import annotations

import errno
import socket
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from innkeeper.kit.clock import SECOND
from innkeeper.kit.errors import LimitReached

from .base import Transport

#: Asked before a port is handed out: whether it can be bound on the host now.
Probe = Callable[[int, Transport], bool]

_UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _HIGHEST, _WIDTH = 1024, 65535, 10_000


class NoPortLeft(LimitReached):
    """Too few free ports. The text says how many there are, where they are, and which setting widens the range."""


class PortTable:
    """The ports of one host: each is free, in use, or resting in quarantine.

    ``first`` and ``last`` both belong to the range. Times are microseconds since the epoch. A number is handed out
    once for both transports, so that ``/udp`` and ``/tcp`` of a number never belong to two servers.
    """

    def __init__(
        self, first: int, last: int, quarantine_seconds: float, probe: Probe, *, setting: str = "ports"
    ) -> None:
        if not 1 <= first <= last <= _HIGHEST:
            raise ValueError(f"{setting}: a port range runs from 1 to {_HIGHEST}, first to last; got {first}-{last}")
        self.first, self.last = first, last
        self._quarantine = round(quarantine_seconds * SECOND)
        self._probe, self._setting = probe, setting
        self._free: OrderedDict[int, None] = OrderedDict.fromkeys(range(first, last + 1))
        self._used: set[int] = set()
        self._resting: dict[int, int] = {}  # port -> when its quarantine is over
        self._queue: deque[tuple[int, int]] = deque()  # (when, port), soonest first

    def take(
        self,
        count: int,
        transports: Sequence[Transport | tuple[Transport, ...]],
        now: int,
        avoided: Collection[int] = frozenset(),
    ) -> list[int]:
        """``count`` ports, the n-th good for the n-th transport, or for all of the n-th transports; all or none.

        Raises :class:`NoPortLeft`. Ports that a stranger holds are passed over and asked about again later, and so are
        those that the caller avoids.
        """
        if len(transports) != count:
            raise ValueError(f"{count} ports and {len(transports)} transports: one transport for each port")
        self._end_quarantines(now)
        taken: list[int] = []
        strangers = 0
        for wanted in transports:
            needed = (wanted,) if isinstance(wanted, Transport) else wanted
            while True:
                if strangers + len(taken) >= len(self._free) + len(taken):
                    self.put_back(taken)
                    raise NoPortLeft(self._exhausted(count, strangers))
                port, _ = self._free.popitem(last=False)
                if port not in avoided and all(self._probe(port, transport) for transport in needed):
                    break
                self._free[port] = None  # a stranger has it: behind all others
                strangers += 1
            self._used.add(port)
            taken.append(port)
        return taken

    def put_back(self, ports: Sequence[int]) -> None:
        """They were taken just now, and nobody was told of them: they are the next to be taken, without a rest."""
        for port in reversed(ports):
            self._used.discard(port)
            self._free[port] = None
            self._free.move_to_end(port, last=False)

    def release(self, port: int, now: int) -> None:
        """Its server is gone: rest, then be free again. A port that is not in use stays what it is."""
        if port in self._used:
            self._used.discard(port)
            self._rest(port, now)

    def hold(self, port: int, released_at: int | None = None) -> None:
        """Take over what the database knows after a restart: in use, or released at a time and perhaps still resting.

        Ports outside the range are kept too (the setting may have changed while servers ran), and never handed out.
        """
        if port in self._used:
            return
        if released_at is not None and self._resting.get(port, 0) >= released_at + self._quarantine:
            return  # two hosts share this table, and the other one had it later
        self._free.pop(port, None)
        self._resting.pop(port, None)
        if released_at is None:
            self._used.add(port)
        else:
            self._rest(port, released_at)

    @property
    def in_use(self) -> frozenset[int]:
        """The ports of living servers."""
        return frozenset(self._used)

    def uses(self, port: int) -> bool:
        """Whether a living server has it."""
        return port in self._used

    def free_count(self, now: int) -> int:
        """How many could be handed out now, those that strangers hold included."""
        self._end_quarantines(now)
        return len(self._free)

    def any_free(self, now: int) -> bool:
        """Whether one could be handed out now. Asked for every room that is opened."""
        return bool(self._free) or self.free_count(now) > 0

    def _rest(self, port: int, since: int) -> None:
        if not self.first <= port <= self.last:
            return
        until = since + self._quarantine
        self._resting[port] = until
        if self._queue and self._queue[-1][0] > until:  # only while seeding, or when a clock was handed in oddly
            self._queue = deque(sorted([*self._queue, (until, port)]))
        else:
            self._queue.append((until, port))

    def _end_quarantines(self, now: int) -> None:
        while self._queue and self._queue[0][0] <= now:
            until, port = self._queue.popleft()
            if self._resting.get(port) == until:  # otherwise the port was held, or rests anew
                del self._resting[port]
                self._free[port] = None

    def shortage(self) -> str:
        """For people: how the ports are used up, and what to do."""
        return self._exhausted(1, 0)

    def _exhausted(self, count: int, strangers: int) -> str:
        total = self.last - self.first + 1
        used = sum(1 for port in self._used if self.first <= port <= self.last)
        return (
            f"no {count} free port{'s' if count != 1 else ''}: of the {total} ports {self.first}-{self.last}, {used} "
            f"are in use, {len(self._resting)} in quarantine and {strangers} taken by other programs; "
            f"widen the range with the setting {self._setting!r}"
        )


def ephemeral_range(path: Path = _EPHEMERAL) -> tuple[int, int] | None:
    """The ports that the machine gives to outgoing connections, first and last; None where it does not tell."""
    try:
        first, last = path.read_text().split()
        return int(first), int(last)
    except (OSError, ValueError):
        return None


def lowest_open_port(path: Path = _UNPRIVILEGED) -> int:
    """The lowest port that programs without privileges may bind: servers have none, whoever Innkeeper is."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 1024


def default_range(ephemeral: tuple[int, int] | None) -> tuple[int, int]:
    """Ten thousand ports (fewer where there is no room) that no outgoing connection can occupy."""
    if ephemeral is None:
        return 20_000, 29_999
    low, high = ephemeral
    for first in (20_000, 10_000, 40_000, 50_000):
        if first + _WIDTH - 1 < low or first > high:
            return first, first + _WIDTH - 1
    below, above = (max(_LOWEST, low - _WIDTH), low - 1), (high + 1, min(_HIGHEST, high + _WIDTH))
    widest = max(below, above, key=lambda r: r[1] - r[0])
    return widest if widest[0] <= widest[1] else (20_000, 29_999)


def overlap_note(first: int, last: int, ephemeral: tuple[int, int] | None) -> str | None:
    """A sentence for the operator when the range overlaps the machine's ephemeral ports, else None."""
    if ephemeral is None or last < ephemeral[0] or first > ephemeral[1]:
        return None
    good = default_range(ephemeral)
    return (
        f"the ports {first}-{last} overlap the machine's own {ephemeral[0]}-{ephemeral[1]} for outgoing connections, "
        f"which may take one before a server binds it; {good[0]}-{good[1]} does not"
    )


def can_bind(port: int, transport: Transport) -> bool:
    """Whether a program could bind the port on this machine now, on every address of both families.

    Nothing is reused while we look (no ``SO_REUSEADDR``): a game server may not set it either.
    """
    kind = socket.SOCK_DGRAM if transport is Transport.UDP else socket.SOCK_STREAM
    try:
        with socket.socket(socket.AF_INET6, kind) as both:
            both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            both.bind(("::", port))
            return True
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EINVAL):
            return False
    try:
        with socket.socket(socket.AF_INET, kind) as four:
            four.bind(("0.0.0.0", port))  # noqa: S104  looked at and closed; nothing listens
            return True
    except OSError:
        return False
