"""Fleets as old clients know them. Declared in ``contract/hathora/fleets_v1.py``."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UnsetType

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora import fleets_v1 as said
from innkeeper.contract.hathora.fleets_v1 import FleetsV1
from innkeeper.contract.hathora.fleets_v2 import (
    AutoscalerConfig,
)
from innkeeper.contract.shape import GLOBAL, given
from innkeeper.hosting.capacity import Fleet, Trouble
from innkeeper.kit.stamps import moment

from . import fleets_v2
from .words import region_of


def _fleet(fleet: Fleet, troubles: Mapping[str, Trouble] | None = None) -> said.Fleet:
    # Locations that no client can ask for have no fields.
    by_region = {region_of(location): _trouble(trouble) for location, trouble in (troubles or {}).items()}
    return said.Fleet(
        fleet_id=fleet.id,
        org_id=fleet.org_id,
        name=fleet.name,
        node_shape=said.NodeShape(fleet.shape),
        autoscaler_config=AutoscalerConfig(scale_up_threshold=fleet.threshold),
        error_state=said.PartialRecordRegionFleetErrorState(
            **{region.value.lower(): state for region, state in by_region.items() if region.known}
        ),
    )


def _trouble(trouble: Trouble) -> said.FleetErrorState:
    return said.FleetErrorState(
        in_error=trouble.ended_at is None,
        last_error_timestamp=moment(trouble.began_at),
        last_error_message=trouble.text,
        last_error_log_id=None,
    )


implements(FleetsV1.get_fleet_metrics)(fleets_v2.get_fleet_metrics)
implements(FleetsV1.get_fleet_region)(fleets_v2.get_fleet_region)
implements(FleetsV1.update_fleet_region)(fleets_v2.deprecated_update_fleet_region_v2)
implements(FleetsV1.get_fleet_region_metrics)(fleets_v2.get_fleet_region_metrics)


@implements(FleetsV1.get_fleets)
async def get_fleets(visit: Visit, *, org_id: str | None = GLOBAL) -> said.FleetsPage:
    troubles = await visit.wings.fleets.troubles(visit.org)
    return said.FleetsPage(
        fleets=[_fleet(fleet, troubles.get(fleet.id)) for fleet in await visit.wings.fleets.all(visit.org)]
    )


@implements(FleetsV1.create_fleet)
async def create_fleet(visit: Visit, params: said.CreateFleet, *, org_id: str | None = GLOBAL) -> said.Fleet:
    made = await visit.wings.fleets.create(
        visit.org,
        visit.by,
        name=params.name,
        shape=params.node_shape.value,
        threshold=params.autoscaler_config.scale_up_threshold,
    )
    return _fleet(made)


@implements(FleetsV1.get_fleet)
async def get_fleet(visit: Visit, fleet_id: str, *, org_id: str | None = GLOBAL) -> said.Fleet:
    fleet = await visit.wings.fleets.get(visit.org, fleet_id)
    return _fleet(fleet, (await visit.wings.fleets.troubles(visit.org)).get(fleet.id))


@implements(FleetsV1.update_fleet)
async def update_fleet(visit: Visit, fleet_id: str, params: said.UpdateFleet, *, org_id: str | None = GLOBAL) -> None:
    shape = params.node_shape
    await visit.wings.fleets.change(
        visit.org, fleet_id, threshold=params.autoscaler_config.scale_up_threshold,
        name=given(params.name),
        shape=None if isinstance(shape, UnsetType) else shape.value,
    )  # fmt: skip
