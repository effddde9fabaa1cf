"""Knocks at published ports, where a container can be looked at neither from outside nor inside. For ``readiness.py``.

A TCP port that takes a connection and keeps it is bound. A UDP port counts as bound unless the host says that nobody
is there, which one with Docker's proxy in between never says: such a server is ready when its container runs.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Sequence

from innkeeper.engines.base import Port, Transport

_CONNECT, _STAYS = 3.0, 0.3


class Probe:
    """Knocks at one host."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def bound(self, ports: Sequence[Port]) -> Collection[Port]:
        """Which of the ports seem to be bound."""
        found = await asyncio.gather(*(self._knock(port) for port in ports))
        return [port for port, bound in zip(ports, found, strict=True) if bound]

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _knock(self, port: Port) -> bool:
        try:
            if port.transport is Transport.TCP:
                return await self._connect(port.number)
            return await self._send(port.number)
        except (OSError, TimeoutError):
            return False

    async def _connect(self, number: int) -> bool:
        async with asyncio.timeout(_CONNECT):
            reader, writer = await asyncio.open_connection(self._address, number)
        try:
            async with asyncio.timeout(_STAYS):
                return await reader.read(1) != b""  # a proxy that finds nobody behind it hangs up
        except TimeoutError:
            return True
        finally:
            writer.transport.abort()

    async def _send(self, number: int) -> bool:
        loop = asyncio.get_running_loop()
        family, kind, protocol, _, address = (
            await loop.getaddrinfo(self._address, number, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICSERV)
        )[0]
        with socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol) as knock:
            knock.connect(address)
            knock.send(b"")
            try:
                async with asyncio.timeout(_STAYS):
                    await loop.sock_recv(knock, 1)
            except TimeoutError:
                return True
            return True
