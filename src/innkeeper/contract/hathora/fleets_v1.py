"""Fleets as old clients know them: in processors, and with what is lacking told.

``fleets_v2.py`` took over, though the vendor never marked these as deprecated. Declared here, answered in
``api/hathora/fleets_v1.py``.
"""

from __future__ import annotations

from msgspec import field

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType
from innkeeper.contract.words import Word

from . import operation
from .fleets_v2 import AutoscalerConfig, FleetMetricName, FleetMetricsData, FleetRegion, FleetRegionConfig
from .processes_v3 import Step, UnixTime
from .words import CHECKED_READ, READ, WRITE, FleetId, OrgId, Region


class NodeShape(Word):
    """A kind of machine: the kind and number of its GPUs where it has any, processors, GiB of memory."""

    CPU_4_8 = "cpu-4-8"
    CPU_8_16 = "cpu-8-16"
    CPU_16_32 = "cpu-16-32"
    CPU_32_64 = "cpu-32-64"
    CPU_64_128 = "cpu-64-128"
    CPU_4_16 = "cpu-4-16"
    CPU_8_32 = "cpu-8-32"
    CPU_16_64 = "cpu-16-64"
    CPU_32_128 = "cpu-32-128"
    GPU_L4_1_4_16 = "gpu-l4-1-4-16"
    GPU_L4_1_12_48 = "gpu-l4-1-12-48"
    GPU_L4_2_24_96 = "gpu-l4-2-24-96"
    GPU_L4_4_48_192 = "gpu-l4-4-48-192"
    GPU_L4_8_96_384 = "gpu-l4-8-96-384"
    GPU_H100_1_26_234 = "gpu-h100-1-26-234"
    GPU_H100_2_52_468 = "gpu-h100-2-52-468"
    GPU_H100_4_104_936 = "gpu-h100-4-104-936"
    GPU_H100_8_208_1872 = "gpu-h100-8-208-1872"
    GPU_H100_1_28_180 = "gpu-h100-1-28-180"
    GPU_H100_2_60_360 = "gpu-h100-2-60-360"
    GPU_H100_4_124_720 = "gpu-h100-4-124-720"
    GPU_H100_8_252_1440 = "gpu-h100-8-252-1440"
    GPU_H100_8_192_1800 = "gpu-h100-8-192-1800"
    GPU_H100_8_192_960 = "gpu-h100-8-192-960"
    GPU_H100_1_16_200 = "gpu-h100-1-16-200"
    GPU_H100_8_128_1600 = "gpu-h100-8-128-1600"
    GPU_H200_1_16_200 = "gpu-h200-1-16-200"
    GPU_H200_8_128_1600 = "gpu-h200-8-128-1600"


class CreateFleet(Camel):
    """A new fleet."""

    name: str  #: unique in the organisation, 64 characters at most
    node_shape: NodeShape
    autoscaler_config: AutoscalerConfig


class UpdateFleet(Camel):
    """What becomes different of a fleet. What is left out stays."""

    autoscaler_config: AutoscalerConfig
    name: str | UnsetType = UNSET  #: unique in the organisation, 64 characters at most
    node_shape: NodeShape | UnsetType = UNSET


class FleetErrorState(Camel):
    """Whether a fleet has fewer machines in a region than it shall have, or when it last had."""

    in_error: bool  #: it has fewer now
    last_error_timestamp: Moment | None  #: when that began
    last_error_message: str | None  #: which machines are missing
    last_error_log_id: str | None  #: None: there is no log of it


class PartialRecordRegionFleetErrorState(Camel):
    """By region; those that never lacked machines are left out."""

    seattle: FleetErrorState | UnsetType = field(default=UNSET, name="Seattle")
    los_angeles: FleetErrorState | UnsetType = field(default=UNSET, name="Los_Angeles")
    washington_dc: FleetErrorState | UnsetType = field(default=UNSET, name="Washington_DC")
    chicago: FleetErrorState | UnsetType = field(default=UNSET, name="Chicago")
    dallas: FleetErrorState | UnsetType = field(default=UNSET, name="Dallas")
    sao_paulo: FleetErrorState | UnsetType = field(default=UNSET, name="Sao_Paulo")
    london: FleetErrorState | UnsetType = field(default=UNSET, name="London")
    frankfurt: FleetErrorState | UnsetType = field(default=UNSET, name="Frankfurt")
    johannesburg: FleetErrorState | UnsetType = field(default=UNSET, name="Johannesburg")
    dubai: FleetErrorState | UnsetType = field(default=UNSET, name="Dubai")
    mumbai: FleetErrorState | UnsetType = field(default=UNSET, name="Mumbai")
    singapore: FleetErrorState | UnsetType = field(default=UNSET, name="Singapore")
    tokyo: FleetErrorState | UnsetType = field(default=UNSET, name="Tokyo")
    sydney: FleetErrorState | UnsetType = field(default=UNSET, name="Sydney")


