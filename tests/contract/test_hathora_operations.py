"""Every operation of Hathora against the vendor's list: where it goes, who may, what it takes and answers."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.hathora.words import Scope
from innkeeper.contract.openapi import document, kinds_in
from innkeeper.contract.operation import Declared

from .vendor import TAGS, canonical, differences, load, needs_specs, operations

OURS = {o.id: o for o in HATHORA.operations() if o.public}
DOCUMENT = document(HATHORA)
COMPONENTS = DOCUMENT["components"]["schemas"]
BY_ID = {said["operationId"]: said for item in DOCUMENT["paths"].values() for said in item.values()}
VENDOR = operations()
THEIRS: dict[str, Any] = {o["operationId"]: o for o in VENDOR if o["tag"] in TAGS}
VENDOR_SCHEMAS = load("hathora.openapi.json")["components"]["schemas"]

_TIME = "a time that no calendar knows is refused, rather than looked for"

#: Where ours says more than the vendor's, on purpose.
STRICTER = {
    ("GetProcessMetrics", "step"): "a step of no seconds has no meaning",
    ("GetProcessMetrics", "start"): _TIME,
    ("GetProcessMetrics", "end"): _TIME,
    ("GetLatestProcesses", "before"): _TIME,
    ("GetProcessesCountExperimental", "before"): _TIME,
    ("GetMetricsDeprecated", "step"): "a step of no seconds has no meaning",
    ("GetMetricsDeprecated", "start"): _TIME,
    ("GetMetricsDeprecated", "end"): _TIME,
    **{
        (f"GetFleet{part}Metrics{generation}", name): why
        for part in ("", "Region")
        for generation in ("", "Deprecated")
        for name, why in (("step", "a step of no seconds has no meaning"), ("start", _TIME), ("end", _TIME))
    },
}

#: Answers without a name whose ``number`` is a whole one here.
_COUNT = ['count.type: "integer", not "number"']
WHOLE = {"GetProcessesCountExperimental": _COUNT, "GetProcessesCountExperimentalV2Deprecated": _COUNT}

each_operation = pytest.mark.parametrize("operation", OURS.values(), ids=OURS)


@needs_specs
def test_what_is_not_declared_is_a_named_gap() -> None:
    assert set(THEIRS) - set(OURS) == {gap for gap in HATHORA.not_yet if gap in THEIRS}
    assert not set(OURS) & set(HATHORA.not_yet)
    assert set(OURS) <= set(THEIRS)


@needs_specs
@each_operation
def test_it_goes_where_the_vendors_goes(operation: Declared) -> None:
    theirs = THEIRS[operation.id]
    (status,) = theirs["success"]
    assert (operation.tag, operation.method, operation.path) == (theirs["tag"], theirs["method"], theirs["path"])
    assert operation.status == int(status)
    assert sorted(operation.errors) == theirs["error_codes"]
    assert (operation.replaced_by is not None) == theirs["deprecated"]


@needs_specs
@each_operation
def test_the_same_people_may(operation: Declared) -> None:
    theirs = THEIRS[operation.id]
    assert theirs["security"] == [{"org": "hathoraDevToken", "player": "playerAuth", "none": "none"}[operation.key]]
    scopes = theirs["scopes"]["anyOf"] if theirs["scopes"] else []
    reading = [scope for scope in scopes if scope.endswith(":read")]
    wanted = (reading or scopes or [None])[0]
    if wanted is None and operation.replacement is not None and operation.key == "org":
        # The vendor's list names none for old operations. They open no door that the new ones keep shut.
        group, _, method = operation.replacement.partition(".")
        wanted = getattr(HATHORA.resource(group), method).scope
    if operation.tag == "FleetsV1":  # those are not marked deprecated: their successors go by the same names
        wanted = getattr(HATHORA.resource("fleets_v2"), operation.name).scope
    assert operation.scope == wanted
    assert operation.scope is None or Scope(operation.scope).known


@needs_specs
def test_without_a_scope_are_only_those_about_the_caller() -> None:
    open_to_all = {o.id for o in OURS.values() if o.key == "org" and o.scope is None}
    assert open_to_all <= {"GetUserPendingInvites", "AcceptInvite", "RejectInvite"}


@needs_specs
@each_operation
def test_it_takes_the_same(operation: Declared) -> None:
    theirs, plan = THEIRS[operation.id], operation.plan
    assert [p.wire for p in plan.path] == theirs["path_params"]
    assert {p.wire for p in plan.query} == {p["name"] for p in theirs["query_params"]}
    for parameter in theirs["query_params"]:
        ours = next(p for p in BY_ID[operation.id]["parameters"] if p["name"] == parameter["name"])
        assert ours["required"] == parameter["required"]
        mine = canonical(ours["schema"], DOCUMENT["components"]["schemas"])
        found = differences(mine, canonical(parameter["schema"], VENDOR_SCHEMAS))
        assert bool(found) == ((operation.id, parameter["name"]) in STRICTER), found
    body = theirs["request_body"]
    if operation.body == "form":
        assert theirs["request_content_type"] == "multipart/form-data"
        assert list(body["properties"]) == ["file"]
        assert plan.body is not None
        assert plan.body.required == (body.get("required") == ["file"])
    elif body and "$ref" not in body:
        mine = canonical(BY_ID[operation.id]["requestBody"]["content"]["application/json"]["schema"], COMPONENTS)
        assert differences(mine, canonical(body, VENDOR_SCHEMAS)) == []
    else:
        assert (plan.body.type.__name__ if plan.body else None) == (body["$ref"].rsplit("/", 1)[1] if body else None)


@needs_specs
@each_operation
def test_it_answers_the_same(operation: Declared) -> None:
    (content,) = THEIRS[operation.id]["success"].values()
    said = BY_ID[operation.id]["responses"][str(operation.status)].get("content")
    if operation.streams:
        assert list(content) == list(said) == [operation.media]
    elif content is None:
        assert said is None
        assert operation.plan.returns is None
    else:
        theirs, ours = content["application/json"], said["application/json"]["schema"]
        if "$ref" in theirs or "$ref" in theirs.get("items", {}):
            assert ours == theirs
        else:
            mine = canonical(ours, DOCUMENT["components"]["schemas"])
            found = differences(mine, canonical(theirs, VENDOR_SCHEMAS))
            assert found == WHOLE.get(operation.id, [])


@each_operation
def test_only_what_a_client_can_hold_has_the_global_default(operation: Declared) -> None:
    held = {p.wire for p in operation.plan.parameters if repr(p.default) == "GLOBAL"}
    assert held == {"appId", "orgId"} & {p.wire for p in operation.plan.parameters}


@each_operation
def test_answers_with_a_value_are_objects_lists_or_one_value(operation: Declared) -> None:
    kind = operation.plan.returns
    if kind is not None and not kinds_in(kind):
        (kind,) = get_args(kind) or (kind,)
        assert kind in (bool, str, float)


def test_ids_and_places_are_used_once() -> None:
    declared = HATHORA.operations()
    assert len({o.id for o in declared}) == len(declared) == len({(o.method, o.path) for o in declared})


def test_links_are_ours_alone() -> None:
    links = [o for o in HATHORA.operations() if not o.public]
    assert {(o.method, o.path, o.key, o.body) for o in links} == {
        ("PUT", "/uploads/v1/{uploadToken}/parts/{partNumber}", "link", "bytes"),
        ("POST", "/uploads/v1/{uploadToken}/complete", "link", "bytes"),
        ("POST", "/uploads/v1/{uploadToken}/form", "link", "form"),
    }
    assert not {o.id for o in links} & set(BY_ID)
