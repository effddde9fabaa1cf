"""Fleets: deployments that are kept ready for sessions. Declared here, answered in ``api/edgegap/fleets.py``.

The vendor's documents have no status of their own for a name that is taken: it is 400.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from innkeeper.contract.paging import by_page
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType
from innkeeper.contract.words import Word

from . import operation
from .words import CALL, MOST, NAMED, AppName, Limit, Message, NewName, Page, Paged, Stamp, VersionName

#: The share of a deployment's sockets that have to be in use before another deployment is started.
Threshold = Annotated[float, Meta(ge=0.1, le=1)]


class PolicyType(Word):
    """How a policy says where its deployments are.

    The vendor's documents leave it without a name.
    """

    LOCATION = "Location"  #: filters of locations, as a deployment has them
    TAG = "Tag"  #: tags
    COORDINATES = "Coordinates"  #: points on the map


class FleetPostPayload(Snake):
    """A new fleet."""

    name: NewName  #: unique in the organisation
    enabled: bool | UnsetType | None = UNSET  #: whether its policies count; False unless said


class FleetPatchPayload(Snake):
    """What becomes different of a fleet. What is left out or None stays."""

    name: NewName | UnsetType | None = UNSET  #: unique in the organisation
    enabled: bool | UnsetType | None = UNSET  #: whether its policies count


class FleetGetResponse(Snake):
    """A fleet: policies, and the app versions that are deployed as these say.

    The vendor's other names: ``FleetPostResponse``, ``FleetPatchResponse``.
    """

    name: str
    enabled: bool | UnsetType | None = UNSET  #: whether its policies count
    create_time: Stamp | UnsetType | None = UNSET
    last_updated: Stamp | UnsetType | None = UNSET


class FleetList(Paged):
    """Some fleets of the organisation."""

    fleets: list[FleetGetResponse] | UnsetType | None = UNSET


class FleetPoliciesPostPayload(Snake):
    """A new policy of a fleet."""

    name: NewName  #: unique in the fleet
    enabled: bool  #: whether it counts
    type: PolicyType
    minimum: Annotated[int, Meta(ge=1, le=MOST)]  #: deployments that always run, also without sessions
    maximum: Annotated[int, Meta(ge=1, le=MOST)]  #: deployments that run at most
    threshold: Threshold
    data: dict[str, Any]  #: where; as ``{"filters": [{"field", "values", "filter_type"}]}`` for ``Location``


class FleetPoliciesPatchPayload(Snake):
    """What becomes different of a policy. What is left out or None stays."""

    name: NewName | UnsetType | None = UNSET  #: unique in the fleet
    enabled: bool | UnsetType | None = UNSET  #: whether it counts
    type: PolicyType | UnsetType | None = UNSET
    minimum: Annotated[int, Meta(ge=0, le=MOST)] | UnsetType | None = UNSET  #: from 0 here, not from 1
    maximum: Annotated[int, Meta(ge=1, le=MOST)] | UnsetType | None = UNSET
    threshold: Threshold | UnsetType | None = UNSET
    data: dict[str, Any] | UnsetType | None = UNSET
    create_time: str | UnsetType | None = UNSET  #: not read; clients that send a policy back have it
    last_updated: str | UnsetType | None = UNSET  #: not read, either


class FleetPoliciesGetResponse(Snake):
    """A policy: where a fleet keeps deployments ready, and how many of each of its app versions.

    The vendor's other names: ``FleetPoliciesPostResponse``, and of a changed one ``FleetPoliciesPatchPayload``.
    """

    name: str
    enabled: bool  #: whether it counts
    type: PolicyType
    minimum: int  #: deployments that always run, also without sessions
    maximum: int  #: deployments that run at most
    threshold: float  #: the share of a deployment's sockets in use from which another one is started, 0.1 to 1
    data: dict[str, Any]  #: where; as ``{"filters": [{"field", "values", "filter_type"}]}`` for ``Location``
    create_time: Stamp | UnsetType | None = UNSET
    last_updated: Stamp | UnsetType | None = UNSET
    trouble: str | UnsetType = (
        UNSET  #: why there are fewer deployments now than it asks for; left out where there are not
    )


class HorizontalScalerConstraintList(Paged):
    """Some policies of a fleet."""

    policies: list[FleetPoliciesGetResponse] | UnsetType | None = UNSET


class HorizontalScalerAppVersionLink(Snake):
    """An app version that a fleet deploys."""

    app: AppName
    app_version: VersionName
    fleet: str
    create_time: Stamp | UnsetType | None = UNSET
    last_updated: Stamp | UnsetType | None = UNSET


class Fleets(Resource[M]):
    """Fleets: deployments that are kept ready for sessions."""

    @operation("POST", "/v1/fleet", id="fleet-create", scope="fleets:read-write", errors=CALL)
    def create_fleet(self, params: FleetPostPayload) -> FleetGetResponse:
        """Create a fleet. It deploys nothing until it is enabled and has a policy and an app version."""
        ...

    @operation("DELETE", "/v1/fleet/{fleet_name}", id="fleet-delete", scope="fleets:read-write", errors=NAMED)
    def delete_fleet(self, fleet_name: str) -> Message:
        """Delete a fleet, its policies and its links. App versions stay."""
        ...

    @operation("GET", "/v1/fleet/{fleet_name}", id="fleet-get", scope="fleets:read", errors=NAMED)
    def get_fleet(self, fleet_name: str) -> FleetGetResponse:
        """Read a fleet."""
        ...

    @operation("PATCH", "/v1/fleet/{fleet_name}", id="fleet-update", scope="fleets:read-write", errors=NAMED)
    def update_fleet(self, params: FleetPatchPayload, fleet_name: str) -> FleetGetResponse:
        """Change a fleet's name, or whether its policies count."""
        ...

    @operation(
        "DELETE", "/v1/fleet/{fleet_name}/app/{app_name}/version/{version_name}", status=204,
        id="fleet-unlink-app-version", scope="fleets:read-write", errors=NAMED,
    )  # fmt: skip
    def unlink_app_version(self, fleet_name: str, app_name: AppName, version_name: VersionName) -> None:
        """Have a fleet deploy an app version no longer. Both stay."""
        ...

    @operation(
        "PUT", "/v1/fleet/{fleet_name}/app/{app_name}/version/{version_name}", id="fleet-link-app-version",
        scope="fleets:read-write", errors=NAMED,
    )  # fmt: skip
    def link_app_version(
        self, fleet_name: str, app_name: AppName, version_name: VersionName
    ) -> HorizontalScalerAppVersionLink:
        """Have a fleet deploy an app version from now on, as its policies say."""
        ...

    @operation("GET", "/v1/fleets", id="fleets", scope="fleets:read", errors=CALL, paging=by_page())
    def list_fleets(self, *, page: Page | None = None, limit: Limit | None = None) -> FleetList:
        """List the organisation's fleets."""
        ...

    @operation(
        "GET", "/v1/fleet/{fleet_name}/policies", id="fleet-policies-list", scope="fleets:read", errors=NAMED,
        paging=by_page(),
    )  # fmt: skip
    def list_policies(
        self, fleet_name: str, *, page: Page | None = None, limit: Limit | None = None
    ) -> HorizontalScalerConstraintList:
        """List the policies of a fleet."""
        ...

    @operation(
        "POST", "/v1/fleet/{fleet_name}/policies", id="fleet-policies-create", scope="fleets:read-write", errors=NAMED
    )
    def create_policy(self, params: FleetPoliciesPostPayload, fleet_name: str) -> FleetPoliciesGetResponse:
        """Say where a fleet keeps how many deployments ready.

        ``minimum`` of them run always, whatever the version says of deployments that are empty. Another one starts
        when the sockets in use reach ``threshold``, until there are ``maximum``.
        """
        ...

    @operation(
        "DELETE", "/v1/fleet/{fleet_name}/policies/{policy_name}", status=204, id="fleet-policies-delete",
        scope="fleets:read-write", errors=NAMED,
    )  # fmt: skip
    def delete_policy(self, fleet_name: str, policy_name: str) -> None:
        """Delete a policy. The fleet stays."""
        ...

    @operation(
        "GET", "/v1/fleet/{fleet_name}/policies/{policy_name}", id="fleet-policies-get", scope="fleets:read",
        errors=NAMED,
    )  # fmt: skip
    def get_policy(self, fleet_name: str, policy_name: str) -> FleetPoliciesGetResponse:
        """Read a policy."""
        ...

    @operation(
        "PATCH", "/v1/fleet/{fleet_name}/policies/{policy_name}", id="fleet-policies-update",
        scope="fleets:read-write", errors=NAMED,
    )  # fmt: skip
    def update_policy(
        self, params: FleetPoliciesPatchPayload, fleet_name: str, policy_name: str
    ) -> FleetPoliciesGetResponse:
        """Change a policy."""
        ...
