"""Fleets: the machines that an organisation wants. Declared here, answered in ``api/hathora/fleets_v2.py``."""

from __future__ import annotations

from msgspec import field

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType
from innkeeper.contract.words import Word

from . import operation
from .processes_v3 import MetricValue, Step, UnixTime
from .words import CHECKED_READ, READ, WRITE, FleetId, OrgId, Region


class NodeFamilyId(Word):
    """Which machines are alike but for their size: processors, and GiB of memory for each, or the kind of GPU."""

    AMD64_1_2 = "family-amd64-1-2"
    AMD64_1_4 = "family-amd64-1-4"
    L4_1_4 = "family-l4-1-4"
    L4_1_12 = "family-l4-1-12"
    H100_PCIE = "family-h100pcie"
    H100_SXM5 = "family-h100sxm5"
    H200_SXM5 = "family-h200sxm5"


class NodeShapeId(Word):
    """A kind of machine: processors and GiB of memory, or the kind and number of its GPUs."""

    AMD64_4_8 = "shape-amd64-4-8"
    AMD64_8_16 = "shape-amd64-8-16"
    AMD64_16_32 = "shape-amd64-16-32"
    AMD64_32_64 = "shape-amd64-32-64"
    AMD64_64_128 = "shape-amd64-64-128"
    AMD64_4_16 = "shape-amd64-4-16"
    AMD64_8_32 = "shape-amd64-8-32"
    AMD64_16_64 = "shape-amd64-16-64"
    AMD64_32_128 = "shape-amd64-32-128"
    L4_1_4 = "shape-l4-1-4"
    L4_1 = "shape-l4-1"
    L4_2 = "shape-l4-2"
    L4_4 = "shape-l4-4"
    L4_8 = "shape-l4-8"
    H100_PCIE_1 = "shape-h100pcie-1"
    H100_PCIE_2 = "shape-h100pcie-2"
    H100_PCIE_4 = "shape-h100pcie-4"
    H100_PCIE_8 = "shape-h100pcie-8"
    H100_SXM5_1 = "shape-h100sxm5-1"
    H100_SXM5_8 = "shape-h100sxm5-8"
    H200_SXM5_1 = "shape-h200sxm5-1"
    H200_SXM5_8 = "shape-h200sxm5-8"


class NodeShapeV2(Camel):
    """A kind of machine, and the least that one of it has."""

    node_shape_id: NodeShapeId
    name: str  #: for people
    family_id: NodeFamilyId
    family_name: str  #: for people
    min_cpu: float = field(name="minCPU")  #: processors
    min_memory_mb: float = field(name="minMemoryMB")  #: MiB
    min_gpu: float = field(name="minGPU")  #: GPUs


class AutoscalerConfig(Camel):
    """When servers of a fleet go to other machines than its own."""

    #: percent of the processors of its own machines, 1 to 100. In use above it: new servers go to the common machines
    #: first. 100: only when its own have no place
    scale_up_threshold: int


class CreateFleetV2(Camel):
    """A new fleet."""

    name: str  #: unique in the organisation, 64 characters at most
    node_shape_id: NodeShapeId
    autoscaler_config: AutoscalerConfig


class UpdateFleetV2(Camel):
    """What becomes different of a fleet. What is left out stays."""

    autoscaler_config: AutoscalerConfig
    name: str | UnsetType = UNSET  #: unique in the organisation, 64 characters at most
    node_shape_id: NodeShapeId | UnsetType = UNSET


class FleetV2(Camel):
    """A fleet: machines for the servers of one organisation, in as many regions as it likes."""

    fleet_id: FleetId
    org_id: OrgId
    name: str
    node_shape_id: NodeShapeId
    autoscaler_config: AutoscalerConfig | UnsetType = UNSET


class FleetsPageV2(Camel):
    """All fleets, in one page."""

    fleets: list[FleetV2]


class FleetRegion(Camel):
    """How many machines a fleet shall have in a region."""

    node_baseline: int  #: machines
    #: when the baseline was last changed; when the fleet was made, where it never was. It may change each five minutes
    cloud_min_vcpus_updated_at: Moment
    cloud_min_vcpus: int  #: the baseline in processors: that many machines of the fleet's shape
    scale_increment_vcpus: int  #: processors of a machine of the fleet's shape


class FleetRegionConfig(Camel):
    """The baseline in processors."""

    cloud_min_vcpus: int  #: a multiple of ``scaleIncrementVcpus``


class FleetRegionConfigV2(Camel):
    """The baseline in machines."""

    node_baseline: int  #: 0 or more, and no more than the organisation may keep ready


