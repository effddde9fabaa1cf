"""Fixed sites, an early list of locations. Declared here, answered in ``api/edgegap/statics.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType

from . import operation
from .words import Ip


class StaticSites(Snake):
    """A site."""

    url: str  #: where it is reached
    public_ip: Ip
    port: int  #: the port that goes with ``url``
    latitude: float
    longitude: float
    city: str


class StaticSitesList(Snake):
    """The sites."""

    sites: list[StaticSites] | UnsetType | None = UNSET
    total_count: int | UnsetType | None = UNSET


class Statics(Resource[M]):
    """Fixed sites, an early list of locations. ``locations`` tells more."""

    @operation("GET", "/v1/static/sites", id="statics-site-get", errors=(401, 429))
    def list_sites(self) -> StaticSitesList:
        """List the fixed sites."""
        ...
