"""A UDP echo for players' clients that measure how far a location is. Started and closed by ``serving.py``.

It answers strangers without credentials, so it must be of no use for harming anybody: an answer is the question and
never longer, a source gets so many answers a second and no more, and what is remembered about sources is bounded.
"""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from innkeeper.kit.clock import SECOND, Clock

MOST_BYTES = 1024
_FIRST_USERS_PORT = 1024  # below live other echoes and name servers: a forged packet from there would start a loop


class EchoGuard:
    """Decides which packets are answered: a pure decision but for the clock that is handed in.

    ``per_second`` is the most answers for one source (an IPv4 address, or an IPv6 network of 64 bits) in a second.
    ``sources`` is how many sources are served in a second: all others wait for the next one, so that no more than so
    many are ever remembered.
    """

    def __init__(self, clock: Clock, per_second: int = 50, sources: int = 4096) -> None:
        self._clock, self._per_second, self._sources = clock, per_second, sources
        self._second = 0
        self._answered: dict[bytes, int] = {}

    def answers(self, host: str, port: int, size: int) -> bool:
        """Whether a packet of ``size`` bytes from there is answered; counts it if so."""
        if not 0 < size <= MOST_BYTES or port < _FIRST_USERS_PORT:
            return False
        second = self._clock.now() // SECOND
        if second != self._second:
            self._second = second
            self._answered.clear()
        source = _network(host)
        count = self._answered.get(source, 0)
        if count >= self._per_second or (count == 0 and len(self._answered) >= self._sources):
            return False
        self._answered[source] = count + 1
        return True

    @property
    def remembered(self) -> int:
        """How many sources are remembered now."""
        return len(self._answered)


class UdpEcho:
    """The echo on one port."""

    def __init__(self, guard: EchoGuard) -> None:
        self._guard = guard
        self._protocol: _Echo | None = None

    async def start(self, host: str, port: int) -> int:
        """Bind and answer from now on; returns the port, which is chosen by the system for 0. Raises ``OSError``."""
        loop = asyncio.get_running_loop()
        transport, self._protocol = await loop.create_datagram_endpoint(
            lambda: _Echo(self._guard), local_addr=(host, port)
        )
        bound: int = transport.get_extra_info("sockname")[1]
        return bound

    async def close(self) -> None:
        """Stop answering, and return once the port is free."""
        if self._protocol is not None:
            await self._protocol.close()
            self._protocol = None


class _Echo(asyncio.DatagramProtocol):
    def __init__(self, guard: EchoGuard) -> None:
        self._guard = guard
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()
        self._congested = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own is not an instance of it

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self._congested and self._guard.answers(addr[0], addr[1], len(data)):
            assert self._transport is not None
            self._transport.sendto(data, addr)

    def error_received(self, exc: Exception) -> None:
        """A player went away before the answer came: not our matter."""

    def pause_writing(self) -> None:
        self._congested = True  # a late echo would only mislead, so none is kept for later

    def resume_writing(self) -> None:
        self._congested = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    async def close(self) -> None:
        assert self._transport is not None
        self._transport.close()
        await self._closed.wait()


def _network(host: str) -> bytes:
    if ":" in host:
        return socket.inet_pton(socket.AF_INET6, host.partition("%")[0])[:8]
    return socket.inet_pton(socket.AF_INET, host)
