"""Houses with something of everything in them, and a look at all their rows. Used by the tests beside this file."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arenas import version
from factories import TOKYO, Game, TestInn
from innkeeper.contract.edgegap.applications import AppVersionCreateSessionConfig, AppVersionWhitelistEntryPayload
from innkeeper.contract.edgegap.custom_sessions import CustomSessionModel
from innkeeper.contract.edgegap.endpoint_storage import EndpointStoragePostPayload, PullProfilePostPayload, SourceType
from innkeeper.contract.edgegap.fleets import FleetPoliciesPostPayload, FleetPostPayload, PolicyType
from innkeeper.contract.edgegap.matchmaker import (
    ComponentCredentials,
    MatchmakerComponentCreate,
    MatchmakerComponentEnvsCreate,
    MatchmakerCreate,
)
from innkeeper.contract.edgegap.matchmaker_releases import MatchmakerManagedReleaseCreate, MatchmakerReleaseConfigCreate
from innkeeper.contract.edgegap.sessions import SessionModel
from innkeeper.contract.edgegap.words import Env, SessionKind
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbyVisibility
from innkeeper.contract.hathora.organizations_v1 import CreateUserInvite
from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken
from innkeeper.db.connect import connect
from innkeeper.db.database import Database, Statement, Steps
from innkeeper.engines.base import Usage
from innkeeper.hosting.orders import Ask
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box, load_key
from innkeeper.sdk import AsyncHathoraCloud
from innkeeper.settings import Settings
from innkeeper.transfer.arriving import Arrived, import_house
from innkeeper.transfer.leaving import Wish, export_house
from innkeeper.transfer.rows import Wanted, columns_of
from innkeeper.transfer.tables import LEFT, MOVED, Table
from innkeeper.transfer.words import Manifest
from unit.hosting.tars import file, tar

PASSPHRASE = "correct horse battery"
#: Of a guess of the passphrase, where no test is about it.
CHEAP = 1 << 10
_numbers = itertools.count()


@dataclass
class House:
    """A house that is closed: its data folder and its database."""

    settings: Settings
    tokens: dict[str, str] = field(default_factory=dict)  #: what people of the house know by heart

    @property
    def folder(self) -> Path:
        return self.settings.folder

    @property
    def box(self) -> Box:
        return Box(load_key(self.folder))

    async def export(self, target: Path, **wish: Any) -> Manifest:
        return await export_house(self.settings, Wish(target, cost=CHEAP, **wish), PASSPHRASE, ManualClock())

    async def take(self, source: Path, passphrase: str = PASSPHRASE, **options: Any) -> Arrived:
        return await import_house(self.settings, source, passphrase, ManualClock(), Chance(), **options)

    async def rows(self, wanted: Wanted | None = None) -> dict[str, dict[tuple[Any, ...], dict[str, Any]]]:
        """All rows that are moved, by table and key, their secrets opened, and as they stand in another house."""
        async with self.database() as db:
            return await db.read(_all_rows, db.kind, self.box, wanted or Wanted())

    async def counts(self) -> dict[str, int]:
        """The rows of each table, of those that stay as well."""
        async with self.database() as db:
            return await db.read(_counts)

    @asynccontextmanager
    async def database(self) -> AsyncGenerator[Database]:
        db = await connect(self.settings.database_url, clock=ManualClock())
        try:
            yield db
        finally:
            await db.close()

    async def write(self, *statements: str) -> None:
        """Change something behind everybody's back."""
        async with self.database() as db:
            await db.write(carry_out, statements)

    async def look(self, statement: str) -> list[Any]:
        async with self.database() as db:
            return await db.read(_ask, statement)

    def files(self) -> dict[str, bytes]:
        """All files of builds, by path."""
        builds = self.folder / "builds"
        return {str(path.relative_to(builds)): path.read_bytes() for path in builds.rglob("*") if path.is_file()}

    def everything_on_disk(self) -> dict[str, bytes]:
        """All files of the data folder but the database and its lock."""
        kept = [path for path in self.folder.rglob("*") if path.is_file() and "innkeeper" not in path.name]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in kept}


