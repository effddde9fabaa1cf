"""Reads the ``query`` of a list of deployments: JSON with filters and an order. Pure; used by ``deployments.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from innkeeper.contract.edgegap.words import DeploymentStatus
from innkeeper.hosting.model import ServerState
from innkeeper.hosting.searching import Condition, Field, Operator, Ordering
from innkeeper.kit.errors import Invalid

from .times import micros_of

_FIELDS = {
    "application": Field.APP,
    "app": Field.APP,
    "app_name": Field.APP,
    "version": Field.LABEL,
    "app_version": Field.LABEL,
    "status": Field.STATE,
    "tags": Field.TAG,
    "tag": Field.TAG,
    "request_id": Field.NAME,
    "created_at": Field.CREATED,
    "start_time": Field.READY,
}
_OPERATORS = {
    "eq": Operator.IN,
    "in": Operator.IN,
    "neq": Operator.NOT_IN,
    "ne": Operator.NOT_IN,
    "not_in": Operator.NOT_IN,
    "nin": Operator.NOT_IN,
    "lt": Operator.BELOW,
    "lte": Operator.UP_TO,
    "le": Operator.UP_TO,
    "gt": Operator.ABOVE,
    "gte": Operator.FROM,
    "ge": Operator.FROM,
    "contains": Operator.LIKE,
    "like": Operator.LIKE,
}
_TIMES = (Field.CREATED, Field.READY)
#: The states of a server that a client may name, by the word without its prefix in small letters. What lies between
#: being asked for and being ready is told more finely than it is kept.
_STATES = {
    DeploymentStatus.INITIALIZING: [ServerState.WANTED],
    DeploymentStatus.SEEKING: [ServerState.WANTED],
    DeploymentStatus.SEEKED: [ServerState.STARTING],
    DeploymentStatus.SCANNING: [ServerState.STARTING],
    DeploymentStatus.DEPLOYING: [ServerState.STARTING],
    DeploymentStatus.READY: [ServerState.RUNNING, ServerState.DRAINING],
    DeploymentStatus.TERMINATING: [ServerState.STOPPING],
    DeploymentStatus.TERMINATED: [ServerState.STOPPED],
    DeploymentStatus.ERROR: [ServerState.FAILED],
}
STATES = {status.value.removeprefix("Status.").lower(): states for status, states in _STATES.items()}


class _Filter(msgspec.Struct):
    field: str
    operator: str
    value: Any = None


class _Order(msgspec.Struct):
    field: str
    order: str = "asc"


class _Query(msgspec.Struct):
    filters: list[_Filter] = []
    order_by: list[_Order] = []


def read_query(text: str | None) -> tuple[list[Condition], list[Ordering]]:
    """What the list shall hold, and in which order. Raises Invalid, naming what is wrong."""
    if not text:
        return [], []
    try:
        query = msgspec.json.decode(text, type=_Query)
    except msgspec.DecodeError as error:
        raise Invalid(f'query: is no JSON such as {{"filters": [], "order_by": []}}: {error}') from None
    named = [one.field for one in query.filters]
    if len(set(named)) < len(named):
        raise Invalid("query: one filter for a field is taken, not more")
    conditions = [_condition(one) for one in query.filters]
    orderings = [Ordering(_field(one.field), _falls(one.order)) for one in query.order_by]
    return conditions, orderings


def _field(name: str) -> Field:
    if name.lower() not in _FIELDS:
        raise Invalid(f"query: there is no field {name}; there are {', '.join(sorted(_FIELDS))}")
    return _FIELDS[name.lower()]


def _falls(order: str) -> bool:
    if order.lower() not in ("asc", "desc"):
        raise Invalid(f"query: the order is asc or desc, not {order}")
    return order.lower() == "desc"


def _condition(one: _Filter) -> Condition:
    field = _field(one.field)
    if one.operator.lower() not in _OPERATORS:
        raise Invalid(f"query: there is no operator {one.operator}; there are {', '.join(sorted(_OPERATORS))}")
    operator = _OPERATORS[one.operator.lower()]
    said: list[Any] = one.value if isinstance(one.value, list) else [one.value]
    if not said or not all(isinstance(value, str) for value in said):
        raise Invalid(f"query: the value of {one.field} has to be a text, or a list of texts")
    if len(said) > 1 and operator not in (Operator.IN, Operator.NOT_IN):
        raise Invalid(f"query: {one.operator} takes one value, and {one.field} has {len(said)}")
    if field in _TIMES:
        return Condition(field, operator, [micros_of(value, one.field) for value in said])
    if field is Field.STATE:
        return Condition(field, operator, _states(said))
    return Condition(field, operator, said)


def _states(said: Sequence[str]) -> list[str]:
    found: list[str] = []
    for value in said:
        word = value.lower().removeprefix("status.")
        if word not in STATES:
            raise Invalid(f"query: there is no status {value}; there are {', '.join(STATES)}")
        found += [state.value for state in STATES[word]]
    return list(dict.fromkeys(found))
