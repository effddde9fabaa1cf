"""Choosing a location for 10 players out of 600: ``python benchmarks/placement.py [--quick]``.

Microseconds of CPU for one choice, beside a plain nearest-neighbour search that only looks which location is nearest to
one point (the floor: a product for each location), and beside the plain way to find the same answer, which adds up
every player's distance to every location. Players are of one neighbourhood (usual) or from all over the world (worst).
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Callable, Sequence

from innkeeper.hosting.geography import Atlas, Filter, Match, Place, Strategy
from innkeeper.kit.geo import Point, Vector, kilometres

QUICK = "--quick" in sys.argv
PLACES, PLAYERS, CHOICES = 600, 10, 100 if QUICK else 2_000
Crowd = Sequence[Point]


def somewhere(dice: random.Random) -> Point:
    """A point like those where people live: not near the poles."""
    return Point(math.degrees(math.asin(dice.uniform(-0.7, 0.9))), dice.uniform(-180, 180))


def neighbours(dice: random.Random) -> Crowd:
    """Players who live within some hundred kilometres of each other."""
    centre = somewhere(dice)
    return [Point(centre.latitude + dice.gauss(0, 3), centre.longitude + dice.gauss(0, 3)) for _ in range(PLAYERS)]


def measured(crowds: Sequence[Crowd], choose: Callable[[Crowd], str]) -> tuple[float, list[str]]:
    """Microseconds of CPU a choice, and what was chosen."""
    for crowd in crowds[: len(crowds) // 10]:
        choose(crowd)
    begun = time.process_time()
    chosen = [choose(crowd) for crowd in crowds]
    return (time.process_time() - begun) / len(crowds) * 1e6, chosen


def main() -> None:
    dice = random.Random(600)
    continents = ["Europe", "Asia", "North America"]
    places = [
        Place(f"l{at:03}", *somewhere(dice), continent=continents[at % 3], tags={"n": str(at)}) for at in range(PLACES)
    ]
    atlas = Atlas(places)
    vectors: list[tuple[str, Vector]] = [(name, place.point.vector) for name, place in atlas.places.items()]
    everywhere = atlas.matching([])
    wish = [Filter("continent", ("Europe", "Asia"), Match.ANY), Filter("location_tags", ("n=7",), Match.NOT)]

    def nearest(crowd: Crowd) -> str:
        x, y, z = crowd[0].vector
        best, most = "", -2.0
        for name, (a, b, c) in vectors:
            merit = a * x + b * y + c * z
            if merit > most:
                best, most = name, merit
        return best

    def plain(crowd: Crowd) -> str:
        players = [player.vector for player in crowd]
        return min(vectors, key=lambda one: sum(kilometres(player, one[1]) for player in players))[0]

    ways: list[tuple[str, Callable[[Crowd], str]]] = [
        ("by the sum of distances", lambda crowd: next(atlas.ranked(crowd, everywhere))),
        ("by their squares", lambda crowd: next(atlas.ranked(crowd, everywhere, Strategy.WEIGHTED))),
        ("by the sum, with two filters", lambda crowd: next(atlas.ranked(crowd, atlas.matching(wish)))),
    ]
    print(f"{PLACES} locations, {PLAYERS} players\n")
    for kind, crowds in (
        ("one neighbourhood", [neighbours(dice) for _ in range(CHOICES)]),
        ("all over the world", [[somewhere(dice) for _ in range(PLAYERS)] for _ in range(CHOICES)]),
    ):
        floor, _ = measured(crowds, nearest)
        some = crowds[: max(10, CHOICES // 20)]
        slow, wanted = measured(some, plain)
        print(f"{kind}: nearest to one point {floor:.0f} us, every distance added up {slow:.0f} us")
        for name, choose in ways:
            cost, chosen = measured(crowds, choose)
            print(f"    {name:32} {cost:7.0f} us   x {cost / floor:.1f} of the floor, x {cost / slow:.2f} of adding up")
            if name == ways[0][0]:
                assert chosen[: len(some)] == wanted, "not the best location"


if __name__ == "__main__":
    main()
