"""Says in words what a request's body or parameter lacks. Called by ``serve.py`` when the contract refuses one.

msgspec's own text speaks of Python's types and of regular expressions; the person who reads it wrote JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, get_args

import msgspec

_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "datetime": "a date and time such as 2030-01-31T12:00:00Z",
}
#: What stands in the character classes of the contract's patterns, the widest first.
_CLASSES = [("a-zA-Z", "letters"), ("a-z", "small letters"), ("0-9", "digits")]
_PATTERN = re.compile(r"\^(?:\[(?P<first>[^]]+)\])?\[(?P<rest>[^]]+)\][*+]\$")
#: Patterns that no class of characters tells, in words.
_MEANT = {"^[0-9]{4}-(0[1-9]|1[0-2])$": "be a month, written YYYY-MM, for example 2026-11"}
_STEP = re.compile(r"\.([^.[\]]+)|\[[^]]*\]")
#: More choices than that are not listed.
_MOST_CHOICES = 30


def explain(error: msgspec.ValidationError, hint: Any = None) -> str:
    """The text for people, the field first: ``roomsPerProcess: must be at least 1``.

    ``hint`` is the type that the whole value was to have; with it, the words to choose from are listed.
    """
    # Patterns end in \\Z so that no line feed slips through; people know that end as $.
    text, _, where = str(error).replace(r"\\Z", "$").partition(" - at `")
    where = where.rstrip("`").removeprefix("$")
    missing = re.fullmatch(r"Object missing required field `(.+)`", text)
    if missing:
        where, text = f"{where}.{missing[1]}", "is required"
    else:
        text = _said(text, lambda: _choices(hint, where))
    field = where.removeprefix(".")
    return f"{field}: {text}" if field else text


def _said(text: str, choices: Callable[[], list[str]]) -> str:
    if found := re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`", text):
        return f"must be {_kinds(found[1])}, not {'a fraction' if found[2] == 'float' else _kinds(found[2])}"
    if found := re.fullmatch(r"Expected `\w+` matching regex '(.+)'", text):
        return f"must {_described(found[1])}"
    if found := re.fullmatch(r"Expected `(\w+)` of length (<=|>=) (\d+)", text):
        what = {"array": "entries", "object": "fields"}.get(found[1], "characters")
        return f"must have at {'most' if found[2] == '<=' else 'least'} {found[3]} {what}"
    if found := re.fullmatch(r"Expected `\w+` (<=|>=|<|>) (\S+)", text):
        words = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}
        return f"must be {words[found[1]]} {found[2]}"
    if found := re.fullmatch(r"Invalid enum value (.+)", text):
        known = choices()
        return f"there is no {found[1]}" + (f"; choose one of {', '.join(known)}" if known else "")
    return text


def _kinds(names: str) -> str:
    return " or ".join(_KINDS.get(name.strip(), name.strip()) for name in names.split("|"))


def _described(pattern: str) -> str:
    found = _PATTERN.fullmatch(pattern)
    if found is None:
        return _MEANT.get(pattern, f"match {pattern}")
    first = f", and begin with {_characters(found['first'], 'or')}" if found["first"] else ""
    return f"hold nothing but {_characters(found['rest'], 'and')}{first}"


def _characters(inside: str, joint: str) -> str:
    words: list[str] = []
    for written, word in _CLASSES:
        if written in inside:
            words.append(word)
            inside = inside.replace(written, "")
    words += [repr(character) for character in inside]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {joint} {words[-1]}"


def _choices(hint: Any, where: str) -> list[str]:
    """The words of the enum at this place of the type; none where there are too many to read."""
    types = [hint]
    for step in _STEP.finditer(where):
        types = [below for one in types for below in _below(one, step[1])]
    enums = [kind for one in types for kind in _plain(one) if isinstance(kind, type) and issubclass(kind, Enum)]
    words = [str(member.value) for kind in enums for member in kind]
    return words if len(words) <= _MOST_CHOICES else []


def _below(hint: Any, name: str | None) -> Iterator[Any]:
    for kind in _plain(hint):
        if name is None:  # an entry of a list, or a value of a dictionary
            yield from get_args(kind)[-1:]
        elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from (field.type for field in msgspec.structs.fields(kind) if field.encode_name == name)


def _plain(hint: Any) -> Iterator[Any]:
    """The types behind unions and annotations."""
    if hasattr(hint, "__metadata__"):
        yield from _plain(hint.__origin__)
    elif type(hint).__name__ in ("UnionType", "_UnionGenericAlias"):
        for one in get_args(hint):
            yield from _plain(one)
    else:
        yield hint
