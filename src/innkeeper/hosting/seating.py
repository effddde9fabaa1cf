"""Which server a booked room goes to, and how many seats it takes. Pure; called inside of transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .model import ServerState
from .plans import SeatKind


class Candidate(NamedTuple):
    """A server with enough seats."""

    server_id: str
    location: str
    state: ServerState
    taken: int
    created_at: int


def first_fitting(candidates: Sequence[Candidate], locations: Sequence[str]) -> list[Candidate]:
    """The best one first: at the best location; then one that runs already; then the fullest, so that emptier ones can
    run dry; then the oldest."""
    rank = {name: at for at, name in enumerate(locations)}
    return sorted(
        (one for one in candidates if one.location in rank),
        key=lambda one: (
            rank[one.location], one.state is not ServerState.RUNNING, -one.taken, one.created_at, one.server_id,
        ),
    )  # fmt: skip


def places_of(kind: SeatKind, players: int) -> int:
    """How many seats a room with so many players takes. One of players has one at least: else its server were empty."""
    return max(1, players) if kind is SeatKind.PLAYER else 1
