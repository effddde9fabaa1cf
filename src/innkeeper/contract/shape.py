"""The kinds of values that travel, and the conventions all vendors share. Used by every ``contract/<vendor>``."""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

__all__ = ["GLOBAL", "UNSET", "Camel", "UnsetType"]


class Camel(Struct, rename="camel", kw_only=True):
    """An object whose fields are ``snake_case`` here and ``camelCase`` on the wire.

    A field the vendor sends as ``null`` is ``X | None``; one it leaves out is ``X | UnsetType = UNSET`` and stays out.
    Unknown fields are ignored.
    """


class _Global:
    """Stands for "what the client was made with" as the default of a parameter such as ``app_id``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "GLOBAL"

    def __bool__(self) -> bool:
        return False


#: The default of a parameter that a client may hold for all its calls (``HathoraCloud(app_id=...)``).
GLOBAL: Final[Any] = _Global()
