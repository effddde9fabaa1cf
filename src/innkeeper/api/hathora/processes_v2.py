"""Processes with their deployments as numbers, for old tools. Declared in ``contract/hathora/processes_v2.py``."""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.processes_v2 import ProcessesV2, ProcessV2
from innkeeper.contract.hathora.processes_v3 import ProcessesCount, ProcessStatus
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.shape import GLOBAL
from innkeeper.hosting.model import Server

from . import processes_v3
from .processes_v3 import locations_in, process_fields, states_in
from .words import location_of

implements(ProcessesV2.stop_process)(processes_v3.stop_process)


async def _all_told(visit: Visit, servers: Sequence[Server]) -> list[ProcessV2]:
    numbers = await visit.wings.releases.numbers(sorted({server.release_id for server in servers}))
    return [ProcessV2(**process_fields(server), deployment_id=numbers[server.release_id]) for server in servers]


@implements(ProcessesV2.create_process)
async def create_process(visit: Visit, region: Region, app_id: str = GLOBAL) -> ProcessV2:
    (told,) = await _all_told(visit, [await visit.wings.servers.want(visit.org, app_id, location_of(region))])
    return told


@implements(ProcessesV2.get_latest_processes)
async def get_latest_processes(
    visit: Visit,
    app_id: str = GLOBAL,
    *,
    status: list[ProcessStatus] | None = None,
    region: list[Region] | None = None,
) -> list[ProcessV2]:
    found = await visit.wings.servers.latest(
        visit.org, app_id, states=states_in(status), locations=locations_in(region)
    )
    return await _all_told(visit, found)


@implements(ProcessesV2.get_processes_count_experimental)
async def get_processes_count_experimental(
    visit: Visit,
    app_id: str = GLOBAL,
    *,
    status: list[ProcessStatus] | None = None,
    region: list[Region] | None = None,
) -> ProcessesCount:
    return await processes_v3.get_processes_count_experimental(visit, app_id, status=status, region=region)


@implements(ProcessesV2.get_process_info)
async def get_process_info(visit: Visit, process_id: str, app_id: str = GLOBAL) -> ProcessV2:
    (told,) = await _all_told(visit, [await visit.wings.servers.get(visit.org, app_id, process_id)])
    return told
