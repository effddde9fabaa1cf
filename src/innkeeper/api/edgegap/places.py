"""Where something is, as Edgegap tells it. Used by the modules beside this one."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from innkeeper.contract.edgegap.words import DeploymentLocation
from innkeeper.hosting.geography import Place


def place_fields(place: Place) -> dict[str, Any]:
    """The fields of a location: for ``DeploymentLocation`` and its kin."""
    return {
        "city": place.city or place.name,
        "country": place.country,
        "continent": place.continent,
        "administrative_division": place.administrative_division,
        "timezone": place.timezone,
        "latitude": place.latitude,
        "longitude": place.longitude,
    }


def location_data(place: Place) -> DeploymentLocation:
    """Where something runs."""
    return DeploymentLocation(**place_fields(place))


def name_of(host: str) -> str | None:
    """The name in DNS that a host is told by; None for one that is told by its address."""
    try:
        ip_address(host)
    except ValueError:
        return host
    return None
