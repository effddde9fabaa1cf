"""The vendor's ids, enums and shared objects. Used by the modules beside this one; facts in ``specs/hathora``."""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.shape import Camel, checked, told
from innkeeper.contract.words import Word

AppId = str
OrgId = str
BuildId = str
DeploymentId = str
ProcessId = str
FleetId = str
NodeId = str
#: Chosen by the caller or made up: unique among all rooms, of letters, digits, ``_`` and ``-``.
RoomId = Annotated[str, checked(min_length=1, max_length=100, pattern="^[a-zA-Z0-9_-]*$")]
#: Opaque to the platform, handed to the game server.
RoomConfig = Annotated[str, checked(max_length=10000)]
#: What players tell each other to find a lobby. Two lobbies may carry the same; the newer one is found.
ShortCode = Annotated[str, checked(max_length=100)]
#: The caller's own version of a build.
BuildTag = Annotated[str, checked(max_length=1000)]

# The same in answers.
RoomIdTold = Annotated[str, told(minLength=1, maxLength=100, pattern="^[a-zA-Z0-9_-]*$")]
RoomConfigTold = Annotated[str, told(maxLength=10000)]
ShortCodeTold = Annotated[str, told(maxLength=100)]
BuildTagTold = Annotated[str, told(maxLength=1000)]
AppNameTold = Annotated[str, told(maxLength=64, pattern="^[a-z0-9-]+$")]
#: How many rooms a server takes at the same time.
RoomsPerProcessTold = Annotated[int, told(minimum=1, maximum=10000)]


class Region(Word):
    """Where servers run. Innkeeper maps its own sites onto these names (``docs/how-to/regions.md``)."""

    SEATTLE = "Seattle"
    LOS_ANGELES = "Los_Angeles"
    WASHINGTON_DC = "Washington_DC"
    CHICAGO = "Chicago"
    DALLAS = "Dallas"
    SAO_PAULO = "Sao_Paulo"
    LONDON = "London"
    FRANKFURT = "Frankfurt"
    JOHANNESBURG = "Johannesburg"
    DUBAI = "Dubai"
    MUMBAI = "Mumbai"
    SINGAPORE = "Singapore"
    TOKYO = "Tokyo"
    SYDNEY = "Sydney"


class TransportType(Word):
    """How players' packets travel to a port."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"  #: TCP to the game server, TLS to the player


class RoomStatus(Word):
    """Where a room stands in its life."""

    SCHEDULING = "scheduling"  #: waits for its server to run
    ACTIVE = "active"  #: on a running server
    SUSPENDED = "suspended"  #: off its server, the id kept
    DESTROYED = "destroyed"  #: over


class RoomReadyStatus(Word):
    """Whether players can connect already."""

    STARTING = "starting"
    ACTIVE = "active"


class UserRole(Word):
    """What a member of an organisation may do."""

    ADMIN = "admin"  #: everything
    MEMBER = "member"  #: everything but members, tokens and bills
    VIEWER = "viewer"  #: look


class Scope(Word):
    """One thing that a token may do. ``read-write`` includes ``read``."""

    BILLING_READ_WRITE = "billing:read-write"
    BUILDS_READ = "builds:read"
    BUILDS_READ_WRITE = "builds:read-write"
    DEPLOYMENTS_READ = "deployments:read"
    DEPLOYMENTS_READ_WRITE = "deployments:read-write"
    APPLICATIONS_READ = "applications:read"
    APPLICATIONS_READ_WRITE = "applications:read-write"
    PROCESSES_READ = "processes:read"
    PROCESSES_READ_WRITE = "processes:read-write"
    FLEETS_READ = "fleets:read"
    FLEETS_READ_WRITE = "fleets:read-write"
    ORGS_READ = "orgs:read"
    ORGS_READ_WRITE = "orgs:read-write"
    TOKENS_READ = "tokens:read"
    TOKENS_READ_WRITE = "tokens:read-write"
    TICKETS_READ = "tickets:read"
    TICKETS_READ_WRITE = "tickets:read-write"
    LOAD_BALANCER_ACCESS = "load-balancer:access"


class ExposedPort(Camel):
    """Where players reach one port of a server."""

    name: str  #: ``default``, or the name of an additional port
    transport_type: TransportType
    host: str
    port: int  #: the public port


#: The ports besides the default one.
AdditionalExposedPorts = Annotated[list[ExposedPort], told(maxItems=2)]

# Which statuses an operation can answer with besides its success. Those that fit no set are written out.
READ = (401, 404, 408, 429)
CHECKED_READ = (401, 404, 408, 422, 429)
WRITE = (401, 404, 408, 422, 429, 500)
PUBLIC_READ = (404, 408, 422, 429)
MEMBERS_READ = (401, 408, 429)
MEMBERS_WRITE = (401, 408, 422, 429)
