"""Locations where a host stands, and this machine's beacons. Declared in ``contract/edgegap/locations.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.locations import (
    Location,
    LocationBeacon,
    LocationBeaconList,
    LocationList,
    Locations,
    LocationTag,
)
from innkeeper.contract.shape import UNSET
from innkeeper.hosting.geography import Place
from innkeeper.kit.errors import Invalid

from .pages import MOST, Slice, cut, paged, slice_of
from .places import location_data, name_of, place_fields

#: The kind of all locations: there is no other one here.
STANDARD = "standard"


def _whole_or(page: int | None, limit: int | None) -> Slice:
    """Clients that know no pages are told all: they take what they get for the whole list."""
    return Slice(1, MOST) if page is None and limit is None else slice_of(page, limit)


@implements(Locations.list_locations)
async def list_locations(
    visit: Visit,
    *,
    app: str | None = None,
    version: str | None = None,
    type: str | None = None,
    tags: str | None = None,
    page: int | None = None,
    limit: int | None = None,
) -> LocationList:
    chooser, atlas = visit.wings.chooser, visit.wings.atlas
    if version is not None and app is None:
        raise Invalid("app: name the application whose version this is")
    served = chooser.served()
    names = served if app is None else await chooser.roomy(visit.org, app, version)
    shown = [] if type not in (None, "", STANDARD) else [atlas.places[name] for name in names]
    with_tags = (tags or "").lower() == "true"
    part = _whole_or(page, limit)
    messages: list[str] = []
    if not served:
        messages.append("no host of this house serves a location that it knows: see [[places]] in its settings")
    elif app is not None and not names:
        messages.append("no location has space for this version now")
    return LocationList(
        locations=[_location(place, with_tags=with_tags) for place in cut(part, shown)],
        messages=messages,
        **paged(part, len(shown)),
    )


def _location(place: Place, *, with_tags: bool) -> Location:
    tags = [LocationTag(key=key, value=value) for key, value in sorted(place.tags.items())]
    return Location(type=STANDARD, tags=tags if with_tags else UNSET, **place_fields(place))


@implements(Locations.list_beacons)
async def list_beacons(visit: Visit, *, page: int | None = None, limit: int | None = None) -> LocationBeaconList:
    wings = visit.wings
    found = [
        LocationBeacon(
            host=beacon.host,
            fqdn=name_of(beacon.host),
            udp_port=beacon.port,
            tcp_port=beacon.port,
            location=location_data(place),
        )
        for place in wings.atlas.places.values()
        if (beacon := wings.beacons.of(place.name)) is not None
    ]
    part = _whole_or(page, limit)
    told = paged(part, len(found))
    return LocationBeaconList(locations=cut(part, found), count=told["total_count"], pagination=told["pagination"])
