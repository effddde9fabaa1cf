"""A data folder and its database stay together, on both stores; what does not belong together does not start."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from factories import TestInn
from innkeeper.belonging import FILE, noted_in
from innkeeper.inn import open_inn
from innkeeper.kit.errors import Invalid


async def refused(inn: TestInn, match: str, **changes: object) -> None:
    """The house does not open with these other settings."""
    settings = msgspec.structs.replace(inn.settings, **changes)
    with pytest.raises(Invalid, match=match):
        async with open_inn(settings, clock=inn.clock, hosts=[inn.host], terminator=inn.terminator, keep=False):
            pass


async def test_a_folder_without_its_database_founds_nothing(inn: TestInn, tmp_path: Path) -> None:
    game = await inn.game()
    noted = noted_in(inn.settings.folder)
    assert noted is not None
    assert noted.kind == inn.inn.db.kind
    assert "sesame" not in (inn.settings.folder / FILE).read_text()
    await inn.stop()
    before = sorted(path.name for path in inn.settings.folder.iterdir())
    await refused(inn, f"belongs to the house {noted.house} in the .* and the SQLite database innkeeper.db has none",
                  database="")  # fmt: skip
    assert sorted(path.name for path in inn.settings.folder.iterdir()) == before, "nothing was made"
    moved = tmp_path / "moved"
    inn.settings.folder.rename(moved)
    inn.settings = msgspec.structs.replace(inn.settings, data=str(moved))
    await inn.start()  # a folder may be moved
    assert (await game.room()).room_id


async def test_a_database_without_its_folder_needs_its_key(inn: TestInn, tmp_path: Path) -> None:
    other = tmp_path / "other"
    await inn.game()
    await inn.stop()
    await refused(inn, f"were sealed with a key that is not in {other}: .* or copy secret.key", data=str(other))
    assert not (other / "secret.key").exists()
    (other / "secret.key").write_text("A" * 43 + "=")
    await refused(inn, f"with another key than {other}/secret.key", data=str(other))
    shutil.copy(inn.settings.folder / "secret.key", other / "secret.key")
    inn.settings = msgspec.structs.replace(inn.settings, data=str(other))
    await inn.start()  # as one moves to another machine
    assert noted_in(other) is not None


async def test_a_lost_key_is_given_up_by_a_setting(small_inn: TestInn, caplog: pytest.LogCaptureFixture) -> None:
    inn = small_inn
    await inn.game()
    await inn.stop()
    (inn.settings.folder / "secret.key").unlink()
    await refused(inn, "INNKEEPER_SECRET_KEY")
    inn.settings = msgspec.structs.replace(inn.settings, secret_key="A" * 43 + "=")
    await inn.start()
    assert "not the one that this database's secrets were sealed with" in caplog.text
    assert (await (await inn.game()).room()).room_id


async def test_two_houses_do_not_share_a_folder(small_inn: TestInn, tmp_path: Path) -> None:
    inn = small_inn
    await inn.stop()
    second = TestInn(tmp_path / "second", "")
    await second.start()
    await second.stop()
    ours, theirs = noted_in(inn.settings.folder), noted_in(second.settings.folder)
    assert ours is not None
    assert theirs is not None
    url = f"sqlite:///{second.settings.folder}/innkeeper.db"
    await refused(
        inn, f"house {ours.house} in .* has another one, {theirs.house}: start each with its own", database=url
    )
    (inn.settings.folder / FILE).unlink()  # what the refusal says to do
    inn.settings = msgspec.structs.replace(inn.settings, database=url)
    await inn.start()
    assert noted_in(inn.settings.folder) == msgspec.structs.replace(
        theirs, place=str(second.settings.folder / "innkeeper.db")
    )


async def test_a_database_that_is_gone_is_not_founded_anew(tmp_path: Path) -> None:
    inn = TestInn(tmp_path / "data", "")
    await inn.start()
    await inn.stop()
    (inn.settings.folder / "innkeeper.db").rename(tmp_path / "away.db")
    await refused(inn, "and it is not there any more: put the database back")
    assert not (inn.settings.folder / "innkeeper.db").exists()
    (tmp_path / "away.db").rename(inn.settings.folder / "innkeeper.db")
    await inn.start()
    await inn.stop()
