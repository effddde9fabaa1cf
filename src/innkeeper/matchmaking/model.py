"""What matchmaking keeps, and what it needs of other wings."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Visibility(StrEnum):
    """Who finds a lobby."""

    PUBLIC = "public"  #: everybody, in the list
    PRIVATE = "private"  #: who knows its room's id or its short code
    LOCAL = "local"  #: who knows its room's id; its server runs on the developer's machine and no room is opened here


@dataclass(frozen=True, slots=True)
class Lobby:
    """A listed room that players find."""

    room_id: str
    app_id: str
    short_code: str
    visibility: Visibility
    created_by: str | int  #: the player's id, as their token says it
    location: str
    first_config: str | None  #: what it was created with
    created_at: int
    hidden: bool  #: a local one that stands in no list
    config: str | None  #: what its room's server is told now; of a local lobby what it was created with


class OpenRoom(Protocol):
    """Opens a room for a player of an app. Raises Taken, Invalid, NotFound."""

    def __call__(self, app_id: str, location: str, *, room_id: str, config: str | None) -> Awaitable[None]: ...


class StandingRooms(Protocol):
    """Those of the rooms that stand, with their configs."""

    def __call__(self, room_ids: Sequence[str]) -> Awaitable[Mapping[str, str | None]]: ...
