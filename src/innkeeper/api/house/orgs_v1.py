"""Organisations and what they may use, for the operator. Declared in ``contract/house/orgs_v1.py``."""

from __future__ import annotations

from dataclasses import asdict, replace

import msgspec
from msgspec import UNSET

from innkeeper.accounts import model
from innkeeper.api.serve import from_outside, implements
from innkeeper.api.visits import Visit
from innkeeper.contract.house.orgs_v1 import ChangedLimits, Limits, Org, OrgList, OrgsV1

from .operator import require_operator

from_outside(OrgsV1.set_limits)


def _org(org: model.Org) -> Org:
    return Org(org_id=org.id, name=org.name, limits=Limits(**asdict(org.limits)))


@implements(OrgsV1.get_orgs)
async def get_orgs(visit: Visit) -> OrgList:
    require_operator(visit)
    return OrgList(orgs=[_org(org) for org in await visit.wings.organisations.all()])


@implements(OrgsV1.set_limits)
async def set_limits(visit: Visit, org_id: str, params: ChangedLimits) -> Org:
    require_operator(visit)
    changes = {name: value for name, value in msgspec.structs.asdict(params).items() if value is not UNSET}
    organisations = visit.wings.organisations
    limits = replace((await organisations.get(org_id)).limits, **changes)
    await organisations.set_limits(org_id, limits, by=visit.by)
    return _org(await organisations.get(org_id))
