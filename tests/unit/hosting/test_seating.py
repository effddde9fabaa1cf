"""Which server a booked room goes to, which location a server is started at, and why none is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.hosting.choosing import Wishes, first_that_takes, refusal
from innkeeper.hosting.geography import Atlas, Filter, Match, Place
from innkeeper.hosting.model import ServerState
from innkeeper.hosting.plans import SeatKind, short_id
from innkeeper.hosting.seating import Candidate, first_fitting, places_of
from innkeeper.hosting.serversecrets import ASK, STOP, ServerSecrets

RUNNING, STARTING = ServerState.RUNNING, ServerState.STARTING


@pytest.mark.parametrize(
    ("candidates", "locations", "chosen"),
    [
        ([], ["tokyo"], []),
        ([Candidate("a", "paris", RUNNING, 0, 1)], ["tokyo"], []),
        ([Candidate("a", "paris", RUNNING, 3, 1), Candidate("b", "tokyo", STARTING, 0, 2)],
         ["tokyo", "paris"], ["b", "a"]),
        ([Candidate("a", "tokyo", STARTING, 3, 1), Candidate("b", "tokyo", RUNNING, 0, 2)], ["tokyo"], ["b", "a"]),
        ([Candidate("a", "tokyo", RUNNING, 1, 1), Candidate("b", "tokyo", RUNNING, 2, 2)], ["tokyo"], ["b", "a"]),
        ([Candidate("b", "tokyo", RUNNING, 1, 2), Candidate("a", "tokyo", RUNNING, 1, 1)], ["tokyo"], ["a", "b"]),
    ],
)  # fmt: skip
def test_the_nearest_then_one_that_runs_then_the_fullest(
    candidates: list[Candidate], locations: list[str], chosen: list[str]
) -> None:
    assert [one.server_id for one in first_fitting(candidates, locations)] == chosen


@pytest.mark.parametrize(
    ("kind", "players", "places"),
    [
        (SeatKind.PLAYER, 0, 1), (SeatKind.PLAYER, 1, 1), (SeatKind.PLAYER, 7, 7),
        (SeatKind.ROOM, 7, 1), (SeatKind.ROOM, 0, 1),
    ],
)  # fmt: skip
def test_seats_are_players_or_rooms(kind: SeatKind, players: int, places: int) -> None:
    assert places_of(kind, players) == places


ATLAS = Atlas([Place("tokyo", 35.7, 139.7, city="Tokyo"), Place("paris", 48.9, 2.4, city="Paris")])


@pytest.mark.parametrize(
    ("served", "filters", "refused", "said"),
    [
        (["tokyo"], [Filter("city", ("Rome",), Match.ANY)], [], "is left by the filter city any of Rome"),
        (["tokyo"], [Filter("city", ("Paris",), Match.ANY)], [], "serves a location that the filters leave"),
        ([], [], [], "see [[places]] in its settings"),
        (["tokyo"], [], [("tokyo", "it is full")], "no space at tokyo, the nearest location: it is full"),
        (["tokyo", "paris"], [], [("paris", "it is full"), ("tokyo", "it is shut")],
         "no space at paris, the nearest location, nor is there space at 1 others: it is full"),
    ],
)  # fmt: skip
def test_a_refusal_names_what_refused(
    served: list[str], filters: list[Filter], refused: list[tuple[str, str]], said: str
) -> None:
    assert said in refusal(ATLAS, served, Wishes(filters=filters), refused)


@given(st.lists(st.booleans(), max_size=8))
def test_the_first_that_takes_it_is_taken(full: list[bool]) -> None:
    names = [f"place-{at}" for at in range(len(full))]
    taken, refused = first_that_takes(iter(names), lambda name: "full" if full[names.index(name)] else None)
    first = full.index(False) if False in full else None
    assert taken == (None if first is None else names[first])
    assert [name for name, _ in refused] == names[: len(full) if first is None else first]


def test_a_server_is_known_by_its_secret_alone() -> None:
    ours, theirs = ServerSecrets(b"k" * 32), ServerSecrets(b"j" * 32)
    one, other = "0" * 24 + "0123456789ab", "0" * 24 + "0123456789ac"
    assert short_id(one) == "0123456789ab"
    secret, number = ours.secret(one, STOP), ours.number(one, STOP)
    assert len(secret) == 32
    assert 0 <= number < 1_000_000_000
    assert ours.fits(one, STOP, number, secret)
    assert not ours.fits(one, STOP, number + 1, secret)
    assert not ours.fits(one, ASK, ours.number(one, ASK), secret)
    assert not ours.fits(other, STOP, ours.number(other, STOP), secret)
    assert not theirs.fits(one, STOP, theirs.number(one, STOP), secret)
    assert not ours.fits(one, STOP, number, "ö" * 32)
