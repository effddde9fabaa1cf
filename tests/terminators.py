"""A pretended terminator, for tests of the house that have no sockets: it keeps what it is told, and can misbehave."""

from __future__ import annotations

from collections.abc import Mapping

from innkeeper.engines.tls.identity import Identity
from innkeeper.engines.tls.link import TerminatorAway
from innkeeper.engines.tls.wire import Table


class PretendedTerminator:
    """Serves what a house says, and outlives it."""

    def __init__(self) -> None:
        self.table = Table({})  #: what it serves now
        self.identity: Identity | None = None  #: what it shows
        self.told = 0  #: how often it was told what to serve
        self.taken: set[int] = set()  #: ports that strangers have
        self.away = ""  #: why it does not answer; empty: it does
        self.connected = False

    @property
    def routes(self) -> dict[int, tuple[str, int]]:
        """Where each port leads."""
        return {port: (backend.host, backend.port) for port, backend in self.table.routes.items()}

    def die(self) -> None:
        """Lose everything. It can be started again."""
        self.table, self.identity, self.connected = Table({}), None, False

    async def serve(self, table: Table, identity: Identity) -> Mapping[int, str]:
        self._answering()
        self.connected, self.identity = True, identity
        self.told += 1
        refused = {port: "Address already in use" for port in table.routes if port in self.taken}
        served = {port: backend for port, backend in table.routes.items() if port not in refused}
        self.table = Table(served, table.address, table.limits)
        return refused

    async def rest(self) -> None:
        self._answering()
        self.table, self.connected = Table({}), False

    async def close(self) -> None:
        self.connected = False

    def _answering(self) -> None:
        if self.away:
            raise TerminatorAway(self.away)
