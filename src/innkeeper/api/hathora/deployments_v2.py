"""Deployments by their numbers, for old pipelines. Declared in ``contract/hathora/deployments_v2.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.deployments_v2 import DeploymentConfigV2, DeploymentsV2, DeploymentV2
from innkeeper.contract.hathora.deployments_v3 import DeploymentConfigV3
from innkeeper.contract.shape import GLOBAL
from innkeeper.hosting.model import Release
from innkeeper.kit.stamps import moment

from .deployments_v3 import container_ports, env_variables, make_release


def numbered_fields(visit: Visit, release: Release, build_number: int) -> dict[str, Any]:
    """What both old generations tell of a release in the same words."""
    first, *others = container_ports(release)
    return {
        "deployment_id": release.number,
        "app_id": release.app_id,
        "build_id": build_number,
        "requested_cpu": release.cpu,
        "default_container_port": first,
        "additional_container_ports": others,
        "rooms_per_process": release.seats,
        "env": env_variables(visit, release),
        "idle_timeout_enabled": bool(release.idle_rule),
        "created_at": moment(release.created_at),
        "created_by": release.created_by,
    }


def _told(visit: Visit, release: Release, build_number: int) -> DeploymentV2:
    return DeploymentV2(**numbered_fields(visit, release, build_number), requested_memory_mb=release.memory_mb)


async def with_build_numbers(visit: Visit, releases: Sequence[Release]) -> list[tuple[Release, int]]:
    """Each release with the number of its build."""
    numbers = await visit.wings.releases.build_numbers(releases)
    return [(release, numbers[release.build_key]) for release in releases]


async def old_deployments(visit: Visit, releases: Sequence[Release]) -> list[DeploymentV2]:
    """Releases as V2 tells them."""
    return [_told(visit, release, number) for release, number in await with_build_numbers(visit, releases)]


@implements(DeploymentsV2.create_deployment)
async def create_deployment(
    visit: Visit, build_id: int, params: DeploymentConfigV2, app_id: str = GLOBAL
) -> DeploymentV2:
    await visit.wings.apps.get(visit.org, app_id)
    build = await visit.wings.builds.numbered(visit.org, build_id)
    config = DeploymentConfigV3(
        build_id=build.id,
        requested_cpu=params.requested_cpu,
        requested_memory_mb=params.requested_memory_mb,
        container_port=params.container_port,
        transport_type=params.transport_type,
        additional_container_ports=params.additional_container_ports,
        rooms_per_process=params.rooms_per_process,
        env=params.env,
        idle_timeout_enabled=params.idle_timeout_enabled,
    )
    return _told(visit, await make_release(visit, app_id, config), build.number)


@implements(DeploymentsV2.get_deployments)
async def get_deployments(visit: Visit, app_id: str = GLOBAL) -> list[DeploymentV2]:
    return await old_deployments(visit, await visit.wings.releases.latest(visit.org, app_id))


@implements(DeploymentsV2.get_latest_deployment)
async def get_latest_deployment(visit: Visit, app_id: str = GLOBAL) -> DeploymentV2:
    (told,) = await old_deployments(visit, [await visit.wings.releases.get(visit.org, app_id)])
    return told


@implements(DeploymentsV2.get_deployment_info)
async def get_deployment_info(visit: Visit, deployment_id: int, app_id: str = GLOBAL) -> DeploymentV2:
    (told,) = await old_deployments(visit, [await visit.wings.releases.numbered(visit.org, app_id, deployment_id)])
    return told
