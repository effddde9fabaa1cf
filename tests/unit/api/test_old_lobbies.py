"""What is taken and told of first configs: JSON on one side, text on the other."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from innkeeper.api.hathora.lobbies_v2 import MOST_DEEP, json_of, json_text
from innkeeper.kit.errors import Invalid, TooLarge


def deep(levels: int) -> Any:
    """So many lists in one another."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, b"null"),
        ("", b'""'),
        ("dust", b'"dust"'),
        ("NaN", b'"NaN"'),
        ("{", b'"{"'),
        ("1 2", b'"1 2"'),
        (" 1.50 ", b" 1.50 "),  # no digit is lost on its way
        ('{"a":1,"a":2}', b'{"a":1,"a":2}'),
        ("null", b"null"),
        ('"\\ud800"', b'"\\"\\\\ud800\\""'),  # half a character
        ("9" * 5000, b'"' + b"9" * 5000 + b'"'),
        ("[" * MOST_DEEP + "]" * MOST_DEEP, b"[" * MOST_DEEP + b"]" * MOST_DEEP),
        ("[" * (MOST_DEEP + 1) + "]" * (MOST_DEEP + 1), b'"' + b"[" * 51 + b"]" * 51 + b'"'),
        ("[" * 100_000, b'"' + b"[" * 100_000 + b'"'),
        ("[" * 50_000 + "]" * 50_000, b'"' + b"[" * 50_000 + b"]" * 50_000 + b'"'),
    ],
)
def test_a_config_is_told_as_json_where_it_is_json(text: str | None, told: bytes) -> None:
    assert msgspec.json.encode(json_of(text)) == told


def test_how_deep_and_how_large_a_config_may_be() -> None:
    assert json_text("it", deep(MOST_DEEP), 1000) == "[" * MOST_DEEP + "1" + "]" * MOST_DEEP
    with pytest.raises(Invalid, match="it: at most 50 lists"):
        json_text("it", {"a": [deep(MOST_DEEP - 1)]}, 1000)
    assert json_text("it", {"a": [1, None, "ü"]}, 100) == '{"a":[1,null,"ü"]}'
    assert json_text("it", "abc", 6) == '"abc"'
    with pytest.raises(TooLarge, match="it: must be smaller than 5 bytes, and has 5"):
        json_text("it", "abc", 5)
    with pytest.raises(TooLarge):
        json_text("it", "üb", 5)
