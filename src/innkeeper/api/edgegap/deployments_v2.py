"""Answers to ``contract/edgegap/deployments_v2.py``.

A private fleet is a fleet of the house: hosts that are set aside for an organisation's servers.
"""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.deployments_v2 import (
    BasicWebhook,
    DeploymentCreate,
    DeploymentResponse,
    DeploymentsV2,
    HostBeacon,
    HostPin,
    HostStatus,
    PrivateFleetDeploymentCreate,
    PrivateFleetHost,
    PrivateFleetHosts,
)
from innkeeper.contract.shape import UNSET, UnsetType, given
from innkeeper.hosting.orders import Ask
from innkeeper.hosting.plans import Hooks
from innkeeper.hosting.shown import OwnHost
from innkeeper.kit.stamps import moment

from .asking import check_hooks, variables, wishes_of_users
from .callbacks import DEPLOYMENT
from .places import name_of


async def _create(visit: Visit, params: DeploymentCreate, hosts: Sequence[str] = ()) -> DeploymentResponse:
    wishes, players = wishes_of_users(visit, params, hosts)
    resources = given(params.resources)
    cpu = None if resources is None else given(resources.cpu_units)
    memory = None if resources is None else given(resources.memory_mib)
    hooks = Hooks(
        ready=_url(params.webhook_on_ready), failed=_url(params.webhook_on_error),
        ended=_url(params.webhook_on_terminated), api=DEPLOYMENT,
    )  # fmt: skip
    check_hooks(visit, hooks.ready, hooks.failed, hooks.ended)
    ask = Ask(
        wishes=wishes,
        env=variables(given(params.environment_variables)),
        tags=given(params.tags) or [],
        cpu=None if cpu is None else cpu / 1024,
        memory_mb=memory,
        hooks=hooks if hooks.ready or hooks.failed or hooks.ended else None,
        said={"users": players},
    )
    told, _ = await visit.wings.orders.ask(visit.org, params.application, params.version, ask)
    return DeploymentResponse(request_id=told.ordered.short_id)


def _url(hook: BasicWebhook | UnsetType | None) -> str | None:
    found: BasicWebhook | None = given(hook)
    return None if found is None else found.url


@implements(DeploymentsV2.create_deployment)
async def create_deployment(visit: Visit, params: DeploymentCreate) -> DeploymentResponse:
    """Want a server. Its name is all that is told."""
    return await _create(visit, params)


@implements(DeploymentsV2.create_private_fleet_deployment)
async def create_private_fleet_deployment(visit: Visit, params: PrivateFleetDeploymentCreate) -> DeploymentResponse:
    """On one of these hosts, the first that has space; elsewhere where none has."""
    return await _create(visit, params, params.private_host_ids)


@implements(DeploymentsV2.list_private_fleet_hosts)
async def list_private_fleet_hosts(visit: Visit, fleet_name: str) -> PrivateFleetHosts:
    """The hosts that the operator has set aside for it. The common ones, which it may use too, are not its own."""
    found = await visit.wings.shown_hosts.set_aside(visit.org, fleet_name)
    return PrivateFleetHosts(data=[_host(visit, one) for one in found])


def _host(visit: Visit, own: OwnHost) -> PrivateFleetHost:
    shown, atlas = own.shown, visit.wings.atlas
    place = next((atlas.places[name] for name in sorted(shown.locations) if name in atlas.places), None)
    beacon = visit.wings.beacons.of(place.name) if place is not None and own.here else None
    return PrivateFleetHost(
        host_id=shown.id,
        status=HostStatus.ACTIVE if own.open else HostStatus.PENDING,
        ip_address=shown.address if name_of(shown.address) is None else UNSET,
        latitude=UNSET if place is None else place.latitude,
        longitude=UNSET if place is None else place.longitude,
        city=UNSET if place is None else place.city or place.name,
        country=UNSET if place is None else place.country,
        continent=UNSET if place is None else place.continent,
        allocated_cpu_units=_units(own.used_cpu),
        allocated_memory_mb=round(own.used_memory_mb),
        allocatable_cpu_units=_units(shown.cpu) if shown.cpu else UNSET,
        allocatable_memory_mb=int(shown.memory_mb) if shown.memory_mb else UNSET,
        beacon=UNSET
        if beacon is None
        else HostBeacon(tcp_port=beacon.port, udp_port=beacon.port, ip_address=beacon.host),
        created_at=moment(shown.up_since),
        updated_at=moment(max(own.since, shown.up_since)),
        pin=HostPin(
            label=shown.id,
            latitude=0.0 if place is None else place.latitude,
            longitude=0.0 if place is None else place.longitude,
            radius_km=0,
            radius_strategy=0,
            cpu_cores=int(shown.cpu),
            memory_gb=int(shown.memory_mb / 1024),
            clock_speed_ghz=0.0,
            desired_host_count=0 if place is None else own.baselines.get(place.name, 0),
        ),
        delete_schedules=[],
    )


def _units(processors: float) -> int:
    return round(processors * 1024)
