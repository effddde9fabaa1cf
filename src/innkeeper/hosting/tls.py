"""Keeps the terminator's table right: each living server's ``tls`` ports lead to what the program bound.

``keep`` is a step of the keeper's pass, after servers are placed and before hosts are told of them: so a route is there
before anybody hears of the server. It costs nothing while no such port was given out or came back. The program that
ends TLS, and why it is one of its own, is in ``engines/tls``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from innkeeper.db.database import Database
from innkeeper.engines.base import PortTaken
from innkeeper.engines.tls.identity import Identity, NoIdentity
from innkeeper.engines.tls.link import TerminatorAway
from innkeeper.engines.tls.wire import Backend, Table
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.ids import Chance
from innkeeper.kit.retry import for_ever

from .addresses import given_ports
from .hosts import TLS, Host
from .model import Server
from .queries import tls as queries

log = logging.getLogger(__name__)

#: Everything is looked at anew after so many seconds, the certificate's files among it.
_LOOK_EVERY = 60.0
#: A pass waits so long for the terminator; the next ones find it done.
_WAITED_FOR = 2.0
#: Where TLS and the server are on one machine.
_HERE = "127.0.0.1"


class Terminator(Protocol):
    """What ends TLS: ``engines/tls/link.py``, or what a test pretends."""

    @property
    def connected(self) -> bool:
        """Whether it still serves what it was told last, as far as can be known."""
        ...

    async def serve(self, table: Table, identity: Identity) -> Mapping[int, str]:
        """Serve exactly this; the ports that could not be had, with why. Raises ``TerminatorAway``."""
        ...

    async def rest(self) -> None:
        """There is nothing to serve. Raises ``TerminatorAway``."""
        ...

    async def close(self) -> None:
        """Hang up. It serves on."""
        ...


class Identities(Protocol):
    """Where the certificate comes from: ``engines/tls/identity.py``, or a test."""

    def current(self, now: int) -> Identity:
        """The one to show now. Reads files. Raises ``NoIdentity``."""
        ...


class TlsRoutes:
    """One for a house. ``address`` is where players reach this machine."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        chance: Chance,
        bell: Bell,
        hosts: Iterable[Host],
        terminator: Terminator,
        identities: Identities,
        *,
        address: str,
    ) -> None:
        self._db, self._clock, self._chance, self._bell = db, clock, chance, bell
        self._hosts, self._terminator, self._identities = hosts, terminator, identities
        self._listens = listens_on(address)
        self._served: Mapping[int, Backend] = {}
        self._refused: Mapping[int, str] = {}
        self._moves: list[tuple[str, int]] | None = None  # of ports of each host, when we looked last
        self._next_look = self._next_try = 0
        self._failures = 0
        self._task: asyncio.Task[None] | None = None
        self.trouble = ""  #: why TLS cannot be ended for players now; empty while it can

    async def keep(self) -> None:
        """One step of the pass. Never raises for a terminator that is away: servers without TLS are not its matter."""
        if self._task is None:
            if not self._is_due():
                return
            self._task = asyncio.create_task(self._sync())
        task = self._task
        done, _ = await asyncio.wait([task], timeout=_WAITED_FOR)
        if done:
            self._task = None
            task.result()
        else:
            task.add_done_callback(lambda _: self._bell.ring())

    def lacking(self, server: Server) -> str | None:
        """Why a server's host must not be told of it yet: its players would not get through. None when they would."""
        wanted = routes_of([server])
        known = all(self._served.get(port) == backend or port in self._refused for port, backend in wanted.items())
        if not wanted or (known and self._terminator.connected and not self.trouble):
            return None
        return f"TLS cannot be ended for it yet{': ' if self.trouble else ''}{self.trouble}"

    def check(self, server: Server) -> None:
        """Raises :class:`PortTaken` where somebody else has a port of this machine that its players would dial."""
        for port in routes_of([server]):
            if port in self._refused:
                raise PortTaken(f"port {port}, where TLS would end: {self._refused[port]}")

    async def close(self) -> None:
        """Let go of the terminator; players stay connected."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._terminator.close()

    def _is_due(self) -> bool:
        now = self._clock.now()
        moved = self._moves != self._moved()
        if self._failures:  # one port that cannot be had holds no other up
            return now >= self._next_try or (bool(self._refused) and moved)
        broken = bool(self._served) and not self._terminator.connected
        return broken or now >= self._next_look or moved

    def _moved(self) -> list[tuple[str, int]]:
        return [(host.id, host.tls_moves) for host in self._hosts]

    async def _sync(self) -> None:
        moves, now = self._moved(), self._clock.now()  # before the look: what moves meanwhile is looked at next
        servers = await self._db.read(queries.servers_behind_tls)
        routes = routes_of(servers)
        try:
            refused = await self._serve(routes, now)
        except (TerminatorAway, NoIdentity) as error:
            self._refused = {}
            self._failed(str(error), now)
            return
        self._served = {port: backend for port, backend in routes.items() if port not in refused}
        self._refused = refused
        self._moves, self._next_look = moves, now + round(_LOOK_EVERY * SECOND)
        if refused:
            self._failed(", ".join(f"port {port}: {why}" for port, why in sorted(refused.items())), now)
            self.trouble = ""  # the others are served
        else:
            self._failures, self.trouble = 0, ""

    async def _serve(self, routes: Mapping[int, Backend], now: int) -> Mapping[int, str]:
        if not routes:
            if self._served or self._moves is None:  # one that was left behind is told too
                await self._terminator.rest()
            return {}
        identity = await asyncio.to_thread(self._identities.current, now)
        return await self._terminator.serve(Table(routes, self._listens), identity)

    def _failed(self, why: str, now: int) -> None:
        if why != self.trouble or not self._failures:
            log.error("TLS cannot be ended for players: %s; it is tried again", why)
        self._failures += 1
        self.trouble = why
        self._next_try = now + round(for_ever(self._failures, self._chance.fraction()) * SECOND)


def routes_of(servers: Sequence[Server]) -> dict[int, Backend]:
    """Where each public port leads. Pure."""
    return {
        port.number: Backend(server.address or _HERE if port.host else _HERE, port.behind)
        for server in servers
        if server.alive and TLS in server.ports
        for port in given_ports(server.ports)
        if port.transport == TLS
    }


def listens_on(address: str) -> str:
    """Where to listen, by where players reach this machine: a house that is on loopback alone opens no door. Pure."""
    if address == "localhost":
        return address
    try:
        return address if ipaddress.ip_address(address).is_loopback else ""
    except ValueError:
        return ""
