"""A declaration compiled: where each value travels, and how bodies are read. Made once per operation, on first use.

The SDK's engine builds requests from it, ``api/serve.py`` reads them with it, ``openapi.py`` documents it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import msgspec

from .shape import GLOBAL

if TYPE_CHECKING:
    from .operation import Declared

Place = Literal["path", "query", "body"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of a call."""

    name: str  #: in Python
    wire: str  #: on the wire
    place: Place
    type: Any  #: without ``None``
    default: Any  #: ``inspect.Parameter.empty`` when it must be given
    many: bool  #: a list: the key is repeated

    @property
    def required(self) -> bool:
        """Whether the wire must carry it. One that a client may hold for all calls is required in a path alone."""
        return self.place == "path" or self.default is inspect.Parameter.empty


class Plan:
    """What it takes to send or to read one operation."""

    def __init__(self, parameters: list[Parameter], pieces: list[str], returns: Any, binary: bool) -> None:
        self.parameters = parameters
        self.positional = [p.name for p in parameters]
        self.by_name = {p.name: p for p in parameters}
        self.path_pieces = pieces  #: the text around the path's parameters, one more than those
        self.path = [p for p in parameters if p.place == "path"]
        self.query = [p for p in parameters if p.place == "query"]
        self.body = next((p for p in parameters if p.place == "body"), None)
        self.returns = returns
        self.binary = binary

    @cached_property
    def decode_answer(self) -> Any:
        """Bytes -> the typed answer. Raises ``msgspec.DecodeError``, and its ``ValidationError`` where it is JSON."""
        return reader(self.returns)

    @cached_property
    def decode_body(self) -> Any:
        """Bytes -> the typed body. Raises as ``decode_answer`` does."""
        assert self.body is not None
        return reader(self.body.type)


def reader(kind: Any) -> Callable[[bytes], Any]:
    """JSON bytes -> a value of this type, in which ``8000.0`` is a whole number.

    Some clients know no integers (Godot's JSON, for one) and no vendor minds; msgspec does. The first try is the fast
    one, and all there is for nearly every call.
    """
    decode = msgspec.json.Decoder(kind).decode

    def read(body: bytes) -> Any:
        try:
            return decode(body)
        except msgspec.ValidationError as problem:
            if "got `float`" not in str(problem):
                raise
        return msgspec.convert(_whole(msgspec.json.decode(body)), kind)

    return read


def _whole(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return value


def without_none(hint: Any) -> Any:
    """``X | None`` -> ``X``."""
    arms = get_args(hint)
    if type(None) not in arms:
        return hint
    rest = [arm for arm in arms if arm is not type(None)]
    found = rest[0]
    for arm in rest[1:]:
        found = found | arm
    return found


def compile_plan(operation: Declared) -> Plan:
    """Read a declaration's signature. A template name without a parameter is a mistake in the declaration."""
    signature = inspect.signature(operation.function, eval_str=True)
    names = re.findall(r"\{(\w+)\}", operation.path)
    body_name = "params" if operation.body == "json" else "content"
    parameters: list[Parameter] = []
    for parameter in list(signature.parameters.values())[1:]:
        wire = operation.api.spelling(parameter.name)
        place: Place = "path" if wire in names else "body" if parameter.name == body_name else "query"
        hint = without_none(parameter.annotation)
        many = get_origin(hint) is list
        parameters.append(Parameter(parameter.name, wire, place, hint, parameter.default, many))
    missing = set(names) - {p.wire for p in parameters}
    if missing:
        raise TypeError(f"{operation!r}: no parameter for {sorted(missing)}")
    order = {wire: at for at, wire in enumerate(names)}
    plan = Plan(parameters, re.split(r"\{\w+\}", operation.path), signature.return_annotation, operation.body != "json")
    plan.path.sort(key=lambda p: order[p.wire])
    return plan


def is_global(parameter: Parameter) -> bool:
    """Whether a client may hold this value for all its calls."""
    return parameter.default is GLOBAL
