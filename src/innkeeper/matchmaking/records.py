"""What matchmakers are made of, as it is kept. Rows of the tables come out as the dataclasses here, in the order of
their fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """The part that a component plays in a setup."""

    FRONTEND = "frontend"  #: takes tickets
    FUNCTION = "function"  #: makes matches out of tickets
    DIRECTOR = "director"  #: asks for matches and starts servers for them


@dataclass(frozen=True, slots=True)
class Component:
    """A program of a matchmaker, as an image."""

    id: str
    org_id: str
    name: str
    registry: str
    image: str
    tag: str
    login_sealed: str | None  #: who we are to the registry: JSON of ``[user, password]``
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """What becomes different of a component. None stays."""

    name: str | None
    registry: str | None
    image: str | None
    tag: str | None
    login_sealed: str | None


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable of a component."""

    id: str
    component_id: str
    name: str
    value_sealed: str
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Matchmaker:
    """A place where players ask to be matched. What it runs is its newest setup."""

    id: str
    org_id: str
    name: str
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Rulebook:
    """How players are matched."""

    id: str
    org_id: str
    name: str
    text_sealed: str  #: as its owner wrote it
    rules_sealed: str  #: JSON of ``rules.Rules``
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Setup:
    """What a matchmaker runs: a rulebook, or three components."""

    id: str
    matchmaker_id: str
    name: str
    app_name: str
    label_name: str
    rulebook_id: str | None
    frontend_id: str | None
    director_id: str | None
    function_id: str | None
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class ToldSetup:
    """A setup with the names of what it is made of."""

    setup: Setup
    rulebook: str | None
    frontend: str | None
    director: str | None
    function: str | None


@dataclass(frozen=True, slots=True)
class NewSetup:
    """What somebody says of a setup. None stays as it is; of a new one it is required, or empty."""

    name: str | None = None
    app_name: str | None = None
    label_name: str | None = None
    rulebook: str | None = None
    frontend: str | None = None
    director: str | None = None
    function: str | None = None

    @property
    def components(self) -> Mapping[Part, str | None]:
        """Their names by the part that each plays."""
        return {Part.FRONTEND: self.frontend, Part.DIRECTOR: self.director, Part.FUNCTION: self.function}


class TicketState(StrEnum):
    """Where a player who waits stands."""

    WAITING = "waiting"  #: others who fit are looked for; until ``expires_at``
    MATCHED = "matched"  #: is in a match whose server starts; until that is ready or has failed
    PLACED = "placed"  #: has an address
    FAILED = "failed"  #: no server could be had
    EXPIRED = "expired"  #: waited as long as its profile says


@dataclass(frozen=True, slots=True)
class Ticket:
    """A player who waits for a match."""

    id: str
    matchmaker_id: str
    profile: str
    player: str  #: as the game calls the player; empty where it does not say
    ip: str
    choices: str  #: JSON by key
    numbers: str  #: JSON by key
    state: TicketState
    match_id: str | None
    address: str | None  #: ``host:port``
    reason: str | None  #: why it has none, for people
    tries: int  #: servers that were started for it and failed
    created_at: int
    expires_at: int
    changed_at: int
    kept: int  #: microseconds for which it is told when it is over
    forget_at: int | None  #: from when it is told no more


class MatchState(StrEnum):
    """Where a match stands. Each but the last three ends by itself: a server is ready or over within its deadlines."""

    WANTED = "wanted"  #: made; its server is yet to be asked for
    STARTING = "starting"  #: its server was asked for
    READY = "ready"  #: its players were told where to go
    FAILED = "failed"  #: its server could not be had; its players wait again, or have failed
    LEFT = "left"  #: all its players went away before it was ready


@dataclass(frozen=True, slots=True)
class Match:
    """Players who play together."""

    id: str
    matchmaker_id: str
    org_id: str
    profile: str
    app_name: str
    label_name: str
    port: str
    env_sealed: str  #: JSON list of pairs: what its server is given
    tries: int  #: servers that may be started for its players
    server_id: str | None  #: None until it was asked for
    state: MatchState
    reason: str | None
    created_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Program:
    """A part of a setup of components, as it runs."""

    matchmaker_id: str
    part: Part
    org_id: str
    app_name: str  #: the app that its server belongs to, which is the matchmaker's own
    told: str  #: a digest of all that it is started with: when that changes, it is started anew
    starts: int  #: how often it was started
    failures: int  #: how often it ended soon, one after the other
    server_id: str | None  #: None until it was asked for
    address: str | None  #: ``host:port`` once it is ready
    reason: str | None  #: why it does not run, for people
    started_at: int
    retry_at: int | None  #: when it may be started again
