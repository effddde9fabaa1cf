"""How what is not there is told. Used by the modules beside this one.

The vendor's documents know no null for objects, lists and words of a list: clients that are made of them fail on one.
So these are left out. Texts and numbers that are not known are null, as the vendor's API tells them.
"""

from __future__ import annotations

from typing import TypeVar

from innkeeper.contract.shape import UNSET, UnsetType

T = TypeVar("T")


def or_nothing(value: T | None) -> T | UnsetType:
    """The value; None is left out of the answer."""
    return UNSET if value is None else value
