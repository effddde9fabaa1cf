"""Where an address of the internet is, by a database in MaxMind's format. Made by ``inn.py``, used by doors.

The file is a setting (``geoip``): GeoLite2, DB-IP, IP2Location and others offer one. It is read again when it changes,
so that whoever renews it need not restart anything. Addresses of private networks are nowhere.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.errors import Invalid
from innkeeper.kit.geo import Point

if TYPE_CHECKING:
    from maxminddb import Reader

log = logging.getLogger(__name__)

#: How often it is looked whether the file has changed, in seconds.
_LOOK = 10.0


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What a database knows of an address. Texts are empty and ``point`` is None where it does not."""

    continent_code: str = ""
    continent: str = ""
    country_code: str = ""
    country: str = ""
    division: str = ""  #: the largest part of the country
    city: str = ""
    timezone: str = ""
    point: Point | None = None


def read_address(text: str) -> str:
    """An address as it is looked up: IPv4 that is written as IPv6 is IPv4. Raises :class:`Invalid`."""
    try:
        found = ip_address(text.strip())
    except ValueError:
        raise Invalid(f"{text!r} is no IP address") from None
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


class GeoIp:
    """Looks addresses up. Without a file it knows nothing of any."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        """Raises :class:`Invalid` for a file that cannot be used."""
        self._path, self._clock = path, clock
        self._reader: Reader | None = None
        self._stamp: tuple[int, int] = (0, 0)
        self._looked_at = clock.now()
        if path is not None:
            try:
                self._open()
            except (OSError, ValueError) as error:
                why = (error.strerror if isinstance(error, OSError) else None) or error
                raise Invalid(
                    f"geoip: {path} cannot be used: {why}; name a file in MaxMind's format (.mmdb)"
                ) from error

    @property
    def is_set_up(self) -> bool:
        """Whether there is a database."""
        return self._reader is not None

    def find(self, address: str) -> Whereabouts | None:
        """Where an address is; None where the database does not tell. Raises :class:`Invalid` for what is none."""
        text = read_address(address)
        self._renew()
        if self._reader is None:
            return None
        from maxminddb import InvalidDatabaseError

        try:
            found = self._reader.get(text)
        except ValueError:  # an IPv6 address and a database of IPv4
            return None
        except InvalidDatabaseError as error:  # a part of it is damaged, as while it is written anew
            log.warning("%s cannot be used for %s: %s", self._path, text, error)
            return None
        return whereabouts_of(found) if isinstance(found, dict) else None

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _open(self) -> None:
        import maxminddb  # only where there is a database

        assert self._path is not None
        stamp = _stamp(self._path)
        try:
            reader = maxminddb.open_database(self._path, maxminddb.MODE_MEMORY)
        except maxminddb.InvalidDatabaseError as error:
            raise ValueError(str(error)) from error
        if self._reader is not None:
            self._reader.close()
        self._reader, self._stamp = reader, stamp

    def _renew(self) -> None:
        now = self._clock.now()
        if self._path is None or now - self._looked_at < _LOOK * SECOND:
            return
        self._looked_at = now
        try:
            if _stamp(self._path) != self._stamp:
                self._open()
        except (OSError, ValueError) as error:
            log.warning("%s has changed and cannot be used; what was read before is: %s", self._path, error)


def _stamp(path: Path) -> tuple[int, int]:
    info = path.stat()
    return info.st_mtime_ns, info.st_ino


def whereabouts_of(record: Mapping[str, Any]) -> Whereabouts:
    """A record in the form of GeoIP2 City and Country, which others follow. What is missing is left empty."""
    place = record.get("location") or {}
    latitude, longitude = place.get("latitude"), place.get("longitude")
    point = Point(float(latitude), float(longitude)) if latitude is not None and longitude is not None else None
    divisions = record.get("subdivisions") or [{}]
    continent, country = record.get("continent") or {}, record.get("country") or record.get("registered_country") or {}
    return Whereabouts(
        continent_code=str(continent.get("code") or ""),
        continent=_name(continent),
        country_code=str(country.get("iso_code") or ""),
        country=_name(country),
        division=_name(divisions[0]),
        city=_name(record.get("city") or {}),
        timezone=str(place.get("time_zone") or ""),
        point=point if point is not None and point.is_real else None,
    )


def _name(thing: Mapping[str, Any]) -> str:
    names = thing.get("names")
    return str(names.get("en") or next(iter(names.values()), "")) if isinstance(names, dict) else ""
