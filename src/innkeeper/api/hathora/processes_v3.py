"""Processes: the house's servers. Declared in ``contract/hathora/processes_v3.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.processes_v3 import (
    Hosting,
    MetricValue,
    ProcessesCount,
    ProcessesV3,
    ProcessMetricName,
    ProcessMetricsData,
    ProcessStatus,
    ProcessV3,
)
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.shape import GLOBAL
from innkeeper.hosting.metrics import Metric
from innkeeper.hosting.model import Server
from innkeeper.kit.clock import SECOND
from innkeeper.kit.stamps import moment, moment_or_none

from .spans import micros, span
from .words import STATUSES, exposed_ports, location_of, region_of, states_of

#: Each metric, its field in the answer, and what the house calls it: None where no host here can measure it.
_METRICS: dict[ProcessMetricName, tuple[str, Metric | None]] = {
    ProcessMetricName.CPU: ("cpu", Metric.CPU),
    ProcessMetricName.MEMORY: ("memory", Metric.MEMORY),
    ProcessMetricName.RATE_EGRESS: ("rate_egress", Metric.EGRESS_RATE),
    ProcessMetricName.TOTAL_EGRESS: ("total_egress", Metric.EGRESS_TOTAL),
    ProcessMetricName.ACTIVE_CONNECTIONS: ("active_connections", Metric.CONNECTIONS),
    ProcessMetricName.GPU_MEMORY: ("gpu_memory", None),
    ProcessMetricName.GPU_UTILIZATION: ("gpu_utilization", None),
}
#: Told when nobody says which.
_USUAL_METRICS = (ProcessMetricName.CPU, ProcessMetricName.MEMORY, ProcessMetricName.RATE_EGRESS)


async def processes(visit: Visit, servers: Sequence[Server]) -> list[ProcessV3]:
    """Servers as Hathora tells them."""
    fleets = await visit.wings.fleets.of_releases(sorted({server.release_id for server in servers}))
    hosting_of = visit.wings.shown_hosts.hosting_of
    return [_process(server, hosting_of(server.host_id), fleets.get(server.release_id)) for server in servers]


def process_fields(server: Server) -> dict[str, Any]:
    """What V2 and V3 tell alike of a server."""
    ports = exposed_ports(server)
    return {
        "process_id": server.id,
        "app_id": server.app_id,
        "region": region_of(server.location),
        "status": STATUSES[server.state],
        "exposed_port": ports[0] if ports else None,
        "additional_exposed_ports": ports[1:],
        "rooms_allocated": server.taken if server.alive else 0,
        "rooms_per_process": server.seats,
        "created_at": moment(server.created_at),
        "started_at": moment_or_none(server.ready_at),
        "stopping_at": moment_or_none(server.stopping_at),
        "terminated_at": moment_or_none(server.ended_at),
    }


def _process(server: Server, hosting: str | None, fleet_id: str | None) -> ProcessV3:
    return ProcessV3(
        **process_fields(server),
        deployment_id=server.release_id,
        scheduled_at=moment_or_none(server.placed_at),
        booted_at=moment_or_none(server.booted_at),
        summary_exit_reason=server.exit_reason or UNSET,
        hosting=UNSET if hosting is None else Hosting(hosting),
        fleet_id=UNSET if fleet_id is None else fleet_id,
    )


@implements(ProcessesV3.create_process)
async def create_process(visit: Visit, region: Region, app_id: str = GLOBAL) -> ProcessV3:
    [made] = await processes(visit, [await visit.wings.servers.want(visit.org, app_id, location_of(region))])
    return made


@implements(ProcessesV3.get_latest_processes)
async def get_latest_processes(
    visit: Visit,
    app_id: str = GLOBAL,
    *,
    status: list[ProcessStatus] | None = None,
    region: list[Region] | None = None,
    before: float | None = None,
) -> list[ProcessV3]:
    found = await visit.wings.servers.page(
        visit.org, app_id, before=_before(before), states=states_in(status), locations=locations_in(region)
    )
    return await processes(visit, found)


@implements(ProcessesV3.get_processes_count_experimental)
async def get_processes_count_experimental(
    visit: Visit,
    app_id: str = GLOBAL,
    *,
    status: list[ProcessStatus] | None = None,
    region: list[Region] | None = None,
    before: float | None = None,
) -> ProcessesCount:
    count = await visit.wings.servers.count(
        visit.org, app_id, before=_before(before), states=states_in(status), locations=locations_in(region)
    )
    return ProcessesCount(count=count)


@implements(ProcessesV3.get_process)
async def get_process(visit: Visit, process_id: str, app_id: str = GLOBAL) -> ProcessV3:
    [found] = await processes(visit, [await visit.wings.servers.get(visit.org, app_id, process_id)])
    return found


@implements(ProcessesV3.stop_process)
async def stop_process(visit: Visit, process_id: str, app_id: str = GLOBAL) -> None:
    await visit.wings.servers.stop(visit.org, app_id, process_id, f"stopped by {visit.by}")


@implements(ProcessesV3.get_process_metrics)
async def get_process_metrics(
    visit: Visit,
    process_id: str,
    app_id: str = GLOBAL,
    *,
    metrics: list[ProcessMetricName] | None = None,
    start: float | None = None,
    end: float | None = None,
    step: int | None = None,
) -> ProcessMetricsData:
    first, last = span(visit, start, end)
    asked = [_METRICS[name] for name in metrics or _USUAL_METRICS]
    series = await visit.wings.metrics.series(
        visit.org, app_id, process_id, [metric for _, metric in asked if metric], start=first, end=last, step=step or 60
    )
    # A metric that no host here can measure is told as an empty series, never as zeros.
    told = {
        field: [MetricValue(timestamp=at / SECOND, value=value) for at, value in series[metric]] if metric else []
        for field, metric in asked
    }
    return ProcessMetricsData(**told)


def states_in(status: Sequence[ProcessStatus] | None) -> list[str]:
    """The house's states in a filter; none where all are meant."""
    return [state for wanted in status or () for state in states_of(wanted)]


def locations_in(regions: Sequence[Region] | None) -> list[str]:
    """The house's locations in a filter; none where all are meant."""
    return [location_of(region) for region in regions or ()]


def _before(before: float | None) -> int | None:
    return None if before is None else micros(before, "before")
