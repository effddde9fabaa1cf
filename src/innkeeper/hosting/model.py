"""What hosting keeps, and the states its things go through. Read by every module of this wing and by the doors.

Rows of the tables come out as the dataclasses here, in the order of their fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from msgspec import Struct


class ServerState(StrEnum):
    """The life of a server. Every state but RUNNING and the last two has a deadline (``Server.until``)."""

    WANTED = "wanted"  #: asked for; no host has it yet
    #: A host was told to start it, or is about to be, for the first time or again; its ports are not all bound yet.
    STARTING = "starting"
    RUNNING = "running"  #: it has bound all ports that are awaited; players can connect
    DRAINING = "draining"  #: serves its rooms, takes no new ones, and is stopped when the last one ends
    STOPPING = "stopping"  #: asked to end
    STOPPED = "stopped"  #: ended by itself with exit code 0, or because somebody asked for it
    FAILED = "failed"  #: never started, never bound its ports, crashed, or ran out of memory


class RoomState(StrEnum):
    """The life of a room. Whether players can connect follows from its server's state."""

    SEATED = "seated"  #: has a seat on a server that is wanted, starting, running or draining
    SUSPENDED = "suspended"  #: has no seat; keeps its id and config
    DESTROYED = "destroyed"  #: over; ``ended_reason`` says why; kept for a while to be asked about


class BuildState(StrEnum):
    """The life of a build."""

    CREATED = "created"  #: waits for its upload and to be run
    RUNNING = "running"  #: is being unpacked and checked
    SUCCEEDED = "succeeded"  #: can be released
    FAILED = "failed"  #: cannot; its log says why


class BuildKind(StrEnum):
    """What a build is made from."""

    ARCHIVE = "archive"  #: an uploaded tar.gz
    IMAGE = "image"  #: a container image in a registry


class Cause(StrEnum):
    """Why a server was wanted."""

    ROOM = "room"  #: a room needed a seat
    ASKED = "asked"  #: somebody asked for an empty one
    STANDING = "standing"  #: the app's standing order keeps so many alive


class StopWhy(StrEnum):
    """Why a server was asked to end."""

    ASKED = "asked"  #: somebody called for it
    IDLE = "idle"  #: no rooms and no connections for the idle time
    DRAINED = "drained"  #: a newer release took over and its last room ended, or its time was up
    LIFE = "life"  #: it has lived as long as was asked for
    SURPLUS = "surplus"  #: more than the standing order wants
    NOT_READY = "not ready"  #: it did not bind its ports in time
    APP_DELETED = "app deleted"  #: its app is gone


#: From which state to which a server may move.
SERVER_MOVES: dict[ServerState, frozenset[ServerState]] = {
    ServerState.WANTED: frozenset({ServerState.STARTING, ServerState.STOPPED, ServerState.FAILED}),
    # Back to WANTED: its host was lost, or had no use for it, before anybody was told where it is.
    ServerState.STARTING: frozenset(
        {ServerState.WANTED, ServerState.RUNNING, ServerState.STOPPING, ServerState.STOPPED, ServerState.FAILED}
    ),
    # Back to STARTING: its program ended by itself and is started again where it was (restarting.py). Not so while it
    # drains: it is about to end anyway, and perhaps its host with it.
    ServerState.RUNNING: frozenset(
        {ServerState.STARTING, ServerState.DRAINING, ServerState.STOPPING, ServerState.STOPPED, ServerState.FAILED}
    ),
    ServerState.DRAINING: frozenset({ServerState.STOPPING, ServerState.STOPPED, ServerState.FAILED}),
    ServerState.STOPPING: frozenset({ServerState.STOPPED, ServerState.FAILED}),
    ServerState.STOPPED: frozenset(),
    ServerState.FAILED: frozenset(),
}

#: States in which a server can be given rooms.
ACCEPTING = frozenset({ServerState.WANTED, ServerState.STARTING, ServerState.RUNNING})
#: States in which a server holds ports, memory and processors, or is about to.
ALIVE = frozenset(set(ServerState) - {ServerState.STOPPED, ServerState.FAILED})


def sources_of(state: ServerState) -> list[ServerState]:
    """The states from which a server may move to ``state``: the guard of every statement that moves one."""
    return [source for source, targets in SERVER_MOVES.items() if state in targets]


class PortSpec(Struct, frozen=True, omit_defaults=True):
    """A port a release wants to be reached on."""

    name: str  #: ``default`` or the name of an additional port
    transport: str  #: ``udp``, ``tcp``, ``tls``, or ``tcp+udp`` for both at one number
    #: Where the program listens inside a container; a program on a host is given another. 0: the number that players
    #: dial, in a container too.
    port: int
    speaks: str = ""  #: what its owner says it speaks, in the door's own word; nothing follows from it here
    awaited: bool = True  #: a server is ready only once it is bound


class GivenPort(Struct, frozen=True, omit_defaults=True):
    """A port a server was given on its host."""

    name: str
    transport: str
    number: int  #: the public port
    behind: int = 0  #: for ``tls``: the port on the server's host that the plain bytes are passed to
    host: str = ""  #: where players reach it, when that is not the server's address
    inside: int = 0  #: what the program binds in its container, when that is another number
    awaited: bool = True  #: its server is ready only once it is bound


