"""The vendor's document, and a way to compare schemas that are written differently. For the tests beside this file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from innkeeper.contract.hathora import HATHORA

Json = dict[str, Any]

SPECS = Path(__file__).resolve().parents[2].parent / "shared" / "specs"
needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="the vendors' documents are not beside the repository")

#: The tags that are served so far.
TAGS = {resource.partition(":")[2] for resource in HATHORA.resources.values()}

_LIMITS = ("minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems", "default")


def load(name: str) -> Any:
    """One of the vendors' files; nothing where they are absent, for tests that are skipped then."""
    path = SPECS / name
    return json.loads(path.read_text()) if path.is_file() else {"operations": [], "components": {"schemas": {}}}


def operations() -> list[Json]:
    """The vendor's operations: those of the last document, and those of 2024 that it does not have any more."""
    listed = load("hathora.operations.json")
    return listed["operations"] + [
        _flat(one, listed) for one in listed.get("removed_operations", {"operations": []})["operations"]
    ]


def _flat(removed: Json, listed: Json) -> Json:
    """A removed operation in the words of the list, which names no scopes for it."""
    # Two queries had names of their own in 2024. The operation beside these had the same two, and is there still.
    (beside,) = (one for one in listed["operations"] if one["operationId"] == "GetLogsForProcess")
    same = {one["name"]: one["schema"] for one in beside["query_params"]}
    answers = {
        status: {kind: said["schema"] for kind, said in content.items()}
        for status, content in removed["responses"].items()
    }
    return {
        **removed,
        "security": [name for one in removed["security"] for name in one],
        "scopes": None,
        "path_params": [one["name"] for one in removed["parameters"] if one["in"] == "path"],
        "query_params": [
            {"name": one["name"], "required": one["required"], "schema": same.get(one["name"], one["schema"])}
            for one in removed["parameters"]
            if one["in"] == "query"
        ],
        "request_body": None,
        "success": {status: content for status, content in answers.items() if status < "300"},
        "error_codes": sorted(int(status) for status in answers if status >= "400"),
    }


def canonical(schema: Json, components: Json) -> Json:
    """A schema of OpenAPI 3.0 or 3.1 with all references followed, in one spelling; texts and examples left out."""
    if "$ref" in schema:
        return canonical(components[schema["$ref"].rsplit("/", 1)[1]], components)
    if "allOf" in schema:
        (only,) = schema["allOf"]
        return canonical(only, components) | ({"nullable": True} if schema.get("nullable") else {})
    if arms := schema.get("oneOf") or schema.get("anyOf"):
        rest = [canonical(arm, components) for arm in arms if arm.get("type") != "null"]
        found: Json = rest[0] if len(rest) == 1 else {"any": sorted(rest, key=json.dumps)}
        return found | ({"nullable": True} if len(rest) < len(arms) or schema.get("nullable") else {})
    if "type" not in schema and "enum" not in schema:  # anything, null too
        return {}
    found = {"type": schema["type"]} | {key: schema[key] for key in _LIMITS if key in schema}
    if "enum" in schema:
        found["enum"] = sorted(schema["enum"])
    if schema.get("format") == "date-time":
        found["format"] = "date-time"
    if "items" in schema:
        found["items"] = canonical(schema["items"], components)
    if schema["type"] == "object":
        found["properties"] = {k: canonical(v, components) for k, v in sorted(schema.get("properties", {}).items())}
        found["required"] = sorted(schema.get("required", ()))
    if schema.get("nullable"):
        found["nullable"] = True
    return found


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Where two canonical schemas differ: ``place: ours, not theirs``."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found: list[str] = []
        for key in sorted({*ours, *theirs}):
            inner = f"{where}.{key}" if key not in ("properties", "items") else where + ("[]" if key == "items" else "")
            found += differences(ours.get(key), theirs.get(key), inner)
        return found
    return [] if ours == theirs else [f"{where.lstrip('.')}: {json.dumps(ours)}, not {json.dumps(theirs)}"]