class Fleet(Camel):
    """A fleet: machines for the servers of one organisation, in as many regions as it likes."""

    fleet_id: FleetId
    org_id: OrgId
    name: str
    node_shape: NodeShape
    autoscaler_config: AutoscalerConfig | UnsetType = UNSET
    error_state: PartialRecordRegionFleetErrorState | UnsetType = UNSET


class FleetsPage(Camel):
    """All fleets, in one page."""

    fleets: list[Fleet]


class FleetsV1(Resource[M]):
    """Fleets as old clients know them: in processors, and with what is lacking told."""

    @operation("GET", "/fleets/v1/fleets", scope="fleets:read", errors=(*READ, 500), id="GetFleetsDeprecated")
    def get_fleets(self, *, org_id: OrgId | None = GLOBAL) -> FleetsPage:
        """List the organisation's fleets, the newest first."""
        ...

    @operation("POST", "/fleets/v1/fleets", scope="fleets:read-write", errors=WRITE, id="CreateFleetDeprecated")
    def create_fleet(self, params: CreateFleet, *, org_id: OrgId | None = GLOBAL) -> Fleet:
        """Create a fleet."""
        ...

    @operation("GET", "/fleets/v1/fleets/{fleetId}", scope="fleets:read", errors=WRITE, id="GetFleetDeprecated")
    def get_fleet(self, fleet_id: FleetId, *, org_id: OrgId | None = GLOBAL) -> Fleet:
        """Read a fleet, and where it has fewer machines than it shall have."""
        ...

    @operation(
        "POST", "/fleets/v1/fleets/{fleetId}", status=204, scope="fleets:read-write", errors=WRITE,
        id="UpdateFleetDeprecated",
    )  # fmt: skip
    def update_fleet(self, fleet_id: FleetId, params: UpdateFleet, *, org_id: OrgId | None = GLOBAL) -> None:
        """Change a fleet."""
        ...

    @operation(
        "GET", "/fleets/v1/fleets/{fleetId}/metrics", scope="fleets:read", errors=WRITE, id="GetFleetMetricsDeprecated"
    )
    def get_fleet_metrics(
        self,
        fleet_id: FleetId,
        *,
        metrics: list[FleetMetricName] | None = None,
        start: UnixTime | None = None,
        end: UnixTime | None = None,
        step: Step | None = None,
        org_id: OrgId | None = GLOBAL,
    ) -> FleetMetricsData:
        """Read how many processors a fleet had and used in all regions together, in its last seven days."""
        ...

    @operation(
        "GET", "/fleets/v1/fleets/{fleetId}/regions/{region}", scope="fleets:read", errors=CHECKED_READ,
        id="GetFleetRegionDeprecated",
    )  # fmt: skip
    def get_fleet_region(self, fleet_id: FleetId, region: Region, *, org_id: OrgId | None = GLOBAL) -> FleetRegion:
        """Read how many processors a fleet shall have in a region: none unless somebody has said so."""
        ...

    @operation(
        "PUT", "/fleets/v1/fleets/{fleetId}/regions/{region}", status=204, scope="fleets:read-write", errors=WRITE,
        id="UpdateFleetRegionDeprecated",
    )  # fmt: skip
    def update_fleet_region(
        self, fleet_id: FleetId, region: Region, params: FleetRegionConfig, *, org_id: OrgId | None = GLOBAL
    ) -> None:
        """Say how many processors a fleet shall have in a region. It may change each five minutes."""
        ...

    @operation(
        "GET", "/fleets/v1/fleets/{fleetId}/regions/{region}/metrics", scope="fleets:read", errors=WRITE,
        id="GetFleetRegionMetricsDeprecated",
    )  # fmt: skip
    def get_fleet_region_metrics(
        self,
        fleet_id: FleetId,
        region: Region,
        *,
        metrics: list[FleetMetricName] | None = None,
        start: UnixTime | None = None,
        end: UnixTime | None = None,
        step: Step | None = None,
        org_id: OrgId | None = GLOBAL,
    ) -> FleetMetricsData:
        """Read how many processors a fleet had and used in a region, in its last seven days."""
        ...
