"""Deployments of V2, and the hosts of private fleets. Declared here, answered in ``api/edgegap/deployments_v2.py``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Moment, Snake, UnsetType
from innkeeper.contract.words import Word

from . import operation
from .words import (
    CALL,
    MOST,
    AppName,
    Coordinates,
    Env,
    Ip,
    RequestId,
    Tags,
    VersionName,
    WebhookUrl,
)


class UserAddress(Snake):
    """Where a player connects from."""

    ip_address: Ip


class IpUser(Snake, tag_field="user_type", tag="ip_address"):
    """A player who is known by address."""

    user_data: UserAddress


class GeoUser(Snake, tag_field="user_type", tag="geo_coordinates"):
    """A player who is known by place."""

    user_data: Coordinates


#: The players that a deployment shall be near to: one at least.
Users = Annotated[list[IpUser | GeoUser], Meta(min_length=1)]


class Resources(Snake):
    """How much of a host one deployment gets, in place of what its version says."""

    cpu_units: Annotated[int, Meta(ge=1, le=MOST)] | UnsetType | None = UNSET  #: 1024 are one virtual processor
    memory_mib: Annotated[int, Meta(ge=1, le=MOST)] | UnsetType | None = UNSET


class BasicWebhook(Snake):
    """Where a notice is sent. Its body is the deployment's ``Status``."""

    url: WebhookUrl


class DeploymentCreate(Snake):
    """What to deploy, and for whom."""

    application: AppName
    version: VersionName
    users: Users
    resources: Resources | UnsetType | None = UNSET
    #: Choose only among locations that hold the image already, which is faster; False unless said.
    require_cached_locations: bool | UnsetType | None = UNSET
    environment_variables: list[Env] | UnsetType | None = UNSET
    tags: Tags | UnsetType | None = UNSET
    webhook_on_ready: BasicWebhook | UnsetType | None = UNSET
    webhook_on_error: BasicWebhook | UnsetType | None = UNSET
    webhook_on_terminated: BasicWebhook | UnsetType | None = UNSET


class PrivateFleetDeploymentCreate(DeploymentCreate):
    """What to deploy, for whom, and on which hosts of a fleet."""

    #: Hosts to try, one after the other; where none of them has space the deployment goes elsewhere.
    private_host_ids: Annotated[list[str], Meta(min_length=1)]


class DeploymentResponse(Snake):
    """A deployment that was asked for."""

    request_id: RequestId


class HostStatus(Word):
    """Whether a host takes deployments."""

    PENDING = "PENDING"  #: not yet
    ACTIVE = "ACTIVE"


class HostBeacon(Snake):
    """What players ping to learn how far a host is."""

    tcp_port: int
    udp_port: int
    ip_address: Ip


class HostPin(Snake):
    """The order that a host was set up by: where, how large, and how many of its kind."""

    label: str  #: its name, for people
    latitude: float
    longitude: float
    radius_km: int  #: how far from the point hosts may be
    radius_strategy: int
    cpu_cores: int
    memory_gb: int
    clock_speed_ghz: float
    desired_host_count: int


class HostDeleteSchedule(Snake):
    """When a host will be given up."""

    uuid: str
    scheduled_at: Moment


class PrivateFleetHost(Snake):
    """A host of a fleet, and how much of it is taken. 1024 units are one virtual processor."""

    host_id: str  #: what ``private_host_ids`` take
    status: HostStatus
    ip_address: Ip | UnsetType | None = UNSET
    latitude: float | UnsetType | None = UNSET
    longitude: float | UnsetType | None = UNSET
    city: str | UnsetType | None = UNSET
    country: str | UnsetType | None = UNSET
    continent: str | UnsetType | None = UNSET
    allocated_cpu_units: int | None  #: taken by deployments, the beacon and the host's own upkeep
    allocated_memory_mb: int  #: the same of memory
    allocatable_cpu_units: int | UnsetType | None = UNSET  #: what there is for deployments
    allocatable_memory_mb: int | UnsetType | None = UNSET  #: the same of memory
    beacon: HostBeacon | UnsetType | None = UNSET  #: None where there is none
    created_at: Moment
    updated_at: Moment
    pin: HostPin
    delete_schedules: list[HostDeleteSchedule]  #: empty while it is to stay


class PrivateFleetHosts(Snake):
    """The hosts of a fleet."""

    data: list[PrivateFleetHost]


class DeploymentsV2(Resource[M]):
    """Deployments as current clients ask for them, and the hosts of private fleets.

    All else about a deployment is asked of ``deployments``, by the same id.
    """

    @operation("POST", "/v2/deployments", status=202, recorded=False, scope="processes:read-write",
               id="deployment-create", errors=(*CALL, 422))  # fmt: skip
    def create_deployment(self, params: DeploymentCreate) -> DeploymentResponse:
        """Start a server of an app version near its players.

        Answers at once; ask ``get_deployment_status`` until it is ready, or wait for a webhook. Status 422: there is no
        space for it anywhere; nothing stands then.
        """
        ...

    @operation("POST", "/v2/private-fleets/deployments", status=202, recorded=False, scope="processes:read-write",
               id="private-fleets-deployment-create", errors=(*CALL, 422))  # fmt: skip
    def create_private_fleet_deployment(self, params: PrivateFleetDeploymentCreate) -> DeploymentResponse:
        """Start a server of an app version on one of the named hosts, elsewhere where they are full.

        All else is as with ``create_deployment``.
        """
        ...

    @operation("GET", "/v2/private-fleets/{fleet_name}/hosts", scope="fleets:read", id="private-fleet-hosts-list",
               errors=CALL)  # fmt: skip
    def list_private_fleet_hosts(self, fleet_name: str) -> PrivateFleetHosts:
        """List the hosts of a fleet, and how much of each is taken."""
        ...
