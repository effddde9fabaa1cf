"""The ports of a server, as it was given them and as players dial them. Used by doors, keepers, and news of servers."""

from __future__ import annotations

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


@lru_cache(maxsize=4096)
def _dialled(ports: str, address: str) -> tuple[GivenPort, ...]:
    # Told with every room that is opened, and the same for all rooms of a server.
    return tuple(port if port.host else msgspec.structs.replace(port, host=address) for port in given_ports(ports))
