"""The real inn in one process, for tests: no socket, no running loop, time and hosts that are told what to do.

Calls go through the SDK's in-process transport. The keeper makes its passes when a test says so
(:meth:`TestInn.settle`), and time moves when a test says so (:meth:`TestInn.advance`). Fixtures in ``conftest.py``.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from firewalls import PretendedFirewall
from innkeeper.accounts.model import Caller
from innkeeper.accounts.scopes import ADMIN
from innkeeper.contract.hathora.apps_v2 import (
    AppConfigWithServiceConfig,
    AuthConfiguration,
    CreateAppConfig,
    ServiceConfigWrite,
    StaticProcessAllocationConfigWrite,
)
from innkeeper.contract.hathora.apps_v2 import RecordStringNever as Enabled
from innkeeper.contract.hathora.deployments_v3 import ContainerPort, DeploymentConfigV3, DeploymentV3, EnvVariable
from innkeeper.contract.hathora.processes_v3 import ProcessV3
from innkeeper.contract.hathora.rooms_v2 import ConnectionInfoV2, CreateRoomParams, Room, RoomConnectionData
from innkeeper.contract.hathora.words import Region, TransportType
from innkeeper.db.connect import connect, path_of
from innkeeper.db.database import Statement, Steps
from innkeeper.engines.base import Usage
from innkeeper.engines.fake import Behaviour
from innkeeper.engines.ports import PortTable
from innkeeper.hosting.hostbook import Make
from innkeeper.hosting.hosts import Host
from innkeeper.hosting.passes.fleets import FleetWatch
from innkeeper.hosting.passes.metering import Metering, Sweeping
from innkeeper.hostspecs import LOCAL
from innkeeper.inn import Inn, left_logs, open_inn, rules_of
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.ids import Chance
from innkeeper.sdk import NO_RETRY, UNSET, AsgiTransport, AsyncEdgegap, AsyncHathoraCloud
from innkeeper.settings import Settings
from postgres import PostgresServer
from terminators import PretendedTerminator
from troubled import Trouble, TroubledDatabase, TroubledEngine, WatchedClock
from unit.hosting.tars import file, tgz

TOKYO = Region.TOKYO
_numbers = itertools.count(1)


@dataclass
class Game:
    """An app of the inn with a release, and short words for what its owner and players do."""

    inn: TestInn
    app_id: str
    deployment: DeploymentV3

    @property
    def cloud(self) -> AsyncHathoraCloud:
        """The owner's client; calls are about this app."""
        return self.inn.client(app_id=self.app_id)

    async def room(self, room_id: str | None = None, *, region: Region = TOKYO, **params: Any) -> RoomConnectionData:
        return await self.cloud.rooms_v2.create_room(CreateRoomParams(region=region, **params), room_id=room_id)

    async def info(self, room: str | RoomConnectionData) -> Room:
        return await self.cloud.rooms_v2.get_room_info(room if isinstance(room, str) else room.room_id)

    async def connection(self, room: str | RoomConnectionData) -> ConnectionInfoV2:
        return await self.cloud.rooms_v2.get_connection_info(room if isinstance(room, str) else room.room_id)

    async def process(self, process_id: str) -> ProcessV3:
        return await self.cloud.processes_v3.get_process(process_id)

    async def processes(self, **filters: Any) -> list[ProcessV3]:
        return await self.cloud.processes_v3.get_latest_processes(**filters)

    async def release(self, **changes: Any) -> DeploymentV3:
        """A newer deployment; what is not named stays as it was."""
        self.deployment = await self.inn.release(self.app_id, self.deployment.build_id, **changes)
        return self.deployment

    async def order(self, least: int, target: int, most: int, region: Region = TOKYO) -> None:
        """A static allocation."""
        allocation = StaticProcessAllocationConfigWrite(
            region=region, min_processes=least, target_processes=target, max_processes=most
        )
        await self.serve(ServiceConfigWrite(static_process_allocation=[allocation]))

    async def serve(self, service: Any = UNSET) -> None:
        """Replace the static allocation; UNSET removes it."""
        app = await self.cloud.apps_v2.get_app()
        await self.cloud.apps_v2.update_app(
            AppConfigWithServiceConfig(
                app_name=app.app_name, auth_configuration=app.auth_configuration, service_config=service
            )
        )

    async def player(self, nickname: str | None = None) -> AsyncHathoraCloud:
        """A player who has logged in."""
        from innkeeper.contract.hathora.auth_v1 import NicknameObject

        auth = self.inn.client(None, app_id=self.app_id).auth_v1
        login = await (
            auth.login_anonymous() if nickname is None else auth.login_nickname(NicknameObject(nickname=nickname))
        )
        return self.inn.client(None, app_id=self.app_id, player_token=login.token)


