"""Organisations and what they may use, for the operator. Declared here, answered in ``api/house/orgs_v1.py``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Camel, UnsetType, checked

from . import operation

_READ = (401, 404)
_CHANGED = (400, 401, 404, 422)

_Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
_Name = Annotated[str, checked(min_length=1, max_length=100)]
_Size = Annotated[float, Meta(ge=0, le=1_000_000_000)]


class Limits(Camel):
    """What an organisation may use. None: no limit."""

    memory_mb: int  #: MiB that one server may ask for
    connections: int  #: inbound connections of one server; told to clients, and not enforced
    log_hours: int  #: told to clients; how long output is kept is a setting of the house
    cloud_baseline: int  #: nodes that a fleet may keep ready in a region
    server_hours: float | None  #: how long a server may live before it takes no more rooms
    cpus: float | None  #: processors of all servers together
    cpu_hours_a_month: float | None  #: processor hours of all servers together, each calendar month (UTC)


class ChangedLimits(Camel):
    """What shall be changed; what is left out stays as it is. None: no limit any more."""

    memory_mb: _Count | UnsetType = UNSET  #: MiB that one server may ask for
    connections: _Count | UnsetType = UNSET  #: inbound connections of one server; told to clients, and not enforced
    log_hours: _Count | UnsetType = UNSET  #: told to clients; how long output is kept is a setting of the house
    cloud_baseline: _Count | UnsetType = UNSET  #: nodes that a fleet may keep ready in a region
    server_hours: _Size | UnsetType | None = UNSET  #: how long a server may live before it takes no more rooms
    cpus: _Size | UnsetType | None = UNSET  #: processors of all servers together
    cpu_hours_a_month: _Size | UnsetType | None = UNSET  #: processor hours of all servers together, each calendar month


class Org(Camel):
    """An organisation, and what it may use."""

    org_id: str
    name: str
    limits: Limits


class OrgList(Camel):
    """All organisations of the house."""

    orgs: list[Org]  #: the oldest first


class NewOrg(Camel):
    """Who else shall be in the house."""

    name: _Name  #: for people; it need not be new
    owner_email: str  #: e-mail address of its first admin


class MadeOrg(Camel):
    """A new organisation, with the first token of its owner. The token is in this answer and in no other."""

    org_id: str
    name: str
    limits: Limits
    owner_email: str
    token: str  #: may do everything in the organisation


class ChangedOrg(Camel):
    """What shall be changed; what is left out stays as it is."""

    name: _Name | UnsetType = UNSET  #: for people


class OrgsV1(Resource[M]):
    """Organisations of the house. For admins of the organisation that runs it alone."""

    @operation("GET", "/house/v1/orgs", scope="hosts:read", errors=_READ)
    def get_orgs(self) -> OrgList:
        """List the organisations and what they may use."""
        ...

    @operation("POST", "/house/v1/orgs", status=201, scope="hosts:read-write", errors=_CHANGED)
    def create_org(self, params: NewOrg) -> MadeOrg:
        """Make an organisation with an owner and a first token, which is told this once.

        It has the limits that every new one has. The owner invites others, or makes tokens for them; where the owner is
        somebody else than the caller, the token speaks for them in this organisation alone.
        """
        ...

    @operation("PATCH", "/house/v1/orgs/{orgId}", scope="hosts:read-write", errors=_CHANGED, idempotent=True)
    def change_org(self, org_id: str, params: ChangedOrg) -> Org:
        """Give an organisation another name. Invoices that were made keep the one before."""
        ...

    @operation("PATCH", "/house/v1/orgs/{orgId}/limits", scope="hosts:read-write", errors=_CHANGED, idempotent=True)
    def set_limits(self, org_id: str, params: ChangedLimits) -> Org:
        """Change what an organisation may use. Servers that are there stay, also beyond a new limit."""
        ...
