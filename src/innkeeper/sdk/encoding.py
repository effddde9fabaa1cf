"""From the arguments of a call to the target and body of its request. Pure; called by ``engine.py`` and the stub."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from innkeeper.contract.shape import GLOBAL, UNSET

if TYPE_CHECKING:
    from innkeeper.contract.operation import Declared
    from innkeeper.contract.plan import Parameter, Plan

    from .wire import Content

_PIECE = 256 * 1024
_MUST = inspect.Parameter.empty
_ABSENT = (None, UNSET, GLOBAL)


def arguments(operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The call's values by name. Raises ``TypeError`` as Python itself would for the declared signature."""
    plan = operation.plan
    if len(args) > len(plan.positional):
        raise TypeError(f"{operation.name}() takes {len(plan.positional)} arguments, and was given {len(args)}")
    values = dict(zip(plan.positional, args, strict=False))
    for name, value in kwargs.items():
        if name in values:
            raise TypeError(f"{operation.name}() was given {name!r} twice")
        if name not in plan.by_name:
            raise TypeError(f"{operation.name}() has no parameter {name!r}")
        values[name] = value
    for parameter in plan.parameters:
        if parameter.default is _MUST and parameter.name not in values:
            raise TypeError(f"{operation.name}() needs {parameter.name!r}")
    return values


def encode(
    operation: Declared, values: Mapping[str, Any], defaults: Mapping[str, Any]
) -> tuple[str, bytes | Content | None]:
    """The target (path and query, encoded) and the body. ``defaults`` holds the client's ``app_id`` and ``org_id``.

    Raises ``TypeError`` for a value that is missing and ``ValueError`` for one that cannot travel in a path.
    """
    plan = operation.plan
    pieces = plan.path_pieces
    target = pieces[0]
    for parameter, rest in zip(plan.path, pieces[1:], strict=True):
        target += segment(operation, parameter.name, _value(operation, parameter, values, defaults)) + rest
    if plan.query:
        query = _query(operation, plan, values, defaults)
        if query:
            target += "?" + query
    if plan.body is None:
        return target, None
    body = _value(operation, plan.body, values, defaults)
    if body is None:
        return target, None
    return target, body if plan.binary else msgspec.json.encode(body)


def _value(operation: Declared, parameter: Parameter, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> Any:
    name = parameter.name
    value = values.get(name, parameter.default)
    if value is GLOBAL:
        value = defaults.get(name)
        if value is None and parameter.required:
            raise TypeError(f"{operation.name}() needs {name!r}: give it to this call, or to the client for all calls")
    return value


def segment(operation: Declared, name: str, value: Any) -> str:
    """One value as one segment of a path, which it can never leave."""
    word = text(value)
    if word in ("", ".", ".."):
        raise ValueError(f"{operation.name}(): {name} is {word!r}, which cannot stand in a path")
    return quote(word, safe="")


def _query(operation: Declared, plan: Plan, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    pairs: list[str] = []
    for parameter in plan.query:
        value = _value(operation, parameter, values, defaults)
        if value in _ABSENT if not isinstance(value, list | tuple) else not value:
            continue
        for item in value if parameter.many else (value,):
            pairs.append(f"{parameter.wire}={quote(text(item), safe='')}")
    return "&".join(pairs)


class FileForm:
    """A form (``multipart/form-data``) with one field, ``file``, that holds these bytes. It can be sent again."""

    def __init__(self, content: bytes | Content, boundary: str) -> None:
        self._content = content
        self._head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="build.tar.gz"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()

    @property
    def length(self) -> int:
        """Bytes in all."""
        content = self._content
        inner = len(content) if isinstance(content, bytes) else content.length
        return len(self._head) + inner + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        """Pieces from the beginning."""
        yield self._head
        content = self._content
        if isinstance(content, bytes):
            yield from (content[at : at + _PIECE] for at in range(0, len(content), _PIECE))
        else:
            yield from content
        yield self._tail


def text(value: Any) -> str:
    """A value as it travels outside of a body: ``true``, ``5``, ``2026-01-31T12:00:00Z``, an enum's word."""
    if isinstance(value, str):
        return str(value.value) if isinstance(value, Enum) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
