"""Organisations, their members and invitations. Declared in ``contract/hathora/organizations_v1.py``."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from innkeeper.accounts.model import Invite, Member, Org
from innkeeper.accounts.scopes import Grant, Role
from innkeeper.api.serve import from_outside, implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.organizations_v1 import (
    CreateUserInvite,
    Organization,
    OrganizationsV1,
    OrgMember,
    OrgMembersPage,
    OrgsPage,
    PendingOrgInvite,
    PendingOrgInvitesPage,
    RescindUserInvite,
    UpdateUserInvite,
    UsageLimits,
)
from innkeeper.contract.hathora.words import Scope, UserRole
from innkeeper.contract.shape import GLOBAL
from innkeeper.kit.stamps import moment

from_outside(OrganizationsV1.accept_invite)
from_outside(OrganizationsV1.reject_invite)


def _told(grant: Grant) -> UserRole | list[Scope]:
    role = grant.role
    return [Scope(scope) for scope in grant.scopes] if role is None else UserRole(role.value)


def _meant(scopes: UserRole | list[Scope]) -> Grant:
    if isinstance(scopes, UserRole):
        return Grant.to(Role(scopes.value))
    return Grant.of(scope.value for scope in scopes)


def _organization(org: Org, grant: Grant) -> Organization:
    limits = org.limits
    return Organization(
        org_id=org.id,
        name=org.name,
        scopes=[Scope(scope) for scope in grant.scopes],
        is_single_tenant=True,
        stripe_customer_id="",
        max_requested_memory_mb=limits.memory_mb,
        max_process_connections=limits.connections,
        max_cloud_baseline=limits.cloud_baseline,
        log_retention_period_hours=limits.log_hours,
        pod_max_lifespan_hrs=UNSET if limits.server_hours is None else limits.server_hours,
        concurrent_process_vcpus_limit=UNSET if limits.cpus is None else limits.cpus,
        monthly_process_vcpu_hours_limit=UNSET if limits.cpu_hours_a_month is None else limits.cpu_hours_a_month,
    )


def _invite(invite: Invite) -> PendingOrgInvite:
    return PendingOrgInvite(
        org_id=invite.org_id,
        user_email=invite.email,
        scopes=_told(invite.grant),
        invited_by=invite.invited_by,
        created_at=moment(invite.created_at),
    )


def _member(member: Member) -> OrgMember:
    return OrgMember(
        org_id=member.org_id,
        user_email=member.email,
        scopes=_told(member.grant),
        invited_by=member.invited_by,
        created_at=moment(member.invited_at),
        joined_at=moment(member.joined_at),
    )


@implements(OrganizationsV1.get_orgs)
async def get_orgs(visit: Visit) -> OrgsPage:
    found = await visit.wings.organisations.of(visit.caller)
    return OrgsPage(orgs=[_organization(org, grant) for org, grant in found])


@implements(OrganizationsV1.get_org_members)
async def get_org_members(visit: Visit, org_id: str = GLOBAL) -> OrgMembersPage:
    return OrgMembersPage(members=[_member(member) for member in await visit.wings.organisations.members(visit.org)])


@implements(OrganizationsV1.invite_user)
async def invite_user(visit: Visit, params: CreateUserInvite, org_id: str = GLOBAL) -> PendingOrgInvite:
    grant = None if isinstance(params.scopes, UnsetType) else _meant(params.scopes)
    return _invite(await visit.wings.invites.invite(visit.caller, params.user_email, grant))


@implements(OrganizationsV1.update_user_invite)
async def update_user_invite(visit: Visit, params: UpdateUserInvite, org_id: str = GLOBAL) -> bool:
    await visit.wings.invites.update(visit.caller, params.user_email, _meant(params.scopes))
    return True


@implements(OrganizationsV1.rescind_invite)
async def rescind_invite(visit: Visit, params: RescindUserInvite, org_id: str = GLOBAL) -> None:
    await visit.wings.invites.rescind(visit.caller, params.user_email)


@implements(OrganizationsV1.get_org_pending_invites)
async def get_org_pending_invites(visit: Visit, org_id: str = GLOBAL) -> PendingOrgInvitesPage:
    return PendingOrgInvitesPage(invites=[_invite(invite) for invite in await visit.wings.invites.of_org(visit.org)])


@implements(OrganizationsV1.get_user_pending_invites)
async def get_user_pending_invites(visit: Visit) -> PendingOrgInvitesPage:
    return PendingOrgInvitesPage(
        invites=[_invite(invite) for invite in await visit.wings.invites.of_user(visit.caller)]
    )


@implements(OrganizationsV1.accept_invite)
async def accept_invite(visit: Visit, org_id: str = GLOBAL) -> None:
    await visit.wings.invites.accept(visit.caller, org_id)


@implements(OrganizationsV1.reject_invite)
async def reject_invite(visit: Visit, org_id: str = GLOBAL) -> None:
    await visit.wings.invites.reject(visit.caller, org_id)


@implements(OrganizationsV1.get_usage_limits)
async def get_usage_limits(visit: Visit, *, org_id: str | None = GLOBAL) -> UsageLimits:
    limits = (await visit.wings.organisations.get(visit.org)).limits
    used = await visit.wings.usage.of(visit.org)
    return UsageLimits(
        concurrent_process_vcpus_7_day_max=used.week_most_cpus,
        concurrent_process_vcpus_limit=UNSET if limits.cpus is None else limits.cpus,
        monthly_process_vcpu_hours_consumed=used.month_cpu_hours,
        monthly_process_vcpu_hours_limit=UNSET if limits.cpu_hours_a_month is None else limits.cpu_hours_a_month,
    )
