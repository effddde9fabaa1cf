"""Answers to ``contract/edgegap/fleets.py``.

A fleet of this API is a reserve of the house: what the house calls a fleet is a set of hosts, here a private fleet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.fleets import (
    FleetGetResponse,
    FleetList,
    FleetPatchPayload,
    FleetPoliciesGetResponse,
    FleetPoliciesPatchPayload,
    FleetPoliciesPostPayload,
    FleetPostPayload,
    Fleets,
    HorizontalScalerAppVersionLink,
    HorizontalScalerConstraintList,
    PolicyType,
)
from innkeeper.contract.edgegap.words import Coordinates, LocationFilter, Message
from innkeeper.contract.shape import UNSET, given
from innkeeper.contract.words import strictly
from innkeeper.hosting.geography import TAGS, Filter, Match
from innkeeper.hosting.policies import Aim, Policy, PolicyKind, Reserve
from innkeeper.hosting.reserves import Terms
from innkeeper.kit.errors import Invalid
from innkeeper.kit.geo import Point

from .asking import read_filters
from .pages import cut, paged, slice_of
from .times import stamp

_KINDS = {
    PolicyType.LOCATION: PolicyKind.FILTERS,
    PolicyType.TAG: PolicyKind.TAGS,
    PolicyType.COORDINATES: PolicyKind.POINTS,
}
_TYPES = {kind: word for word, kind in _KINDS.items()}


def read_aim(kind: PolicyKind, data: Mapping[str, Any]) -> Aim:
    """Where the deployments of a policy are, as its data says. Raises Invalid, also for data that says nothing."""
    filters = read_filters(_converted(data["filters"], list[LocationFilter], "filters")) if "filters" in data else None
    points: list[Point] = []
    if kind is PolicyKind.TAGS and "tags" in data:
        tags = _converted(data["tags"], list[str], "tags")
        if not tags:
            raise Invalid("data.tags: name one tag of a location at least")
        filters = [*(filters or ()), Filter(TAGS, tuple(tags), Match.ANY)]
    if kind is PolicyKind.POINTS:
        points = _points(data)
    elif filters is None:
        known = "tags, or filters" if kind is PolicyKind.TAGS else "filters"
        raise Invalid(f"data: a policy of type {_TYPES[kind].value} says {known}")
    return Aim(tuple(filters or ()), tuple(points))


def _points(data: Mapping[str, Any]) -> list[Point]:
    named = next((name for name in ("coordinates", "location") if name in data), None)
    said: Any = data if named is None else data[named]
    items: Sequence[Any] = said if isinstance(said, list) else [said]
    found = [_converted(one, Coordinates, named or "coordinates") for one in items]
    if not found:
        raise Invalid("data.coordinates: say one point at least")
    return [Point(one.latitude, one.longitude) for one in found]


def _converted(value: Any, kind: Any, name: str) -> Any:
    try:
        with strictly():
            return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"data.{name}: {error}") from None


def _fleet(found: Reserve) -> FleetGetResponse:
    return FleetGetResponse(
        name=found.name,
        enabled=bool(found.enabled),
        create_time=stamp(found.created_at),
        last_updated=stamp(found.changed_at),
    )


def _policy(visit: Visit, found: Policy) -> FleetPoliciesGetResponse:
    return FleetPoliciesGetResponse(
        name=found.name,
        enabled=bool(found.enabled),
        type=_TYPES[found.kind],
        minimum=found.least,
        maximum=found.most,
        threshold=found.threshold,
        data=json.loads(found.said),
        create_time=stamp(found.created_at),
        last_updated=stamp(found.changed_at),
        trouble=visit.wings.reserves.trouble(found.id) or UNSET,
    )


@implements(Fleets.create_fleet)
async def create_fleet(visit: Visit, params: FleetPostPayload) -> FleetGetResponse:
    return _fleet(
        await visit.wings.reserves.create(visit.org, visit.by, params.name, enabled=given(params.enabled) is True)
    )


@implements(Fleets.delete_fleet)
async def delete_fleet(visit: Visit, fleet_name: str) -> Message:
    await visit.wings.reserves.delete(visit.org, fleet_name)
    return Message(message=f"Fleet {fleet_name} was deleted with its policies. What runs goes on.")


@implements(Fleets.get_fleet)
async def get_fleet(visit: Visit, fleet_name: str) -> FleetGetResponse:
    return _fleet(await visit.wings.reserves.get(visit.org, fleet_name))


@implements(Fleets.update_fleet)
async def update_fleet(visit: Visit, params: FleetPatchPayload, fleet_name: str) -> FleetGetResponse:
    return _fleet(await visit.wings.reserves.change(visit.org, fleet_name, given(params.name), given(params.enabled)))


@implements(Fleets.unlink_app_version)
async def unlink_app_version(visit: Visit, fleet_name: str, app_name: str, version_name: str) -> None:
    await visit.wings.reserves.unlink(visit.org, fleet_name, app_name, version_name)


@implements(Fleets.link_app_version)
async def link_app_version(
    visit: Visit, fleet_name: str, app_name: str, version_name: str
) -> HorizontalScalerAppVersionLink:
    made = await visit.wings.reserves.link(visit.org, fleet_name, app_name, version_name)
    return HorizontalScalerAppVersionLink(
        app=made.app_name,
        app_version=made.label,
        fleet=fleet_name,
        create_time=stamp(made.created_at),
        last_updated=stamp(made.created_at),
    )


@implements(Fleets.list_fleets)
async def list_fleets(visit: Visit, *, page: int | None = None, limit: int | None = None) -> FleetList:
    part, found = slice_of(page, limit), await visit.wings.reserves.all(visit.org)
    return FleetList(fleets=[_fleet(one) for one in cut(part, found)], **paged(part, len(found)))


@implements(Fleets.list_policies)
async def list_policies(
    visit: Visit, fleet_name: str, *, page: int | None = None, limit: int | None = None
) -> HorizontalScalerConstraintList:
    part, found = slice_of(page, limit), await visit.wings.reserves.policies(visit.org, fleet_name)
    return HorizontalScalerConstraintList(
        policies=[_policy(visit, one) for one in cut(part, found)], **paged(part, len(found))
    )


@implements(Fleets.create_policy)
async def create_policy(visit: Visit, params: FleetPoliciesPostPayload, fleet_name: str) -> FleetPoliciesGetResponse:
    kind = _KINDS[params.type]
    terms = Terms(
        params.name, params.enabled, kind, params.minimum, params.maximum, params.threshold,
        read_aim(kind, params.data), params.data,
    )  # fmt: skip
    return _policy(visit, await visit.wings.reserves.create_policy(visit.org, fleet_name, terms))


@implements(Fleets.delete_policy)
async def delete_policy(visit: Visit, fleet_name: str, policy_name: str) -> None:
    await visit.wings.reserves.delete_policy(visit.org, fleet_name, policy_name)


@implements(Fleets.get_policy)
async def get_policy(visit: Visit, fleet_name: str, policy_name: str) -> FleetPoliciesGetResponse:
    return _policy(visit, await visit.wings.reserves.policy(visit.org, fleet_name, policy_name))


@implements(Fleets.update_policy)
async def update_policy(
    visit: Visit, params: FleetPoliciesPatchPayload, fleet_name: str, policy_name: str
) -> FleetPoliciesGetResponse:
    changed = await visit.wings.reserves.change_policy(
        visit.org, fleet_name, policy_name, lambda before: revised(before, params)
    )
    return _policy(visit, changed)


def revised(before: Policy, params: FleetPoliciesPatchPayload) -> Terms:
    """What a policy is to be: as it is, but for what is said. Raises Invalid."""

    def said(value: Any, else_: Any) -> Any:
        found = given(value)
        return else_ if found is None else found

    kind = _KINDS[said(params.type, _TYPES[before.kind])]
    data: dict[str, Any] = said(params.data, json.loads(before.said))
    return Terms(
        said(params.name, before.name), said(params.enabled, bool(before.enabled)), kind,
        said(params.minimum, before.least), said(params.maximum, before.most),
        said(params.threshold, before.threshold), read_aim(kind, data), data,
    )  # fmt: skip
