"""Verbs on fleets: what an organisation wants of hosts, and what became of it. Called by the doors.

Which hosts a fleet has is the operator's to say (``hostbook.py``); the rules are in ``capacity.py``, the loop that
watches in ``passes/fleets.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from innkeeper.db.database import Database, Duplicate
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.errors import Taken
from innkeeper.kit.ids import Chance

from .capacity import Baseline, Fleet, Sample, Trouble, check_name, check_threshold
from .metrics import MOST_POINTS
from .queries import fleets as queries


class FleetMetric(StrEnum):
    """What is counted of a fleet, in processors."""

    GIVEN_OUT = "given out"  #: by its hosts
    METAL = "metal"  #: by those that are not in the cloud
    CLOUD = "cloud"  #: by those that are
    USED = "used"  #: given to its servers
    OVERHEAD = "overhead"  #: that its machines have and do not give out


class Fleets:
    """Make, find and change fleets. One that was made stays."""

    def __init__(self, db: Database, clock: Clock, chance: Chance) -> None:
        self._db, self._clock, self._chance = db, clock, chance

    async def create(self, org_id: str, by: str, *, name: str, shape: str, threshold: int) -> Fleet:
        """A new fleet, which has no hosts of its own yet. Raises Taken for a name that is there, and Invalid."""
        fleet = Fleet(
            f"fleet-{self._chance.uuid()}", org_id, check_name(name), shape, check_threshold(threshold),
            self._clock.now(), by,
        )  # fmt: skip
        try:
            return await self._db.write(queries.add, fleet)
        except Duplicate:
            raise _taken(fleet.name) from None

    async def all(self, org_id: str) -> list[Fleet]:
        """The organisation's fleets, the newest first."""
        return await self._db.read(queries.fleets, org_id)

    async def get(self, org_id: str, fleet_id: str) -> Fleet:
        """One fleet. Raises NotFound."""
        return await self._db.read(queries.fleet, org_id, fleet_id)

    async def change(
        self, org_id: str, fleet_id: str, *, threshold: int, name: str | None = None, shape: str | None = None
    ) -> None:
        """Change what is given. Raises NotFound, Taken for a name that is there, and Invalid."""
        name = None if name is None else check_name(name)
        try:
            await self._db.write(queries.change, org_id, fleet_id, name, shape, check_threshold(threshold))
        except Duplicate:
            raise _taken(name) from None

    async def baseline(self, org_id: str, fleet_id: str, location: str) -> tuple[Fleet, Baseline]:
        """A fleet and how many hosts it shall have at a location, none unless somebody has said so. Raises NotFound."""
        return await self._db.read(queries.baseline, org_id, fleet_id, location)

    async def set_baseline(self, org_id: str, fleet_id: str, location: str, hosts: int, *, most: int) -> None:
        """How many hosts it shall have at a location, ``most`` at most. The number that it is already changes nothing.

        Raises NotFound, Invalid, and RateLimited within five minutes of the last change there.
        """
        await self._db.write(queries.set_baseline, org_id, fleet_id, location, hosts, most, self._clock.now())

    async def troubles(self, org_id: str) -> Mapping[str, Mapping[str, Trouble]]:
        """By fleet and location, when there were last fewer hosts than there shall be; nothing where never."""
        found: dict[str, dict[str, Trouble]] = {}
        for (fleet_id, location), trouble in (await self._db.read(queries.troubles, org_id)).items():
            found.setdefault(fleet_id, {})[location] = trouble
        return found

    async def of_releases(self, release_ids: Sequence[str]) -> Mapping[str, str]:
        """The fleet of each release, of those that have one."""
        return await self._db.read(queries.fleets_of_releases, release_ids) if release_ids else {}

    async def series(
        self,
        org_id: str,
        fleet_id: str,
        location: str | None,
        metrics: Sequence[FleetMetric],
        *,
        start: int,
        end: int,
        step: int,
    ) -> Mapping[FleetMetric, list[tuple[int, float]]]:
        """For each metric its points ``(time, processors)``, times in microseconds, one for every ``step`` seconds that
        has a count; at a location, or (None) in all together. What nobody can tell has no points. Raises NotFound.
        """
        width = max(step, -(-(end - start) // (MOST_POINTS * SECOND)), 1) * SECOND
        samples = await self._db.read(queries.samples, org_id, fleet_id, location, start, end)
        return {metric: fleet_points(metric, samples, start, width) for metric in metrics}


def fleet_points(
    metric: FleetMetric, samples: Sequence[tuple[int, Sample]], start: int, width: int
) -> list[tuple[int, float]]:
    """The series of one metric: for each span of ``width`` microseconds its last count. Pure."""
    last: dict[int, tuple[int, float]] = {}
    for at, sample in samples:
        value = _value(metric, sample)
        if value is not None:
            last[(at - start) // width] = at, value
    return list(last.values())


def _value(metric: FleetMetric, sample: Sample) -> float | None:
    match metric:
        case FleetMetric.GIVEN_OUT:
            return sample.metal + sample.cloud
        case FleetMetric.METAL:
            return sample.metal
        case FleetMetric.CLOUD:
            return sample.cloud
        case FleetMetric.USED:
            return sample.used
        case FleetMetric.OVERHEAD:
            return sample.overhead


def _taken(name: str | None) -> Taken:
    return Taken(f"name: the organisation has a fleet {name} already")
