"""What a handler is given beside its parameters: who calls, from where, and the verbs of the house.

Made by ``serve.py`` for every request; ``Wings`` is put together by ``inn.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from innkeeper.kit.errors import Unauthorized

if TYPE_CHECKING:
    from innkeeper.accounts.audit import Audit
    from innkeeper.accounts.callers import Callers
    from innkeeper.accounts.invites import Invites
    from innkeeper.accounts.model import Caller
    from innkeeper.accounts.organisations import Organisations
    from innkeeper.accounts.players import Player, Players
    from innkeeper.accounts.tokens import Tokens
    from innkeeper.accounts.verifying import Verifying
    from innkeeper.accounts.vouching import Vouching
    from innkeeper.billing.invoices import Billing
    from innkeeper.billing.links import BillingLinks
    from innkeeper.geoip import GeoIp
    from innkeeper.hosting.access import Access
    from innkeeper.hosting.apps import Apps
    from innkeeper.hosting.beacons import Beacons
    from innkeeper.hosting.bookings import Bookings
    from innkeeper.hosting.builds import Builds
    from innkeeper.hosting.choosing import Chooser
    from innkeeper.hosting.comparing import Comparisons
    from innkeeper.hosting.fleets import Fleets
    from innkeeper.hosting.geography import Atlas
    from innkeeper.hosting.hostbook import HostBook
    from innkeeper.hosting.imagetags import ImageTags
    from innkeeper.hosting.insiders import Insiders
    from innkeeper.hosting.intake import Intake
    from innkeeper.hosting.labels import Labels
    from innkeeper.hosting.links import UploadLinks
    from innkeeper.hosting.logs import Logs
    from innkeeper.hosting.metrics import Metrics
    from innkeeper.hosting.orders import Orders, Told
    from innkeeper.hosting.releases import Releases
    from innkeeper.hosting.reserves import Reserves
    from innkeeper.hosting.rooms import Rooms
    from innkeeper.hosting.servers import Servers
    from innkeeper.hosting.shown import ShownHosts
    from innkeeper.hosting.storages import Storages
    from innkeeper.hosting.usage import UsageAccount
    from innkeeper.kit.clock import Clock
    from innkeeper.kit.geo import Point
    from innkeeper.matchmaking.components import Components
    from innkeeper.matchmaking.lobbies import Lobbies
    from innkeeper.matchmaking.setups import Setups
    from innkeeper.matchmaking.tickets import Tickets
    from innkeeper.notices.callbacks import Callbacks
    from innkeeper.notices.events import Events
    from innkeeper.notices.webhooks import Webhooks
    from innkeeper.settings import Settings

    from .rates import Rates


@dataclass(frozen=True, slots=True)
class Wings:
    """The verbs that doors may call, and nothing else of the house."""

    settings: Settings
    clock: Clock
    organisations: Organisations
    callers: Callers
    tokens: Tokens
    vouching: Vouching
    audit: Audit
    invites: Invites
    players: Players
    apps: Apps
    builds: Builds
    intake: Intake
    links: UploadLinks
    releases: Releases
    labels: Labels
    servers: Servers
    rooms: Rooms
    logs: Logs
    metrics: Metrics
    lobbies: Lobbies
    components: Components
    setups: Setups
    tickets: Tickets
    usage: UsageAccount
    billing: Billing
    billing_links: BillingLinks
    verifying: Verifying
    rates: Rates
    host_book: HostBook
    shown_hosts: ShownHosts
    fleets: Fleets
    storages: Storages
    image_tags: ImageTags
    access: Access
    webhooks: Webhooks
    events: Events
    callbacks: Callbacks
    operator: str  #: the organisation whose admins run the house: that of the first start
    ping_address: tuple[str, int]  #: where players measure their distance
    atlas: Atlas  #: where locations are
    chooser: Chooser
    comparisons: Comparisons
    geoip: GeoIp  #: where addresses are
    beacons: Beacons
    orders: Orders
    bookings: Bookings
    insiders: Insiders
    reserves: Reserves
    health: Callable[[], Awaitable[tuple[bool, dict[str, Any]]]]  #: whether all is well, and what is not

    def whereabouts(self, address: str) -> Point | None:
        """Where a player's address is; None where nothing is known of it. Raises ``Invalid`` for what is none."""
        found = self.geoip.find(address)
        return None if found is None else found.point


class Visit(Struct):
    """One request on its way through a handler."""

    wings: Wings
    headers: Mapping[bytes, bytes]  #: names in lower case
    client_ip: str
    scheme: str  #: ``http`` or ``https``, as the caller came
    known_caller: Caller | None = None  #: the holder of an organisation's token
    known_player: Player | None = None  #: a logged-in player
    known_server: Told | None = None  #: a game server that showed the secret it was started with
    status: int = 0  #: another success than the operation's first (``Declared.also``); 0: that one
    answer_headers: list[tuple[bytes, bytes]] = []  #: more headers for the answer

    @property
    def base_url(self) -> str:
        """Where the caller reached us, for links in answers; without a slash at its end."""
        settings = self.wings.settings
        host = self.headers.get(b"host", b"").decode("latin-1")
        if settings.public_url or not host:
            return settings.local_url
        return f"{self.scheme}://{host}"

    @property
    def caller(self) -> Caller:
        """The holder of the organisation's token that the operation asks for."""
        if self.known_caller is None:
            raise Unauthorized("this operation needs an organisation's token")
        return self.known_caller

    @property
    def org(self) -> str:
        """The id of the organisation on whose behalf this is done."""
        return self.caller.org_id

    @property
    def by(self) -> str:
        """The person on whose behalf this is done, for the record."""
        return self.caller.by

    @property
    def server(self) -> Told:
        """The game server whose secret the operation asks for."""
        if self.known_server is None:
            raise Unauthorized("this operation needs the secret that a game server was started with")
        return self.known_server

    @property
    def player(self) -> Player:
        """The player whose token the operation asks for."""
        if self.known_player is None:
            raise Unauthorized("this operation needs a player's token; log the player in first")
        return self.known_player
