"""The vendor's ids, enums and shared objects. Used by the modules beside this one; facts in
``docs/reference/edgegap.md``.

A name with ``New`` is checked: it is for where a caller gives a thing its name. The plain one only names what is there.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta

from innkeeper.contract.shape import UNSET, Snake, UnsetType, checked, private, told
from innkeeper.contract.words import Word

#: The largest number that is taken where no smaller limit is known: what 32 bits hold.
MOST: Final = 2_147_483_647

#: A point in time of V1: ``YYYY-MM-DD HH:MM:SS.ffffff`` in UTC, without a zone.
Stamp = Annotated[str, told(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?$")]

#: Of a deployment: twelve lower-case hexadecimal digits, made up by the platform.
RequestId = str
#: Twelve hexadecimal digits and ``-S``, made up by the platform.
SessionId = str
#: The caller's own id of a session.
CustomId = str
NewCustomId = Annotated[str, checked(min_length=1, max_length=255)]
AppName = str
NewAppName = Annotated[str, checked(min_length=1, max_length=64)]
VersionName = str
NewVersionName = Annotated[str, checked(min_length=1, max_length=64)]
#: The name of what is found by it in a path, where the vendor says no limits: no slash, and not of dots alone.
NewName = Annotated[str, checked(min_length=1, max_length=255, pattern="^[^/]*[^/.][^/]*$")]
#: The caller's word for a deployment, to find it by.
Tag = str
NewTag = Annotated[str, checked(min_length=1, max_length=40)]
#: The tags of a deployment that is asked for.
Tags = list[NewTag]
#: A player's address, IPv4 or IPv6.
Ip = str
#: Where a notice is sent by POST, ``http`` or ``https``.
WebhookUrl = Annotated[str, checked(max_length=2048)]

#: Which page of a list, from 1; the first unless said.
Page = Annotated[int, Meta(ge=1, le=MOST)]
#: How many items a page holds at most; 10 unless said.
Limit = Annotated[int, Meta(ge=1, le=MOST)]

#: Degrees, north is positive.
Latitude = Annotated[float, Meta(ge=-90, le=90)]
#: Degrees, east is positive.
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class DeploymentStatus(Word):
    """Where a deployment stands in its life. It can turn to ``Status.ERROR`` from wherever it stands."""

    INITIALIZING = "Status.INITIALIZING"  #: asked for
    SEEKING = "Status.SEEKING"  #: a location is looked for
    SEEKED = "Status.SEEKED"  #: candidates are found
    SCANNING = "Status.SCANNING"  #: the candidates are compared
    DEPLOYING = "Status.DEPLOYING"  #: its image is fetched, its container starts, its ports are checked
    READY = "Status.READY"  #: players can connect
    TERMINATING = "Status.TERMINATING"  #: is being stopped
    TERMINATED = "Status.TERMINATED"  #: over
    ERROR = "Status.ERROR"  #: failed; its error detail says why


class SessionKind(Word):
    """What takes a socket of a deployment."""

    DEFAULT = "Default"  #: nothing: there are no sessions
    SEAT = "Seat"  #: each player of a session
    MATCH = "Match"  #: each session, however many players it has


class SessionStatus(Word):
    """Where a session stands."""

    WAITING = "Waiting"  #: no deployment with space is found yet
    LINKED = "Linked"  #: it has a deployment that is not ready yet
    READY = "Ready"  #: it has a deployment that is
    UNPROCESSABLE = "Unprocessable"  #: there is no deployment for it, and none may be started
    ERROR = "Error"  #: its deployment failed


class Protocol(Word):
    """What a port speaks. Read in any case: ``udp`` is ``UDP``."""

    TCP = "TCP"
    UDP = "UDP"
    TCP_UDP = "TCP/UDP"  #: both, on the same number
    HTTP = "HTTP"
    HTTPS = "HTTPS"
    WS = "WS"
    WSS = "WSS"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        found = cls._value2member_map_.get(value.upper()) if isinstance(value, str) else None
        return super()._missing_(value) if found is None else found


class LocationField(Word):
    """What a location is chosen by."""

    CITY = "city"
    COUNTRY = "country"
    CONTINENT = "continent"
    REGION = "region"
    ADMINISTRATIVE_DIVISION = "administrative_division"  #: province, state
    LOCATION_TAGS = "location_tags"


class FilterType(Word):
    """How the values of a filter and of what it is held against have to meet."""

    ANY = "any"  #: at least one value is there
    ALL = "all"  #: every value is there, as tags can be
    NOT = "not"  #: no value is there


class LocationFilter(Snake):
    """A wish that a location has to fulfil. All filters together have to.

    The vendor's names: ``DeploymentFilter``, ``SessionFilterModel``, ``RequestFilters``.
    """

    field: LocationField
    values: list[str]
    filter_type: FilterType


class Coordinates(Snake):
    """A point that a location shall be near. The vendor's name: ``LocationModel``."""

    latitude: Latitude
    longitude: Longitude


