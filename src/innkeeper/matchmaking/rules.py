"""How players are matched: what a rulebook says, as the house reads it. Kept as JSON; read by ``tickets.py`` and
``matching.py``.

A door reads its users' own spelling and makes these of it, whole and checked.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from innkeeper.kit.clock import SECOND
from innkeeper.kit.errors import Invalid


class Choice(Struct, frozen=True, omit_defaults=True):
    """Something that all players of a match have chosen alike."""

    key: str
    items: tuple[str, ...] = ()  #: what there is to choose from; empty: anything
    fallback: str | None = None  #: what counts for a player who chose nothing
    needed: bool = False  #: a ticket without it is refused, fallback or not
    told: bool = False  #: the match's server is given it, as a variable of this name


class Tolerance(Struct, frozen=True):
    """How far the number of another player may be from one's own."""

    below: float
    above: float


class Span(Struct, frozen=True, omit_defaults=True):
    """A number of each player; those of a match are near each other."""

    key: str
    tolerance: Tolerance
    least: float | None = None
    most: float | None = None
    fallback: float | None = None  #: what counts for a player who has said none; None: such a player fits everybody
    needed: bool = False  #: a ticket without it is refused, fallback or not
    told: bool = False  #: the match's server is given all of them, as a JSON list in a variable of this name


class Loosened(Struct, frozen=True, omit_defaults=True):
    """What becomes easier for a player who has waited long."""

    after: float  #: seconds
    size: int | None = None  #: so many players are enough
    tolerances: dict[str, Tolerance] = field(default_factory=dict[str, Tolerance])  #: by the keys of spans


class Profile(Struct, frozen=True, omit_defaults=True):
    """One kind of match."""

    id: str
    size: int  #: players of a match
    app: str = ""  #: the name of the app that is played; empty: as the setup says
    label: str = ""  #: the name of its label; empty: as the setup says
    port: str = ""  #: the port that players are sent to, by its name or number; empty: the first
    every: float = 5.0  #: seconds between two looks at who waits
    pause: float = 0.0  #: seconds from when a setup is new until it matches
    patience: float = 300.0  #: seconds until a ticket that waits has expired
    kept: float = 300.0  #: seconds for which a ticket that is over is told
    tries: int = 3  #: servers that are started for a player before the ticket fails
    choices: tuple[Choice, ...] = ()
    spans: tuple[Span, ...] = ()
    loosened: tuple[Loosened, ...] = ()  #: the shortest wait first


class Rules(Struct, frozen=True, omit_defaults=True):
    """What a rulebook says."""

    profiles: tuple[Profile, ...]
    guard: str | None = None  #: what callers have to show; None: nothing

    def profile(self, id: str) -> Profile | None:
        """The profile of that id."""
        return next((profile for profile in self.profiles if profile.id == id), None)


def chosen(profile: Profile, given: Mapping[str, str]) -> dict[str, str]:
    """What counts as a player's choices. Raises Invalid, naming the key."""
    _known(given, [choice.key for choice in profile.choices], profile.id)
    found: dict[str, str] = {}
    for choice in profile.choices:
        value = given.get(choice.key)
        if value is None:
            if choice.needed:
                raise Invalid(f"{choice.key}: is required by the profile {profile.id}")
            value = choice.fallback
        if value is None:
            continue
        if choice.items and value not in choice.items:
            raise Invalid(f"{choice.key}: is one of {', '.join(choice.items)}, not {value!r}")
        found[choice.key] = value
    return found


def measured(profile: Profile, given: Mapping[str, float]) -> dict[str, float]:
    """What counts as a player's numbers. Raises Invalid, naming the key."""
    _known(given, [span.key for span in profile.spans], profile.id)
    found: dict[str, float] = {}
    for span in profile.spans:
        value = given.get(span.key)
        if value is None:
            if span.needed:
                raise Invalid(f"{span.key}: is required by the profile {profile.id}")
            value = span.fallback
        if value is None:
            continue
        if span.least is not None and value < span.least:
            raise Invalid(f"{span.key}: is at least {span.least:g}, not {value:g}")
        if span.most is not None and value > span.most:
            raise Invalid(f"{span.key}: is at most {span.most:g}, not {value:g}")
        found[span.key] = value
    return found


def _known(given: Mapping[str, object], keys: list[str], profile: str) -> None:
    for key in given:
        if key not in keys:
            has = f"it asks for {', '.join(keys)}" if keys else "it asks for nothing of the kind"
            raise Invalid(f"{key}: the profile {profile} does not ask for it; {has}")


def ease(profile: Profile, waited: int) -> tuple[int, tuple[Tolerance, ...]]:
    """How many players are enough, and the tolerances by span, for one who has waited so many microseconds."""
    size = profile.size
    tolerances = {span.key: span.tolerance for span in profile.spans}
    for step in profile.loosened:
        if waited < step.after * SECOND:
            break
        size = size if step.size is None else step.size
        tolerances |= step.tolerances
    return size, tuple(tolerances[span.key] for span in profile.spans)
