"""Hosts as an organisation sees them: the common ones, and those set aside for its own fleets. No others exist.

Called by the doors. The operator sees all of them in ``hostbook.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from innkeeper.db.database import Database
from innkeeper.hostspecs import LOCAL
from innkeeper.kit.errors import NotFound

from .capacity import given_out, hosts_of, memory_given_out
from .hosts import Host, Hosts
from .queries import fleets as queries
from .queries import placing


@dataclass(frozen=True, slots=True)
class ShownHost:
    """A host, as far as its users are told of it."""

    id: str
    address: str
    hosting: str  #: of ``hostspecs.HOSTINGS``
    locations: frozenset[str]  #: that it serves; empty is everywhere
    answers: bool
    draining: bool
    cpu: float  #: that it gives out: its limit, or all that its machine has; 0 where nobody can tell
    memory_mb: float  #: MiB, likewise
    up_since: int  #: when it last came up, or the house opened on it
    silent_since: int | None  #: None while it answers


@dataclass(frozen=True, slots=True)
class OwnHost:
    """A host that is set aside for a fleet, as the fleet's organisation is told of it."""

    shown: ShownHost
    open: bool  #: servers can be placed there now
    here: bool  #: it is of this machine, as the beacon is
    since: int  #: when its state last changed
    used_cpu: float  #: promised to servers, in processors
    used_memory_mb: float  #: MiB, likewise
    baselines: Mapping[str, int]  #: how many hosts the fleet shall have, by location; where that was said


class ShownHosts:
    """Finds them."""

    def __init__(self, db: Database, hosts: Hosts) -> None:
        self._db, self._hosts = db, hosts

    async def get(self, org_id: str, host_id: str) -> ShownHost:
        """One host. Raises NotFound, also for one that is set aside for somebody else."""
        host = self._hosts.get(host_id)
        if host is None or (host.fleet and host.fleet not in await self._fleets(org_id)):
            raise NotFound(f"there is no host {host_id}")
        return _shown(host)

    async def of_fleet(self, org_id: str, fleet_id: str, location: str | None) -> list[ShownHost]:
        """The hosts of a fleet that answer, at a location or (None) at all. Raises NotFound."""
        await self._db.read(queries.fleet, org_id, fleet_id)
        return [_shown(host) for host in hosts_of(self._hosts, fleet_id, location) if host.answers]

    async def set_aside(self, org_id: str, fleet_name: str) -> list[OwnHost]:
        """The hosts that are set aside for a fleet, found by its name. Raises NotFound."""
        found = [fleet for fleet in await self._db.read(queries.fleets, org_id) if fleet.name == fleet_name]
        if not found:
            raise NotFound(f"there is no fleet {fleet_name}")
        used = await self._db.read(placing.used_of_hosts)
        asked = await self._db.read(queries.baselines)
        baselines = {place: hosts for fleet_id, place, hosts in asked if fleet_id == found[0].id}
        return [
            OwnHost(
                _shown(host), host.is_open, host.machine == LOCAL, host.since, *used.get(host.id, (0.0, 0.0)), baselines
            )
            for host in self._hosts
            if host.fleet == found[0].id
        ]

    def hosting_of(self, host_id: str | None) -> str | None:
        """Whose machine a server of the caller's is on; None before it has a host, and where that one is gone."""
        host = self._hosts.get(host_id)
        return None if host is None else host.hosting

    async def _fleets(self, org_id: str) -> set[str]:
        return {fleet.id for fleet in await self._db.read(queries.fleets, org_id)}


def _shown(host: Host) -> ShownHost:
    return ShownHost(
        host.id, host.address, host.hosting, host.locations, host.answers, host.draining, given_out(host) or 0.0,
        memory_given_out(host) or 0.0, host.up_since, host.engine.silent_since,
    )  # fmt: skip
