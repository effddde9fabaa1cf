"""Addresses: one's own, and where others are. Declared here, answered in ``api/edgegap/ip_lookup.py``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType

from . import operation
from .words import OPEN, Ip


class NamedPlace(Snake):
    """A continent or a country.

    The vendor's names: ``IPAddressLookupLocationContinent``, ``IPAddressLookupLocationCountry``.
    """

    code: str | UnsetType | None = UNSET  #: two letters, as ISO 3166 has them for countries
    name: str | UnsetType | None = UNSET  #: in English


class IPAddressLookupLocation(Snake):
    """Where an address seems to be, by the geographic database. What that does not know is null."""

    continent: NamedPlace | UnsetType | None = UNSET
    country: NamedPlace | UnsetType | None = UNSET
    latitude: float | UnsetType | None = UNSET
    longitude: float | UnsetType | None = UNSET


class IPAddressLookupResponse(Snake):
    """What is known of an address."""

    type: str | UnsetType | None = UNSET  #: ``ipv4`` or ``ipv6``
    ip_address: Ip
    location: IPAddressLookupLocation | UnsetType | None = UNSET  #: None for an address that is nowhere, or unknown


class IPAddressResponse(Snake):
    """The caller's own address."""

    public_ip: Ip  #: as the server sees it, behind the proxies that it trusts


class IPAddressesLookupPayload(Snake):
    """The addresses to look up."""

    addresses: Annotated[list[Ip], Meta(max_length=20)]  #: at most 20


class IPAddressesLookupResponse(Snake):
    """What is known of some addresses."""

    addresses: list[IPAddressLookupResponse]  #: in the order in which they were asked for


class IpLookup(Resource[M]):
    """Addresses: one's own, and where others are."""

    @operation("GET", "/v1/ip", id="IP", errors=(401, 429))
    def get_own_ip(self) -> IPAddressResponse:
        """Tell the address that this call comes from."""
        ...

    @operation("GET", "/v1/ip/{ip}/lookup", id="IP lookup", errors=OPEN)
    def lookup_ip(self, ip: Ip) -> IPAddressLookupResponse:
        """Tell where an address seems to be. One that nothing is known of is answered without a location."""
        ...

    @operation("POST", "/v1/ips/lookup", id="IPs lookup", idempotent=True, recorded=False, errors=OPEN)
    def lookup_ips(self, params: IPAddressesLookupPayload) -> IPAddressesLookupResponse:
        """Tell where up to 20 addresses seem to be, in one call."""
        ...
