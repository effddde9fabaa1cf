"""Deployments as the oldest pipelines know them: numbers, sized by a plan. ``deployments_v3.py`` took over.

Declared here, answered in ``api/hathora/deployments_v1.py``.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType, told
from innkeeper.contract.words import Word

from . import operation
from .builds_v2 import BuildNumber
from .deployments_v2 import DeploymentNumber
from .deployments_v3 import ContainerPort, EnvVariable, PortNumber
from .words import CHECKED_READ, READ, WRITE, AppId, RoomsPerProcessTold, TransportType

_PortTold = Annotated[int, told(minimum=1, maximum=65535)]
_IdleRule = Annotated[bool, told(default=True)]


class PlanName(Word):
    """How large a server is."""

    TINY = "tiny"  #: half a processor and 1,024 MiB
    SMALL = "small"  #: 1 processor and 2,048 MiB
    MEDIUM = "medium"  #: 2 processors and 4,096 MiB
    LARGE = "large"  #: 4 processors and 8,192 MiB


class DeploymentConfig(Camel):
    """How to run a build. Every new room gets the newest such."""

    plan_name: PlanName
    container_port: PortNumber  #: the default port: what a server listens on
    transport_type: TransportType  #: of the default port
    additional_container_ports: Annotated[list[ContainerPort], Meta(max_length=2)] | UnsetType = UNSET
    rooms_per_process: Annotated[int, Meta(ge=1, le=10000)]  #: how many rooms a server takes at the same time
    env: Annotated[list[EnvVariable], Meta(max_length=100)]  #: for the servers, besides what the platform sets
    #: whether a server without rooms and connections is stopped after five minutes; it is when left out
    idle_timeout_enabled: _IdleRule | UnsetType = UNSET


class DeploymentV1(Camel):
    """A build and how to run it. Never changes; the newest of an application serves its new rooms."""

    deployment_id: DeploymentNumber
    app_id: AppId
    build_id: BuildNumber
    plan_name: PlanName  #: the smallest that holds what it was given otherwise; ``large`` where none does
    requested_cpu: float = field(name="requestedCPU")  #: processors for each server, may be fractional
    requested_memory_mb: int = field(name="requestedMemoryMB")  #: MiB for each server
    default_container_port: ContainerPort
    container_port: _PortTold  #: number of the default port
    transport_type: TransportType  #: of the default port
    additional_container_ports: Annotated[list[ContainerPort], told(maxItems=2)]
    rooms_per_process: RoomsPerProcessTold  #: how many rooms a server takes at the same time
    env: Annotated[list[EnvVariable], told(maxItems=100)]  #: for the servers, besides what the platform sets
    #: whether a server without rooms and connections is stopped after five minutes; it is when left out
    idle_timeout_enabled: _IdleRule | UnsetType = UNSET
    created_at: Moment
    created_by: str  #: an e-mail address, or the id of a token


class DeploymentsV1(Resource[M]):
    """Deployments as the oldest pipelines know them."""

    @operation(
        "POST", "/deployments/v1/{appId}/create/{buildId}", status=201, scope="deployments:read-write",
        errors=(400, *WRITE), id="CreateDeploymentV1Deprecated", replaced_by="deployments_v3.create_deployment",
    )  # fmt: skip
    def create_deployment(
        self, build_id: BuildNumber, params: DeploymentConfig, app_id: AppId = GLOBAL
    ) -> DeploymentV1:
        """Say how to run a build. From now on new rooms get it; rooms that stand stay with what they have."""
        ...

    @operation(
        "GET", "/deployments/v1/{appId}/list", scope="deployments:read", errors=(*READ, 500),
        id="GetDeploymentsV1Deprecated", replaced_by="deployments_v3.get_deployments",
    )  # fmt: skip
    def get_deployments(self, app_id: AppId = GLOBAL) -> list[DeploymentV1]:
        """List an application's deployments, the newest first."""
        ...

    @operation(
        "GET", "/deployments/v1/{appId}/latest", scope="deployments:read", errors=CHECKED_READ,
        id="GetLatestDeploymentV1Deprecated", replaced_by="deployments_v3.get_latest_deployment",
    )  # fmt: skip
    def get_latest_deployment(self, app_id: AppId = GLOBAL) -> DeploymentV1:
        """Tell what new rooms run. There is none before the first deployment (404)."""
        ...

    @operation(
        "GET", "/deployments/v1/{appId}/info/{deploymentId}", scope="deployments:read", errors=READ,
        id="GetDeploymentInfoV1Deprecated", replaced_by="deployments_v3.get_deployment",
    )  # fmt: skip
    def get_deployment_info(self, deployment_id: DeploymentNumber, app_id: AppId = GLOBAL) -> DeploymentV1:
        """Tell what a deployment runs, and how."""
        ...
