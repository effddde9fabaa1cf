"""Fleets, and how many hosts they shall have. Declared in ``contract/hathora/fleets_v2.py``."""

from __future__ import annotations

from msgspec import UnsetType

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.fleets_v2 import (
    AutoscalerConfig,
    CreateFleetV2,
    FleetMetricName,
    FleetMetricsData,
    FleetRegion,
    FleetRegionConfig,
    FleetRegionConfigV2,
    FleetsPageV2,
    FleetsV2,
    FleetV2,
    NodeShapeV2,
    UpdateFleetV2,
)
from innkeeper.contract.hathora.processes_v3 import MetricValue
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.shape import GLOBAL, given
from innkeeper.hosting.capacity import Baseline, Fleet
from innkeeper.hosting.fleets import FleetMetric
from innkeeper.kit.clock import SECOND
from innkeeper.kit.errors import Invalid
from innkeeper.kit.stamps import moment

from .shapes import SIZES, shape_of, size_of, told, word_of
from .spans import span
from .words import location_of

#: Each metric, its field in the answer, and what the house calls it.
_METRICS: dict[FleetMetricName, tuple[str, FleetMetric]] = {
    FleetMetricName.PROVISIONED_TOTAL: ("provisioned_total", FleetMetric.GIVEN_OUT),
    FleetMetricName.PROVISIONED_BARE_METAL: ("provisioned_bare_metal", FleetMetric.METAL),
    FleetMetricName.PROVISIONED_CLOUD: ("provisioned_cloud", FleetMetric.CLOUD),
    FleetMetricName.UTILIZED: ("utilized", FleetMetric.USED),
    FleetMetricName.SYSTEM_OVERHEAD: ("system_overhead", FleetMetric.OVERHEAD),
}


def _fleet(fleet: Fleet) -> FleetV2:
    return FleetV2(
        fleet_id=fleet.id,
        org_id=fleet.org_id,
        name=fleet.name,
        node_shape_id=shape_of(fleet.shape),
        autoscaler_config=AutoscalerConfig(scale_up_threshold=fleet.threshold),
    )


def fleet_region(fleet: Fleet, baseline: Baseline) -> FleetRegion:
    """How many hosts a fleet shall have at a location, as both generations tell it."""
    cpus = size_of(fleet.shape).cpus
    return FleetRegion(
        node_baseline=baseline.hosts,
        cloud_min_vcpus_updated_at=moment(baseline.changed_at),
        cloud_min_vcpus=baseline.hosts * cpus,
        scale_increment_vcpus=cpus,
    )


async def set_baseline(visit: Visit, fleet_id: str, region: Region, hosts: int) -> None:
    """Change how many hosts a fleet shall have at a location. Raises NotFound, Invalid or RateLimited."""
    most = (await visit.wings.organisations.get(visit.org)).limits.cloud_baseline
    await visit.wings.fleets.set_baseline(visit.org, fleet_id, location_of(region), hosts, most=most)


