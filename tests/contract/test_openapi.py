"""The document: valid, current, complete, and in words that are true for every language."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from innkeeper.contract.comments import comments_of
from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.hathora.rooms_v2 import RoomAllocation
from innkeeper.contract.hathora.words import RoomStatus
from innkeeper.contract.openapi import document, main

from .things import OWN

DOCUMENT = document(HATHORA)
COMMITTED = Path(__file__).resolve().parents[2] / "openapi" / "hathora.json"


def test_it_is_a_valid_document() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_the_committed_one_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    main(["hathora"])
    assert COMMITTED.read_text() == capsys.readouterr().out, "run scripts/openapi"


def test_it_is_the_same_every_time() -> None:
    assert json.dumps(document(HATHORA)) == json.dumps(DOCUMENT)


def test_it_says_where_it_is_served() -> None:
    assert DOCUMENT["servers"] == [{"url": "/"}]
    assert document(HATHORA, "http://127.0.0.1:8000")["servers"] == [{"url": "http://127.0.0.1:8000"}]


def test_every_operation_and_object_is_explained() -> None:
    for item in DOCUMENT["paths"].values():
        for said in item.values():
            assert said["summary"].endswith("."), said["operationId"]
            assert "\n" not in said["summary"], said["operationId"]
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert schema["description"].strip(), name
    assert all(tag["description"] for tag in DOCUMENT["tags"])


def test_nothing_in_it_is_for_python_alone() -> None:
    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [v for k, v in value.items() if k in ("description", "summary") and isinstance(v, str)]
            return own + [text for inner in value.values() for text in texts(inner)]
        return [text for inner in value for text in texts(inner)] if isinstance(value, list) else []

    found = texts(DOCUMENT)
    assert len(found) > 150
    for text in found:
        assert not re.search(r"``|\b[a-z]+_[a-z]+\b|\bNone\b|\bTrue\b|:class:", text), text


def test_a_stream_is_bytes_and_an_empty_answer_has_no_content() -> None:
    run = DOCUMENT["paths"]["/builds/v3/builds/{buildId}/run"]["post"]["responses"]
    assert run["200"]["content"] == {"application/octet-stream": {}}
    assert "content" not in DOCUMENT["paths"]["/rooms/v2/{appId}/destroy/{roomId}"]["post"]["responses"]["204"]


def test_every_fault_is_the_vendors_object() -> None:
    assert DOCUMENT["components"]["schemas"]["ApiError"]["required"] == ["message"]
    for status, answer in DOCUMENT["components"]["responses"].items():
        assert answer["description"].endswith("."), status
        assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ApiError"}


def test_repeated_keys_and_patterns_are_said_in_the_documents_words() -> None:
    latest = DOCUMENT["paths"]["/processes/v3/apps/{appId}/processes/latest"]["get"]
    region = next(p for p in latest["parameters"] if p["name"] == "region")
    assert (region["style"], region["explode"], region["schema"]["type"]) == ("form", True, "array")
    assert "(?!" not in json.dumps(DOCUMENT)


def test_who_may_call_is_said() -> None:
    paths = DOCUMENT["paths"]
    assert paths["/rooms/v2/{appId}/create"]["post"]["security"] == [{"hathoraDevToken": ["processes:read-write"]}]
    assert paths["/lobby/v3/{appId}/create"]["post"]["security"] == [{"playerAuth": []}]
    assert paths["/discovery/v2/ping"]["get"]["security"] == []
    assert paths["/rooms/v2/{appId}/suspend/{roomId}"]["post"]["deprecated"] is True


def test_comments_beside_fields_and_members_are_their_descriptions() -> None:
    assert comments_of(RoomAllocation) == {"unscheduled_at": "None while the room is there"}
    assert comments_of(RoomStatus)["SCHEDULING"] == "waits for its server to run"
    status = DOCUMENT["components"]["schemas"]["RoomStatus"]["description"]
    assert "- `suspended`: off its server, the id kept" in status
    gpu = DOCUMENT["components"]["schemas"]["DeploymentV3"]["properties"]["experimentalRequestedGPU"]
    assert gpu["description"] == "its older name"


def test_a_union_with_a_name_is_an_object_whose_arms_say_which_they_are() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    told = DOCUMENT["paths"]["/rooms/v1/{appId}/connectioninfo/{roomId}"]["get"]["responses"]["200"]["content"]
    assert told["application/json"]["schema"] == {"$ref": "#/components/schemas/ConnectionInfo"}
    arms = {word: f"#/components/schemas/{word.capitalize()}ConnectionInfo" for word in ("active", "starting")}
    assert schemas["ConnectionInfo"]["anyOf"] == [{"$ref": arm} for arm in arms.values()]
    assert schemas["ConnectionInfo"]["discriminator"] == {"propertyName": "status", "mapping": arms}
    assert schemas["StartingConnectionInfo"]["properties"]["status"] == {"type": "string", "enum": ["starting"]}
    assert schemas["StartingConnectionInfo"]["required"] == ["status", "roomId"]


def test_what_is_not_served_yet_is_not_in_it() -> None:
    made = document(OWN)
    assert list(made["paths"]) == ["/things/{thingId}"]
    assert [tag["name"] for tag in made["tags"]] == ["Things"]
    assert made["paths"]["/things/{thingId}"]["get"]["summary"] == "Find a thing. `GetThing` reads `thingId`."
    assert made["components"]["schemas"]["Thing"] == {
        "type": "object",
        "description": "A thing.",
        "properties": {
            "sizeInM": {"anyOf": [{"type": "number"}, {"type": "null"}], "description": "how large it is, in metres"},
            "colour": {"type": "string"},
        },
        "required": ["sizeInM"],
    }
