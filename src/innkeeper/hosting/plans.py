"""How servers of a label are run beyond what a release says, and what was asked for of one of them. Read by the
modules of this wing and by the doors.

A label is a name of an app under which releases follow one another: whoever changes what stands under it makes another
release. An order is what somebody asked for of one server. A booking is how a room was asked for with its players.
Rows of the tables come out as the dataclasses here, in the order of their fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec
from msgspec import Struct

from innkeeper.kit.clock import SECOND

from .model import App, BuildState, Release


class Details(Struct, frozen=True, omit_defaults=True):
    """What else an app's owner says of it."""

    active: bool = True  #: servers may be started of it by those who call it by name
    picture: str | None = None  #: in base64
    measured: bool | None = None  #: kept, without effect


class SeatKind(StrEnum):
    """What takes a seat of a server."""

    SERVER = "server"  #: the server is one room, made with it and called as it is
    PLAYER = "player"  #: each player of a room
    ROOM = "room"  #: each room, however many players it has


class Restart(StrEnum):
    """What happens when a server's program ends by itself."""

    NEVER = "never"  #: the server is over
    ON_FAILURE = "on failure"  #: it is started again, unless its exit code was 0
    ALWAYS = "always"  #: it is started again


class Plan(Struct, frozen=True, omit_defaults=True):
    """How servers are run. A server keeps the plan that it was started by, whatever becomes of its label."""

    seat_kind: SeatKind = SeatKind.SERVER
    starts_servers: bool = False  #: a server is started for a room that finds no seat
    empty_minutes: int | None = None  #: a server without rooms is stopped after so long
    room_kept_minutes: int = 60  #: what is known of a room is told for so long after its server ended
    life_minutes: int | None = None  #: a server is stopped so long after it was ready
    grace_seconds: int | None = None  #: between being asked to end and being made to; None: as the house does
    start_seconds: int | None = None  #: how long it may take to bind its ports; None: as the house does
    restart: Restart = Restart.NEVER
    command: str = ""  #: in place of the build's own
    arguments: str = ""  #: in place of the build's own
    guarded: bool = False  #: only addresses that the label lists reach it
    storage: str | None = None  #: the name of where its output is kept when it has ended


@dataclass(frozen=True, slots=True)
class Label:
    """A name of an app under which releases follow one another."""

    id: str
    app_id: str
    number: int  #: from 1, in its app
    name: str
    release_id: str  #: what is run now
    plan: str  #: JSON of Plan
    said: str  #: JSON of what else its owner said, in the door's own words
    login_sealed: str | None  #: who we are to the registry of its image
    active: int  #: 1: servers may be started by it
    created_at: int
    created_by: str
    changed_at: int
    deleted_at: int | None


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for of one server beyond its release."""

    server_id: str
    org_id: str
    app_id: str
    label_id: str | None
    plan: str  #: JSON of Plan
    said: str  #: JSON of what else was asked for, in the door's own words
    env_sealed: str  #: more variables; they go before the release's
    cpu: float | None  #: in place of the release's
    memory_mb: float | None  #: in place of the release's
    hosts: str | None  #: JSON list of hosts that are tried first
    hooks: str | None  #: JSON of Hooks
    joinable: int  #: 1: rooms may be seated on it that did not ask for it
    restarts: int  #: how often its program was started again
    crash: str | None  #: JSON of Crash: how it last ended by itself
    closed_at: int | None  #: when its owner had done with it, though it had failed
    created_at: int


class Hooks(Struct, frozen=True, omit_defaults=True):
    """Where it is told once, with the whole of the server, that one has come this far."""

    ready: str | None = None
    failed: str | None = None
    ended: str | None = None  #: however it ended
    api: str = ""  #: in whose words: the kind of its callbacks, such as ``edgegap.deployment``


class Crash(Struct, frozen=True):
    """How a server's program ended by itself, when it was started again or its server was over."""

    at: int
    code: int | None
    text: str  #: for people
    row: int = 0  #: how many starts after a crash came closely before the one after this
    again_at: int | None = None  #: when it was, or is to be, started again; None: it was over


