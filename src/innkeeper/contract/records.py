"""What the audit log keeps of a call: what it was about, and what was asked for, without what is nobody else's to know.

Pure; called by ``api/serve.py`` for every operation that is recorded. One rule for all of them: a text is kept back
where its field is declared ``private()`` (``shape.py``), or where its name says that it is a secret; addresses lose the
user, the password and the query. What is told of each operation stands in ``tests/contract/recorded.txt``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import UNSET

from .operation import Declared
from .shape import PRIVATE

#: Fields of an answer that name what a call has made, the most telling first.
_MADE = (
    "process_id", "deployment_id", "build_id", "fleet_id", "webhook_id", "invoice_id", "app_id", "org_id", "name",
)  # fmt: skip
#: Names that no text is told of, declared or not.
_SECRET = re.compile(r"secret|password|passphrase|token|credential|private|signature", re.IGNORECASE)
KEPT_BACK = "(kept back)"
#: Characters of a subject, of one text and of all that is told; items of a list.
_MOST_SUBJECT, _MOST_TEXT, _MOST = 300, 120, 500
_MOST_ITEMS = 20

#: An address: what it begins with, perhaps who asks, where, and perhaps what is asked for.
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*://)(?:[^\s?#]*@)?([^\s?#]*)([?#]\S*)?", re.IGNORECASE)
_PLACE = re.compile(r"(?:[\w.%-]*|\[[\w:.%]*\])(?::\d*)?(?:/.*)?")
#: The same without its beginning, as images are named. What follows the ``@`` of an image may be its digest.
_LOGIN = re.compile(r"^[^\s/@:]*:(?!//)\S*@(?!sha\d+:)")
#: What may still be one, with blanks in it for instance.
_AT = re.compile(r"@(?!sha\d+:)")
_PERHAPS_LOGIN = re.compile(rf":[^@]*{_AT.pattern}")
_PLAIN = re.compile(r"[^\s=,{}\"()]+")


def subject_of(operation: Declared, path: Sequence[str], answer: object = None) -> str:
    """What a call is about: the ids in its path, or of what it has made; ``/`` between them, an app before what is its.

    Each can be found again by it alone: the numbers of an app's deployments mean nothing without the app.
    """
    names = [parameter.name for parameter in operation.plan.path]
    made = next((field for field in _MADE if hasattr(answer, field)), None)
    ids = list(path)
    if made is not None and made not in names:
        app = [path[names.index("app_id")]] if "app_id" in names else []
        ids = [*app, str(getattr(answer, made))]
    return _cut("/".join(ids), _MOST_SUBJECT)


def details_of(operation: Declared, arguments: Mapping[str, Any]) -> str:
    """What was asked for, as ``name=value`` with blanks between them: the body's fields and the query's values."""
    body = operation.plan.body
    said = list(_fields(arguments.get(body.name))) if body is not None else []
    for parameter in operation.plan.query:
        value = arguments.get(parameter.name)
        if value is not None and parameter.name != "org_id":  # the line is in the log of that one
            said.append((parameter.name, _told(parameter.name, value)))
    return _cut(" ".join(f"{name}={text}" for name, text in said), _MOST)


def _fields(value: Any) -> Iterator[tuple[str, str]]:
    """The fields of an object that were given, each with what is told of it."""
    if not isinstance(value, msgspec.Struct):
        return
    private = _private(type(value))
    for field in _in_order(type(value)):
        given = getattr(value, field)
        if given is not UNSET:
            yield field, KEPT_BACK if field in private else _told(field, given)


@cache
def _in_order(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """What has to be said comes first: where the line is cut, it is still told what was meant."""
    fields = sorted(msgspec.structs.fields(kind), key=lambda field: not field.required)
    return tuple(field.name for field in fields)


@cache
def _private(kind: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(kind) if _is_private(field.type))


def _is_private(hint: Any) -> bool:
    marks = [getattr(meta, "extra", None) or {} for meta in get_args(hint)] if get_origin(hint) is Annotated else []
    return any(PRIVATE in mark for mark in marks) or any(_is_private(arm) for arm in get_args(hint))


def _told(name: str, value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case int():
            return str(value)
        case float():
            return f"{value:.15g}"
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case str():
            return KEPT_BACK if _SECRET.search(name) else _text(value)
        case list():
            items: list[Any] = value
            more = [f"and {len(items) - _MOST_ITEMS} more"] if len(items) > _MOST_ITEMS else []
            return ",".join([*(_item(name, one) for one in items[:_MOST_ITEMS]), *more]) or "none"
        case msgspec.Struct():
            return "{" + " ".join(f"{field}={text}" for field, text in _fields(value)) + "}"
        case _:
            return KEPT_BACK


def _item(name: str, value: Any) -> str:
    """One of a list: of an object that is kept back but for its name, the name."""
    if not isinstance(value, msgspec.Struct):
        return _told(name, value)
    told = [(field, text) for field, text in _fields(value) if text != KEPT_BACK]
    return told[0][1] if len(told) == 1 else "{" + " ".join(f"{field}={text}" for field, text in told) + "}"


def _text(text: str) -> str:
    """A text as a value: in quotes where it would not be one word."""
    said = without_logins(text, _MOST_TEXT)
    return said if said == KEPT_BACK or _PLAIN.fullmatch(said) else json.dumps(said, ensure_ascii=False)


def without_logins(text: str, most: int) -> str:
    """A text fit to be kept and shown: on one line, not long, without logins and what is asked of addresses. Refusals
    are told so too, which may quote what was sent.
    """
    if "PRIVATE KEY" in text:
        return KEPT_BACK
    line = "".join(one if one.isprintable() else " " for one in text)
    said = _ADDRESS.sub(_address, _LOGIN.sub("", line))
    if _PERHAPS_LOGIN.search(said) or (said != line and _AT.search(said)):
        return KEPT_BACK
    return _cut(said, most)


def _address(found: re.Match[str]) -> str:
    # What looks like a place may be the beginning of a password, which goes on to an ``@``.
    if not _PLACE.fullmatch(found[2]) or "@" in (found[3] or ""):
        return f"{found[1]}{KEPT_BACK}"
    return f"{found[1]}{found[2]}{'?...' if found[3] else ''}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
