"""Deployments: the house's releases. Declared in ``contract/hathora/deployments_v3.py``; V1 and V2 make theirs here."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.deployments_v3 import (
    ContainerPort,
    DeploymentConfigV3,
    DeploymentsV3,
    DeploymentsV3Page,
    DeploymentV3,
    EnvVariable,
)
from innkeeper.contract.shape import GLOBAL, given
from innkeeper.hosting.model import PortSpec, Release
from innkeeper.hosting.releases import ports_of
from innkeeper.kit.stamps import moment

from .words import transport_of

#: The name of the port that every deployment has.
DEFAULT = "default"


def container_ports(release: Release) -> list[ContainerPort]:
    """Its ports, the default one first.

    The vendor knows no release without ports, and no port without a number: such are told with the number 1.
    """
    ports = ports_of(release) or [PortSpec(DEFAULT, "tcp", 1)]
    return [
        ContainerPort(name=port.name, port=max(1, port.port), transport_type=transport_of(port.transport))
        for port in ports
    ]


def env_variables(visit: Visit, release: Release) -> list[EnvVariable]:
    """The variables that its owner wrote; without their values those that shall not be told."""
    releases = visit.wings.releases
    hidden = releases.hidden_of(release)
    return [
        EnvVariable(name=name, value="" if name in hidden else value)
        for name, value in releases.env_of(release).items()
    ]


def deployment_data(visit: Visit, release: Release) -> DeploymentV3:
    """A release as Hathora tells it."""
    first, *others = container_ports(release)
    gpu = UNSET if release.gpu is None else round(release.gpu)
    return DeploymentV3(
        deployment_id=release.id,
        app_id=release.app_id,
        build_id=release.build_id,
        build_tag=UNSET if release.build_tag is None else release.build_tag,
        default_container_port=first,
        additional_container_ports=others,
        requested_cpu=release.cpu,
        requested_memory_mb=release.memory_mb,
        requested_gpu=gpu,
        experimental_requested_gpu=gpu,
        rooms_per_process=release.seats,
        idle_timeout_enabled=bool(release.idle_rule),
        env=env_variables(visit, release),
        created_at=moment(release.created_at),
        created_by=release.created_by,
        deployment_tag=UNSET if release.tag is None else release.tag,
        fleet_id=UNSET if release.fleet_id is None else release.fleet_id,
    )


async def make_release(visit: Visit, app_id: str, params: DeploymentConfigV3) -> Release:
    """The release that a request asks for, of whichever generation. Raises NotFound and Invalid."""
    others = params.additional_container_ports
    most = (await visit.wings.organisations.get(visit.org)).limits.memory_mb
    gpus = [gpu for gpu in (params.requested_gpu, params.experimental_requested_gpu) if not isinstance(gpu, UnsetType)]
    return await visit.wings.releases.create(
        visit.org,
        app_id,
        visit.by,
        build_id=params.build_id,
        seats=params.rooms_per_process,
        cpu=params.requested_cpu,
        memory_mb=params.requested_memory_mb,
        ports=[
            PortSpec(DEFAULT, params.transport_type.value, params.container_port),
            *(
                PortSpec(port.name, port.transport_type.value, port.port)
                for port in ([] if isinstance(others, UnsetType) else others)
            ),
        ],
        env=[(variable.name, variable.value) for variable in params.env],
        idle_rule=params.idle_timeout_enabled,
        gpu=max(gpus) if gpus else None,
        tag=given(params.deployment_tag),
        fleet_id=given(params.fleet_id),
        most_memory_mb=most,
    )


@implements(DeploymentsV3.create_deployment)
async def create_deployment(visit: Visit, params: DeploymentConfigV3, app_id: str = GLOBAL) -> DeploymentV3:
    return deployment_data(visit, await make_release(visit, app_id, params))


@implements(DeploymentsV3.get_deployments)
async def get_deployments(
    visit: Visit,
    app_id: str = GLOBAL,
    *,
    build_tag: str | None = None,
    deployment_tag: str | None = None,
    next_page_token: str | None = None,
) -> DeploymentsV3Page:
    page, token = await visit.wings.releases.page(
        visit.org, app_id, token=next_page_token, tag=deployment_tag, build_tag=build_tag
    )
    return DeploymentsV3Page(
        deployments=[deployment_data(visit, release) for release in page],
        next_page_token=UNSET if token is None else token,
    )


@implements(DeploymentsV3.get_latest_deployment)
async def get_latest_deployment(visit: Visit, app_id: str = GLOBAL) -> DeploymentV3:
    return deployment_data(visit, await visit.wings.releases.get(visit.org, app_id))


@implements(DeploymentsV3.get_deployment)
async def get_deployment(visit: Visit, deployment_id: str, app_id: str = GLOBAL) -> DeploymentV3:
    return deployment_data(visit, await visit.wings.releases.get(visit.org, app_id, deployment_id))
