"""The hosts of the house: an engine each, with what it has to give out. Made by ``inn.py``, used by the passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from innkeeper.engines.base import Engine, Transport
from innkeeper.engines.images import ImageStore
from innkeeper.engines.ports import PortTable
from innkeeper.kit.clock import Clock

from .model import GivenPort, PortSpec


@dataclass(slots=True)
class Host:
    """A machine reached through an engine."""

    id: str
    engine: Engine
    ports: PortTable
    address: str  #: where players reach it
    locations: frozenset[str] = frozenset()  #: where its servers may count as being; empty is everywhere
    cpu: float = float("inf")  #: processors to give out
    memory_mb: float = float("inf")  #: MiB to give out
    images: ImageStore | None = None  #: where servers are containers; None: they are programs
    machine: str = ""  #: hosts with the same one share its processors and memory; empty: it has them alone
    draining: bool = False  #: no new servers; those that run serve their rooms to the end

    def serves(self, location: str) -> bool:
        """Whether its servers may count as being there."""
        return not self.locations or location in self.locations

    def give_ports(self, wanted: Sequence[PortSpec], now: int) -> list[GivenPort]:
        """Ports for a server. Raises :class:`innkeeper.engines.ports.NoPortLeft`."""
        numbers = self.ports.take(len(wanted), [Transport(port.transport) for port in wanted], now)
        return [GivenPort(port.name, port.transport, number) for port, number in zip(wanted, numbers, strict=True)]


class Spaces:
    """Says at once where no server can be started, so that nobody waits for one in vain."""

    def __init__(self, hosts: Sequence[Host], clock: Clock) -> None:
        self._hosts, self._clock = hosts, clock

    def lacking(self, location: str) -> str | None:
        """Why no server can be started at a location now; None when one can be, as far as ports go."""
        now = self._clock.now()
        hosts: list[Host] = []
        for host in self._hosts:
            if host.serves(location):
                if host.ports.any_free(now):
                    return None
                hosts.append(host)
        if not hosts:
            return f"no host of this house serves {location}"
        return " and ".join(f"host {host.id} has {host.ports.shortage()}" for host in hosts)
