"""What a person reads whose request breaks the contract."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Struct

from innkeeper.api.refusals import explain
from innkeeper.contract.house.billing_v1 import Month


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Part(Struct, rename="camel"):
    its_colour: Colour
    name: Annotated[str, Meta(max_length=3)] = ""


class Thing(Struct, rename="camel"):
    size: Annotated[int, Meta(ge=1, le=9)] = 1
    share: Annotated[float, Meta(gt=0)] = 1
    tag: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*\Z", min_length=1)] = "a"
    code: Annotated[str, Meta(pattern=r"^(one|two)\Z")] = "one"
    month: Month = "2026-11"
    all_parts: list[Part] | None = None
    by_name: dict[str, Part] = {}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[]", "must be an object, not a list"),
        ('{"size": "1"}', "size: must be a whole number, not a text"),
        ('{"size": 1.5}', "size: must be a whole number, not a fraction"),
        ('{"size": 0}', "size: must be at least 1"),
        ('{"size": 10}', "size: must be at most 9"),
        ('{"share": 0}', "share: must be more than 0.0"),
        ('{"tag": ""}', "tag: must have at least 1 characters"),
        (
            '{"tag": "A"}',
            "tag: must hold nothing but small letters, digits and '-', and begin with small letters",
        ),
        ('{"code": "x"}', "code: must match ^(one|two)$"),
        ('{"month": "2026-13"}', "month: must be a month, written YYYY-MM, for example 2026-11"),
        ('{"allParts": 1}', "allParts: must be a list or null, not a whole number"),
        ('{"allParts": [{}]}', "allParts[0].itsColour: is required"),
        (
            '{"allParts": [{"itsColour": "green"}]}',
            "allParts[0].itsColour: there is no 'green'; choose one of red, blue",
        ),
        ('{"byName": {"x": {"itsColour": "green"}}}', "there is no 'green'; choose one of red, blue"),
        ('{"allParts": [{"itsColour": "red", "name": "long"}]}', "allParts[0].name: must have at most 3 characters"),
    ],
)
def test_it_says_what_is_needed(body: str, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.json.decode(body, type=Thing)
    assert said in explain(refusal.value, Thing)


@pytest.mark.parametrize(("hint", "value", "said"), [(Colour, "x", "there is no 'x'; choose one of red, blue")])
def test_it_says_so_for_a_single_value_too(hint: Any, value: str, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.convert(value, hint)
    assert explain(refusal.value, hint) == said
