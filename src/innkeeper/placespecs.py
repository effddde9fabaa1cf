"""What an operator says about a location: where it is, and what it is called. Written in the settings file.

Read by ``settings.py``; ``geography.py`` of the hosting wing compares them. What is wrong with one is said in words for
the person who wrote it. The house knows some cities by itself, so that a fresh one can be asked for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from innkeeper.kit.errors import Invalid
from innkeeper.kit.geo import Point

from .hostspecs import location_name

_NAME = re.compile(r"[a-z0-9][a-z0-9._]{0,62}")
_KINDS = {
    "latitude": "degrees from -90 to 90, north is positive, such as 50.11",
    "longitude": "degrees from -180 to 180, east is positive, such as 8.68",
    "tags": 'a table of texts, such as { provider = "ours" }',
}


class PlaceSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A location with what is known of it. Make one with :func:`read_place`, which checks it."""

    name: str  #: as `locations` of hosts names it: small letters, digits, `.` and `_`; any spelling of it will do
    latitude: float  #: degrees, north is positive
    longitude: float  #: degrees, east is positive
    city: str = ""  #: its name in English
    country: str = ""  #: its name in English
    continent: str = ""  #: its name in English, such as `Europe`
    region: str = ""  #: the part of the continent, such as `Western Europe`
    administrative_division: str = ""  #: state, province or the like
    timezone: str = ""  #: such as `Europe/Berlin`
    tags: Mapping[str, str] = {}  #: marks of your own, which filters can ask for

    @property
    def point(self) -> Point:
        """Where it is."""
        return Point(self.latitude, self.longitude)


def read_place(said: Any) -> PlaceSpec:
    """Check what was said of a location. Raises ``Invalid`` with the field, and what to write there."""
    if not isinstance(said, Mapping):
        raise Invalid("a location is a table with at least name, latitude and longitude")
    name = said.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(location_name(name)):
        raise Invalid(f"name: write up to 63 letters, digits, `.` and `_`, such as frankfurt, not {name!r}")
    name = location_name(name)
    for field in said:
        if field not in PlaceSpec.__struct_fields__:
            there = ", ".join(PlaceSpec.__struct_fields__)
            raise _wrong(name, field, f"there is nothing of this name; there is {there}")
    for known in msgspec.structs.fields(PlaceSpec):
        what = _KINDS.get(known.name, "a text")
        if known.name not in said:
            if known.required:
                raise _wrong(name, known.name, f"write {what}")
            continue
        try:
            msgspec.convert(said[known.name], known.type)
        except msgspec.ValidationError:
            raise _wrong(name, known.name, f"write {what}, not {said[known.name]!r}") from None
    spec = msgspec.convert({**said, "name": name}, PlaceSpec)
    for axis, most in (("latitude", 90), ("longitude", 180)):
        if not -most <= getattr(spec, axis) <= most:
            raise _wrong(name, axis, f"write {_KINDS[axis]}, not {said[axis]!r}")
    return spec


def twice(specs: Sequence[PlaceSpec]) -> str | None:
    """Why these cannot be together, if so: two have one name."""
    names = [spec.name for spec in specs]
    found = next((name for at, name in enumerate(names) if name in names[:at]), None)
    return None if found is None else f"two locations have the name {found}"


def known_places(specs: Sequence[PlaceSpec], *, with_default: bool) -> list[PlaceSpec]:
    """The locations of a house: those said of, and the house's own where they are wanted and nobody said otherwise."""
    said = {spec.name: spec for spec in specs}
    own = [said.pop(spec.name, spec) for spec in DEFAULT] if with_default else []
    return [*own, *said.values()]


def _wrong(name: str, field: str, what: str) -> Invalid:
    return Invalid(f"location {name}: {field}: {what}")


def _city(
    name: str, latitude: float, longitude: float, city: str, division: str, country: str, region: str, continent: str,
    timezone: str,
) -> PlaceSpec:  # fmt: skip
    return PlaceSpec(
        name=name, latitude=latitude, longitude=longitude, city=city, country=country, continent=continent,
        region=region, administrative_division=division, timezone=timezone,
    )  # fmt: skip


_USA, _NORTH, _EUROPE, _ASIA = "United States", "North America", "Europe", "Asia"

#: The cities that every house knows: each is one of Hathora's regions too, under the house's name for it.
DEFAULT: Sequence[PlaceSpec] = (
    _city("seattle", 47.6062, -122.3321, "Seattle", "Washington", _USA, "US West", _NORTH,
          "America/Los_Angeles"),
    _city("los_angeles", 34.0522, -118.2437, "Los Angeles", "California", _USA, "US West", _NORTH,
          "America/Los_Angeles"),
    _city("washington_dc", 38.9072, -77.0369, "Washington", "District of Columbia", _USA, "US East", _NORTH,
          "America/New_York"),
    _city("chicago", 41.8781, -87.6298, "Chicago", "Illinois", _USA, "US Midwest", _NORTH, "America/Chicago"),
    _city("dallas", 32.7767, -96.797, "Dallas", "Texas", _USA, "US South", _NORTH, "America/Chicago"),
    _city("sao_paulo", -23.5505, -46.6333, "São Paulo", "São Paulo", "Brazil", "South America", "South America",
          "America/Sao_Paulo"),
    _city("london", 51.5072, -0.1276, "London", "England", "United Kingdom", "Northern Europe", _EUROPE,
          "Europe/London"),
    _city("frankfurt", 50.1109, 8.6821, "Frankfurt am Main", "Hesse", "Germany", "Western Europe", _EUROPE,
          "Europe/Berlin"),
    _city("johannesburg", -26.2041, 28.0473, "Johannesburg", "Gauteng", "South Africa", "Southern Africa", "Africa",
          "Africa/Johannesburg"),
    _city("dubai", 25.2048, 55.2708, "Dubai", "Dubai", "United Arab Emirates", "Western Asia", _ASIA, "Asia/Dubai"),
    _city("mumbai", 19.076, 72.8777, "Mumbai", "Maharashtra", "India", "Southern Asia", _ASIA, "Asia/Kolkata"),
    _city("singapore", 1.3521, 103.8198, "Singapore", "Singapore", "Singapore", "Southeastern Asia", _ASIA,
          "Asia/Singapore"),
    _city("tokyo", 35.6762, 139.6503, "Tokyo", "Tokyo", "Japan", "Eastern Asia", _ASIA, "Asia/Tokyo"),
    _city("sydney", -33.8688, 151.2093, "Sydney", "New South Wales", "Australia", "Australia and New Zealand",
          "Oceania", "Australia/Sydney"),
)  # fmt: skip