class LoginRules(Struct, frozen=True, omit_defaults=True):
    """Which kinds of player login an app allows."""

    anonymous: bool = False
    nickname: bool = False
    google: str | None = None  #: the OAuth client id that Google's tokens must be made for


class StandingOrder(Struct, frozen=True):
    """How many servers of an app to keep at one location, whether or not there are rooms for them."""

    location: str
    least: int  #: never fewer while a new release replaces an old one, or one fewer where most is the same number
    target: int  #: how many to keep
    most: int  #: never more, old and new releases together
    autoscale: bool | None = None


class Service(Struct, frozen=True):
    """The standing orders of an app, and what else its owner stored with them."""

    orders: list[StandingOrder]
    load_balancer: dict[str, Any] | None = None
    autoscaler: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class App:
    """A game of an organisation, in one environment (development, production)."""

    id: str
    org_id: str
    name: str
    secret_sealed: str
    login: str  #: JSON of LoginRules
    service: str | None  #: JSON of Service
    created_at: int
    created_by: str
    deleted_at: int | None
    deleted_by: str | None
    details: str | None = None  #: JSON of plans.Details: what else its owner says of it
    changed_at: int | None = None  #: when that, or its name, was last changed


@dataclass(frozen=True, slots=True)
class Build:
    """An immutable thing to run. ``key`` is unique in the house, ``id`` in its organisation."""

    key: str
    org_id: str
    id: str
    kind: str
    tag: str | None
    state: BuildState
    upload_bytes: int  #: as announced; 0 where that was not told
    bytes: int  #: unpacked
    content_hash: str | None
    detail: str  #: why it failed
    command: str | None  #: how its servers start
    created_at: int
    created_by: str
    started_at: int | None
    finished_at: int | None
    deleted_at: int | None
    until: int | None  #: deadline of the present state
    image: str | None = None  #: the name of its image on hosts with a container engine; None: it runs as a program
    architecture: str | None = None  #: that its image is made for, such as ``amd64``
    source: str | None = None  #: where an IMAGE build is pulled from
    login_sealed: str | None = None  #: who we are to that registry; only until the run has ended
    number: int = 0  #: from 1, in its organisation: what old clients know it by
    app_id: str | None = None  #: the app that an old client made it for; None: for all of them


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the run of a build ended."""

    state: BuildState  #: SUCCEEDED or FAILED
    detail: str = ""  #: why it failed, for the person who made it
    bytes: int = 0  #: in its files, or in its image
    content_hash: str | None = None
    command: str | None = None  #: what starts a server; None for an image, which knows by itself
    image: str | None = None
    architecture: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A build and how to run it. Immutable; the one with the highest number serves new rooms of its app."""

    id: str
    app_id: str
    number: int
    build_key: str
    build_id: str
    build_tag: str | None
    tag: str | None
    fleet_id: str | None
    seats: int  #: rooms per server
    cpu: float  #: processors
    memory_mb: float
    gpu: float | None
    ports: str  #: JSON list of PortSpec, the default one first
    env_sealed: str
    idle_rule: int  #: 1: stopped when idle
    created_at: int
    created_by: str


class Server(Struct, frozen=True, gc=False):
    """One running copy of a release on a host."""

    id: str
    app_id: str
    release_id: str
    location: str
    state: ServerState
    accepting: int  #: 1 while it may be given rooms; follows from the state
    seats: int
    taken: int
    cause: str
    host_id: str | None
    address: str | None  #: where players reach its host
    ports: str  #: JSON list of GivenPort, the default one first; ``[]`` until placed
    handle: str
    room_id: str | None  #: the room that it was started for
    stop_why: str | None  #: StopWhy, once it was asked to end
    stop_reason: str | None  #: the same for people; told before, where it takes no more rooms for its age
    exit_reason: str | None  #: how it ended, for people
    created_at: int
    placed_at: int | None
    booted_at: int | None
    ready_at: int | None
    stopping_at: int | None
    ended_at: int | None
    idle_since: int | None
    until: int | None

    @property
    def alive(self) -> bool:
        """Whether it holds, or will hold, anything of a host."""
        return self.state in ALIVE


class Room(Struct, frozen=True, gc=False):
    """One session of players."""

    id: str
    app_id: str
    state: RoomState
    location: str
    release_id: str
    config: str | None
    client_ips: str | None  #: JSON list
    server_id: str | None  #: where it sits, or sat last
    stay_id: str | None
    seated_at: int | None
    left_at: int | None  #: None while it sits there
    created_at: int
    ended_reason: str | None
    places: int = 1  #: how many seats of its server it takes


class Stay(Struct, frozen=True, gc=False):
    """A past time of a room on a server."""

    id: str
    room_id: str
    server_id: str
    seated_at: int
    left_at: int


class Seat(Struct, frozen=True, gc=False):
    """A room with the server it sits on, which may be gone."""

    room: Room
    server: Server | None
