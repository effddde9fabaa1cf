"""The kinds of values that travel, and the conventions all vendors share. Used by every ``contract/<vendor>``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar, dataclass_transform

from msgspec import UNSET, Meta, Struct, StructMeta, UnsetType, field

__all__ = ["GLOBAL", "UNSET", "Camel", "Moment", "Snake", "UnsetType", "checked", "given", "private", "told"]

T = TypeVar("T")

#: A point in time: RFC 3339 with an offset on the wire, an aware datetime here. One without an offset is refused.
Moment = Annotated[datetime, Meta(tz=True)]


class _ByName(StructMeta):
    """Makes every field keyword-only, so that fields stand in the order in which they are understood."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> _ByName:
        config.setdefault("kw_only", True)
        return super().__new__(mcls, name, bases, namespace, **config)


# gc=False: what travels as JSON is a tree, so no object of it can be part of a cycle, and the collector need not look.
@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class Camel(Struct, metaclass=_ByName, rename="camel", gc=False):
    """An object whose fields are ``snake_case`` here and ``camelCase`` on the wire, and are given by name.

    A field the vendor sends as ``null`` is ``X | None``; one it leaves out is ``X | UnsetType = UNSET`` and stays out.
    Unknown fields are ignored. ``#:`` comments beside the fields become their descriptions in the document.
    """


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class Snake(Struct, metaclass=_ByName, gc=False):
    """The same for a vendor whose fields are ``snake_case`` on the wire too."""


def given(value: T | UnsetType | None) -> T | None:
    """What a field holds; None where it was left out."""
    return None if isinstance(value, UnsetType) else value


#: Ends a pattern in Python, where ``$`` alone lets a line feed through; in JSON Schema ``$`` is the end.
PATTERN_END: Final = r"\Z"


def checked(*, min_length: int | None = None, max_length: int | None = None, pattern: str | None = None) -> Meta:
    """Limits of a text that are checked wherever it is read: for what callers send. ``pattern`` is ``^...$``."""
    exact = None if pattern is None else pattern.removesuffix("$") + PATTERN_END
    return Meta(min_length=min_length, max_length=max_length, pattern=exact)


def told(**schema: Any) -> Meta:
    """Limits that are documented and not checked: for answers. A client survives a vendor who changes them."""
    return Meta(extra_json_schema=schema)


#: What the audit log looks for beside a field's type.
PRIVATE: Final = "private"


def private() -> Meta:
    """A text that nobody but caller and receiver shall know: the audit log tells nothing of it."""
    return Meta(extra={PRIVATE: True})


#: The body of an upload: whole where it is sent, piece by piece where it arrives.
Content = bytes | AsyncIterator[bytes]


class _Global:
    """Stands for "what the client was made with" as the default of a parameter such as ``app_id``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "GLOBAL"

    def __bool__(self) -> bool:
        return False


#: The default of a parameter that a client may hold for all its calls (``HathoraCloud(app_id=...)``).
GLOBAL: Final[Any] = _Global()
