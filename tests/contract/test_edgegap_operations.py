"""Every operation of Edgegap against the vendor's list: where it goes, who may, what it takes and answers.

Texts are not compared. Nor is whether an optional field may be null: all of ours may, because C# clients send nulls.
"""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import msgspec
import pytest

from innkeeper.contract.edgegap import EDGEGAP
from innkeeper.contract.edgegap.deployments import DeploymentList, Deployments, DeploymentUpdatePayload
from innkeeper.contract.edgegap.deployments_v2 import DeploymentCreate, GeoUser, IpUser
from innkeeper.contract.hathora.words import Scope
from innkeeper.contract.openapi import document, kinds_in
from innkeeper.contract.operation import Declared

from .edgegap_differences import DEPRECATED, DIFFERENCES, ERRORS, OPENING, READING, V2, WITHOUT_SCOPE
from .vendor import Json, load, needs_specs

OURS = {o.id: o for o in EDGEGAP.operations() if o.public}
DOCUMENT = document(EDGEGAP, unserved=True)
COMPONENTS = DOCUMENT["components"]["schemas"]
BY_ID = {said["operationId"]: said for item in DOCUMENT["paths"].values() for said in item.values()}
THEIRS: dict[str, Any] = {o["operationId"]: o for o in load("edgegap-v1.operations.json")["operations"]}
SPEC = load("edgegap-v1.openapi.json")

_LIMITS = ("minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems")
_TOKEN = 'apiKey: header authorization = "token <uuid>"'

each_operation = pytest.mark.parametrize("operation", OURS.values(), ids=OURS)
each_of_v1 = pytest.mark.parametrize("operation", [o for o in OURS.values() if o.id not in V2],
                                     ids=[id for id in OURS if id not in V2])  # fmt: skip


class Comparison:
    """What of our schemas is not as the vendor's is: ``Model.field: what``, or ``place: what`` outside of a model."""

    def __init__(self, *, sent: bool) -> None:
        self.found: set[str] = set()
        self._sent = sent  #: whether callers send it: only then are limits checked
        self._open: list[tuple[str, str]] = []  #: the models around, which can hold themselves

    def compare(self, ours: Json, theirs: Json, place: str) -> None:
        mine, name = _resolve(ours, COMPONENTS)
        other, _ = _resolve(theirs, SPEC["components"]["schemas"])
        place = name or place
        if _kind(other) is None:  # anything
            return
        if _kind(mine) != _kind(other):
            self.found.add(f"{place}: {_kind(mine)}, not {_kind(other)}")
        elif sorted(map(str, mine.get("enum", ()))) != sorted(map(str, other.get("enum", ()))):
            self.found.add(f"{place}: {_words(mine)}, not {_words(other)}")
        if self._sent:
            self._compare_limits(mine, other, place)
        if "items" in mine and "items" in other:
            self.compare(mine["items"], other["items"], f"{place}[]")
        values, others = mine.get("additionalProperties"), other.get("additionalProperties")
        if isinstance(values, dict) and isinstance(others, dict):
            self.compare(values, others, f"{place}{{}}")
        if "properties" in mine and "properties" in other and (name, place) not in self._open:
            self._open.append((name, place))
            self._compare_fields(mine, other, place)
            self._open.pop()

    def _compare_fields(self, mine: Json, other: Json, model: str) -> None:
        fields, others = mine["properties"], other["properties"]
        self.found |= {f"{model}.{field}: not here" for field in others.keys() - fields.keys()}
        self.found |= {f"{model}.{field}: here alone" for field in fields.keys() - others.keys()}
        for field in fields.keys() & others.keys():
            needed, theirs = field in mine.get("required", ()), field in other.get("required", ())
            if needed != theirs:
                self.found.add(f"{model}.{field}: {'required' if needed else 'optional'} here")
            elif needed and _nullable(fields[field]) != _nullable(others[field]):
                self.found.add(f"{model}.{field}: {'may' if _nullable(fields[field]) else 'must not'} be null here")
            self.compare(fields[field], others[field], f"{model}.{field}")

    def _compare_limits(self, mine: Json, other: Json, place: str) -> None:
        for key in _LIMITS:
            known = {other.get(key), other.get("x-2026", {}).get(key)}
            if mine.get(key) not in known:
                self.found.add(f"{place}: {key} {json.dumps(mine.get(key))}, not {json.dumps(other.get(key))}")


