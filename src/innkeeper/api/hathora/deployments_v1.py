"""Deployments by number and plan, for the oldest pipelines. Declared in ``contract/hathora/deployments_v1.py``."""

from __future__ import annotations

import math

from msgspec import UnsetType

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.deployments_v1 import DeploymentConfig, DeploymentsV1, DeploymentV1, PlanName
from innkeeper.contract.hathora.deployments_v3 import DeploymentConfigV3
from innkeeper.contract.shape import GLOBAL
from innkeeper.hosting.model import Release

from .deployments_v2 import numbered_fields, with_build_numbers
from .deployments_v3 import make_release

#: Processors and MiB of each plan, the smallest first.
PLANS: dict[PlanName, tuple[float, int]] = {
    PlanName.TINY: (0.5, 1024),
    PlanName.SMALL: (1, 2048),
    PlanName.MEDIUM: (2, 4096),
    PlanName.LARGE: (4, 8192),
}


def plan_of(cpu: float, memory_mb: float) -> PlanName:
    """The smallest plan that holds this much; the largest where none does."""
    fitting = (name for name, (most_cpu, most_mb) in PLANS.items() if cpu <= most_cpu and memory_mb <= most_mb)
    return next(fitting, PlanName.LARGE)


def _told(visit: Visit, release: Release, build_number: int) -> DeploymentV1:
    fields = numbered_fields(visit, release, build_number)
    first = fields["default_container_port"]
    return DeploymentV1(
        **fields,
        plan_name=plan_of(release.cpu, release.memory_mb),
        requested_memory_mb=math.ceil(release.memory_mb),
        container_port=first.port,
        transport_type=first.transport_type,
    )


@implements(DeploymentsV1.create_deployment)
async def create_deployment(
    visit: Visit, build_id: int, params: DeploymentConfig, app_id: str = GLOBAL
) -> DeploymentV1:
    await visit.wings.apps.get(visit.org, app_id)
    build = await visit.wings.builds.numbered(visit.org, build_id)
    cpu, memory_mb = PLANS[params.plan_name]
    config = DeploymentConfigV3(
        build_id=build.id,
        requested_cpu=cpu,
        requested_memory_mb=memory_mb,
        container_port=params.container_port,
        transport_type=params.transport_type,
        additional_container_ports=params.additional_container_ports,
        rooms_per_process=params.rooms_per_process,
        env=params.env,
        idle_timeout_enabled=True
        if isinstance(params.idle_timeout_enabled, UnsetType)
        else params.idle_timeout_enabled,
    )
    return _told(visit, await make_release(visit, app_id, config), build.number)


@implements(DeploymentsV1.get_deployments)
async def get_deployments(visit: Visit, app_id: str = GLOBAL) -> list[DeploymentV1]:
    found = await with_build_numbers(visit, await visit.wings.releases.latest(visit.org, app_id))
    return [_told(visit, release, number) for release, number in found]


@implements(DeploymentsV1.get_latest_deployment)
async def get_latest_deployment(visit: Visit, app_id: str = GLOBAL) -> DeploymentV1:
    ((release, number),) = await with_build_numbers(visit, [await visit.wings.releases.get(visit.org, app_id)])
    return _told(visit, release, number)


@implements(DeploymentsV1.get_deployment_info)
async def get_deployment_info(visit: Visit, deployment_id: int, app_id: str = GLOBAL) -> DeploymentV1:
    found = await visit.wings.releases.numbered(visit.org, app_id, deployment_id)
    ((release, number),) = await with_build_numbers(visit, [found])
    return _told(visit, release, number)
