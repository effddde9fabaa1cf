"""Verbs on servers. Called by the doors; what they ask for is carried out by the keeper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.ids import Chance

from .details import ServerDetails
from .hosts import Spaces
from .model import Cause, Server
from .queries import details
from .queries import servers as queries

#: How many servers ``latest`` and ``ended`` tell, and ``page`` at least.
LATEST = 10
#: How many rooms of each server ``details`` tells.
ROOMS_TOLD = 1000
_NEVER = 1 << 62


class Servers:
    """Find, want and stop servers."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        chance: Chance,
        bell: Bell,
        spaces: Spaces,
        *,
        placing_seconds: float,
        stopping_seconds: float,
    ) -> None:
        self._db, self._clock, self._chance, self._bell, self._spaces = db, clock, chance, bell, spaces
        self._placing = round(placing_seconds * SECOND)
        self._stopping = round(stopping_seconds * SECOND)

    async def get(self, org_id: str, app_id: str, server_id: str) -> Server:
        """One server, alive or over. Raises NotFound."""
        return await self._db.read(queries.server, app_id, org_id, server_id)

    async def page(
        self,
        org_id: str,
        app_id: str,
        *,
        before: int | None = None,
        states: Sequence[str] = (),
        locations: Sequence[str] = (),
    ) -> list[Server]:
        """The latest servers created before a time (microseconds), the newest first.

        Ten, and all others of the last one's second: the next page may begin before the last one, to the second.
        """
        bound = _NEVER if before is None else before
        return await self._db.read(queries.latest, app_id, org_id, bound, states, locations, LATEST)

    async def latest(
        self, org_id: str, app_id: str, *, states: Sequence[str] = (), locations: Sequence[str] = ()
    ) -> list[Server]:
        """The ten latest servers, the newest first: for those who know no pages."""
        return (await self.page(org_id, app_id, states=states, locations=locations))[:LATEST]

    async def ended(self, org_id: str, app_id: str, *, locations: Sequence[str] = ()) -> list[Server]:
        """The ten servers that ended last, the latest first."""
        return await self._db.read(queries.ended, app_id, org_id, locations, LATEST)

    async def details(self, found: Sequence[Server], *, rooms: bool = False) -> Mapping[str, ServerDetails]:
        """What is told of servers besides, by id; with their rooms (a thousand of each at most) where asked for."""
        asked = [(server.id, server.release_id) for server in found]
        return await self._db.read(details.details, asked, ROOMS_TOLD if rooms else 0)

    async def count(
        self,
        org_id: str,
        app_id: str,
        *,
        before: int | None = None,
        states: Sequence[str] = (),
        locations: Sequence[str] = (),
    ) -> int:
        """How many servers there are, and were as long as they are remembered."""
        bound = _NEVER if before is None else before
        return await self._db.read(queries.count, app_id, org_id, bound, states, locations)

    async def want(self, org_id: str, app_id: str, location: str) -> Server:
        """Want an empty server, so that a room opened later finds it running. Raises LimitReached."""
        now = self._clock.now()
        lacking = self._spaces.lacking(location)
        server = await self._db.write(
            queries.want, app_id, org_id, location, self._chance.uuid(), Cause.ASKED, now, now + self._placing, lacking
        )
        self._bell.ring()
        return server

    async def stop(self, org_id: str, app_id: str, server_id: str, reason: str) -> Server:
        """Ask a server to end; its rooms end at once, with this reason."""
        now = self._clock.now()
        server = await self._db.write(queries.stop, app_id, org_id, server_id, reason, now, now + self._stopping)
        self._bell.ring()
        return server
