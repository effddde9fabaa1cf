"""The vendor's ids, enums and shared objects. Used by the modules beside this one; facts in ``specs/hathora``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ..shape import Camel
from ..words import Word

AppId = str
OrgId = str
BuildId = str
DeploymentId = str
ProcessId = str
#: Chosen by the caller or made up: unique among all rooms, of letters, digits, ``_`` and ``-``.
RoomId = Annotated[str, Meta(min_length=1, max_length=100, pattern="^[a-zA-Z0-9_-]*$")]
#: Opaque to the platform, handed to the game server.
RoomConfig = Annotated[str, Meta(max_length=10000)]


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


class ExposedPort(Camel):
    """Where players reach one port of a server."""

    transport_type: TransportType
    port: int  #: the public port
    host: str
    name: str  #: ``default``, or the name of an additional port


#: Statuses that nearly every operation can answer with, beside those it lists itself.
READ = (401, 404, 408, 429)
CHECKED_READ = (401, 404, 408, 422, 429)
WRITE = (401, 404, 408, 422, 429, 500)