def empty(folder: Path, database: str = "") -> House:
    """A house that was never started."""
    return House(Settings(data=str(folder / f"house-{next(_numbers)}"), database=database, public_url="http://inn"))


def carry_out(statements: tuple[str, ...]) -> Steps[None]:
    for statement in statements:
        yield Statement(statement)


def _ask(statement: str) -> Steps[list[Any]]:
    return [tuple(row) for row in (yield Statement(statement))]


def _counts() -> Steps[dict[str, int]]:
    found: dict[str, int] = {}
    for name in (*(table.name for table in MOVED), *LEFT):
        rows = yield Statement(f"select count(*) from {name}")
        found[name] = rows[0][0]
    return found


def _all_rows(kind: str, box: Box, wanted: Wanted) -> Steps[dict[str, dict[tuple[Any, ...], dict[str, Any]]]]:
    found: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for table in MOVED:
        names = [column.name for column in (yield from columns_of(kind, table.name))]
        condition, values = wanted.condition(table)
        rows = yield Statement(f"select {', '.join(names)} from {table.name} where {condition}", values)
        found[table.name] = {}
        for row in rows:
            record = dict(zip(names, row, strict=True)) | dict(wanted.instead(table))
            _open(table, record, box)
            found[table.name][tuple(record[name] for name in table.key)] = record
    return found


def _open(table: Table, record: dict[str, Any], box: Box) -> None:
    for name in table.sealed:
        if record[name] is not None:
            record[name] = box.open(record[name], record[table.key[0]])
    if table.name == "builds" and record["image"] is not None:
        record["image"] = record["image"].rpartition(":")[2]  # the house's name is before it


IMAGE_KEY = "11111111-2222-4333-8444-555555555555"


async def a_full_house(inn: TestInn) -> House:
    """Live a life with something of everything in an open inn; close it."""
    game = await inn.game(env={"API_KEY": "sesame-open-1234"}, seats=2)
    cloud, org_id = game.cloud, inn.inn.founded.org_id
    kept = await cloud.tokens_v1.create_org_token(CreateOrgToken(name="pipeline"), org_id)
    gone = await cloud.tokens_v1.create_org_token(CreateOrgToken(name="old"), org_id)
    await cloud.tokens_v1.revoke_org_token(gone.org_token.org_token_id, org_id)
    await cloud.organizations_v1.invite_user(CreateUserInvite(user_email="ann@example.com"), org_id)
    player = await inn.client(None, app_id=game.app_id).auth_v1.login_anonymous()
    await inn.another_org()
    await _rooms(inn, game, player.token)
    other = await inn.game()
    await other.cloud.apps_v2.delete_app()
    third = await inn.game()
    await inn.inn.wings.fleets.create(org_id, "me", name="arena", shape="amd64-4-8", threshold=50)
    await inn.inn.wings.webhooks.create(
        org_id, "me", url="https://hooks.example.com/", kinds=None, app_id=game.app_id, note=""
    )
    await inn.inn.wings.callbacks.secret(org_id)
    await _ordered(inn)
    await inn.inn.wings.usage.count()
    tokens = {"admin": inn.token, "pipeline": kept.plain_text_token, "player": player.token}
    house = House(inn.settings, tokens | {"app": game.app_id, "third": third.app_id})
    await inn.stop()
    await _by_hand(house, org_id, game.app_id)
    return house


