"""Organisations, their members and invitations. Declared here, answered in ``api/hathora/organizations_v1.py``."""

from __future__ import annotations

from msgspec import field

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType

from . import operation
from .words import MEMBERS_READ, MEMBERS_WRITE, READ, WRITE, OrgId, Scope, UserRole


class Organization(Camel):
    """Who applications, builds and tokens belong to, and what it may use."""

    org_id: OrgId
    name: str | UnsetType = UNSET
    scopes: list[Scope]  #: what the caller may do here
    is_single_tenant: bool
    stripe_customer_id: str  #: empty where nobody is billed
    default_fleet_id: str | UnsetType | None = UNSET
    max_requested_memory_mb: float = field(name="maxRequestedMemoryMB")  #: the most MiB that a server can be given
    max_process_connections: int | UnsetType = UNSET  #: inbound connections of one server; 1,024 when left out
    max_cloud_baseline: int | UnsetType = UNSET  #: nodes; 10 when left out
    log_retention_period_hours: int | UnsetType = UNSET  #: 72 when left out
    pod_max_lifespan_hrs: float | UnsetType = UNSET  #: hours that a server may live
    concurrent_process_vcpus_limit: float | UnsetType = (
        UNSET  #: processors of all servers together; no limit when left out
    )
    monthly_process_vcpu_hours_limit: float | UnsetType = UNSET  #: no limit when left out
    enabled_feature_flags: list[str] | UnsetType = UNSET


class OrgsPage(Camel):
    """All organisations of the caller, in one page."""

    orgs: list[Organization]


class OrgMember(Camel):
    """A person who belongs to an organisation."""

    org_id: OrgId
    user_email: str
    scopes: UserRole | list[Scope]
    invited_by: str
    created_at: Moment  #: when the invitation was made
    joined_at: Moment
    last_login: Moment | UnsetType = UNSET


class OrgMembersPage(Camel):
    """All members, in one page."""

    members: list[OrgMember]


class CreateUserInvite(Camel):
    """Whom to invite, and what they may do then."""

    user_email: str
    scopes: UserRole | list[Scope] | UnsetType = UNSET  #: nobody can give more than they have


class UpdateUserInvite(Camel):
    """Whose invitation to change, and what they may do then."""

    user_email: str
    scopes: UserRole | list[Scope]  #: nobody can give more than they have


class RescindUserInvite(Camel):
    """Whose invitation to take back."""

    user_email: str


class PendingOrgInvite(Camel):
    """An invitation that was neither accepted nor rejected."""

    org_id: OrgId
    user_email: str
    scopes: UserRole | list[Scope]
    invited_by: str
    created_at: Moment


class PendingOrgInvitesPage(Camel):
    """All open invitations, in one page."""

    invites: list[PendingOrgInvite]


class UsageLimits(Camel):
    """What an organisation uses, beside what it may use. A limit is left out where there is none."""

    concurrent_process_vcpus_7_day_max: float  #: the most processors in use at one time in the last seven days
    concurrent_process_vcpus_limit: float | UnsetType = UNSET
    monthly_process_vcpu_hours_consumed: float  #: processor hours since the month began
    monthly_process_vcpu_hours_limit: float | UnsetType = UNSET


class OrganizationsV1(Resource[M]):
    """Organisations, their members and invitations."""

    @operation("GET", "/orgs/v1", scope="orgs:read", errors=READ)
    def get_orgs(self) -> OrgsPage:
        """List the organisations that the caller belongs to."""
        ...

    @operation("GET", "/orgs/v1/{orgId}/members", scope="orgs:read", errors=MEMBERS_READ)
    def get_org_members(self, org_id: OrgId = GLOBAL) -> OrgMembersPage:
        """List who belongs to an organisation."""
        ...

    @operation("PUT", "/orgs/v1/{orgId}/invites", recorded=False, scope="orgs:read-write", errors=MEMBERS_WRITE)
    def invite_user(self, params: CreateUserInvite, org_id: OrgId = GLOBAL) -> PendingOrgInvite:
        """Invite a person by e-mail address. Inviting them again replaces the invitation."""
        ...

    @operation("POST", "/orgs/v1/{orgId}/invites", recorded=False, scope="orgs:read-write", errors=MEMBERS_WRITE)
    def update_user_invite(self, params: UpdateUserInvite, org_id: OrgId = GLOBAL) -> bool:
        """Change what an invited person may do. Answers True."""
        ...

    @operation(
        "POST", "/orgs/v1/{orgId}/invites/rescind", status=204, recorded=False, scope="orgs:read-write", errors=WRITE
    )
    def rescind_invite(self, params: RescindUserInvite, org_id: OrgId = GLOBAL) -> None:
        """Take an invitation back."""
        ...

    @operation("GET", "/orgs/v1/{orgId}/invites/pending", scope="orgs:read", errors=MEMBERS_READ)
    def get_org_pending_invites(self, org_id: OrgId = GLOBAL) -> PendingOrgInvitesPage:
        """List the open invitations of an organisation."""
        ...

    @operation("GET", "/orgs/v1/user/invites/pending", scope="orgs:read", errors=MEMBERS_READ)
    def get_user_pending_invites(self) -> PendingOrgInvitesPage:
        """List the open invitations that the caller has received."""
        ...

    @operation(
        "POST", "/orgs/v1/{orgId}/invites/accept", status=204, recorded=False, scope="orgs:read-write", errors=READ
    )
    def accept_invite(self, org_id: OrgId = GLOBAL) -> None:
        """Join an organisation that has invited the caller."""
        ...

    @operation(
        "POST", "/orgs/v1/{orgId}/invites/reject", status=204, recorded=False, scope="orgs:read-write", errors=READ
    )
    def reject_invite(self, org_id: OrgId = GLOBAL) -> None:
        """Turn an invitation down."""
        ...

    @operation("GET", "/orgs/v1/metadata/usageLimits", scope="orgs:read", errors=(*READ, 500))
    def get_usage_limits(self, *, org_id: OrgId | None = GLOBAL) -> UsageLimits:
        """Tell what an organisation uses, and what it may."""
        ...
