"""An inn with one of everything, on which any operation can be played. Used by ``test_api_every_operation.py``.

A scene is what some operations need besides a game with a room: ``good.py`` says which. Each is a method here.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from api.good import SCENES
from api.wire import Answer, Door, ask, body_of, headers_of, path_of, query_of, real_ids
from e2e.people import CLIENT_ID, Google
from factories import Game, TestInn, archive
from innkeeper.accounts.model import Limits
from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, GoogleLogin, PartialAppConfigWithServiceConfig
from innkeeper.contract.hathora.builds_v3 import CreateBuildV3Params
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbyVisibility
from innkeeper.contract.hathora.organizations_v1 import CreateUserInvite
from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken
from innkeeper.contract.hathora.words import Region, UserRole
from innkeeper.contract.operation import Declared
from innkeeper.engines.base import Usage
from innkeeper.kit.clock import SECOND

DAY = 24 * 3600
#: What a stage's inn is set up with: prices, for bills, and a place for mails, which nobody carries there.
SETTINGS: dict[str, Any] = {
    "cpu_hour_price": Decimal("0.08"), "egress_gb_price": Decimal("0.12"), "monthly_credit": Decimal(1),
    "smtp_url": "smtp://127.0.0.1:1",
}  # fmt: skip


class Stage:
    """A game with a room on a running server that has printed something and was measured."""

    game: Game
    player: str  #: a player's token

    def __init__(self, inn: TestInn, people: Google) -> None:
        self.inn = inn
        self._people = people  #: who signs for those who log in with Google
        self.ids: dict[str, str] = {}

    async def build(self) -> Stage:
        inn = self.inn
        self.game = await inn.game(seats=10)
        self.ids = await real_ids(inn, self.game)
        spare = await self.game.cloud.tokens_v1.create_org_token(CreateOrgToken(name="spare"), self.ids["orgId"])
        self.ids["orgTokenId"] = spare.org_token.org_token_id
        server = self.ids["processId"]
        inn.engine.say(server, b"the game is on\nlevel 1\nlevel 2\n")
        inn.clock.advance(5)
        await inn.measure({server: Usage(1.5, 100 << 20, 3, 5000)})
        login = await inn.client(None, app_id=self.game.app_id).auth_v1.login_anonymous()
        self.player = login.token
        return self

    async def play(self, operation: Declared, scene: str | None = None) -> Answer:
        """Ask it as it is meant to be asked, once what it needs is there."""
        await self.set(SCENES.get(operation.id) if scene is None else scene)
        return await self.ask(operation)

    async def set(self, scene: str | None) -> None:
        """Have what a scene says."""
        if scene is not None:
            await getattr(self, scene)()

    def token(self, operation: Declared) -> str | None:
        """What its right caller shows."""
        return {"org": self.inn.token, "player": self.player}.get(operation.key)

    async def ask(
        self,
        operation: Declared,
        *,
        door: Door | None = None,
        path: str | None = None,
        query: str | None = None,
        body: bytes | None = None,
        **more: Any,
    ) -> Answer:
        """A good request, or one that differs from a good one in what is given."""
        headers = {**headers_of(operation), **more.pop("headers", {})}
        path = path_of(operation, self.ids) if path is None else path
        query = query_of(operation, self.ids) if query is None else query
        body = body_of(operation, self.ids) if body is None else body
        token = more.pop("token", self.token(operation))
        door = self.inn if door is None else door
        return await ask(door, operation.method, path + query, body, token=token, headers=headers, **more)

    # -- scenes ------------------------------------------------------------------------------------------------------

    async def google(self) -> None:
        """The app lets people log in with Google, and one of them does."""
        logins = AuthConfiguration(google=GoogleLogin(client_id=CLIENT_ID))
        await self.game.cloud.apps_v2.patch_app(PartialAppConfigWithServiceConfig(auth_configuration=logins))
        self.ids["idToken"] = self._people.id_token("robin", self.inn.clock.now() // SECOND)

    async def sent(self) -> None:
        """A build whose archive is here."""
        build = await self.game.cloud.upload_build(archive())
        self.ids["buildId"] = build.build_id

    async def announced(self) -> None:
        """A build whose archive is still to come."""
        made = await ask(self.inn, "POST", f"/builds/v2/{self.game.app_id}/create", b"{}", token=self.inn.token)
        self.ids["buildNumber"] = str(made.json["buildId"])

    async def registry(self) -> None:
        """A build that comes from an image registry."""
        build = await self.game.cloud.builds_v3.create_build_registry(CreateBuildV3Params(build_id="an-image"))
        self.ids["buildId"] = build.build_id

    async def ready(self) -> None:
        """The room takes players."""
        await self.inn.settle()

    async def suspended(self) -> None:
        """The room is off its server."""
        await ask(self.inn, "POST", f"/rooms/v2/{self.game.app_id}/suspend/{self.ids['roomId']}", token=self.inn.token)

    async def left(self) -> None:
        """A room has left the server."""
        await self.game.cloud.rooms_v2.destroy_room(self.ids["roomId"])

    async def stopped(self) -> None:
        """The server is over."""
        await self.game.cloud.processes_v3.stop_process(self.ids["processId"])
        await self.inn.settle()

    async def lobby(self) -> None:
        """A lobby stands."""
        player = self.inn.client(None, app_id=self.game.app_id, player_token=self.player)
        wish = CreateLobbyV3Params(visibility=LobbyVisibility.PUBLIC, region=Region.TOKYO, room_config='{"map":"ctf"}')
        lobby = await player.lobbies_v3.create_lobby(wish, short_code="CODE")
        self.ids |= {"roomId": lobby.room_id, "shortCode": "CODE"}

    async def invited(self) -> None:
        """Somebody is asked to join."""
        wish = CreateUserInvite(user_email="a@example.com", scopes=UserRole.VIEWER)
        await self.game.cloud.organizations_v1.invite_user(wish, self.ids["orgId"])

    async def guest(self) -> None:
        """Another organisation asks the owner to join."""
        rivals = self.inn.client(await self.inn.another_org())
        [org] = (await rivals.organizations_v1.get_orgs()).orgs
        wish = CreateUserInvite(user_email="owner@localhost", scopes=UserRole.VIEWER)
        await rivals.organizations_v1.invite_user(wish, org.org_id)
        self.ids["orgId"] = org.org_id

    async def watched(self) -> None:
        """The fleet shall have a host in Tokyo, and somebody has looked whether it has."""
        await self.inn.inn.wings.fleets.set_baseline(self.ids["orgId"], self.ids["fleetId"], "tokyo", 1, most=10)
        await self.inn.watch_fleets()

    async def billed(self) -> None:
        """A month is over, and its invoice was made; servers were used in this one too."""
        await self.inn.advance(20 * DAY)
        await self.inn.sweep()
        await self.inn.inn.wings.billing.keep()

    async def nothing_left(self) -> None:
        """The limits allow no further server, and none stands."""
        wings = self.inn.inn.wings
        await wings.organisations.set_limits(self.inn.inn.founded.org_id, replace(Limits(), cpus=0.1))
        for process in await self.game.processes():
            if process.terminated_at is None:
                await self.game.cloud.processes_v3.stop_process(process.process_id)
        await self.inn.settle()

    async def swept(self) -> None:
        """What the server printed is not kept any more, the server itself still is."""
        await self.stopped()
        await self.inn.advance(80 * 3600)
        await self.inn.sweep()
