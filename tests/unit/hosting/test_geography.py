"""Choosing a location for players: against a plain search over all of them, and filters by a table."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.hosting.geography import Atlas, Filter, Match, Place, Strategy, nearest
from innkeeper.kit.errors import Invalid
from innkeeper.kit.geo import Point, kilometres, middle

points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
MONTREAL = Place(
    "montreal", 45.5, -73.57, "Montreal", "Canada", "North America", "NA East", "Quebec", tags={"tier": "gold"}
)
PARIS = Place("paris", 48.86, 2.35, "Paris", "France", "Europe", tags={"tier": "silver", "dc": "equinix"})
LONDON = Place("london", 51.51, -0.13, "London", "United Kingdom", "Europe", tags={"tier": "gold"})
TOKYO = Place("tokyo", 35.68, 139.69, "Tokyo", "Japan", "Asia")
ATLAS = Atlas([MONTREAL, PARIS, LONDON, TOKYO])


def atlas_of(places: list[Point]) -> Atlas:
    return Atlas([Place(f"l{number:03}", *point) for number, point in enumerate(places)])


def by_sum(atlas: Atlas, players: list[Point], name: str) -> float:
    there = atlas.places[name].point.vector
    return sum(kilometres(player.vector, there) for player in players)


def by_squares(atlas: Atlas, players: list[Point], name: str) -> float:
    there = atlas.places[name].point.vector
    return sum(math.dist(player.vector, there) ** 2 for player in players)


@given(st.lists(points, min_size=1, max_size=40), st.lists(points, min_size=1, max_size=12), st.sampled_from(Strategy))
def test_the_order_is_that_of_a_plain_search(places: list[Point], players: list[Point], strategy: Strategy) -> None:
    atlas = atlas_of(places)
    found = list(atlas.ranked(players, atlas.places, strategy))
    assert sorted(found) == sorted(atlas.places)
    merit = by_sum if strategy is Strategy.BASIC else by_squares
    merits = [merit(atlas, players, name) for name in found]
    for better, worse in itertools.pairwise(merits):
        assert better <= worse + 0.01


@given(st.lists(points, min_size=2, max_size=200), points, st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5))))
def test_players_of_one_neighbourhood_too(
    places: list[Point], centre: Point, around: list[tuple[float, float]]
) -> None:
    atlas = atlas_of(places)
    players = [Point(max(-90.0, min(90.0, centre.latitude + up)), centre.longitude) for up, _ in around] or [centre]
    best = next(atlas.ranked(players, atlas.places))
    assert by_sum(atlas, players, best) <= min(by_sum(atlas, players, name) for name in atlas.places) + 0.01


def test_two_ways_to_judge_may_differ() -> None:
    # Two players sit in one town, the third far away: the sum wants the town, squares want nobody to be left behind.
    players = [Point(0, 0), Point(0, 0), Point(0, 60)]
    atlas = Atlas([Place("town", 0, 0), Place("between", 0, 20)])
    assert next(atlas.ranked(players, atlas.places)) == "town"
    assert next(atlas.ranked(players, atlas.places, Strategy.WEIGHTED)) == "between"


def test_places_of_one_merit_and_no_players_come_by_name() -> None:
    atlas = Atlas([Place("b", 1, 1), Place("a", 1, 1), Place("c", 9, 9)])
    assert list(atlas.ranked([Point(1, 1)], atlas.places)) == ["a", "b", "c"]
    assert list(atlas.ranked([], {"c", "b", "nowhere"})) == ["b", "c"]
    assert list(atlas.ranked([Point(1, 1)], {"nowhere"})) == []


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([], ["london", "montreal", "paris", "tokyo"]),
        ([Filter("city", ("paris", "TOKYO"), Match.ANY)], ["paris", "tokyo"]),
        ([Filter("continent", ("Europe",), Match.ANY), Filter("city", ("Paris",), Match.NOT)], ["london"]),
        ([Filter("country", ("France", "Japan"), Match.ALL)], []),
        ([Filter("location_tags", ("gold",), Match.ANY)], ["london", "montreal"]),
        ([Filter("location_tags", ("tier=silver", "equinix"), Match.ALL)], ["paris"]),
        ([Filter("location_tags", ("tier",), Match.NOT)], ["tokyo"]),
        ([Filter("administrative_division", ("quebec",), Match.ANY)], ["montreal"]),
        ([Filter("region", ("NA East",), Match.ANY)], ["montreal"]),
        ([Filter("location", ("tokyo",), Match.ANY)], ["tokyo"]),
        ([Filter("city", (), Match.ANY)], []),
        ([Filter("city", (), Match.ALL)], ["london", "montreal", "paris", "tokyo"]),
        ([Filter("city", (), Match.NOT)], ["london", "montreal", "paris", "tokyo"]),
    ],
)
def test_filters(filters: list[Filter], names: list[str]) -> None:
    assert sorted(ATLAS.matching(filters)) == names


def test_the_filter_that_leaves_nothing_is_named() -> None:
    europe, gold = Filter("continent", ("Europe",), Match.ANY), Filter("location_tags", ("gold",), Match.ANY)
    japan = Filter("country", ("Japan",), Match.ANY)
    assert ATLAS.refusing([europe, gold]) is None
    assert ATLAS.refusing([europe, gold, japan]) == japan
    assert str(japan) == "country any of Japan"


def test_distances_and_the_nearest() -> None:
    assert ATLAS.distance([PARIS.point], "london") == pytest.approx(344, abs=3)
    assert ATLAS.distance([PARIS.point, LONDON.point], "london") == pytest.approx(172, abs=2)
    assert ATLAS.distance([], "london") == 0
    assert nearest(ATLAS, Point(40, 130)) == "tokyo"
    assert nearest(Atlas([]), Point(0, 0)) is None
    between = middle([PARIS.point, LONDON.point])
    assert between is not None
    assert ATLAS.places["paris"].latitude < between.latitude < ATLAS.places["london"].latitude
    assert middle([Point(0, 0), Point(0, 180)]) is None


def test_what_is_nowhere_or_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="nowhere"):
        Atlas([Place("x", 91, 0)])
    with pytest.raises(Invalid, match="same name"):
        Atlas([PARIS, PARIS])