async def _rooms(inn: TestInn, game: Game, player: str) -> None:
    """Rooms and servers in every state: over, standing, with a past stay, with a lobby."""
    over = [await game.room() for _ in range(3)]
    moved = await game.room()
    lobbies = inn.client(None, app_id=game.app_id, player_token=player).lobbies_v3
    listed = await lobbies.create_lobby(CreateLobbyV3Params(visibility=LobbyVisibility.PUBLIC, region=TOKYO))
    open_one = await lobbies.create_lobby(CreateLobbyV3Params(visibility=LobbyVisibility.PRIVATE, region=TOKYO))
    await inn.settle()
    await inn.advance(20)
    servers = {await _server_of(inn, room.room_id) for room in over}
    await inn.measure({name: Usage(1.5, 1 << 20, 3, 4096) for name in servers if name})
    await inn.inn.wings.rooms.suspend(game.app_id, inn.inn.founded.org_id, moved.room_id)
    for room_id in (*(room.room_id for room in over), listed.room_id):
        await game.cloud.rooms_v2.destroy_room(room_id)
    for server_id in servers:
        if server_id:
            await game.cloud.processes_v3.stop_process(server_id)
    await inn.settle()
    await inn.advance(5)
    await inn.inn.wings.rooms.resume(game.app_id, inn.inn.founded.org_id, moved.room_id)
    await inn.settle()
    assert await inn.inn.db.read(_ask, f"select state from rooms where id = '{open_one.room_id}'") == [("seated",)]


async def _ordered(inn: TestInn) -> None:
    """A version of an app, a deployment of it that is over, with tags and a session that was on it; a matchmaker."""
    client = inn.edgegap()
    sessions = AppVersionCreateSessionConfig(kind=SessionKind.SEAT, sockets=4)
    await version(inn, client, envs=[Env(key="KEY", value="sesame-label-1234")], session_config=sessions)
    made = await inn.inn.wings.orders.ask(
        inn.inn.founded.org_id, "arena", None, Ask(tags=["ranked"], env=[("TOKEN", "sesame-order-1234")])
    )
    short = made[0].ordered.short_id
    await inn.settle()
    await client.custom_sessions.create_custom_session(CustomSessionModel(ip_list=["192.0.2.1"]), short, "red")
    await client.sessions.create_session(SessionModel(app_name="arena", ip_list=["192.0.2.2"]))
    await client.deployments.stop_deployment(short)
    await inn.settle()
    await client.fleets.create_fleet(FleetPostPayload(name="crowd"))
    policy = FleetPoliciesPostPayload(
        name="all", enabled=True, type=PolicyType.LOCATION, minimum=1, maximum=2, threshold=0.5, data={"filters": []}
    )
    await client.fleets.create_policy(policy, "crowd")
    await client.fleets.link_app_version("crowd", "arena", "v1")
    component = MatchmakerComponentCreate(
        name="front", repository="r", image="i", tag="t",
        credentials=ComponentCredentials(username="u", token="sesame-component-1234"),
    )  # fmt: skip
    await client.matchmaker.create_component(component)
    await client.matchmaker.create_component_env(
        MatchmakerComponentEnvsCreate(key="A", value="sesame-variable-1234"), "front"
    )
    await client.matchmaker.create_matchmaker(MatchmakerCreate(name="arena"))
    profile = {"profile_id": "duel", "app": "arena", "version": "v1", "game_port": "gameport", "match_player_count": 2}
    await client.matchmaker_releases.create_release_config(
        MatchmakerReleaseConfigCreate(name="duels", configuration=json.dumps({"profiles": [profile]}))
    )
    await client.matchmaker_releases.create_managed_release(
        MatchmakerManagedReleaseCreate(version="1", release_config_name="duels"), "arena"
    )
    await client.endpoint_storage.create_endpoint(
        EndpointStoragePostPayload(
            name="logs", access_key_id="id", secret_access_key="sesame-storage-1234", endpoint="https://s3.example.com",
            bucket="b",
        )
    )  # fmt: skip
    await client.endpoint_storage.create_pull_profile(
        PullProfilePostPayload(name="map", source="/b/map", source_type=SourceType.FILE, destination="/app/map"), "logs"
    )
    await client.endpoint_storage.link_pull_profile("logs", "map", "arena", "v1")
    await client.applications.create_whitelist_entry(
        AppVersionWhitelistEntryPayload(cidr="192.0.2.0/24", label="office"), "arena", "v1"
    )


async def _server_of(inn: TestInn, room_id: str) -> str | None:
    rows = await inn.inn.db.read(_ask, f"select server_id from rooms where id = '{room_id}'")
    found: str | None = rows[0][0]
    return found