@dataclass(frozen=True, slots=True)
class Booking:
    """How a room was asked for."""

    room_id: str
    org_id: str
    app_id: str
    label_id: str | None
    server_id: str | None  #: the server that was asked for, and no other
    custom_id: str | None  #: what the caller calls it, on that server
    kind: SeatKind
    players: str  #: JSON list of Guest
    selectors: str  #: JSON list, in the door's own words
    hook: str | None  #: where it is told what became of it
    reason: str | None  #: why it has no server
    created_at: int


class Guest(Struct, frozen=True):
    """A player of a booked room."""

    ip: str
    latitude: float | None = None
    longitude: float | None = None


_plan = msgspec.json.Decoder(Plan).decode
_crash = msgspec.json.Decoder(Crash).decode


def read_plan(text: str | None) -> Plan:
    """A plan as it is kept; that of nothing special for None."""
    return Plan() if text is None else _plan(text)


def read_crash(text: str | None) -> Crash | None:
    """A crash as it is kept, if there was one."""
    return None if text is None else _crash(text)


def short_id(server_id: str) -> str:
    """What a server is called by those who know twelve digits of it: the last ones of its id."""
    return server_id[-12:]


@dataclass(frozen=True, slots=True)
class Tag:
    """A word that its owner knows a server by."""

    name: str
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Serving:
    """What new servers are started by, when somebody names an app and perhaps one of its labels."""

    app: App
    label: Label | None  #: None: a release that stands under no label
    release: Release
    plan: Plan
    build_state: BuildState  #: of what the release runs; servers can be started once it has succeeded
    build_detail: str  #: why that failed
    build_since: int  #: when it was begun
    build_image: str | None = None  #: the name of its image on hosts; None: it is a program, or not there yet
    build_gone: bool = False  #: it was deleted: no server can be started by it any more

    @property
    def name(self) -> str:
        """What it is called in its app."""
        return release_name(self.release.number) if self.label is None else self.label.name


def details_of(app: App) -> Details:
    """What else its owner says of an app."""
    return Details() if app.details is None else msgspec.json.decode(app.details, type=Details)


#: What a release is called that stands under no label, before its number.
_RELEASE = "release-"


def release_name(number: int) -> str:
    """What a release is called that stands under no label."""
    return f"{_RELEASE}{number}"


def release_number(name: str) -> int | None:
    """The number in what :func:`release_name` made; None for any other name."""
    digits = name.removeprefix(_RELEASE)
    plain = name.startswith(_RELEASE) and digits.isascii() and digits.isdecimal() and len(digits) < 19
    return int(digits) if plain and not digits.startswith("0") else None


def unready(serving: Serving, now: int) -> str | None:
    """Why no server can be started by it yet, or at all, for its owner; None when one can. ``now`` in microseconds."""
    if serving.build_state is BuildState.SUCCEEDED:
        return None
    if serving.build_state is BuildState.FAILED:
        return (
            f"what {serving.name} runs could not be had: {serving.build_detail}. Put that right, and name the image"
            " anew in a change of it"
        )
    seconds = max(0, now - serving.build_since) // SECOND
    return f"the image of {serving.name} is still being fetched ({seconds} s so far); try again in a moment"


def out_of_use(serving: Serving) -> str | None:
    """Why no server may be started by it, because of what its owner did; None when one may."""
    app, label = serving.app, serving.label
    if serving.build_gone:
        return f"the build that {serving.name} of app {app.name} runs was deleted: choose another one for it"
    if not details_of(app).active:
        return f"app {app.name} is not active: say that it is before servers of it are started"
    if label is not None and not label.active:
        return f"{label.name} of app {app.name} is not active: say that it is before servers are started by it"
    return None
