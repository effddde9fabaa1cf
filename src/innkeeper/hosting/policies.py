"""What a policy of a reserve asks for now: how many more servers, and which of them may not end. Pure.

Used by ``reserves.py`` and by ``passes/scaling.py`` and ``passes/retiring.py``, inside of transactions too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import NamedTuple

import msgspec
from msgspec import Struct

from innkeeper.kit.errors import Invalid
from innkeeper.kit.geo import Point

from .choosing import Wishes
from .geography import Filter
from .model import ACCEPTING, ServerState

#: Servers of one policy and label that wait for a host at one time: no more are wanted until some have one.
MOST_WAITING = 20
#: What a share of seats may be off by, for being a fraction of two.
_NOTHING = 1e-9


class PolicyKind(StrEnum):
    """How a policy says where its servers are."""

    FILTERS = "filters"
    TAGS = "tags"  #: of locations
    POINTS = "points"  #: near them


class Aim(Struct, frozen=True, omit_defaults=True):
    """Where the servers of a policy are."""

    filters: tuple[Filter, ...] = ()
    points: tuple[Point, ...] = ()

    @property
    def wishes(self) -> Wishes:
        """The same for whoever chooses a location."""
        return Wishes(players=self.points, filters=self.filters)


_aim = msgspec.json.Decoder(Aim).decode


@dataclass(frozen=True, slots=True)
class Reserve:
    """Labels whose servers are kept ready, as its policies say."""

    id: str
    org_id: str
    name: str  #: unique in the organisation
    enabled: int  #: 1: its policies count
    created_at: int
    created_by: str
    changed_at: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Where a reserve keeps how many servers of each of its labels ready."""

    id: str
    reserve_id: str
    name: str  #: unique in the reserve
    enabled: int  #: 1: it counts
    kind: PolicyKind
    least: int  #: servers that there always are
    most: int  #: servers that there are at most
    threshold: float  #: the share of all their seats that is taken when another one is wanted, above 0 to 1
    aim: str  #: JSON of Aim
    said: str  #: the same as its owner said it, JSON
    created_at: int
    changed_at: int

    @property
    def wishes(self) -> Wishes:
        """Where its servers are."""
        return _aim(self.aim).wishes


class Bounds(NamedTuple):
    """How many servers a policy asks for."""

    least: int
    most: int
    threshold: float


class InForce(NamedTuple):
    """A policy that counts, and a label that it counts for."""

    policy: Policy
    label_id: str
    label_changed_at: int
    label_active: bool  #: its owner has not put it out of use
    each: int | None  #: seats of one more server; None where servers are made with their one room
    title: str  #: what it is called, for people

    @property
    def key(self) -> tuple[str, str]:
        """What its servers are found by."""
        return self.policy.id, self.label_id

    @property
    def bounds(self) -> Bounds:
        """How many there shall be."""
        return Bounds(self.policy.least, self.policy.most, self.policy.threshold)


class Reserved(NamedTuple):
    """A living server that a policy has wanted."""

    server_id: str
    state: ServerState
    seats: int
    taken: int


def check_bounds(least: int, most: int) -> None:
    """Raises Invalid for a policy that cannot be kept."""
    if least > most:
        raise Invalid(f"minimum: {least} is more than the maximum, {most}")


def missing(bounds: Bounds, each: int | None, servers: Sequence[Reserved]) -> int:
    """How many more servers of one label a policy asks for.

    ``servers`` are its living ones of that label, ``each`` the seats that one more would have; None where servers are
    made with their one room, so that there are no seats to be kept free.
    """
    ready = [one for one in servers if one.state in ACCEPTING]
    wanted = max(0, bounds.least - len(ready))
    if each is not None:
        seats, taken = sum(one.seats for one in ready) + wanted * each, sum(one.taken for one in ready)
        if _crowded(taken, seats, bounds.threshold):
            wanted += 1 + max(0, floor((taken - bounds.threshold * seats + _NOTHING) / (bounds.threshold * each)))
    waiting = sum(one.state is ServerState.WANTED for one in ready)
    return max(0, min(wanted, bounds.most - len(servers), MOST_WAITING - waiting))


def is_needed(bounds: Bounds, server_id: str, servers: Sequence[Reserved]) -> bool:
    """Whether a policy would want another server at once if this one, which is empty, ended."""
    ready = [one for one in servers if one.state in ACCEPTING]
    rest = [one for one in ready if one.server_id != server_id]
    if len(rest) == len(ready) or len(rest) >= bounds.most:
        return False
    crowded = _crowded(sum(one.taken for one in rest), sum(one.seats for one in rest), bounds.threshold)
    return len(rest) < bounds.least or crowded


def _crowded(taken: int, seats: int, threshold: float) -> bool:
    return taken > 0 and taken >= threshold * seats - _NOTHING


class Needs:
    """Which empty servers may not end, of all that policies have wanted."""

    def __init__(
        self, kept: Sequence[InForce] = (), servers: Mapping[tuple[str, str], Sequence[Reserved]] | None = None
    ) -> None:
        self._bounds = {one.key: one.bounds for one in kept if one.label_active}
        self._servers = {key: list(those) for key, those in (servers or {}).items()}
        self._key_of = {one.server_id: key for key, those in self._servers.items() for one in those}

    def holds(self, server_id: str) -> bool:
        """Whether this one may not. One that may counts as ended from now on."""
        key = self._key_of.get(server_id)
        bounds = None if key is None else self._bounds.get(key)
        if key is None or bounds is None:
            return False
        if is_needed(bounds, server_id, self._servers[key]):
            return True
        self._servers[key] = [one for one in self._servers[key] if one.server_id != server_id]
        return False
