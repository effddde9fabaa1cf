"""Beacons: what players send packets to, to measure how far a location is. Made by ``inn.py``, run by ``serving.py``.

One beacon stands for every location that hosts of this machine serve: it sends back UDP packets, and what comes over
TCP for those who may not send any, as programs in browsers. It answers strangers without credentials: see ``echo.py``.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple, cast

from innkeeper.hostspecs import LOCAL
from innkeeper.kit.clock import Clock

from .echo import EchoGuard, UdpEcho
from .hosts import Hosts

#: Bytes that are sent back over one TCP connection, before it is closed: measuring takes a few.
MOST_BYTES = 4096
#: TCP connections at a time; more are closed at once.
MOST_CONNECTIONS = 512
#: How long one may stay, in seconds.
_STAY = 30.0


class Beacon(NamedTuple):
    """Where to measure."""

    host: str  #: name or address of the machine
    port: int  #: for UDP and for TCP


class Beacons:
    """The beacon of this machine, and which locations it stands for."""

    def __init__(self, clock: Clock, hosts: Hosts, address: str, port: int) -> None:
        """``address`` is where players reach this machine; 0 for ``port`` is no beacon."""
        guard = EchoGuard(clock)
        self._hosts, self._address, self._port = hosts, address, port
        self._udp, self._tcp = UdpEcho(guard), TcpEcho(guard)
        self._bound = 0

    async def start(self, host: str) -> None:
        """Bind both transports and answer from now on, where a port is set. Raises ``OSError``."""
        if not self._port:
            return
        try:
            await self._tcp.start(host, self._port)
            await self._udp.start(host, self._port)
        except OSError:
            await self.close()
            raise
        self._bound = self._port

    async def close(self) -> None:
        """Stop answering, and return once the port is free."""
        self._bound = 0
        await self._udp.close()
        await self._tcp.close()

    def of(self, location: str) -> Beacon | None:
        """The beacon that is measured for a location; None where there is none, or it does not answer."""
        here = any(host.machine == LOCAL and host.serves(location) for host in self._hosts)
        return Beacon(self._address, self._bound) if self._bound and here else None


class TcpEcho:
    """Sends back what comes over TCP, on one port."""

    def __init__(self, guard: EchoGuard, *, stay: float = _STAY) -> None:
        self._guard, self._stay = guard, stay
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()

    async def start(self, host: str, port: int) -> int:
        """Bind and answer from now on; returns the port. Raises ``OSError``."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self._guard, self._open, self._stay), host or None, port
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop answering: who is connected is cut off."""
        if self._server is not None:
            self._server.close()
            for connection in list(self._open):
                connection.abort()
            await self._server.wait_closed()
            self._server = None


class _Connection(asyncio.Protocol):
    def __init__(self, guard: EchoGuard, others: set[_Connection], stay: float) -> None:
        self._guard, self._others, self._stay = guard, others, stay
        self._left = MOST_BYTES
        self._transport: asyncio.Transport | None = None
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if len(self._others) >= MOST_CONNECTIONS or not self._guard.answers(peer[0], peer[1], 1):
            self._transport.abort()
            return
        self._others.add(self)
        self._end = asyncio.get_running_loop().call_later(self._stay, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data[: self._left])
        self._left -= len(data)
        if self._left <= 0:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._others.discard(self)
        if self._end is not None:
            self._end.cancel()

    def abort(self) -> None:
        """Cut it off."""
        if self._transport is not None:
            self._transport.abort()
