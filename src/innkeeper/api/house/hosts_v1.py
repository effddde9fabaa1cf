"""Hosts of the house, for its operator. Declared in ``contract/house/hosts_v1.py``.

To all but admins of the organisation that runs the house there is nothing here.
"""

from __future__ import annotations

from math import isinf

import msgspec
from msgspec import UNSET

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.house.hosts_v1 import Host, HostList, HostRuns, HostSource, HostState, HostsV1, NewHost
from innkeeper.hosting.hostbook import HostView
from innkeeper.hostspecs import read_spec
from innkeeper.kit.errors import Invalid
from innkeeper.kit.stamps import moment

from .operator import host_book_of


def host_data(view: HostView) -> Host:
    """A host as this API tells it."""
    return Host(
        name=view.name,
        runs=HostRuns.IMAGES if view.runs_images else HostRuns.PROGRAMS,
        engine=view.engine,
        source=HostSource(view.source),
        state=HostState(view.state),
        since=moment(view.since),
        locations=sorted(view.locations),
        address=view.address,
        ports=view.ports,
        free_ports=view.free_ports,
        servers=view.servers,
        cpu=_limit(view.cpu),
        free_cpu=_limit(view.free_cpu),
        memory_mb=_limit(view.memory_mb),
        free_memory_mb=_limit(view.free_memory_mb),
        architecture=view.architecture,
        fleet=view.fleet or None,
        hosting=view.hosting,
        notes=list(view.notes),
    )


def _limit(value: float) -> float | None:
    return None if isinf(value) else value


@implements(HostsV1.get_hosts)
async def get_hosts(visit: Visit) -> HostList:
    return HostList(hosts=[host_data(view) for view in await host_book_of(visit).list()])


@implements(HostsV1.add_host)
async def add_host(visit: Visit, params: NewHost) -> Host:
    hosts = host_book_of(visit)
    said = {name: value for name, value in msgspec.structs.asdict(params).items() if value is not UNSET}
    spec = read_spec(said)
    known = list(dict.fromkeys([*(region.value.lower() for region in Region), *visit.wings.atlas.places]))
    if unknown := sorted(set(spec.locations) - set(known)):
        told = f"no client can ask for {' or '.join(map(repr, unknown))}; there is: {', '.join(known)}; a table"
        told += " [[places]] in the settings file adds another"
        raise Invalid(f"host {spec.name}: locations: {told}")
    return host_data(await hosts.add(spec, visit.by))


@implements(HostsV1.drain_host)
async def drain_host(visit: Visit, name: str) -> Host:
    return host_data(await host_book_of(visit).drain(name, visit.by))


@implements(HostsV1.resume_host)
async def resume_host(visit: Visit, name: str) -> Host:
    return host_data(await host_book_of(visit).resume(name, visit.by))


@implements(HostsV1.remove_host)
async def remove_host(visit: Visit, name: str, *, force: bool | None = None) -> None:
    await host_book_of(visit).remove(name, visit.by, force=bool(force))
