"""Organisations and what they may use, for the operator. Declared in ``contract/house/orgs_v1.py``."""

from __future__ import annotations

from dataclasses import asdict, replace

import msgspec
from msgspec import UNSET, UnsetType

from innkeeper.accounts import model
from innkeeper.api.serve import from_outside, implements
from innkeeper.api.visits import Visit
from innkeeper.contract.house.orgs_v1 import (
    ChangedLimits,
    ChangedOrg,
    Limits,
    MadeOrg,
    NewOrg,
    Org,
    OrgList,
    OrgsV1,
)

from .operator import require_operator

from_outside(OrgsV1.set_limits)
from_outside(OrgsV1.change_org)


def _org(org: model.Org) -> Org:
    return Org(org_id=org.id, name=org.name, limits=Limits(**asdict(org.limits)))


@implements(OrgsV1.get_orgs)
async def get_orgs(visit: Visit) -> OrgList:
    require_operator(visit)
    return OrgList(orgs=[_org(org) for org in await visit.wings.organisations.all()])


@implements(OrgsV1.create_org)
async def create_org(visit: Visit, params: NewOrg) -> MadeOrg:
    require_operator(visit)
    org, first = await visit.wings.organisations.create(visit.caller, params.name, params.owner_email)
    return MadeOrg(
        org_id=org.id,
        name=org.name,
        limits=Limits(**asdict(org.limits)),
        owner_email=first.token.created_by,
        token=first.plain,
    )


@implements(OrgsV1.change_org)
async def change_org(visit: Visit, org_id: str, params: ChangedOrg) -> Org:
    require_operator(visit)
    organisations = visit.wings.organisations
    if not isinstance(params.name, UnsetType):
        await organisations.rename(org_id, params.name, by=visit.by)
    return _org(await organisations.get(org_id))


@implements(OrgsV1.set_limits)
async def set_limits(visit: Visit, org_id: str, params: ChangedLimits) -> Org:
    require_operator(visit)
    changes = {name: value for name, value in msgspec.structs.asdict(params).items() if value is not UNSET}
    organisations = visit.wings.organisations
    limits = replace((await organisations.get(org_id)).limits, **changes)
    await organisations.set_limits(org_id, limits, by=visit.by, recorded_in=visit.org)
    return _org(await organisations.get(org_id))
