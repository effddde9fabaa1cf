"""Says which of some running servers suits some players best, by how far they are. Called by the doors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from innkeeper.db.database import Database
from innkeeper.db.outbox import Owed
from innkeeper.kit.clock import HOUR, Clock
from innkeeper.kit.errors import Invalid, NotFound
from innkeeper.kit.geo import Point
from innkeeper.kit.ids import Chance

from .geography import Atlas, Strategy
from .queries import comparisons as queries
from .queries.comparisons import Comparison

#: How long a result is kept.
KEPT = HOUR
#: Servers, and players, of one comparison.
MOST = 1000


def rank(atlas: Atlas, servers: Mapping[str, str | None], players: Sequence[Point | None]) -> tuple[list[str], bool]:
    """Servers from the best to the worst, and whether that is not the whole truth.

    ``servers`` are locations by what servers are called; None for one that nobody can be sent to. A far player weighs
    more than a near one. Servers at one location, and all where no player is known, keep their order.
    """
    there = {name: location for name, location in servers.items() if location in atlas.places}
    known = [player for player in players if player is not None]
    order = atlas.ranked(known, set(there.values()), Strategy.WEIGHTED)
    merits = {location: merit for merit, location in enumerate(order)}
    ranked = sorted(there, key=lambda name: merits[there[name]]) if known else list(there)
    return ranked, len(there) < len(servers) or len(known) < len(players)


class Comparisons:
    """Compare servers, and tell what came of it."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, atlas: Atlas) -> None:
        self._db, self._clock, self._chance, self._atlas = db, clock, chance, atlas

    async def compare(
        self, org_id: str, shorts: Sequence[str], players: Sequence[Point | None], *, url: str | None, kind: str
    ) -> Comparison:
        """Compare servers, called by their twelve digits, for players, where it is known where they are.

        ``url`` is told of the result, as a callback of ``kind``; it was checked before. Raises Invalid, and NotFound
        for a server that the organisation does not have.
        """
        asked = list(dict.fromkeys(shorts))
        for what, count in (("server", len(asked)), ("player", len(players))):
            if not 0 < count <= MOST:
                raise Invalid(f"name 1 to {MOST} {what}s to compare; these are {count}")
        found = await self._db.read(queries.standing, org_id, asked)
        if unknown := [short for short in asked if short not in found]:
            raise NotFound(f"there is no server {unknown[0]}")
        ranked, partial = rank(self._atlas, {short: found[short] for short in asked}, players)
        now = self._clock.now()
        made = Comparison(self._chance.uuid(), org_id, json.dumps(ranked), int(partial), now, now + KEPT)
        told = None if url is None else Owed(org_id, kind, made.id, "compared", url, now)
        await self._db.write(queries.add, made, told)
        return made

    async def get(self, org_id: str, comparison_id: str) -> Comparison:
        """What came of one. Raises NotFound, also once it is not kept any more."""
        return await self._db.read(queries.find, org_id, comparison_id, self._clock.now())

    async def kept(self, comparison_id: str) -> Comparison | None:
        """One of whichever organisation, for those who tell it to who asked; None once it is not kept any more."""
        return await self._db.read(queries.kept, comparison_id, self._clock.now())


def ranked_of(comparison: Comparison) -> list[str]:
    """The servers, the best first."""
    found: list[str] = json.loads(comparison.ranked)
    return found
