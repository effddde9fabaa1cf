"""Processes: running servers. Declared here, answered in ``api/hathora/processes_v3.py``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from innkeeper.contract.paging import before_last
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType, told
from innkeeper.contract.words import Word

from . import operation
from .words import (
    CHECKED_READ,
    READ,
    WRITE,
    AdditionalExposedPorts,
    AppId,
    DeploymentId,
    ExposedPort,
    FleetId,
    ProcessId,
    Region,
    RoomsPerProcessTold,
)

#: A point in time in a query: Unix time in seconds. What is above 10^11 is in milliseconds, as some clients send it.
UnixTime = Annotated[float, Meta(ge=0, le=100_000_000_000_000)]
Step = Annotated[int, Meta(ge=1), told(default=60)]


class ProcessStatus(Word):
    """Where a server stands in its life."""

    STARTING = "starting"  #: has not bound its ports yet
    RUNNING = "running"  #: players can connect
    DRAINING = "draining"  #: takes no new rooms
    STOPPING = "stopping"  #: has been told to end
    STOPPED = "stopped"  #: has ended
    FAILED = "failed"  #: could not start, or broke down


class Hosting(Word):
    """What kind of machine a server runs on."""

    METAL = "metal"
    CLOUD = "cloud"
    SHARED = "shared"


class ProcessV3(Camel):
    """One running copy of a deployment, and how it fared. A point in time is None until it is reached."""

    process_id: ProcessId
    app_id: AppId
    deployment_id: DeploymentId
    region: Region
    status: ProcessStatus
    exposed_port: ExposedPort | None  #: where players reach the default port; None until it runs
    additional_exposed_ports: AdditionalExposedPorts
    rooms_allocated: int  #: rooms that sit on it now
    rooms_per_process: RoomsPerProcessTold  #: rooms that it takes at the same time
    created_at: Moment  #: when it was asked for
    scheduled_at: Moment | None  #: when a host was found for it
    booted_at: Moment | None  #: when its program was started
    started_at: Moment | None  #: when it had bound its ports
    stopping_at: Moment | None  #: when it was told to end
    terminated_at: Moment | None  #: when it had ended
    summary_exit_reason: str | UnsetType = UNSET  #: how it ended, for people
    hosting: Hosting | UnsetType = UNSET
    fleet_id: FleetId | UnsetType = UNSET


class ProcessesCount(Camel):
    """How many there are."""

    count: int


class ProcessMetricName(Word):
    """What is measured of a server."""

    CPU = "cpu"  #: processors in use
    MEMORY = "memory"  #: bytes in use
    RATE_EGRESS = "rateEgress"  #: bytes sent each second
    TOTAL_EGRESS = "totalEgress"  #: bytes sent since it started
    ACTIVE_CONNECTIONS = "activeConnections"
    GPU_MEMORY = "gpuMemory"  #: bytes in use
    GPU_UTILIZATION = "gpuUtilization"


class MetricValue(Camel):
    """One measurement."""

    timestamp: float  #: Unix time, seconds
    value: float


class ProcessMetricsData(Camel):
    """Measurements of a server, the oldest first. A metric that was not asked for, or is not known, is left out."""

    cpu: list[MetricValue] | UnsetType = UNSET  #: processors in use
    memory: list[MetricValue] | UnsetType = UNSET  #: bytes in use
    rate_egress: list[MetricValue] | UnsetType = UNSET  #: bytes sent each second
    total_egress: list[MetricValue] | UnsetType = UNSET  #: bytes sent since it started
    active_connections: list[MetricValue] | UnsetType = UNSET
    gpu_memory: list[MetricValue] | UnsetType = UNSET  #: bytes in use
    gpu_utilization: list[MetricValue] | UnsetType = UNSET


class ProcessesV3(Resource[M]):
    """Processes: running servers, and those that ended."""

    @operation(
        "POST", "/processes/v3/apps/{appId}/processes/regions/{region}", status=201, scope="processes:read-write",
        errors=(402, *WRITE),
    )  # fmt: skip
    def create_process(self, region: Region, app_id: AppId = GLOBAL) -> ProcessV3:
        """Start a server without a room, so that a room to come finds it running."""
        ...

    @operation(
        "GET", "/processes/v3/apps/{appId}/processes/latest", scope="processes:read", errors=CHECKED_READ,
        paging=before_last("created_at", "before", full=10),
    )  # fmt: skip
    def get_latest_processes(
        self,
        app_id: AppId = GLOBAL,
        *,
        status: list[ProcessStatus] | None = None,
        region: list[Region] | None = None,
        before: UnixTime | None = None,
    ) -> list[ProcessV3]:
        """List the ten newest servers, the newest first: all, or those in some states and regions.

        ``before`` (Unix time, seconds) asks for those that were created earlier. There are more than ten where others
        were created in the same second as the tenth: the time of the last one, cut to whole seconds or not, brings the
        next page, and none is missed.
        """
        ...

    @operation("GET", "/processes/v3/apps/{appId}/processes/count", scope="processes:read", errors=CHECKED_READ)
    def get_processes_count_experimental(
        self,
        app_id: AppId = GLOBAL,
        *,
        status: list[ProcessStatus] | None = None,
        region: list[Region] | None = None,
        before: UnixTime | None = None,
    ) -> ProcessesCount:
        """Count servers: all, or those in some states and regions, or created before a Unix time in seconds."""
        ...

    @operation("GET", "/processes/v3/apps/{appId}/processes/{processId}", scope="processes:read", errors=READ)
    def get_process(self, process_id: ProcessId, app_id: AppId = GLOBAL) -> ProcessV3:
        """Tell how a server stands."""
        ...

    @operation(
        "GET", "/processes/v3/apps/{appId}/processes/process/{processId}/metrics", scope="processes:read", errors=WRITE
    )
    def get_process_metrics(
        self,
        process_id: ProcessId,
        app_id: AppId = GLOBAL,
        *,
        metrics: list[ProcessMetricName] | None = None,
        start: UnixTime | None = None,
        end: UnixTime | None = None,
        step: Step | None = None,
    ) -> ProcessMetricsData:
        """Read what was measured of a server, in its last 72 hours.

        ``start`` and ``end`` are Unix times in seconds, the last hour unless told; ``step`` is the seconds between two
        measurements, 60 unless told.
        """
        ...

    @operation(
        "POST", "/processes/v3/apps/{appId}/processes/{processId}/stop", status=204, scope="processes:read-write",
        errors=(*READ, 500),
    )  # fmt: skip
    def stop_process(self, process_id: ProcessId, app_id: AppId = GLOBAL) -> None:
        """Stop a server now. Its rooms are destroyed."""
        ...