async def _by_hand(house: House, org_id: str, app_id: str) -> None:
    """What would take a month to come to be: an invoice, sums of a month, samples of a fleet; and an image."""
    [(name,)] = await house.look("select id from house")
    [(fleet,)] = await house.look("select id from fleets")
    await house.write(
        f"insert into invoices (id, org_id, month, made_at, due_at, currency, items, due_cents, paid_at, paid_by)"
        f" values ('inv-1', '{org_id}', 202601, 5, 6, 'EUR', '[]', 1234, null, null)",
        f"insert into usage_months (app_id, month, org_id, cpu_micros, egress_bytes)"
        f" values ('{app_id}', 202601, '{org_id}', 77, 88)",
        f"insert into fleet_places (fleet_id, location, baseline, changed_at) values ('{fleet}', 'tokyo', 2, 9)",
        f"insert into fleet_samples (fleet_id, location, at, metal, cloud, used, overhead)"
        f" values ('{fleet}', '', 60, 1.5, 0, 0.25, null)",
        f"insert into events (id, org_id, number, app_id, topic, kind, subject, at, data)"
        f" values ('event-1', '{org_id}', 900, '{app_id}', 'room', 'room.ended', 'r', 9, '{{}}')",
        "insert into saved_outputs (server_id, org_id, storage_id, state, key, attempts, bytes, created_at, ended_at)"
        " select o.server_id, o.org_id, s.id, 'saved', 'a/b', 1, 9, 5, 6 from orders o, storages s",
        f"update releases set fleet_id = '{fleet}' where app_id = '{app_id}'",
        f"insert into builds (key, org_id, id, kind, tag, state, upload_bytes, bytes, content_hash, detail, command,"
        f" created_at, created_by, started_at, finished_at, deleted_at, until, image, architecture, source,"
        f" login_sealed, number, app_id) values ('{IMAGE_KEY}', '{org_id}', 'bld-image', 'image', 'v1', 'succeeded',"
        f" 0, 99, 'abc', '', null, 1, 'me', 2, 3, null, null, 'localhost/innkeeper-{name}:{IMAGE_KEY}', 'amd64',"
        f" 'docker.io/x:1', 'never carried', 77, '{app_id}')",
    )
    folder = house.folder / "builds" / IMAGE_KEY
    folder.mkdir()
    (folder / "image.tar").write_bytes(image_archive(name, IMAGE_KEY))


def image_archive(house: str, key: str) -> bytes:
    """As an engine saves an image: the names by which it is to be known are in some of its entries."""
    name = f"localhost/innkeeper-{house}"
    return tar(
        file("blobs/sha256/aa", b"/innkeeper-" + house.encode() + b" in a layer stays"),
        file("manifest.json", f'[{{"Config":"blobs/sha256/aa","RepoTags":["{name}:{key}"]}}]'.encode()),
        file("repositories", f'{{"{name}":{{"{key}":"aa"}}}}'.encode()),
    ).getvalue()


async def lived_in(folder: Path, database: str) -> House:
    """A closed house with something of everything."""
    inn = TestInn(folder, database)
    await inn.start()
    try:
        return await a_full_house(inn)
    finally:
        await inn.stop()


@asynccontextmanager
async def opened(house: House) -> AsyncGenerator[TestInn]:
    """The house, opened, for those who had its tokens before."""
    inn = TestInn(house.folder, house.settings.database or f"sqlite:///{house.settings.database_url}")
    await inn.start()
    try:
        yield inn
    finally:
        await inn.stop()


def copied(house: House, folder: Path) -> House:
    """A copy of a closed house on SQLite in its own folder."""
    target = empty(folder)
    shutil.copytree(house.folder, target.folder, symlinks=True)
    return target


async def use(inn: TestInn, house: House) -> AsyncHathoraCloud:
    """A client with the admin's token of before."""
    inn.token = house.tokens["admin"]
    return inn.client(app_id=house.tokens["app"])
