"""A small GeoIP database of our own: documentation networks, said to be in some cities. Used by tests.

``write(path)`` makes it with a well-kept writer of that format; nothing in it is anybody's real address.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

#: Network -> city, division, country code, country, continent code, continent, latitude, longitude, time zone.
NETWORKS: dict[str, tuple[str, str, str, str, str, str, float, float, str]] = {
    "192.0.2.0/25": ("Montreal", "Quebec", "CA", "Canada", "NA", "North America", 45.5, -73.57, "America/Toronto"),
    "192.0.2.128/25": ("Seattle", "Washington", "US", "United States", "NA", "North America", 47.61, -122.33,
                       "America/Los_Angeles"),
    "198.51.100.0/25": ("Frankfurt am Main", "Hesse", "DE", "Germany", "EU", "Europe", 50.11, 8.68, "Europe/Berlin"),
    "198.51.100.128/25": ("London", "England", "GB", "United Kingdom", "EU", "Europe", 51.51, -0.13, "Europe/London"),
    "203.0.113.0/25": ("Tokyo", "Tokyo", "JP", "Japan", "AS", "Asia", 35.68, 139.69, "Asia/Tokyo"),
    "203.0.113.128/25": ("Sydney", "New South Wales", "AU", "Australia", "OC", "Oceania", -33.87, 151.21,
                         "Australia/Sydney"),
    "2001:db8::/32": ("Sao Paulo", "Sao Paulo", "BR", "Brazil", "SA", "South America", -23.55, -46.63,
                      "America/Sao_Paulo"),
}  # fmt: skip


def record(city: str, division: str, iso: str, country: str, code: str, continent: str, latitude: float,
           longitude: float, zone: str) -> dict[str, Any]:  # fmt: skip
    """What the database holds of a network, in the form of GeoIP2 City."""
    return {
        "city": {"names": {"en": city}},
        "subdivisions": [{"names": {"en": division}}],
        "country": {"iso_code": iso, "names": {"en": country}},
        "continent": {"code": code, "names": {"en": continent}},
        "location": {"latitude": latitude, "longitude": longitude, "time_zone": zone},
    }


def write(path: Path, networks: dict[str, Any] | None = None) -> Path:
    """Write the database. ``networks`` are other ones, with whole records."""
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet

    writer = MMDBWriter(6, "Innkeeper-Tests", languages=["en"], ipv4_compatible=True)
    for network, place in (networks or {network: record(*place) for network, place in NETWORKS.items()}).items():
        writer.insert_network(IPSet([network]), place)
    writer.to_db_file(str(path))
    return path