class FleetMetricName(Word):
    """What is counted of a fleet."""

    PROVISIONED_TOTAL = "provisionedTotal"  #: processors that its machines give out
    PROVISIONED_BARE_METAL = "provisionedBareMetal"  #: of these, those of machines that stay
    PROVISIONED_CLOUD = "provisionedCloud"  #: of these, those of machines in the cloud
    UTILIZED = "utilized"  #: processors given to its servers, wherever these run
    SYSTEM_OVERHEAD = "systemOverhead"  #: processors that its machines have and do not give out


class FleetMetricsData(Camel):
    """Counts of a fleet, the oldest first. One that was not asked for is left out; one that nobody knows is empty."""

    provisioned_total: list[MetricValue] | UnsetType = UNSET  #: processors that its machines give out
    provisioned_bare_metal: list[MetricValue] | UnsetType = UNSET  #: of these, those of machines that stay
    provisioned_cloud: list[MetricValue] | UnsetType = UNSET  #: of these, those of machines in the cloud
    utilized: list[MetricValue] | UnsetType = UNSET  #: processors given to its servers, wherever these run
    system_overhead: list[MetricValue] | UnsetType = UNSET  #: processors that its machines have and do not give out


class FleetsV2(Resource[M]):
    """Fleets: how many machines an organisation wants, and where."""

    @operation("GET", "/fleets/v2/nodeShapes", scope="fleets:read", errors=WRITE)
    def get_node_shapes(self, *, org_id: OrgId | None = GLOBAL) -> list[NodeShapeV2]:
        """List the kinds of machine that a fleet can name."""
        ...

    @operation("GET", "/fleets/v2/fleets", scope="fleets:read", errors=(*READ, 500))
    def get_fleets(self, *, org_id: OrgId | None = GLOBAL) -> FleetsPageV2:
        """List the organisation's fleets, the newest first."""
        ...

    @operation("POST", "/fleets/v2/fleets", scope="fleets:read-write", errors=WRITE)
    def create_fleet(self, params: CreateFleetV2, *, org_id: OrgId | None = GLOBAL) -> FleetV2:
        """Create a fleet. Its id is what a deployment names, and what the operator sets machines aside for."""
        ...

    @operation("GET", "/fleets/v2/fleets/{fleetId}", scope="fleets:read", errors=WRITE)
    def get_fleet(self, fleet_id: FleetId, *, org_id: OrgId | None = GLOBAL) -> FleetV2:
        """Read a fleet."""
        ...

    @operation("POST", "/fleets/v2/fleets/{fleetId}", status=204, scope="fleets:read-write", errors=WRITE)
    def update_fleet(self, fleet_id: FleetId, params: UpdateFleetV2, *, org_id: OrgId | None = GLOBAL) -> None:
        """Change a fleet."""
        ...

    @operation("GET", "/fleets/v2/fleets/{fleetId}/metrics", scope="fleets:read", errors=WRITE)
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
        """Read how many processors a fleet had and used in all regions together, in its last seven days.

        ``start`` and ``end`` are Unix times in seconds, the last hour unless told; ``step`` is the seconds between two
        counts, 60 unless told.
        """
        ...

    @operation("GET", "/fleets/v2/fleets/{fleetId}/regions/{region}", scope="fleets:read", errors=CHECKED_READ)
    def get_fleet_region(self, fleet_id: FleetId, region: Region, *, org_id: OrgId | None = GLOBAL) -> FleetRegion:
        """Read how many machines a fleet shall have in a region: none unless somebody has said so."""
        ...

    @operation(
        "PUT", "/fleets/v2/fleets/{fleetId}/regions/{region}/v2", status=204, scope="fleets:read-write", errors=WRITE
    )
    def update_fleet_region(
        self, fleet_id: FleetId, region: Region, params: FleetRegionConfigV2, *, org_id: OrgId | None = GLOBAL
    ) -> None:
        """Say how many machines a fleet shall have in a region. It may change each five minutes."""
        ...

    @operation(
        "PUT", "/fleets/v2/fleets/{fleetId}/regions/{region}", status=204, scope="fleets:read-write", errors=WRITE,
        replaced_by="update_fleet_region",
    )  # fmt: skip
    def deprecated_update_fleet_region_v2(
        self, fleet_id: FleetId, region: Region, params: FleetRegionConfig, *, org_id: OrgId | None = GLOBAL
    ) -> None:
        """Say how many processors a fleet shall have in a region. It may change each five minutes."""
        ...

    @operation("GET", "/fleets/v2/fleets/{fleetId}/regions/{region}/metrics", scope="fleets:read", errors=WRITE)
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
        """Read how many processors a fleet had and used in a region, in its last seven days.

        ``start`` and ``end`` are Unix times in seconds, the last hour unless told; ``step`` is the seconds between two
        counts, 60 unless told.
        """
        ...
