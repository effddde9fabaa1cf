"""The ports that players dial, and who is connected to each. Used by ``terminator.py``."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from dataclasses import dataclass, field

from .relay import Relay
from .wire import Backend, Limits, Table, changes

log = logging.getLogger(__name__)

_BACKLOG = 512
#: Seconds between two lines of the log about one port: whoever knocks at it shall not be able to fill the disk.
_QUIET = 60.0


@dataclass(slots=True, eq=False)
class _Listener:
    """One port."""

    port: int
    backend: Backend
    servers: list[asyncio.AbstractServer] = field(default_factory=list[asyncio.AbstractServer])
    relays: set[Relay] = field(default_factory=set[Relay])
    told_at: float = float("-inf")


class Listening:
    """Makes what is listened on what a table says, over and over. ``context`` is for new connections."""

    def __init__(self) -> None:
        self.context: ssl.SSLContext | None = None
        self._loop = asyncio.get_running_loop()
        self._address, self._limits = "", Limits()
        self._open: dict[int, _Listener] = {}
        self._leaving: set[Relay] = set()  # of ports that are closed, or lead elsewhere by now

    @property
    def routes(self) -> dict[int, Backend]:
        """What is listened on now."""
        return {port: listener.backend for port, listener in self._open.items()}

    @property
    def players(self) -> int:
        """Connections, those that shake hands still or are about to end included."""
        return len(self._leaving) + sum(len(listener.relays) for listener in self._open.values())

    async def serve(self, table: Table) -> dict[int, str]:
        """Serve exactly this. The ports that cannot be listened on, with why; they are tried anew the next time."""
        if table.address != self._address:  # the same ports, seen from elsewhere: players who are there stay
            for listener in self._open.values():
                self._deafen(listener)
        self._address, self._limits = table.address, table.limits
        close, fresh, moved = changes(self.routes, table.routes)
        for port in close:
            listener = self._open.pop(port)
            self._deafen(listener)
            self._let_go(listener)
        for port in moved:
            self._let_go(self._open[port])
            self._open[port].backend = table.routes[port]
        for port in fresh:
            self._open[port] = _Listener(port, table.routes[port])
        refused: dict[int, str] = {}
        for port, listener in list(self._open.items()):
            if not listener.servers:
                try:
                    listener.servers = await self._listen(listener)
                except OSError as error:
                    refused[port] = os.strerror(error.errno) if error.errno else str(error)
                    del self._open[port]
                    self._let_go(listener)
        return refused

    def retire(self) -> None:
        """Take no more players; those who are there stay."""
        for listener in self._open.values():
            self._deafen(listener)
            self._leaving |= listener.relays
        self._open.clear()

    def cut(self) -> None:
        """End everything now."""
        self.retire()
        for relay in list(self._leaving):
            relay.cut()

    async def _listen(self, listener: _Listener) -> list[asyncio.AbstractServer]:
        return [
            await self._loop.create_server(lambda: self._player(listener), sock=one, backlog=_BACKLOG)
            for one in bound(self._address, listener.port)
        ]

    def _player(self, listener: _Listener) -> asyncio.BaseProtocol:
        """For each connection that is taken."""
        if self.context is None or len(listener.relays) >= self._limits.players:
            self._note(listener, f"{len(listener.relays)} players are connected already, which is the most")
            return _TurnedAway()

        def gone(relay: Relay) -> None:
            listener.relays.discard(relay)
            self._leaving.discard(relay)

        relay = Relay(self.context, listener.backend, self._limits, gone, lambda why: self._note(listener, why))
        listener.relays.add(relay)
        return relay.player

    def _note(self, listener: _Listener, text: str) -> None:
        now = self._loop.time()
        if now - listener.told_at >= _QUIET:
            listener.told_at = now
            log.warning("port %d: %s", listener.port, text)

    def _deafen(self, listener: _Listener) -> None:
        for server in listener.servers:
            server.close()
        listener.servers = []

    def _let_go(self, listener: _Listener) -> None:
        self._leaving |= listener.relays
        for relay in list(listener.relays):
            relay.let_go()
        listener.relays = set()


class _TurnedAway(asyncio.Protocol):
    """For one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def bound(address: str, port: int) -> list[socket.socket]:
    """Sockets bound to a port, of every address of this machine where ``address`` is empty. Raises OSError.

    ``localhost`` is both addresses of loopback, as players' machines take it for the one or the other.
    """
    if address == "localhost":
        first = bound("127.0.0.1", port)
        try:
            return first + bound("::1", port)
        except OSError as error:
            if error.errno in _NO_SUCH:
                return first
            first[0].close()
            raise
    if address:
        return [_bound(socket.AF_INET6 if ":" in address else socket.AF_INET, address, port)]
    try:
        return [_bound(socket.AF_INET6, "::", port)]
    except OSError as error:
        if error.errno not in _NO_SUCH:
            raise
        return [_bound(socket.AF_INET, "0.0.0.0", port)]  # noqa: S104  every address is what was asked for


#: How a machine says that it has no such address, or not that kind.
_NO_SUCH = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EINVAL})


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections of the terminator before this one may linger in the kernel; a second listener is refused anyway.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address == "::" else 1)
        made.setblocking(False)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    return made
