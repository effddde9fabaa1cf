"""Puts matchmakers together: the verbs and keepers of matchmaking, and the servers that hosting gives them.

Called by ``inn.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from innkeeper.api.edgegap.forms import new_terms
from innkeeper.api.edgegap.statuses import Telling
from innkeeper.api.edgegap.tickets import told
from innkeeper.contract.edgegap.applications import AppVersionPayload, AppVersionPort, RestartPolicy
from innkeeper.contract.edgegap.words import Protocol
from innkeeper.contract.shape import UNSET
from innkeeper.db.database import Database
from innkeeper.geoip import GeoIp
from innkeeper.hosting.addresses import dialled_ports
from innkeeper.hosting.apps import Apps
from innkeeper.hosting.choosing import Wishes
from innkeeper.hosting.geography import Atlas
from innkeeper.hosting.labels import Labels
from innkeeper.hosting.model import LoginRules, ServerState
from innkeeper.hosting.orders import Ask, Orders, Told
from innkeeper.hosting.queries import apps as app_queries
from innkeeper.hosting.queries import orders as order_queries
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Gone, Invalid, NotFound
from innkeeper.kit.geo import Point
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box
from innkeeper.matchmaking.components import Components
from innkeeper.matchmaking.grounds import Door, Ground, Image
from innkeeper.matchmaking.matches import Matches
from innkeeper.matchmaking.programs import Programs
from innkeeper.matchmaking.setups import Setups
from innkeeper.matchmaking.tickets import Tickets
from innkeeper.settings import Settings

#: What a component's server has: half a processor and so many MiB.
_CPU_UNITS, _MEMORY = 512, 512
#: Who makes what a matchmaker needs, for the record.
_BY = "matchmaker"


@dataclass(frozen=True, slots=True)
class Play:
    """Matchmakers, ready to be used."""

    components: Components
    setups: Setups
    tickets: Tickets
    matches: Matches
    programs: Programs


class HostedGrounds:
    """Servers of the house, as ``matchmaking/grounds.py`` asks for them. Each is found again by a tag."""

    def __init__(
        self, db: Database, orders: Orders, labels: Labels, apps: Apps, geoip: GeoIp, telling: Telling, domain: str
    ) -> None:
        self._db, self._orders, self._labels, self._apps = db, orders, labels, apps
        self._geoip, self._telling, self._domain = geoip, telling, domain

    async def start(
        self,
        org_id: str,
        app: str,
        label: str | None,
        *,
        mark: str,
        players: Sequence[str],
        env: Sequence[tuple[str, str]],
        tags: Sequence[str],
    ) -> str:
        """Want a server; one that has the mark as its tag is there already."""
        there = await self.find(org_id, mark)
        if there is not None:
            return there
        ask = Ask(wishes=Wishes(players=self._points(players)), env=env, tags=[mark, *tags][:_MOST_TAGS])
        asked, _ = await self._orders.ask(org_id, app, label, ask)
        return asked.ordered.server.id

    def _points(self, addresses: Sequence[str]) -> list[Point]:
        """Where the players are, of whom it is known. What a proxy made of an address need not be one."""
        found: list[Point] = []
        for address in addresses:
            with suppress(Invalid):
                where = self._geoip.find(address)
                if where is not None and where.point is not None:
                    found.append(where.point)
        return found

    async def find(self, org_id: str, mark: str) -> str | None:
        """The server that has the mark as its tag."""
        there = (await self._db.read(order_queries.tagged, org_id, [mark])).get(mark)
        return min(there) if there else None

    async def look(self, server_ids: Sequence[str]) -> Mapping[str, Ground]:
        """How servers are."""
        if not server_ids:
            return {}
        return {id: self._ground(one) for id, one in (await self._orders.every(server_ids)).items()}

    def _ground(self, one: Told) -> Ground:
        server = one.ordered.server
        if server.state in (ServerState.FAILED, ServerState.STOPPED, ServerState.STOPPING):
            return Ground(server.id, over=server.exit_reason or "its server was stopped")
        if server.state not in (ServerState.RUNNING, ServerState.DRAINING):
            return Ground(server.id)
        inside = self._telling.ports(one) or {}
        doors: list[Door] = []
        for port in dialled_ports(server):
            number = inside[port.name].internal if port.name in inside else port.number
            host = self._telling.fqdn(one) if self._domain else port.host
            doors.append(Door(port.name, number if isinstance(number, int) else port.number, f"{host}:{port.number}"))
        return Ground(server.id, ready=True, doors=doors)

    async def stop(self, org_id: str, server_id: str, reason: str) -> None:
        """Have a server end."""
        found = (await self._orders.every([server_id])).get(server_id)
        if found is not None and found.ordered.server.alive:
            with suppress(Gone):
                await self._orders.end(found, reason)

    async def prepare(self, org_id: str, app: str, label: str, image: Image, port: int, awaited: bool) -> None:
        """Have a label run an image; app and label are made where they are missing."""
        try:
            found = await self._db.read(app_queries.named_app, org_id, app)
        except NotFound:
            found = await self._apps.create(org_id, _BY, app, LoginRules())
        user, token = image.login or (UNSET, UNSET)
        terms = new_terms(
            AppVersionPayload(
                name=label,
                docker_repository=image.registry,
                docker_image=image.image,
                docker_tag=image.tag,
                private_username=user,
                private_token=token,
                req_cpu=_CPU_UNITS,
                req_memory=_MEMORY,
                restart_policy=RestartPolicy.NEVER,  # who keeps it starts another one, and knows why
                ports=[AppVersionPort(port=port, protocol=Protocol.TCP, name=label, to_check=awaited)],
            ),
            _MEMORY,
        )
        try:
            await self._labels.change(org_id, app, label, _BY, lambda _: terms)
        except NotFound:
            await self._labels.create(org_id, found.id, _BY, terms)

    async def close(self, org_id: str, app: str) -> None:
        """Delete an app."""
        with suppress(NotFound):
            found = await self._db.read(app_queries.named_app, org_id, app)
            await self._apps.delete(org_id, found.id, _BY)


#: Tags of one server: the mark, and the tickets of the first players.
_MOST_TAGS = 100


def play_of(
    settings: Settings, db: Database, clock: Clock, chance: Chance, box: Box, orders: Orders, labels: Labels,
    apps: Apps, geoip: GeoIp, atlas: Atlas,
) -> Play:  # fmt: skip
    """Matchmakers on this house."""
    domain = settings.server_domain
    grounds = HostedGrounds(db, orders, labels, apps, geoip, Telling(atlas, domain), domain)
    matching, running = Bell(), Bell()
    components = Components(db, clock, chance, box, running)
    return Play(
        components,
        Setups(db, clock, chance, box, running),
        Tickets(db, clock, chance, box, matching),
        Matches(db, clock, chance, box, grounds, told, matching),
        Programs(db, clock, components, grounds, running),
    )
