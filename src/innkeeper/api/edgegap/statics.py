"""Fixed sites: this machine's beacons, as early clients ask for them. Declared in ``contract/edgegap/statics.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.statics import Statics, StaticSites, StaticSitesList


@implements(Statics.list_sites)
async def list_sites(visit: Visit) -> StaticSitesList:
    wings = visit.wings
    sites = [
        StaticSites(
            url=f"{f'[{beacon.host}]' if ':' in beacon.host else beacon.host}:{beacon.port}",
            public_ip=beacon.host,
            port=beacon.port,
            latitude=place.latitude,
            longitude=place.longitude,
            city=place.city,
        )
        for place in wings.atlas.places.values()
        if (beacon := wings.beacons.of(place.name)) is not None
    ]
    return StaticSitesList(sites=sites, total_count=len(sites))
