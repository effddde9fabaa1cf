"""Which of some servers is best for some players. A pure decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from innkeeper.hosting.comparing import rank
from innkeeper.hosting.geography import Atlas, Place
from innkeeper.kit.geo import Point

LONDON, FRANKFURT, TOKYO = Point(51.5, -0.1), Point(50.1, 8.7), Point(35.7, 139.7)
ATLAS = Atlas([Place("london", *LONDON), Place("frankfurt", *FRANKFURT), Place("tokyo", *TOKYO)])
ALL = {"t": "tokyo", "l": "london", "f": "frankfurt"}


@pytest.mark.parametrize(
    ("servers", "players", "ranked", "partial"),
    [
        (ALL, [LONDON], ["l", "f", "t"], False),
        (ALL, [TOKYO, TOKYO, LONDON], ["t", "f", "l"], False),
        (ALL, [LONDON, None], ["l", "f", "t"], True),  # somebody is nowhere
        (ALL, [None], ["t", "l", "f"], True),  # everybody is: as they were named
        ({**ALL, "x": None}, [FRANKFURT], ["f", "l", "t"], True),  # one does not run
        ({**ALL, "x": "mars"}, [FRANKFURT], ["f", "l", "t"], True),  # one is nowhere
        ({"b": "london", "t": "tokyo", "a": "london"}, [LONDON], ["b", "a", "t"], False),  # two at one place
        ({"x": None}, [LONDON], [], True),
    ],
)
def test_the_nearest_server_is_the_best(
    servers: Mapping[str, str | None], players: Sequence[Point | None], ranked: list[str], partial: bool
) -> None:
    assert rank(ATLAS, servers, players) == (ranked, partial)
