"""The hosts of the house: an engine each, with what it has to give out. Made by ``inn.py``, used by the passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from innkeeper.engines.base import Engine, Transport
from innkeeper.engines.ports import PortTable

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

    def give_ports(self, wanted: Sequence[PortSpec], now: int) -> list[GivenPort]:
        """Ports for a server. Raises :class:`innkeeper.engines.ports.NoPortLeft`."""
        numbers = self.ports.take(len(wanted), [Transport(port.transport) for port in wanted], now)
        return [GivenPort(port.name, port.transport, number) for port, number in zip(wanted, numbers, strict=True)]
