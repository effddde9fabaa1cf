"""The configuration of a managed matchmaker as its owners write it, read into the rules of the house. Pure; called by
``matchmaker_releases.py``.

It has the fields of the vendor's own matchmaker, and a few of ours beside them (``docs/reference/edgegap.md``). A field
that is not known is refused: a rule that was misspelt would match nobody as it was meant.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from innkeeper.api.refusals import explain
from innkeeper.kit.errors import Invalid
from innkeeper.matchmaking.rules import Choice, Loosened, Profile, Rules, Span, Tolerance

T = TypeVar("T")

_Name = Annotated[str, Meta(min_length=1, max_length=255)]
#: What becomes an environment variable where the configuration says so.
_EnvName = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^=\x00]+\Z")]
_Seconds = Annotated[float, Meta(ge=0, le=86_400)]
_Apart = Annotated[float, Meta(ge=0)]
_Few = Meta(max_length=100)
_Players = Annotated[int, Meta(ge=1, le=1000)]
_PERIOD = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")
#: Of a configuration, in characters.
MOST_CHARACTERS = 256 << 10


class _Known(Struct, forbid_unknown_fields=True):
    """An object of which every field is known."""


class _AuthConfiguration(_Known):
    token: str | None = None
    key: str | None = None


class _Auth(_Known):
    type: Literal["NoAuth", "Token"] = "NoAuth"
    configuration: _AuthConfiguration | None = None


class _Difference(_Known):
    negative: _Apart
    positive: _Apart


class _Selector(_Known):
    key: _EnvName
    name: str | None = None
    default: str | None = None
    required: bool = False
    inject_env: bool = False
    items: list[str] = []


class _Filter(_Known):
    key: _EnvName
    difference: _Difference | _Apart
    name: str | None = None
    default: float | None = None
    required: bool = False
    inject_env: bool = False
    minimum: float | None = None
    maximum: float | None = None


class _Expansion(_Known):
    match_player_count: _Players | None = None
    filters: dict[str, _Difference | _Apart] = {}


class _Profile(_Known):
    profile_id: _Name
    match_player_count: _Players
    name: str | None = None
    app: str | None = None
    version: str | None = None
    game_port: str | int | None = None
    delay_to_start: _Seconds = 0
    refresh: Annotated[float, Meta(ge=0.5, le=3600)] = 5
    selectors: Annotated[list[_Selector], _Few] = []
    filters: Annotated[list[_Filter], _Few] = []
    expansions: Annotated[dict[str, _Expansion], _Few] = {}
    ticket_expiration_period: str = "5m"
    ticket_removal_period: str = "5m"


class _Configuration(_Known):
    profiles: Annotated[list[_Profile], Meta(min_length=1), _Few]
    auth: _Auth = msgspec.field(default_factory=_Auth)
    max_deployment_retry_count: Annotated[int, Meta(ge=0, le=100)] = 2


def read_rules(text: str) -> Rules:
    """The rules that a configuration says. Raises Invalid, naming the field by its path."""
    if len(text) > MOST_CHARACTERS:
        raise Invalid(f"configuration: has {len(text)} characters; at most {MOST_CHARACTERS} are taken")
    try:
        said = msgspec.json.decode(text, type=_Configuration)
    except msgspec.ValidationError as error:
        raise Invalid(f"configuration: {explain(error, _Configuration)}") from None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise Invalid(f"configuration: is not JSON: {error}") from None
    profiles = tuple(_profile(one, f"profiles[{at}]", said) for at, one in enumerate(said.profiles))
    _once([one.id for one in profiles], "profiles", "profile_id")
    return Rules(profiles, _guard(said.auth))


def _guard(auth: _Auth) -> str | None:
    if auth.type == "NoAuth":
        return None
    token = None if auth.configuration is None else auth.configuration.token
    if not token:
        raise Invalid("configuration: auth.configuration.token: is required where auth.type is Token")
    return token


def _profile(said: _Profile, where: str, whole: _Configuration) -> Profile:
    choices = tuple(_choice(one, f"{where}.selectors[{at}]") for at, one in enumerate(said.selectors))
    spans = tuple(_span(one, f"{where}.filters[{at}]") for at, one in enumerate(said.filters))
    _once([one.key for one in choices], f"{where}.selectors", "key")
    _once([one.key for one in spans], f"{where}.filters", "key")
    port = "" if said.game_port is None else str(said.game_port)
    return Profile(
        id=said.profile_id,
        size=said.match_player_count,
        app=said.app or "",
        label=said.version or "",
        port=port,
        every=said.refresh,
        pause=said.delay_to_start,
        patience=_period(said.ticket_expiration_period, f"{where}.ticket_expiration_period"),
        kept=_period(said.ticket_removal_period, f"{where}.ticket_removal_period"),
        tries=whole.max_deployment_retry_count + 1,
        choices=choices,
        spans=spans,
        loosened=_loosened(said, f"{where}.expansions", {one.key for one in spans}),
    )


def _choice(said: _Selector, where: str) -> Choice:
    if said.items and said.default is not None and said.default not in said.items:
        raise Invalid(f"configuration: {where}.default: must be one of its items")
    return Choice(said.key, tuple(said.items), said.default, said.required, said.inject_env)


def _span(said: _Filter, where: str) -> Span:
    least, most = said.minimum, said.maximum
    if least is not None and most is not None and least > most:
        raise Invalid(f"configuration: {where}.minimum: must not be above the maximum")
    low, high = -math.inf if least is None else least, math.inf if most is None else most
    if said.default is not None and not low <= said.default <= high:
        raise Invalid(f"configuration: {where}.default: must be from the minimum to the maximum")
    return Span(said.key, _tolerance(said.difference), least, most, said.default, said.required, said.inject_env)


def _tolerance(said: _Difference | float) -> Tolerance:
    if isinstance(said, _Difference):
        return Tolerance(below=said.negative, above=said.positive)
    return Tolerance(below=said, above=said)


def _loosened(said: _Profile, where: str, keys: set[str]) -> tuple[Loosened, ...]:
    found: list[Loosened] = []
    for after, one in said.expansions.items():
        try:
            seconds = float(after)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds <= 86_400:
            raise Invalid(f"configuration: {where}: {after!r} must be how many seconds somebody has waited")
        if one.match_player_count is not None and one.match_player_count > said.match_player_count:
            raise Invalid(f"configuration: {where}[{after}].match_player_count: must not be above that of the profile")
        for key in one.filters.keys() - keys:
            raise Invalid(f"configuration: {where}[{after}].filters: the profile has no filter {key}")
        tolerances = {key: _tolerance(difference) for key, difference in one.filters.items()}
        found.append(Loosened(seconds, one.match_player_count, tolerances))
    return tuple(sorted(found, key=lambda step: step.after))


def _period(text: str, where: str) -> float:
    found = _PERIOD.fullmatch(text)
    if found is None or not any(found.groups()):
        raise Invalid(f"configuration: {where}: must be a length of time such as 90s, 5m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if not 1 <= total <= 86_400:
        raise Invalid(f"configuration: {where}: must be from 1s to 24h")
    return float(total)


def _once(names: list[str], where: str, field: str) -> None:
    seen = set[str]()
    for name in names:
        if name in seen:
            raise Invalid(f"configuration: {where}: the {field} {name} stands there twice")
        seen.add(name)
