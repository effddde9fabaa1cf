"""Which server a room is seated on, and which host a server is placed on. Pure; called inside transactions.

Rooms go to the fullest server with space, so that emptier ones can run dry and be stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seating:
    """Where each of the rooms goes, in the order they were asked for."""

    chosen: list[str]  #: a server's id for each room
    started: list[str]  #: ids of servers that have to be wanted, in the order of their first room
    taken: dict[str, int]  #: seats newly taken, by server


def seat_rooms(spaces: Sequence[tuple[str, int]], rooms: Sequence[str], seats: int) -> Seating:
    """Seat rooms on servers of one release at one location.

    ``spaces`` are standing servers with free seats, the best one first, as ``(id, free)``; ``rooms`` has, for each
    room, the id that a new server would get if this room had to have one started; ``seats`` is a new server's size.
    """
    chosen: list[str] = []
    started: list[str] = []
    taken: dict[str, int] = {}
    open_spaces = list(reversed(spaces))
    server, free = open_spaces.pop() if open_spaces else ("", 0)
    for new_id in rooms:
        while free <= 0 and open_spaces:
            server, free = open_spaces.pop()
        if free <= 0:
            server, free = new_id, seats
            started.append(new_id)
        chosen.append(server)
        taken[server] = taken.get(server, 0) + 1
        free -= 1
    return Seating(chosen, started, taken)


@dataclass(frozen=True, slots=True)
class HostSpace:
    """What a host has left to give out."""

    host_id: str
    locations: frozenset[str]  #: where its servers may count as being; empty is everywhere
    cpu: float
    memory_mb: float


def choose_host(hosts: Sequence[HostSpace], location: str, cpu: float, memory_mb: float) -> HostSpace | None:
    """The host at the location with the least memory left that still holds the server, or None."""
    fitting = [
        host
        for host in hosts
        if (not host.locations or location in host.locations) and host.cpu >= cpu and host.memory_mb >= memory_mb
    ]
    return min(fitting, key=lambda host: (host.memory_mb, host.host_id), default=None)
