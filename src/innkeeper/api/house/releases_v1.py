"""Releases, before they are made. Declared in ``contract/house/releases_v1.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.house.releases_v1 import ReleaseCheck, ReleasesV1


@implements(ReleasesV1.check_release)
async def check_release(visit: Visit, *, cpu: float, memory_mb: float, fleet_id: str | None = None) -> ReleaseCheck:
    limits = (await visit.wings.organisations.get(visit.org)).limits
    refusals = await visit.wings.releases.refusals(
        visit.org, cpu=cpu, memory_mb=memory_mb, fleet_id=fleet_id, most_memory_mb=limits.memory_mb
    )
    return ReleaseCheck(refusals=refusals)
