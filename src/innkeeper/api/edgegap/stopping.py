"""Which deployments or sessions a bulk stop means. Pure; used by ``deployments.py`` and ``sessions.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from innkeeper.contract.edgegap.words import FilterType
from innkeeper.hosting.searching import Condition, Field, Operator
from innkeeper.kit.errors import Invalid

#: How many are read, and then stopped, at a time.
AT_ONCE = 1000


class StopFilter(Protocol):
    """One filter of a bulk stop."""

    values: list[str]
    filter_type: FilterType


F = TypeVar("F", bound=StopFilter)


def stop_filters(filters: Sequence[F], what: str) -> Sequence[F]:
    """The filters. Raises Invalid where there is none, and for one that has no values and so takes all: nobody stops
    everything by mistake.
    """
    if not filters:
        raise Invalid(f"filters: say which {what} are meant; none stands for none, not for all")
    for at, one in enumerate(filters):
        if not one.values and one.filter_type is not FilterType.ANY:
            raise Invalid(f"filters[{at}].values: is empty, and all {what} would be meant; name one at least")
    return filters


def conditions_of(field: Field, match: FilterType, values: Sequence[str]) -> list[Condition]:
    """A filter as conditions, all of which have to hold."""
    if match is FilterType.NOT:
        return [Condition(field, Operator.NOT_IN, values)]
    if match is FilterType.ALL:
        return [Condition(field, Operator.IN, [value]) for value in values]
    return [Condition(field, Operator.IN, values)]
