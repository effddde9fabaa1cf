"""Files by somebody hostile who knows the passphrase: what is in them is held to the rules all the same."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from innkeeper.kit.errors import Invalid
from innkeeper.kit.secrets import Box

from .forging import Forger, entry
from .houses import IMAGE_KEY, House, empty


async def test_a_forger_can_write_a_sound_file(made: Path, tmp_path: Path) -> None:
    path = Forger(made).write(tmp_path / "f", build=[(entry("Procfile"), b"server: x\n")])
    house = empty(tmp_path)
    assert len((await house.take(path)).builds) == 1
    assert {name.rpartition("/")[2] for name in house.files()} == {"Procfile"}


@pytest.mark.parametrize(
    ("build", "told"),
    [
        ([(entry("../../x"), b"x")], r"leads out of the build by `\.\.`"),
        ([(entry("/etc/x"), b"x"), (entry("a"), b"")], "where|not as long|absolute"),
        ([(entry("a"), b"x"), (entry("l", tarfile.SYMTYPE, "../../../etc/passwd"), b"")], "leads out of the build"),
        ([(entry("a"), b"x"), (entry("l", tarfile.SYMTYPE, "/etc/passwd"), b"")], "links may stay inside the build"),
        ([(entry("l", tarfile.SYMTYPE, "d"), b""), (entry("l/x"), b"x")], "lies under `l`, which is a symbolic link"),
        ([(entry("a\nb"), b"x")], "control character"),
        ([(entry("d", tarfile.DIRTYPE), b"")], "has no files"),
    ],
)  # fmt: skip
async def test_builds_stay_within_their_folder(
    made: Path, target: House, tmp_path: Path, build: list[tuple[tarfile.TarInfo, bytes]], told: str
) -> None:
    path = Forger(made).write(tmp_path / "f", build=[(tarfile.TarInfo.frombuf(one.tobuf(), "utf-8", "strict"), data)
                                                     for one, data in build])  # fmt: skip
    with pytest.raises(Invalid, match=told):
        await target.take(path)


ROWS: list[tuple[str, str, Any, str]] = [
    ("orgs", "name", 5, "a row whose name is no text"),
    ("orgs", "name", None, "a row whose name is no text"),
    ("orgs", "id", None, "a row whose id is no text"),
    ("orgs", "created_at", "soon", "a row whose created_at is no bigint"),
    ("orgs", "created_at", 1.5, "a row whose created_at is no bigint"),
    ("orgs", "created_at", 1 << 63, "cannot be read|is no bigint"),
    ("orgs", "created_at", True, "cannot be read"),
    ("orgs", "name", {"a": 1}, "cannot be read"),
    ("builds", "key", "../../../etc", "a build whose key is none"),
    ("builds", "image", "docker.io/evil:latest", "an image of another name"),
    ("builds", "image", f"localhost/innkeeper-0123456789ab:{IMAGE_KEY}0", "an image of another name"),
    ("apps", "secret_sealed", "plain", "a secret in its table apps cannot be opened"),
    ("releases", "app_id", "app-of-nobody", "not whole, or breaks a rule"),
    ("org_tokens", "created_by", "nobody@example.com", "not whole, or breaks a rule"),
]


@pytest.mark.parametrize(("table", "column", "value", "told"), ROWS)
async def test_rows_fit_their_tables(
    made: Path, target: House, tmp_path: Path, table: str, column: str, value: Any, told: str
) -> None:
    forger = Forger(made)
    forger.set(table, column, value)
    with pytest.raises(Invalid, match=told):
        await target.take(forger.write(tmp_path / "f"))


async def test_secrets_stay_in_their_place(made: Path, target: House, tmp_path: Path) -> None:
    forger = Forger(made)
    forger.set("apps", "secret_sealed", forger.get("apps", "secret_sealed", 1))
    with pytest.raises(Invalid, match="a secret in its table apps cannot be opened"):
        await target.take(forger.write(tmp_path / "f"))
    forger = Forger(made)
    forger.set("apps", "secret_sealed", Box(bytes(32)).seal("x", forger.get("apps", "id")))
    with pytest.raises(Invalid, match="a secret in its table apps cannot be opened"):
        await target.take(forger.write(tmp_path / "f"))


async def test_the_same_row_twice(made: Path, target: House, tmp_path: Path) -> None:
    forger = Forger(made)
    forger.tables["orgs"].append(forger.tables["orgs"][0])
    with pytest.raises(Invalid, match="not whole, or breaks a rule"):
        await target.take(forger.write(tmp_path / "f"))


async def test_files_go_where_their_rows_cannot_come(made: Path, target: House, tmp_path: Path) -> None:
    """What breaks a rule is found by the database, when the files of builds are in their place already."""
    forger = Forger(made)
    forger.tables["orgs"].append(forger.tables["orgs"][0])
    with pytest.raises(Invalid, match="not whole, or breaks a rule"):
        await target.take(forger.write(tmp_path / "f", build=[(entry("Procfile"), b"server: x\n")]))
    assert target.files() == {}
