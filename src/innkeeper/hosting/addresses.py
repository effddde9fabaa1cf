"""The ports of a server, as it was given them and as players dial them. Used by doors, keepers, and news of servers."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import msgspec

from .model import GivenPort, Server

_decode = msgspec.json.Decoder(list[GivenPort]).decode


def given_ports(ports: str) -> list[GivenPort]:
    """The ports a server was given (``Server.ports``), the default one first; none until it is placed."""
    return _decode(ports)


def dialled_ports(server: Server) -> tuple[GivenPort, ...]:
    """The same with the host that players dial in each; ``""`` where the server has no address yet."""
    return _dialled(server.ports, server.address or "")


def awaited_ports(ports: str, bound: Collection[int]) -> str:
    """Those that its program has not bound yet, for people; ``bound`` are the numbers that were seen bound."""
    # Of a port whose TLS is ended before it, the program binds the one behind.
    awaited = [(one, one.behind or one.number) for one in given_ports(ports) if one.awaited]
    # In a container it binds a number of its own, which the host's leads to.
    named = ", ".join(
        f"{one.transport} {one.inside or number} ({one.name})" + (" in its container" if one.inside else "")
        for one, number in awaited
        if number not in bound
    )
    return named + ("; the others are bound" if bound else "")


@lru_cache(maxsize=4096)
def _dialled(ports: str, address: str) -> tuple[GivenPort, ...]:
    # Told with every room that is opened, and the same for all rooms of a server.
    return tuple(port if port.host else msgspec.structs.replace(port, host=address) for port in given_ports(ports))
