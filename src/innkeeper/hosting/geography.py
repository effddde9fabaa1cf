"""Where locations are, and which of them is best for some players. Pure; made of the settings by ``inn.py``.

Two ways to judge a location by its players' distances over the ground: ``basic`` takes the one with the smallest sum,
``weighted`` lets the far ones weigh more (the smallest sum of squares of their chords), so that nobody is left behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from math import acos, cos, inf, pi
from typing import NamedTuple

from innkeeper.kit.errors import Invalid
from innkeeper.kit.geo import Point, Vector, kilometres

#: What a place can be chosen by, beside its tags.
FIELDS = ("city", "country", "continent", "region", "administrative_division", "location")
TAGS = "location_tags"


@dataclass(frozen=True, slots=True)
class Place:
    """A location with what is known of it."""

    name: str  #: the location, as servers and hosts are said to be there
    latitude: float
    longitude: float
    city: str = ""
    country: str = ""
    continent: str = ""
    region: str = ""
    administrative_division: str = ""
    timezone: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def point(self) -> Point:
        """Where it is."""
        return Point(self.latitude, self.longitude)

    def words(self, name: str) -> frozenset[str]:
        """What it is called in a field, for comparing: small letters. Tags count as ``key``, ``value`` and
        ``key=value``."""
        if name == TAGS:
            return frozenset(
                word.casefold() for key, value in self.tags.items() for word in (key, value, f"{key}={value}") if word
            )
        text = self.name if name == "location" else getattr(self, name)
        return frozenset((text.casefold(),)) if text else frozenset()


class Match(StrEnum):
    """How the values of a filter and of a place have to meet."""

    ANY = "any"  #: at least one of them is the place's
    ALL = "all"  #: each of them is
    NOT = "not"  #: none of them is


class Filter(NamedTuple):
    """A wish that a place has to fulfil."""

    field: str  #: of :data:`FIELDS`, or :data:`TAGS`
    values: tuple[str, ...]
    match: Match

    def takes(self, place: Place) -> bool:
        """Whether a place fulfils it."""
        have, wanted = place.words(self.field), {value.casefold() for value in self.values}
        if self.match is Match.ANY:
            return bool(have & wanted)
        if self.match is Match.ALL:
            return wanted <= have
        return not have & wanted

    def __str__(self) -> str:
        return f"{self.field} {self.match} of {', '.join(self.values)}"


class Strategy(StrEnum):
    """How a location is judged by the distances of its players."""

    BASIC = "basic"  #: by their sum
    WEIGHTED = "weighted"  #: far players weigh more


class Atlas:
    """All places of a house."""

    def __init__(self, places: Sequence[Place]) -> None:
        """Raises :class:`Invalid` for two of one name, or one that is nowhere."""
        self.places = {place.name: place for place in places}
        if len(self.places) < len(places):
            raise Invalid("locations: there are two with the same name")
        for place in places:
            if not place.point.is_real:
                raise Invalid(f"locations: {place.name} is at {place.latitude}, {place.longitude}, which is nowhere")
        self._vectors = {place.name: place.point.vector for place in places}
        self._matching = lru_cache(maxsize=256)(self._match)
        self._ordered = lru_cache(maxsize=64)(self._order)

    def matching(self, filters: Sequence[Filter]) -> frozenset[str]:
        """The names of the places that fulfil all filters."""
        return self._matching(tuple(filters))

    def _match(self, filters: tuple[Filter, ...]) -> frozenset[str]:
        return frozenset(name for name, place in self.places.items() if all(wanted.takes(place) for wanted in filters))

    def refusing(self, filters: Sequence[Filter]) -> Filter | None:
        """The first filter that leaves no place over, together with those before it; None when some place is left."""
        for count in range(1, len(filters) + 1):
            if not self.matching(filters[:count]):
                return filters[count - 1]
        return None

    def ranked(
        self, players: Sequence[Point], among: Collection[str], strategy: Strategy = Strategy.BASIC
    ) -> Iterator[str]:
        """The places of ``among`` from the best for these players to the worst. Places of one merit come by name.

        The first costs little; whoever wants more than that pays for sorting them all. Without players by name.
        """
        there = self._ordered(frozenset(among))
        if not players or len(there) < 2:
            yield from (name for name, *_ in there)
            return
        vectors = [player.vector for player in players]
        first = _guess(vectors, there) if strategy is Strategy.WEIGHTED else _best(vectors, there)
        yield first
        judged = _chords if strategy is Strategy.WEIGHTED else _sum
        yield from sorted(
            (name for name, *_ in there if name != first), key=lambda name: (judged(vectors, self._vectors[name]), name)
        )

    def distance(self, players: Sequence[Point], name: str) -> float:
        """Kilometres from a place to these players, on average. 0 without players."""
        vectors = [player.vector for player in players]
        return sum(kilometres(one, self._vectors[name]) for one in vectors) / len(vectors) if vectors else 0.0

    def _order(self, names: frozenset[str]) -> Sequence[tuple[str, float, float, float]]:
        return [(name, *self._vectors[name]) for name in sorted(names) if name in self._vectors]


def _sum(players: Sequence[Vector], there: Vector, most: float = inf) -> float:
    """The sum of the angles between a place and its players; anything above ``most`` where it is more than that."""
    x, y, z = there
    total = 0.0
    for px, py, pz in players:
        cosine = px * x + py * y + pz * z
        total += acos(cosine if -1.0 < cosine < 1.0 else 1.0 if cosine > 0 else -1.0)
        if total > most:
            return total
    return total


def _chords(players: Sequence[Vector], there: Vector) -> float:
    """The sum of the squares of the chords, but for a number that is the same for all places of these players."""
    return -sum(px * there[0] + py * there[1] + pz * there[2] for px, py, pz in players)


def _guess(players: Sequence[Vector], there: Sequence[tuple[str, float, float, float]]) -> str:
    """The place with the smallest sum of the squares of the chords: its product with the sum of all is the largest."""
    sx, sy, sz = (sum(player[at] for player in players) for at in range(3))
    best, most = "", -inf
    for name, x, y, z in there:
        merit = x * sx + y * sy + z * sz
        if merit > most:
            best, most = name, merit
    return best


def _best(players: Sequence[Vector], there: Sequence[tuple[str, float, float, float]]) -> str:
    """The place with the smallest sum of distances.

    One that is farther from a good guess than twice the guess's mean distance cannot be better than it, for its
    players would have to be near both. So nearly all places are passed over after one product.
    """
    best = _guess(players, there)
    guess = next(vector for name, *vector in there if name == best)
    gx, gy, gz = guess
    least = _sum(players, (gx, gy, gz))
    near = cos(min(pi, 2 * least / len(players) + 1e-6))
    for name, x, y, z in there:
        if x * gx + y * gy + z * gz >= near:
            found = _sum(players, (x, y, z), least)
            if found < least or (found == least and name < best):
                best, least = name, found
    return best


def nearest(atlas: Atlas, point: Point) -> str | None:
    """The place that is nearest to a point; None where there are none."""
    return next(atlas.ranked([point], atlas.places), None)
