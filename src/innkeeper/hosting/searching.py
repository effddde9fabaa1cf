"""Which servers, or rooms on them, a list shall hold, as SQL with values. Pure; called by ``orders.py`` and
``bookings.py`` for what a door has read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from innkeeper.db.database import Value
from innkeeper.db.sql import listed
from innkeeper.kit.errors import Invalid


class Field(StrEnum):
    """What servers are found and ordered by."""

    APP = "app"  #: its name
    LABEL = "label"  #: its name
    STATE = "state"
    TAG = "tag"
    NAME = "name"  #: the short one
    ROOM = "room"  #: the id of a room, where rooms are looked for
    LOCATION = "location"
    CREATED = "created"  #: microseconds
    READY = "ready"  #: microseconds


class Operator(StrEnum):
    """How a value has to meet those that are given."""

    IN = "in"
    NOT_IN = "not in"
    BELOW = "below"
    ABOVE = "above"
    FROM = "from"
    UP_TO = "up to"
    LIKE = "like"  #: it contains the text


class Condition(NamedTuple):
    """A wish that servers have to fulfil."""

    field: Field
    operator: Operator
    values: Sequence[str] | Sequence[int]


class Ordering(NamedTuple):
    """What comes first."""

    field: Field
    falling: bool = False


_COLUMNS = {
    Field.APP: "a.name",
    Field.LABEL: "coalesce(l.name, '')",
    Field.STATE: "s.state",
    Field.NAME: "substr(s.id, 25)",
    Field.ROOM: "r.id",
    Field.LOCATION: "s.location",
    Field.CREATED: "s.created_at",
    Field.READY: "coalesce(s.ready_at, s.created_at)",
}
_COMPARED = {Operator.BELOW: "<", Operator.ABOVE: ">", Operator.FROM: ">=", Operator.UP_TO: "<="}
_TIMES = (Field.CREATED, Field.READY)


def where(conditions: Sequence[Condition], first: int) -> tuple[str, list[Value]]:
    """The conditions, each with ``and`` before it; their values are numbered from ``first``. Raises Invalid."""
    text, values = "", list[Value]()
    for field, operator, wanted in conditions:
        at = f"${first + len(values)}"
        column = _COLUMNS.get(field, "")
        if operator in _LISTS:
            inside = f"in ({listed(at)})"
            values.append(json.dumps([str(value) for value in wanted]))
            column = f"cast({column} as text)" if field in _TIMES else column
            found = f"{column} {inside}" if field is not Field.TAG else _tagged(f"t.name {inside}")
            text += f" and not coalesce({found}, false)" if operator is Operator.NOT_IN else f" and {found}"
        elif operator is Operator.LIKE:
            if field in _TIMES:
                raise Invalid(f"query: {field} is a time, and contains nothing")
            values.append(_pattern(str(wanted[0])))
            like = f"like {at} escape '!'"
            found = f"lower({column}) {like}" if field is not Field.TAG else _tagged(f"lower(t.name) {like}")
            text += f" and {found}"
        else:
            if field not in _TIMES:
                raise Invalid(f"query: {field} is no time, and cannot be before or after one")
            values.append(int(wanted[0]))
            text += f" and {column} {_COMPARED[operator]} {at}"
    return text, values


def _tagged(how: str) -> str:
    return f"exists (select 1 from server_tags t where t.server_id = s.id and {how})"


def _pattern(text: str) -> str:
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return f"%{text.lower()}%"


_LISTS = (Operator.IN, Operator.NOT_IN)


def order_by(orderings: Sequence[Ordering]) -> str:
    """What follows ``order by``; the newest first where nothing is said. Raises Invalid."""
    parts: list[str] = []
    for field, falling in orderings:
        if field is Field.TAG:
            raise Invalid("query: nothing is ordered by tags, of which there may be many")
        parts.append(f"{_COLUMNS[field]} {'desc' if falling else 'asc'}")
    return ", ".join([*(parts or ["s.created_at desc"]), "s.id"])
