"""Processes as old tools know them: running servers, with the deployment as a number. ``processes_v3.py`` took over.

Declared here, answered in ``api/hathora/processes_v2.py``.
"""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, Camel, Moment

from . import operation
from .deployments_v2 import DeploymentNumber
from .processes_v3 import ProcessesCount, ProcessStatus
from .words import (
    CHECKED_READ,
    READ,
    WRITE,
    AdditionalExposedPorts,
    AppId,
    ExposedPort,
    ProcessId,
    Region,
    RoomsPerProcessTold,
)


class ProcessV2(Camel):
    """One running copy of a deployment, and how it fared. A point in time is None until it is reached."""

    process_id: ProcessId
    app_id: AppId
    deployment_id: DeploymentNumber
    region: Region
    status: ProcessStatus
    exposed_port: ExposedPort | None  #: where players reach the default port; None until it runs
    additional_exposed_ports: AdditionalExposedPorts
    rooms_allocated: int  #: rooms that sit on it now
    rooms_per_process: RoomsPerProcessTold  #: rooms that it takes at the same time
    created_at: Moment  #: when it was asked for
    started_at: Moment | None  #: when it had bound its ports
    stopping_at: Moment | None  #: when it was told to end
    terminated_at: Moment | None  #: when it had ended


class ProcessesV2(Resource[M]):
    """Processes as old tools know them."""

    @operation(
        "POST", "/processes/v2/{appId}/create/{region}", status=201, scope="processes:read-write",
        errors=(402, *WRITE), id="CreateProcessV2Deprecated", replaced_by="processes_v3.create_process",
    )  # fmt: skip
    def create_process(self, region: Region, app_id: AppId = GLOBAL) -> ProcessV2:
        """Start a server without a room, so that a room to come finds it running."""
        ...

    @operation(
        "GET", "/processes/v2/{appId}/list/latest", scope="processes:read", errors=CHECKED_READ,
        id="GetLatestProcessesV2Deprecated", replaced_by="processes_v3.get_latest_processes",
    )  # fmt: skip
    def get_latest_processes(
        self,
        app_id: AppId = GLOBAL,
        *,
        status: list[ProcessStatus] | None = None,
        region: list[Region] | None = None,
    ) -> list[ProcessV2]:
        """List the ten newest servers, the newest first: all, or those in some states and regions."""
        ...

    @operation(
        "GET", "/processes/v2/{appId}/count", scope="processes:read", errors=CHECKED_READ,
        id="GetProcessesCountExperimentalV2Deprecated", replaced_by="processes_v3.get_processes_count_experimental",
    )  # fmt: skip
    def get_processes_count_experimental(
        self,
        app_id: AppId = GLOBAL,
        *,
        status: list[ProcessStatus] | None = None,
        region: list[Region] | None = None,
    ) -> ProcessesCount:
        """Count servers: all, or those in some states and regions."""
        ...

    @operation(
        "GET", "/processes/v2/{appId}/info/{processId}", scope="processes:read", errors=READ,
        id="GetProcessInfoV2Deprecated", replaced_by="processes_v3.get_process",
    )  # fmt: skip
    def get_process_info(self, process_id: ProcessId, app_id: AppId = GLOBAL) -> ProcessV2:
        """Tell how a server stands."""
        ...

    @operation(
        "POST", "/processes/v2/{appId}/stop/{processId}", status=204, scope="processes:read-write",
        errors=(*READ, 500), id="StopProcessV2Deprecated", replaced_by="processes_v3.stop_process",
    )  # fmt: skip
    def stop_process(self, process_id: ProcessId, app_id: AppId = GLOBAL) -> None:
        """Stop a server now. Its rooms are destroyed."""
        ...