class TestInn:
    """The inn, its host and its clock."""

    __test__ = False

    inn: Inn

    def __init__(self, folder: Path, database_url: str, *, ports: tuple[int, int] = (30_000, 30_999)) -> None:
        self.clock = WatchedClock()
        self.trouble = Trouble()
        self.engine = TroubledEngine(self.clock, self.trouble)
        self.settings = Settings(data=str(folder), database=database_url, public_url="http://inn")
        self.ports = ports
        self.further_hosts: list[Host] = []  #: beside the usual one; taken up at the next start
        self.make: Make | None = None  #: makes the hosts that are added while it is open
        self.terminator = PretendedTerminator()
        self.firewall = PretendedFirewall()
        self.machine = LOCAL  #: of the usual host
        self.locations: frozenset[str] = frozenset()  #: of the usual host
        self.token = ""
        self._random = random.Random(7)
        self._stack = AsyncExitStack()
        self._build: str | None = None
        self._games = 0

    async def start(self) -> None:
        """Open the house, on what the one before left."""
        first, last = self.ports
        table = PortTable(first, last, self.settings.port_quarantine, self.engine.port_is_free)
        self.host = Host("fake", self.engine, table, "198.51.100.7", self.locations, machine=self.machine)
        if (file := path_of(self.settings.database_url)) is not None:
            await copied_file(file)
        database = await connect(self.settings.database_url, clock=self.clock)
        opening = open_inn(
            self.settings,
            clock=self.clock,
            chance=Chance(self._random),
            hosts=[self.host, *self.further_hosts],
            make=self.make,
            terminator=self.terminator,
            firewall=self.firewall,
            database=TroubledDatabase(database, self.trouble),
            keep=False,
        )
        self.inn = await self._stack.enter_async_context(opening)
        self.token = self.inn.founded.token or self.token
        self._sweeping = Sweeping(
            self.inn.db, self.clock, self.inn.keeper.hosts, self.inn.wings.builds,
            left_logs(self.settings), keep_seconds=rules_of(self.settings).keep,
            records_seconds=rules_of(self.settings).records, every_seconds=60.0,
        )  # fmt: skip
        self._metering = Metering(self.inn.db, self.clock, self.inn.keeper.hosts, every_seconds=15.0)
        self._fleet_watch = FleetWatch(self.inn.db, self.clock, self.inn.keeper.hosts)

    async def stop(self) -> None:
        """Close the house. Its servers run on."""
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()

    async def restart(self) -> None:
        """Close the house and open it again on the same database and host."""
        await self.stop()
        await self.start()

    # -- time --------------------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Keeper passes until nothing changes any more. The clock does not move."""
        before = None
        for _ in range(300):
            await self.quiet()
            if self.inn.bell.rung:
                await self.inn.bell.wait()
            await self.inn.keeper.keep()
            await self.quiet()
            now = await self.inn.db.read(everything)
            if now == before and not self.inn.bell.rung:
                return
            before = now
        raise AssertionError("the house does not come to rest")

    async def quiet(self) -> None:
        """Return once the host has done what is due and has been told what it was to be told."""
        for _ in range(2):
            for _ in range(10):  # the pretended host's deeds, its reports, and those who listen to them
                await asyncio.sleep(0)
            # Those who tell the host read the database first; they end, or wait by our clock for a silent host.
            while telling := self.inn.keeper.placing.telling - self.clock.waiting:
                await asyncio.wait(telling, timeout=0.005)

    async def advance(self, seconds: float) -> None:
        """Move time on, and let the house do what has become due."""
        self.clock.advance(seconds)
        await self.settle()

    async def sweep(self) -> None:
        """Count what was used and forget what is outdated, as the house does every minute."""
        await self.inn.wings.usage.count()
        await self._sweeping.keep()
        await self.inn.wings.lobbies.sweep(rules_of(self.settings).keep)

    async def measure(self, usage: dict[str, Usage]) -> None:
        """Measure the servers, which use this much."""
        self.engine.usages.update(usage)
        await self._metering.keep()

    async def watch_fleets(self) -> None:
        """Look at what fleets have, as the house does every few seconds; it counts once a minute."""
        await self._fleet_watch.keep()

    # -- who calls ---------------------------------------------------------------------------------------------------

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """The ASGI application of the house that is open now."""
        await self.inn.app(scope, receive, send)

    def client(self, token: str | None = "", **options: Any) -> AsyncHathoraCloud:
        """A client with this token; with the first admin's unless said, and without any for None."""
        options.setdefault("retry", NO_RETRY)
        options.setdefault("timeout", 20)
        return AsyncHathoraCloud(
            (lambda: None) if token is None else token or self.token,
            server="http://inn",
            transport=AsgiTransport(self.app),
            **options,
        )

    def edgegap(self, token: str = "", **options: Any) -> AsyncEdgegap:
        """A client of the Edgegap API with this token; with the first admin's unless said."""
        options.setdefault("retry", NO_RETRY)
        options.setdefault("timeout", 20)
        return AsyncEdgegap(token or self.token, server="http://inn", transport=AsgiTransport(self.app), **options)

    async def another_org(self, owner: str = "rival@example.com") -> str:
        """A further organisation; its admin's token."""
        _, token = await self.inn.wings.organisations.create(Caller("", "", owner, ADMIN), "Rivals", owner)
        return token.plain

    # -- what is hosted ----------------------------------------------------------------------------------------------

    async def build(self, **options: Any) -> str:
        """A small build, uploaded and run through the API; its id."""
        cloud = self.client()
        build = await cloud.upload_build(archive(), **options)
        async with await cloud.builds_v3.run_build(build.build_id) as log:
            text = (await log.read()).decode()
        assert "Build succeeded." in text, text
        return build.build_id

    async def release(
        self,
        app_id: str,
        build_id: str,
        *,
        seats: int = 1,
        idle: bool = True,
        env: dict[str, str] | None = None,
        ports: Sequence[ContainerPort] = (),
        transport: TransportType = TransportType.UDP,
        **more: Any,
    ) -> DeploymentV3:
        """A deployment."""
        config = DeploymentConfigV3(
            build_id=build_id,
            requested_cpu=0.5,
            requested_memory_mb=512,
            idle_timeout_enabled=idle,
            container_port=7777,
            transport_type=transport,
            additional_container_ports=list(ports),
            rooms_per_process=seats,
            env=[EnvVariable(name=name, value=value) for name, value in (env or {}).items()],
            **more,
        )
        return await self.client().deployments_v3.create_deployment(config, app_id)

    async def one_build(self) -> str:
        """The build that all games have which want no other."""
        if self._build is None:
            self._build = await self.build()
        return self._build

    async def game(self, **release: Any) -> Game:
        """An app with a build (one for all games) and a deployment."""
        self._games += 1
        build_id = await self.one_build()
        auth = AuthConfiguration(anonymous=Enabled(), nickname=Enabled())
        config = CreateAppConfig(app_name=f"game-{self._games}", auth_configuration=auth)
        app = await self.client().apps_v2.create_app(config)
        return Game(self, app.app_id, await self.release(app.app_id, build_id, **release))

    def behave(self, **behaviour: Any) -> None:
        """How servers behave that are started from now on."""
        self.engine.behaviour = replace(Behaviour(), **behaviour)


