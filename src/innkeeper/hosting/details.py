"""What clients are told of servers that is not in the servers' own records. Read by ``servers.py`` and the doors."""

from __future__ import annotations

from msgspec import Struct

from .model import Room


class ServerDetails(Struct, frozen=True, gc=False):
    """What is told of a server besides its own record."""

    release_number: int  #: of the release that it runs
    rooms_changed_at: int | None  #: when a room came or left last; None where none is remembered
    measured_at: int | None = None  #: when it was measured last
    connections: int | None = None  #: open then; None where nobody can tell
    egress_bytes: int | None = None  #: sent up to then; None where nobody can tell
    rooms: tuple[Room, ...] = ()  #: that sit there, the oldest first, where they were asked for
    rooms_total: int = 0  #: how many sit there, where they were asked for; more than ``rooms`` where those are many
