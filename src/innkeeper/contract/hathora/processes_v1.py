"""Processes as the oldest tools know them: running servers. ``processes_v3.py`` took over.

Declared here, answered in ``api/hathora/processes_v1.py``.
"""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, Camel, Moment

from . import operation
from .deployments_v2 import DeploymentNumber
from .rooms_v2 import RoomWithoutAllocations
from .words import (
    CHECKED_READ,
    READ,
    AdditionalExposedPorts,
    AppId,
    ExposedPort,
    ProcessId,
    Region,
    RoomsPerProcessTold,
)


class Process(Camel):
    """One running copy of a deployment, and how it fared. A point in time is None until it is reached."""

    process_id: ProcessId
    app_id: AppId
    deployment_id: DeploymentNumber
    region: Region
    host: str  #: where players reach the default port; empty until a host was found
    port: int  #: number of the default port to dial; 0 until a host was found
    exposed_port: ExposedPort | None  #: where players reach the default port; None until it runs
    additional_exposed_ports: AdditionalExposedPorts
    draining: bool  #: whether it serves the rooms it has and takes no new ones
    rooms_allocated: int  #: rooms that sit on it now
    rooms_allocated_updated_at: Moment  #: when a room came or left last
    rooms_per_process: RoomsPerProcessTold  #: rooms that it takes at the same time
    room_slots_available: int  #: rooms that it would take now
    room_slots_available_updated_at: Moment  #: when a room came or left last
    active_connections: int  #: open TCP connections when last measured; 0 before, and where nobody can tell
    active_connections_updated_at: Moment  #: when it was last measured
    egressed_bytes: int  #: sent by it up to the last measurement; 0 before, and where nobody can tell
    starting_at: Moment  #: when it was asked for
    started_at: Moment | None  #: when it had bound its ports
    stopping_at: Moment | None  #: when it was told to end
    terminated_at: Moment | None  #: when it had ended
    idle_since: Moment | None  #: since when it has had no rooms; None while it has some, and when it is over


class ProcessWithRooms(Process):
    """A server and the rooms that sit on it."""

    rooms: list[RoomWithoutAllocations]  #: the oldest first, at most 1,000
    total_rooms: int  #: how many there are


class ProcessesV1(Resource[M]):
    """Processes as the oldest tools know them."""

    @operation(
        "GET", "/processes/v1/{appId}/list/running", scope="processes:read", errors=CHECKED_READ,
        replaced_by="processes_v3.get_latest_processes",
    )  # fmt: skip
    def get_running_processes(self, app_id: AppId = GLOBAL, *, region: Region | None = None) -> list[ProcessWithRooms]:
        """List the ten newest servers that are not over, the newest first, with their rooms."""
        ...

    @operation(
        "GET", "/processes/v1/{appId}/list/stopped", scope="processes:read", errors=CHECKED_READ,
        replaced_by="processes_v3.get_latest_processes",
    )  # fmt: skip
    def get_stopped_processes(self, app_id: AppId = GLOBAL, *, region: Region | None = None) -> list[Process]:
        """List the ten servers that ended last, the latest first."""
        ...

    @operation(
        "GET", "/processes/v1/{appId}/info/{processId}", scope="processes:read", errors=(*READ, 500),
        id="GetProcessInfoDeprecated", replaced_by="processes_v3.get_process",
    )  # fmt: skip
    def get_process_info(self, process_id: ProcessId, app_id: AppId = GLOBAL) -> Process:
        """Tell how a server stands."""
        ...
