"""Addresses and where they are, by the house's geographic database. Declared in ``contract/edgegap/ip_lookup.py``."""

from __future__ import annotations

from ipaddress import ip_address

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.ip_lookup import (
    IPAddressesLookupPayload,
    IPAddressesLookupResponse,
    IPAddressLookupLocation,
    IPAddressLookupResponse,
    IPAddressResponse,
    IpLookup,
    NamedPlace,
)
from innkeeper.geoip import Whereabouts, read_address
from innkeeper.kit.errors import Invalid

from .absent import or_nothing


@implements(IpLookup.get_own_ip)
async def get_own_ip(visit: Visit) -> IPAddressResponse:
    try:
        return IPAddressResponse(public_ip=read_address(visit.client_ip))
    except Invalid:  # by a socket of this machine, where nobody has an address
        return IPAddressResponse(public_ip="127.0.0.1")


@implements(IpLookup.lookup_ip)
async def lookup_ip(visit: Visit, ip: str) -> IPAddressLookupResponse:
    return _told(visit, ip)


@implements(IpLookup.lookup_ips)
async def lookup_ips(visit: Visit, params: IPAddressesLookupPayload) -> IPAddressesLookupResponse:
    return IPAddressesLookupResponse(addresses=[_told(visit, address) for address in params.addresses])


def _told(visit: Visit, text: str) -> IPAddressLookupResponse:
    address = read_address(text)
    found = visit.wings.geoip.find(address)
    kind = f"ipv{ip_address(address).version}"
    location = None if found is None else _location(found)
    return IPAddressLookupResponse(type=kind, ip_address=address, location=or_nothing(location))


def _location(found: Whereabouts) -> IPAddressLookupLocation:
    point = found.point
    return IPAddressLookupLocation(
        continent=or_nothing(_named(found.continent_code, found.continent)),
        country=or_nothing(_named(found.country_code, found.country)),
        latitude=None if point is None else point.latitude,
        longitude=None if point is None else point.longitude,
    )


def _named(code: str, name: str) -> NamedPlace | None:
    return NamedPlace(code=code or None, name=name or None) if code or name else None
