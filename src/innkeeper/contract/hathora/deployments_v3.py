"""Deployments: a build and how to run it. Declared here, answered in ``api/hathora/deployments_v3.py``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from innkeeper.contract.paging import by_token
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType, checked, private, told

from . import operation
from .words import (
    CHECKED_READ,
    READ,
    WRITE,
    AppId,
    BuildId,
    BuildTag,
    BuildTagTold,
    DeploymentId,
    FleetId,
    RoomsPerProcessTold,
    TransportType,
)

#: What a server listens on, inside.
PortNumber = Annotated[int, Meta(ge=1, le=65535)]
#: Lower-case letters, digits and ``-``, the first one a letter.
PortName = Annotated[str, checked(min_length=1, max_length=100, pattern="^[a-z][a-z0-9-]*$")]
EnvName = Annotated[str, checked(min_length=1, max_length=100, pattern="^[a-zA-Z_][a-zA-Z0-9_]*$")]
EnvValue = Annotated[str, checked(max_length=5000), private()]


class EnvVariable(Camel):
    """One environment variable of a server."""

    name: EnvName
    value: EnvValue


class ContainerPort(Camel):
    """One port that a server listens on."""

    name: PortName
    port: PortNumber
    transport_type: TransportType


class HowToRun(Camel):
    """What is said of running a build, and told in the same words."""

    build_id: BuildId
    requested_cpu: float = field(name="requestedCPU")  #: processors for each server, may be fractional
    requested_memory_mb: float = field(name="requestedMemoryMB")  #: MiB for each server
    requested_gpu: int | UnsetType = field(default=UNSET, name="requestedGPU")  #: none when left out
    experimental_requested_gpu: int | UnsetType = field(
        default=UNSET, name="experimentalRequestedGPU"
    )  #: its older name
    idle_timeout_enabled: bool  #: whether a server without rooms and connections is stopped after five minutes
    deployment_tag: str | UnsetType = UNSET  #: the caller's own word for it
    fleet_id: FleetId | UnsetType = UNSET


class DeploymentConfigV3(HowToRun):
    """A build and how to run it. Every new room gets the newest such."""

    container_port: PortNumber  #: the default port: what a server listens on
    transport_type: TransportType  #: of the default port
    additional_container_ports: Annotated[list[ContainerPort], Meta(max_length=2)] | UnsetType = UNSET
    rooms_per_process: Annotated[int, Meta(ge=1, le=10000)]  #: how many rooms a server takes at the same time
    env: Annotated[list[EnvVariable], Meta(max_length=100)]  #: for the servers, besides what the platform sets


class DeploymentV3(HowToRun):
    """A build and how to run it. Never changes; the newest of an application serves its new rooms."""

    deployment_id: DeploymentId
    app_id: AppId
    build_tag: BuildTagTold | UnsetType = UNSET
    default_container_port: ContainerPort
    additional_container_ports: Annotated[list[ContainerPort], told(maxItems=2)]
    rooms_per_process: RoomsPerProcessTold  #: how many rooms a server takes at the same time
    env: Annotated[list[EnvVariable], told(maxItems=100)]  #: for the servers, besides what the platform sets
    created_at: Moment
    created_by: str  #: an e-mail address, or the id of a token


class DeploymentsV3Page(Camel):
    """Some deployments, and how to ask for those after them."""

    deployments: list[DeploymentV3]
    next_page_token: str | UnsetType = UNSET  #: left out on the last page


class DeploymentsV3(Resource[M]):
    """Deployments: a build and how to run it."""

    @operation(
        "POST", "/deployments/v3/apps/{appId}/deployments", status=201, scope="deployments:read-write",
        errors=(400, *WRITE),
    )  # fmt: skip
    def create_deployment(self, params: DeploymentConfigV3, app_id: AppId = GLOBAL) -> DeploymentV3:
        """Say how to run a build. From now on new rooms get it; rooms that stand stay with what they have."""
        ...

    @operation(
        "GET", "/deployments/v3/apps/{appId}/deployments", scope="deployments:read", errors=CHECKED_READ,
        paging=by_token("next_page_token"),
    )  # fmt: skip
    def get_deployments(
        self,
        app_id: AppId = GLOBAL,
        *,
        build_tag: BuildTag | None = None,
        deployment_tag: str | None = None,
        next_page_token: str | None = None,
    ) -> DeploymentsV3Page:
        """List an application's deployments, the newest first, all of them or those with a tag."""
        ...

    @operation("GET", "/deployments/v3/apps/{appId}/deployments/latest", scope="deployments:read", errors=CHECKED_READ)
    def get_latest_deployment(self, app_id: AppId = GLOBAL) -> DeploymentV3:
        """Tell what new rooms run. There is none before the first deployment (404)."""
        ...

    @operation("GET", "/deployments/v3/apps/{appId}/deployments/{deploymentId}", scope="deployments:read", errors=READ)
    def get_deployment(self, deployment_id: DeploymentId, app_id: AppId = GLOBAL) -> DeploymentV3:
        """Tell what a deployment runs, and how."""
        ...