class GeoIp(Snake):
    """A player's address and where the player is, which counts instead of where the address seems to be.

    The vendor's name: ``GeoIpListModel``.
    """

    ip: Ip
    latitude: Latitude
    longitude: Longitude


class Env(Snake):
    """One environment variable of a server. The vendor's names: ``AppVersionEnv``, ``DeployEnvModel``."""

    key: Annotated[str, checked(min_length=1, max_length=255, pattern="^[^=]+$")]
    value: Annotated[str, checked(max_length=4096), private()]  #: not told again where it is hidden
    is_secret: bool | UnsetType | None = UNSET  #: the older name of ``is_hidden``; either of them hides the value
    is_hidden: bool | UnsetType | None = UNSET  #: False unless said


class Selector(Snake):
    """Which deployments a session may go to, and what a deployment that is started for it gets.

    The vendor's name: ``SelectorModel``.
    """

    tag: Annotated[str, checked(min_length=1, max_length=20)]  #: only deployments that sessions marked so are taken
    tag_only: bool | UnsetType | None = UNSET  #: the tag only marks the session, and chooses nothing; False unless said
    env: SelectorEnv | UnsetType | None = UNSET  #: for a deployment that is started for the session


class SelectorEnv(Snake):
    """The environment variable of a selector. The vendor's name: ``SelectorEnvModel``."""

    key: Annotated[str, checked(min_length=1, max_length=255)]
    value: Annotated[str, checked(min_length=1, max_length=1024)]


class PortMapping(Snake):
    """How players reach one port of a deployment."""

    external: int | UnsetType | None = UNSET  #: where players connect
    internal: int | UnsetType | None = UNSET  #: what the server listens on
    protocol: Protocol | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET  #: as the version says; the internal port's number where it says nothing
    tls_upgrade: bool | UnsetType | None = UNSET  #: whether players speak TLS and the server does not
    link: str | UnsetType | None = UNSET  #: host and external port, with ``https://`` and the like where that is spoken
    proxy: int | UnsetType | None = UNSET  #: the port of the proxy that ends TLS; None where there is none


#: By the ports' names.
Ports = dict[str, PortMapping]


class DeploymentLocation(Snake):
    """Where something runs: a deployment, a beacon. What is not known is an empty text."""

    city: str
    country: str
    continent: str
    administrative_division: str  #: province, state
    timezone: str
    latitude: float
    longitude: float


class Deployment(Snake):
    """A deployment as its sessions and its own server see it."""

    request_id: RequestId
    public_ip: str  #: empty until it is known
    status: DeploymentStatus
    ready: bool  #: players can connect
    whitelisting_active: bool  #: only listed addresses reach it
    fqdn: str  #: the name to connect to
    ports: Ports | UnsetType | None = UNSET  #: None until it is ready
    location: DeploymentLocation | UnsetType | None = UNSET  #: None until it is chosen
    tags: list[Tag] | UnsetType | None = UNSET
    sockets: int | UnsetType | None = UNSET  #: what it has room for: players or sessions, by the kind of its sessions
    sockets_usage: int | UnsetType | None = UNSET  #: how much of that is taken
    is_joinable_by_session: bool | UnsetType | None = UNSET  #: new sessions may be linked to it


class DeploymentSessionContext(Snake):
    """A session in short."""

    session_id: SessionId
    status: SessionStatus
    ready: bool  #: it is linked to a deployment that is ready
    linked: bool  #: it has a deployment
    kind: SessionKind
    user_count: int  #: how many players it has


class Paginator(Snake):
    """How long a list is."""

    num_pages: int | UnsetType | None = UNSET  #: at least 1


class Pagination(Snake):
    """Where a page stands in its list."""

    number: int | UnsetType | None = UNSET  #: this page, from 1
    next_page_number: int | UnsetType | None = UNSET  #: None on the last page
    previous_page_number: int | UnsetType | None = UNSET  #: None on the first
    paginator: Paginator | UnsetType | None = UNSET
    has_next: bool | UnsetType | None = UNSET
    has_previous: bool | UnsetType | None = UNSET


class Paged(Snake):
    """One page of a list. Innkeeper always tells both; the vendor's older lists told neither."""

    total_count: int | UnsetType | None = UNSET  #: how many items all pages have together
    pagination: Pagination | UnsetType | None = UNSET


class Message(Snake):
    """What was done, for people."""

    message: str | UnsetType | None = UNSET


# Which statuses an operation can answer with besides its success. Those that fit no set are written out. 403 is
# for a token without the scope that is needed; those of ``OPEN`` need none.
OPEN = (400, 401, 429)
CALL = (400, 401, 403, 429)
NAMED = (400, 401, 403, 404, 429)
