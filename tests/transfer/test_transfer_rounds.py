"""From one house to another and back, on both stores: the same rows, the same files, and nobody notices."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from factories import TOKYO
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbyVisibility
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import RoomReadyStatus
from innkeeper.kit.errors import Invalid, NotFound, Taken
from innkeeper.settings import Settings
from innkeeper.transfer.arriving import Refused, look_into
from innkeeper.transfer.rows import Wanted
from innkeeper.transfer.tables import MOVED

from .conftest import NewHouse
from .houses import IMAGE_KEY, House, carry_out, copied, empty, image_archive, lived_in, opened, use


def read(path: Path) -> bytes:
    return path.read_bytes()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def files_in(folder: Path) -> set[str]:
    """The plain files, and what was left beside them."""
    return {path.name for path in folder.iterdir() if path.is_file() or path.name.startswith(".")}


@pytest.mark.parametrize(
    ("source", "target"), [("sqlite", "sqlite"), ("sqlite", "postgresql"), ("postgresql", "sqlite")]
)
async def test_there_and_back_again(new_house: NewHouse, tmp_path: Path, source: str, target: str) -> None:
    first, second, third = await new_house(source), await new_house(target), await new_house(source)
    first = await lived_in(first.folder, first.settings.database)
    before = await first.rows()
    empty = [table.name for table in MOVED if not before[table.name] and table.name != "usage_marks"]
    assert empty == [], "something of everything"
    await first.export(tmp_path / "there")
    assert await first.rows() == before
    arrived = await second.take(tmp_path / "there")
    assert arrived.outcome.new == {name: len(rows) for name, rows in before.items()}
    assert await second.rows() == before
    await second.export(tmp_path / "back")
    await third.take(tmp_path / "back")
    assert await third.rows() == before
    assert {name for name, count in (await third.counts()).items() if count and name not in before} <= {
        "schema_migrations", "house", "usage_counting", "listeners",
    }  # fmt: skip
    programs = {name: data for name, data in first.files().items() if "image.tar" not in name}
    assert programs
    for house in (second, third):
        found = house.files()
        [(name,)] = await house.look("select id from house")
        image = found.pop(f"{IMAGE_KEY}/image.tar")
        assert f"localhost/innkeeper-{name}:{IMAGE_KEY}".encode() in image
        assert image.count(name.encode()) == 2
        assert found == programs
        modes = {path.name: path.stat().st_mode & 0o777 for path in house.folder.glob("builds/*/game")}
        assert modes == {"game": 0o755}
    assert await first.look("select id from house") != await second.look("select id from house")
    again = await second.take(tmp_path / "there")
    assert not any(again.outcome.new.values())
    assert again.builds == []
    assert await second.rows() == before


async def test_clients_notice_nothing(house: House, parcel: Path, new_house: NewHouse) -> None:
    target = await new_house("sqlite")
    await target.take(parcel)
    async with opened(target) as inn:
        assert inn.inn.founded.token is None, "it founds nothing of its own"
        assert "tokens reset" in inn.inn.founded.advice
        cloud = await use(inn, house)
        room = await cloud.rooms_v2.create_room(CreateRoomParams(region=TOKYO))
        await inn.settle()
        assert (await cloud.rooms_v2.get_connection_info(room.room_id)).status == RoomReadyStatus.ACTIVE
        launch = inn.engine.launches[room.process_id]
        assert launch.env["API_KEY"] == "sesame-open-1234"
        assert (launch.build / "game").is_file()
        player = inn.client(None, app_id=house.tokens["app"], player_token=house.tokens["player"])
        params = CreateLobbyV3Params(visibility=LobbyVisibility.PUBLIC, region=TOKYO)
        assert (await player.lobbies_v3.create_lobby(params)).room_id
        pipeline = inn.client(house.tokens["pipeline"], app_id=house.tokens["app"])
        assert (await pipeline.apps_v2.get_app()).app_id == house.tokens["app"]
        of_app = f"select id from rooms where state = 'destroyed' and app_id = '{house.tokens['app']}'"
        for (room_id,) in await target.look(of_app):
            assert (await cloud.rooms_v2.get_room_info(room_id)).status == "destroyed"
        await inn.advance(3600)
        await inn.sweep()


async def test_what_stands_is_told_and_stays(house: House, parcel: Path, new_house: NewHouse) -> None:
    manifest = look_into(parcel)
    assert manifest.standing["open room"] >= 2
    assert manifest.standing["living server"] >= 1
    target = await new_house("sqlite")
    await target.take(parcel)
    assert await target.look("select count(*) from rooms where state <> 'destroyed'") == [(0,)]
    assert await target.look("select count(*) from servers where state not in ('stopped', 'failed')") == [(0,)]
    assert len(await target.look("select 1 from lobbies")) == 1


async def test_no_secret_can_be_read(house: House, parcel: Path, tmp_path: Path) -> None:
    content = gzip.decompress(read(parcel))
    for secret in ("sesame-open-1234", "secret-", "never carried", house.tokens["admin"], house.tokens["pipeline"]):
        assert secret.encode() not in content, secret
    assert read(house.folder / "secret.key").strip() not in content
    assert mode(parcel) == 0o600


async def test_some_apps(house: House, new_house: NewHouse, tmp_path: Path) -> None:
    names = dict(await house.look("select id, name from apps where deleted_at is null"))
    app_id = house.tokens["app"]
    await house.export(tmp_path / "one", apps=[names[app_id]])
    await house.export(tmp_path / "same", apps=[app_id, names[app_id]])
    assert look_into(tmp_path / "one").apps == look_into(tmp_path / "same").apps == [app_id]
    target = await new_house("sqlite")
    await target.take(tmp_path / "one")
    rows, wanted = await target.rows(), await house.rows(Wanted([app_id]))
    [mark] = rows.pop("founding").values()  # which is not in the file: somebody has to run the house
    assert not wanted.pop("founding")
    assert [mark["org_id"]] == [org["id"] for org in rows["orgs"].values()]
    assert rows == wanted
    assert [app["id"] for app in rows["apps"].values()] == [app_id]
    assert len(rows["orgs"]) == 1
    for name in ("audit", "invoices", "usage_months", "events"):
        assert not rows[name], name
    for name in (
        "members", "org_tokens", "builds", "releases", "servers", "rooms", "stays", "fleets", "webhooks",
        "callback_secrets",
    ):  # fmt: skip
        assert rows[name], name
    assert all(server["counted"] for server in rows["servers"].values())
    # The rest of the house may follow, by the file of the whole.
    async with opened(target) as inn:
        await use(inn, house)
    with pytest.raises(NotFound, match="no app 'nothing'"):
        await house.export(tmp_path / "none", apps=["nothing"])


async def test_a_name_that_two_apps_have_is_not_enough(house: House, tmp_path: Path) -> None:
    await house.write("update apps set name = 'twice', org_id = id where deleted_at is null")
    with pytest.raises(Invalid, match=r"several apps have the name 'twice': name one by its id, app-.* or app-"):
        await house.export(tmp_path / "x", apps=["twice"])


async def test_beside_what_a_house_has(house: House, parcel: Path, tmp_path: Path) -> None:
    other = await lived_in(tmp_path / "other", f"sqlite:///{tmp_path / 'other.db'}")
    target = House(other.settings)
    await target.write("update builds set key = '22222222-2222-4333-8444-555555555555' where id = 'bld-image'")
    await target.write(
        "update invoices set id = 'inv-2'", "update events set id = 'event-2'",
        "update org_tokens set secret_hash = 'x' || id",
    )  # fmt: skip
    before, mine = await target.rows(), await house.rows()
    await target.take(parcel)
    after = await target.rows()
    for table in MOVED:
        expected = mine[table.name] | before[table.name] if table.yields else before[table.name] | mine[table.name]
        assert after[table.name] == expected, table.name


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update orgs set name = 'Other'", "orgs org-.*: the house has it with another name"),
        ("update apps set secret_sealed = (select secret_sealed from apps limit 1)", "another secret"),
        ("update releases set seats = 9", "releases .*: the house has it with another seats"),
        ("update org_tokens set id = 'new-' || id", "its secret is that of new-.* in the house"),
        ("update apps set id = 'new-' || id where name = 'game-3'", "its name is that of new-"),
        ("update invoices set id = 'inv-2'", "invoices inv-1: its month is that of inv-2"),
        ("update members set grants = 'nothing'", "members org-.* owner@localhost: .*another grants"),
    ],
)  # fmt: skip
async def test_conflicts_are_told_and_nothing_is_imported(
    house: House, parcel: Path, tmp_path: Path, change: str, told: str
) -> None:
    target = copied(house, tmp_path)
    async with target.database() as db:  # what refers to the row is of no interest here
        db._writer.execute("pragma foreign_keys = off")  # type: ignore[attr-defined]
        await db.write(carry_out, (change, "delete from audit"))
    counts, disk = await target.counts(), target.everything_on_disk()
    for dry_run in (True, False):
        with pytest.raises(Refused, match=told) as refusal:
            await target.take(parcel, dry_run=dry_run)
        assert refusal.value.conflicts
    assert await target.counts() == counts
    assert target.everything_on_disk() == disk


async def test_a_dry_run_changes_nothing(house: House, parcel: Path, tmp_path: Path) -> None:
    target = empty(tmp_path)
    arrived = await target.take(parcel, dry_run=True)
    assert arrived.outcome.new["apps"] == len(await house.look("select id from apps"))
    assert len(arrived.builds) == 2
    assert not target.folder.exists()
    async with opened(house):  # it may run, too
        disk = house.everything_on_disk()
        assert not any((await house.take(parcel, dry_run=True)).outcome.new.values())
        assert house.everything_on_disk() == disk


async def test_a_house_that_runs_is_left_alone(house: House, parcel: Path, tmp_path: Path) -> None:
    async with opened(house):
        with pytest.raises(Invalid, match=r"another Innkeeper runs on .*; stop it"):
            await house.take(parcel)
        await house.export(tmp_path / "beside")
    assert look_into(tmp_path / "beside").tables == look_into(parcel).tables


async def test_a_database_that_another_keeps_is_left_alone(parcel: Path, new_house: NewHouse, tmp_path: Path) -> None:
    target = await new_house("postgresql")
    await target.write("insert into lease (one, holder, told, until) values (1, 'x', 'on another machine', 9e18)")
    with pytest.raises(Invalid, match="another Innkeeper keeps this database: on another machine"):
        await target.take(parcel)
    await target.write("delete from lease")
    await target.take(parcel)
    assert await target.look("select 1 from lease") == []


async def test_images_can_be_left_out(house: House, new_house: NewHouse, tmp_path: Path) -> None:
    manifest = await house.export(tmp_path / "small", images=False)
    assert manifest.left_out == ["the image of build bld-image, as was asked"]
    (house.folder / "builds" / IMAGE_KEY / "image.tar").unlink()
    manifest = await house.export(tmp_path / "lost")
    assert manifest.left_out[0].startswith("the image of build bld-image: not in ")
    target = await new_house("sqlite")
    await target.take(tmp_path / "lost")
    assert not any("image" in name for name in target.files())
    assert await target.look("select state from builds where id = 'bld-image'") == [("succeeded",)]
    # With the image in another file it comes later.
    [(name,)] = await house.look("select id from house")
    (house.folder / "builds" / IMAGE_KEY / "image.tar").write_bytes(image_archive(name, IMAGE_KEY))
    await house.export(tmp_path / "whole")
    assert [one.build_id for one in (await target.take(tmp_path / "whole")).builds] == ["bld-image"]


async def test_what_cannot_be_exported(house: House, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    with pytest.raises(Taken, match=r"a file .*there already"):
        await house.export(tmp_path / "there")
    with pytest.raises(NotFound, match=r"there is no folder .*: make it"):
        await house.export(tmp_path / "no" / "file")
    with pytest.raises(Invalid, match="is no folder: name a file elsewhere"):
        await house.export(tmp_path / "there" / "file")
    with pytest.raises(Invalid, match=r"no file can be made in /proc \(.*\): name one elsewhere"):
        await house.export(Path("/proc/house.inn"))
    with pytest.raises(NotFound, match="there is no data folder"):
        await empty(tmp_path).export(tmp_path / "x")
    (house.folder / "secret.key").rename(tmp_path / "key")
    with pytest.raises(NotFound, match="without it the apps' secrets cannot be read"):
        await house.export(tmp_path / "x")
    assert {"key", "there"} == files_in(tmp_path)
    assert (tmp_path / "there").read_text() == "mine"


async def test_another_database_for_the_same_data_folder(house: House, parcel: Path, new_house: NewHouse) -> None:
    """The files of programs stay; the archive of an image is given the name of the house that it has now."""
    database = (await new_house("postgresql")).settings.database
    target = House(Settings(data=house.settings.data, database=database))
    before = house.files()
    arrived = await target.take(parcel)
    assert [one.build_id for one in arrived.builds] == ["bld-image"]
    [(name,)] = await target.look("select id from house")
    after = target.files()
    assert f"localhost/innkeeper-{name}:{IMAGE_KEY}".encode() in after[f"{IMAGE_KEY}/image.tar"]
    assert before.keys() == after.keys()
    assert (await target.take(parcel)).builds == []