def _resolve(schema: Json, components: Json) -> tuple[Json, str]:
    """A schema without references and null, and the name of the model that it is, if it is one."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return _resolve(components[name], components)[0], name if "properties" in components[name] else ""
    for key in ("allOf", "anyOf", "oneOf"):
        arms = [_resolve(arm, components) for arm in schema.get(key, ()) if arm.get("type") != "null"]
        if len(arms) == 1:
            return arms[0]
        if key == "allOf" and arms:  # one object, said in parts
            parts = [part for part, _ in arms]
            fields = {name: field for part in parts for name, field in part.get("properties", {}).items()}
            needed = [name for part in parts for name in part.get("required", ())]
            return {"type": "object", "properties": fields, "required": needed}, ""
    return schema, ""


def _kind(schema: Json) -> str | None:
    kind: str | None = schema.get("type")
    return kind or ("object" if "properties" in schema else None)


def _words(schema: Json) -> str:
    return "|".join(map(str, schema.get("enum", ()))) or "any"


def _nullable(schema: Json) -> bool:
    return bool(schema.get("nullable")) or any(arm.get("type") == "null" for arm in schema.get("anyOf", ()))


def _schema(content: Json) -> Any:
    return content.get("content", {}).get("application/json", {}).get("schema")


def differences(operation: Declared) -> set[str]:
    """What of an operation's parameters and bodies is not as the vendor's is."""
    sent, told = Comparison(sent=True), Comparison(sent=False)
    mine, other = BY_ID[operation.id], SPEC["paths"][operation.path][operation.method.lower()]
    parameters = {p["name"]: p for p in THEIRS[operation.id]["params"]}
    for parameter in mine.get("parameters", ()):
        sent.compare(parameter["schema"], parameters[parameter["name"]], parameter["name"])
    ours, theirs = _schema(mine.get("requestBody", {})), _schema(other.get("requestBody", {}))
    if ours is None or theirs is None:
        sent.found |= set() if ours is theirs else {f"{operation.id}: body {'not here' if theirs else 'here alone'}"}
    else:
        sent.compare(ours, theirs, f"{operation.id} body")
    for status, answer in other["responses"].items():
        if status >= "300":
            continue
        ours, theirs = _schema(mine["responses"][status]), _schema(answer)
        if ours is None or theirs is None:
            told.found |= (
                set() if ours is theirs else {f"{operation.id}: {status} {'empty' if theirs else 'told'} here"}
            )
        else:
            told.compare(ours, theirs, f"{operation.id} {status}")
    return sent.found | told.found


@needs_specs
def test_what_is_not_declared_is_a_named_gap() -> None:
    assert set(THEIRS) - set(OURS) <= set(EDGEGAP.not_yet) <= set(THEIRS) | set(OURS)
    assert set(OURS) - set(THEIRS) == V2.keys()


def test_ids_and_places_are_used_once() -> None:
    declared = EDGEGAP.operations()
    assert len({o.id for o in declared}) == len(declared) == len({(o.method, o.path) for o in declared})


@needs_specs
@each_of_v1
def test_it_goes_where_the_vendors_goes(operation: Declared) -> None:
    theirs = THEIRS[operation.id]
    assert (operation.method, operation.path) == (theirs["method"], theirs["path"])
    assert [operation.status, *operation.also] == sorted(int(s) for s in theirs["responses"] if s < "300")
    deprecated = theirs.get("deprecated_2026") is True
    assert (operation.replaced_by is not None) == (deprecated and operation.id not in DEPRECATED)


@needs_specs
@each_of_v1
def test_it_fails_as_the_vendors_does(operation: Declared) -> None:
    theirs = {int(status) for status in THEIRS[operation.id]["responses"] if status >= "400"}
    limited = set() if operation.key == "none" else {429}  # by the rates that the vendor tells for the whole API
    if operation.scope is not None:
        limited.add(403)  # tokens have scopes here
    more, _ = ERRORS.get(operation.id, (set(), ""))
    assert set(operation.errors) - (theirs | limited) == more
    assert (theirs | limited) - set(operation.errors) <= {500}  # what the house answers by itself is not listed
    assert len(operation.errors) == len(set(operation.errors))


@needs_specs
@each_of_v1
def test_the_same_people_may(operation: Declared) -> None:
    theirs = THEIRS[operation.id]["security"]
    assert operation.key == {_TOKEN: "org", "none": "none"}.get(theirs, "server"), theirs


@each_operation
def test_tokens_need_a_scope_that_there_is(operation: Declared) -> None:
    if operation.scope is None:
        assert operation.key != "org" or operation.tag in WITHOUT_SCOPE
    else:
        assert operation.key == "org"
        assert Scope(operation.scope).known
        reads = (operation.method == "GET" and operation.id not in OPENING) or operation.id in READING
        assert operation.scope.endswith(":read" if reads else ":read-write")


@needs_specs
@each_of_v1
def test_it_takes_the_same_parameters(operation: Declared) -> None:
    theirs = {(p["in"], p["name"]): p["required"] for p in THEIRS[operation.id]["params"] if p["in"] != "header"}
    ours = {(p["in"], p["name"]): p["required"] for p in BY_ID[operation.id].get("parameters", ())}
    assert ours == theirs


@needs_specs
@each_of_v1
def test_what_it_is_sent_and_tells_is_the_same(operation: Declared) -> None:
    assert [one for one in sorted(differences(operation)) if not _listed(one)] == []


@needs_specs
def test_no_difference_is_listed_that_is_gone() -> None:
    found = set[str]().union(*(differences(operation) for operation in OURS.values() if operation.id not in V2))
    assert [each for each in DIFFERENCES if not any(re.fullmatch(each, one) for one in found)] == []
    assert {*ERRORS, *DEPRECATED, *READING} <= OURS.keys()


def _listed(difference: str) -> bool:
    return any(re.fullmatch(each, difference) for each in DIFFERENCES)


@each_operation
def test_nothing_is_held_by_a_client(operation: Declared) -> None:
    assert [p.wire for p in operation.plan.parameters if repr(p.default) == "GLOBAL"] == []


@pytest.mark.parametrize("operation", [OURS[id] for id in V2], ids=V2)
def test_v2_stands_where_its_clients_look(operation: Declared) -> None:
    assert (operation.method, operation.path, operation.status) == V2[operation.id]


@pytest.mark.parametrize(
    ("answer", "following"),
    [
        (b'{"pagination": {"number": 1, "next_page_number": 2, "has_next": true}}', {"page": 2}),
        (b'{"pagination": {"number": 2, "next_page_number": null, "has_next": false}}', None),
        (b'{"pagination": {"number": 2}}', None),
        (b'{"pagination": {"next_page_number": 7}}', {"page": 7}),
        (b'{"pagination": {"number": 1, "next_page_number": 0}}', None),
        (b'{"pagination": {"number": 3, "next_page_number": 3}}', None),  # would go round for ever
        (b'{"pagination": null}', None),
        (b"{}", None),  # the lists of 2024
    ],
)
def test_the_next_page_is_the_one_that_the_answer_names(answer: bytes, following: dict[str, int] | None) -> None:
    paging = Deployments.list_deployments.paging
    assert paging is not None
    assert paging(msgspec.json.decode(answer, type=DeploymentList)) == following


@each_operation
def test_what_is_asked_for_page_by_page_can_be_followed(operation: Declared) -> None:
    asked = {"page", "limit"} & {p.wire for p in operation.plan.query}
    assert asked in (set(), {"page", "limit"})
    assert (operation.paging is not None) == bool(asked)
    if asked:
        assert "pagination" in {field.name for field in msgspec.structs.fields(operation.plan.returns)}


@each_of_v1
def test_optional_fields_may_be_null(operation: Declared) -> None:
    if operation.plan.body is not None:
        for kind in kinds_in(operation.plan.body.type):
            for field in msgspec.structs.fields(kind) if issubclass(kind, msgspec.Struct) else ():
                assert field.required or type(None) in get_args(field.type), (kind, field.name)


def test_only_the_update_of_a_deployment_refuses_other_fields() -> None:
    strict = {
        kind.__name__
        for operation in OURS.values()
        if operation.plan.body is not None
        for kind in kinds_in(operation.plan.body.type)
        if issubclass(kind, msgspec.Struct) and kind.__struct_config__.forbid_unknown_fields
    }
    assert strict == {DeploymentUpdatePayload.__name__}


def test_players_of_v2_are_told_apart_by_their_type() -> None:
    body = b"""{"application": "a", "version": "1", "resources": null, "users": [
        {"user_type": "ip_address", "user_data": {"ip_address": "192.0.2.1"}},
        {"user_type": "geo_coordinates", "user_data": {"latitude": 45.5, "longitude": -73}}]}"""
    users = msgspec.json.decode(body, type=DeploymentCreate).users
    assert [type(user) for user in users] == [IpUser, GeoUser]
    for wrong in (b'"users": []', b'"users": [{"user_type": "name", "user_data": {}}]'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(b'{"application": "a", "version": "1", ' + wrong + b"}", type=DeploymentCreate)


def test_tickets_of_a_matchmaker_are_ours_alone() -> None:
    """In the vendor's documents each matchmaker has a host of its own, with these paths."""
    tickets = {(o.method, o.path, o.key) for o in EDGEGAP.operations() if not o.public}
    assert tickets == {
        ("POST", "/aom/{matchmaker_id}/v1/tickets", "none"),
        ("GET", "/aom/{matchmaker_id}/v1/tickets/{ticket_id}", "none"),
        ("DELETE", "/aom/{matchmaker_id}/v1/tickets/{ticket_id}", "none"),
    }
