"""Locations and beacons: where deployments run. Declared here, answered in ``api/edgegap/locations.py``."""

from __future__ import annotations

from msgspec import field

from innkeeper.contract.paging import by_page
from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType

from . import operation
from .words import OPEN, AppName, DeploymentLocation, Limit, Page, Paged, Pagination, VersionName


class LocationTag(Snake):
    """A mark of a location, which filters can ask for. The vendor's name: ``Tag``."""

    key: str
    value: str


class Location(DeploymentLocation):
    """Where deployments can run."""

    type: str  #: what kind of location it is; ``standard`` unless the platform knows more
    tags: list[LocationTag] | UnsetType | None = UNSET  #: left out unless asked for


class LocationList(Paged):
    """Some locations. The vendor's name: ``Locations``."""

    locations: list[Location] = field(default_factory=list[Location])
    messages: list[str] | UnsetType | None = UNSET  #: remarks on the question, for people


class LocationBeacon(Snake):
    """A server that answers pings, so that players can measure how far a location is. Nothing is deployed on it.

    The vendor's name: ``api-model-locationbeacon``.
    """

    host: str  #: where to send the pings
    fqdn: str | UnsetType | None = UNSET  #: its name in DNS
    udp_port: int | UnsetType | None = UNSET  #: for pings by UDP; None where it takes none
    tcp_port: int | UnsetType | None = UNSET  #: for pings by TCP; None where it takes none
    location: DeploymentLocation


class LocationBeaconList(Snake):
    """Some beacons."""

    locations: list[LocationBeacon] = field(default_factory=list[LocationBeacon])
    count: int | UnsetType | None = UNSET  #: how many beacons all pages have together
    pagination: Pagination | UnsetType | None = UNSET  #: Innkeeper's addition


class Locations(Resource[M]):
    """Locations and beacons: where deployments run, and how far that is."""

    @operation("GET", "/v1/locations", id="locations-get", errors=(*OPEN, 404), paging=by_page())
    def list_locations(
        self,
        *,
        app: AppName | None = None,
        version: VersionName | None = None,
        type: str | None = None,
        tags: str | None = None,
        page: Page | None = None,
        limit: Limit | None = None,
    ) -> LocationList:
        """List where deployments can run.

        ``app`` and ``version`` leave out the locations without space for that version, ``type`` those of another
        kind. ``tags`` is the text ``true`` to have the tags told.
        """
        ...

    @operation("GET", "/v1/locations/beacons", id="location-beacon-list", errors=OPEN, paging=by_page())
    def list_beacons(self, *, page: Page | None = None, limit: Limit | None = None) -> LocationBeaconList:
        """List the beacons. A game measures them and tells its matchmaker which locations are near."""
        ...
