"""Watches whether fleets have the hosts that they shall have, and counts their processors. ``inn.py`` runs its loop.

What is lacking is a row in the database and found out anew at each look, so a restart neither ends a lack nor begins it
again. A count is of one moment; one that was cut off is not made up for.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable

from innkeeper.db.database import Database
from innkeeper.hosting.capacity import Sample, hosts_of, next_trouble, sample_of, why_in_trouble
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.queries import fleets as queries
from innkeeper.kit.clock import HOUR, MINUTE, Clock

log = logging.getLogger(__name__)
#: Seconds between two looks at the hosts.
LOOK_EVERY = 5.0
#: Microseconds between two counts.
COUNT_EVERY = MINUTE
#: Counts are kept so long, in microseconds: as Hathora's.
KEEP = 7 * 24 * HOUR
#: Rows written or deleted in one transaction.
_AT_ONCE = 500


class FleetWatch:
    """The keeper of fleets."""

    def __init__(self, db: Database, clock: Clock, hosts: Iterable[Host]) -> None:
        self._db, self._clock, self._hosts = db, clock, hosts
        self._next_count = 0

    async def keep(self) -> float:
        """Look once, and count when it is time. Returns the seconds until the next time."""
        baselines = await self._db.read(queries.baselines)
        if baselines:
            await self._look(baselines)
        now = self._clock.now()
        if now >= self._next_count:
            await self._count(baselines, now)
            self._next_count = now + COUNT_EVERY
        return LOOK_EVERY

    async def _look(self, baselines: list[tuple[str, str, int]]) -> None:
        known, now = await self._db.read(queries.troubles), self._clock.now()
        changed = {}
        for fleet_id, location, baseline in baselines:
            last = known.get((fleet_id, location))
            text = why_in_trouble(hosts_of(self._hosts, fleet_id, location), location, baseline)
            trouble = next_trouble(last, text, now)
            if trouble is not None and trouble != last:
                changed[fleet_id, location] = trouble
                told = "has enough hosts again" if trouble.ended_at is not None else trouble.text
                log.warning("fleet %s at %s: %s", fleet_id, location, told)
        if changed:
            await self._db.write(queries.keep_troubles, changed)

    async def _count(self, baselines: list[tuple[str, str, int]], now: int) -> None:
        fleets, used = await self._db.read(queries.used)
        if not fleets:
            return
        named = frozenset[str]().union(*(host.locations for host in self._hosts))
        asked: defaultdict[str, set[str]] = defaultdict(set)
        for fleet_id, location, _ in baselines:
            asked[fleet_id].add(location)
        for fleet_id, location in used:
            asked[fleet_id].add(location)
        samples: dict[tuple[str, str], Sample] = {}
        for fleet_id in fleets:
            total = 0.0
            for location in sorted(named | asked[fleet_id]):
                hosts, given = hosts_of(self._hosts, fleet_id, location), used.get((fleet_id, location), 0.0)
                total += given
                if hosts or given:
                    samples[fleet_id, location] = sample_of(hosts, given)
            # A host that serves several locations counts once in all: this is no sum of the others.
            samples[fleet_id, queries.EVERYWHERE] = sample_of(hosts_of(self._hosts, fleet_id), total)
        rows = list(samples.items())
        for at in range(0, len(rows), _AT_ONCE):
            await self._db.write(queries.add_samples, dict(rows[at : at + _AT_ONCE]), now)
        while await self._db.write(queries.forget_samples, now - KEEP, _AT_ONCE) == _AT_ONCE:
            pass
