"""Puts together what the house knows of places: where its locations are, where addresses are, and what can be measured.

Called by ``inn.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import msgspec

from innkeeper.geoip import GeoIp
from innkeeper.hosting.beacons import Beacons
from innkeeper.hosting.geography import Atlas, Place
from innkeeper.hosting.hosts import Host, Hosts
from innkeeper.kit.clock import Clock
from innkeeper.settings import Settings

log = logging.getLogger(__name__)


def atlas_of(settings: Settings) -> Atlas:
    """Every location of which it is known where it is."""
    return Atlas([Place(**msgspec.structs.asdict(spec)) for spec in settings.all_places])


def geoip_of(settings: Settings, clock: Clock) -> GeoIp:
    """Where addresses are. Raises ``Invalid`` for a file that cannot be used."""
    return GeoIp(Path(settings.geoip) if settings.geoip else None, clock)


def beacons_of(settings: Settings, clock: Clock, hosts: Hosts) -> Beacons:
    """What players of this machine's locations measure their distance with. Nothing answers until it is started."""
    return Beacons(clock, hosts, settings.server_address, settings.beacon_port)


def warn_of_nowhere(atlas: Atlas, hosts: Iterable[Host]) -> None:
    """Tell of locations that hosts serve and nobody can choose by distance."""
    for host in hosts:
        if nowhere := sorted(host.locations - atlas.places.keys()):
            log.warning(
                "host %s serves %s, of which it is not known where it is: nobody is sent there for being near, and"
                " Edgegap's API does not list it; name it in the settings file, as a table [[places]]",
                host.id,
                ", ".join(nowhere),
            )