async def set_baseline_in_cpus(visit: Visit, fleet_id: str, region: Region, cpus: int) -> None:
    """The same, told in processors. Raises Invalid too where they are no whole number of the fleet's machines."""
    each = size_of((await visit.wings.fleets.get(visit.org, fleet_id)).shape).cpus
    if cpus % each:
        raise Invalid(f"cloudMinVcpus: must be a multiple of {each}, the processors of one machine of this fleet")
    await set_baseline(visit, fleet_id, region, cpus // each)


async def fleet_metrics(
    visit: Visit,
    fleet_id: str,
    region: Region | None,
    metrics: list[FleetMetricName] | None,
    start: float | None,
    end: float | None,
    step: int | None,
) -> FleetMetricsData:
    """Counts of a fleet in a region, or (None) in all of them."""
    first, last = span(visit, start, end)
    asked = [_METRICS[name] for name in metrics or FleetMetricName]
    series = await visit.wings.fleets.series(
        visit.org, fleet_id, None if region is None else location_of(region), [metric for _, metric in asked],
        start=first, end=last, step=step or 60,
    )  # fmt: skip
    return FleetMetricsData(
        **{field: [MetricValue(timestamp=at / SECOND, value=value) for at, value in series[of]] for field, of in asked}
    )


@implements(FleetsV2.get_node_shapes)
async def get_node_shapes(visit: Visit, *, org_id: str | None = GLOBAL) -> list[NodeShapeV2]:
    return [told(shape) for shape in SIZES]


@implements(FleetsV2.get_fleets)
async def get_fleets(visit: Visit, *, org_id: str | None = GLOBAL) -> FleetsPageV2:
    return FleetsPageV2(fleets=[_fleet(fleet) for fleet in await visit.wings.fleets.all(visit.org)])


@implements(FleetsV2.create_fleet)
async def create_fleet(visit: Visit, params: CreateFleetV2, *, org_id: str | None = GLOBAL) -> FleetV2:
    made = await visit.wings.fleets.create(
        visit.org,
        visit.by,
        name=params.name,
        shape=word_of(params.node_shape_id),
        threshold=params.autoscaler_config.scale_up_threshold,
    )
    return _fleet(made)


@implements(FleetsV2.get_fleet)
async def get_fleet(visit: Visit, fleet_id: str, *, org_id: str | None = GLOBAL) -> FleetV2:
    return _fleet(await visit.wings.fleets.get(visit.org, fleet_id))


@implements(FleetsV2.update_fleet)
async def update_fleet(visit: Visit, fleet_id: str, params: UpdateFleetV2, *, org_id: str | None = GLOBAL) -> None:
    shape = None
    if not isinstance(params.node_shape_id, UnsetType):
        shape = word_of(params.node_shape_id, (await visit.wings.fleets.get(visit.org, fleet_id)).shape)
    await visit.wings.fleets.change(
        visit.org, fleet_id, threshold=params.autoscaler_config.scale_up_threshold,
        name=given(params.name), shape=shape,
    )  # fmt: skip


@implements(FleetsV2.get_fleet_metrics)
async def get_fleet_metrics(
    visit: Visit,
    fleet_id: str,
    *,
    metrics: list[FleetMetricName] | None = None,
    start: float | None = None,
    end: float | None = None,
    step: int | None = None,
    org_id: str | None = GLOBAL,
) -> FleetMetricsData:
    return await fleet_metrics(visit, fleet_id, None, metrics, start, end, step)


@implements(FleetsV2.get_fleet_region)
async def get_fleet_region(visit: Visit, fleet_id: str, region: Region, *, org_id: str | None = GLOBAL) -> FleetRegion:
    return fleet_region(*await visit.wings.fleets.baseline(visit.org, fleet_id, location_of(region)))


@implements(FleetsV2.update_fleet_region)
async def update_fleet_region(
    visit: Visit, fleet_id: str, region: Region, params: FleetRegionConfigV2, *, org_id: str | None = GLOBAL
) -> None:
    await set_baseline(visit, fleet_id, region, params.node_baseline)


@implements(FleetsV2.deprecated_update_fleet_region_v2)
async def deprecated_update_fleet_region_v2(
    visit: Visit, fleet_id: str, region: Region, params: FleetRegionConfig, *, org_id: str | None = GLOBAL
) -> None:
    await set_baseline_in_cpus(visit, fleet_id, region, params.cloud_min_vcpus)


@implements(FleetsV2.get_fleet_region_metrics)
async def get_fleet_region_metrics(
    visit: Visit,
    fleet_id: str,
    region: Region,
    *,
    metrics: list[FleetMetricName] | None = None,
    start: float | None = None,
    end: float | None = None,
    step: int | None = None,
    org_id: str | None = GLOBAL,
) -> FleetMetricsData:
    return await fleet_metrics(visit, fleet_id, region, metrics, start, end, step)