def archive() -> bytes:
    """A tar.gz of a game that is never really run."""
    return tgz(file("Procfile", b"server: ./game --port $PORT\n"), file("game", b"#!/bin/sh\n", mode=0o755)).read()


def everything() -> Steps[Any]:
    """All that the keeper moves."""
    servers = yield Statement(
        "select id, state, taken, booted_at, until, stop_why, exit_reason from servers order by id"
    )
    rooms = yield Statement("select id, state, server_id, ended_reason from rooms order by id")
    ports = yield Statement("select port, server_id, freed_at from held_ports order by port")
    return [tuple(map(tuple, rows)) for rows in (servers, rooms, ports)]


@asynccontextmanager
async def opened_inn(folder: Path, database_url: str, **options: Any) -> AsyncGenerator[TestInn, None]:
    """An inn that is open, and is closed afterwards."""
    inn = TestInn(folder, database_url, **options)
    try:
        await inn.start()
        yield inn
    finally:
        await inn.stop()


_templates: dict[int, str] = {}
_template_files: list[bytes] = []


async def copied_file(path: Path) -> None:
    """An SQLite database that has its tables already, where none is yet: copied from one, as below."""
    if not _template_files:
        with tempfile.TemporaryDirectory() as folder:
            template = Path(folder) / "template.db"
            await (await connect(template, clock=ManualClock())).close()
            _template_files.append(template.read_bytes())
    _lay(_template_files[0], path)


def _lay(content: bytes, path: Path) -> None:
    if not path.exists() and path.parent.is_dir():
        path.touch(mode=0o600)
        path.write_bytes(content)


async def copied_database(server: PostgresServer) -> str:
    """The URL of a new database that has its tables already: copied from one, which is quicker than making them."""
    if server.port not in _templates:
        url = await server.fresh()
        await (await connect(url, clock=ManualClock())).close()
        _templates[server.port] = url.rpartition("/")[2]
    template, name = _templates[server.port], f"copy{next(_numbers)}"
    line = await asyncpg.connect(server.url("postgres"))
    try:
        await line.execute(f"create database {name} template {template}")
    finally:
        await line.close()
    return server.url(name)
