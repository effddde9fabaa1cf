"""Whether an answer is one that the vendor's document describes: types, required fields, formats, nulls.

Stricter than the document where its own clients are: a field that it does not know is a mistake of ours, a time has an
offset, a whole number is written as one.
"""

from __future__ import annotations

import re
from typing import Any

import jsonschema

from contract.vendor import load

Json = dict[str, Any]

_DOCUMENT = load("hathora.openapi.json")
_SCHEMAS: Json = _DOCUMENT["components"]["schemas"]
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_formats = jsonschema.FormatChecker(formats=[])


@_formats.checks("date-time")
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(_TIME.fullmatch(value))


@_formats.checks("int32")
def _is_int32(value: object) -> bool:
    return isinstance(value, int) and -(1 << 31) <= value < 1 << 31


@_formats.checks("int64")
def _is_int64(value: object) -> bool:
    return isinstance(value, int) and -(1 << 63) <= value < 1 << 63


def _integer(_: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)  # 8000.0 is none: Go's decoder refuses it


_types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _integer)
_Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=_types)


def complaints(schema: Json, value: Any) -> list[str]:
    """What is wrong with a value, by the vendor's document: ``place: what``."""
    checker = _Validator(exact(schema), format_checker=_formats)
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(value)]


def exact(schema: Json) -> Json:
    """A schema of OpenAPI 3.0 as JSON Schema, references followed; objects have no fields besides those it names."""
    found = _plain(schema)
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") and found != {} else found


def _plain(schema: Json) -> Json:
    if "$ref" in schema:
        return exact(_SCHEMAS[schema["$ref"].rsplit("/", 1)[1]])
    if "allOf" in schema:
        (only,) = schema["allOf"]
        return exact(only)
    if "oneOf" in schema:
        return {"anyOf": [exact(arm) for arm in schema["oneOf"]]}
    kept = ("type", "format", "minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems", "enum")
    found = {key: schema[key] for key in kept if key in schema}
    if "items" in schema:
        found["items"] = exact(schema["items"])
    if "properties" in schema or schema.get("type") == "object":
        found["properties"] = {name: exact(each) for name, each in schema.get("properties", {}).items()}
        found["required"] = schema.get("required", [])
        more = schema.get("additionalProperties", False)
        found["additionalProperties"] = exact(more) if isinstance(more, dict) and more else more
    return found
