"""Which data folder goes with which database, and what is told of where one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from innkeeper.belonging import FILE, Belonging, noted_in, put_back, refusal, where
from innkeeper.cli.import_ import starting, without_password
from innkeeper.kit.errors import Invalid
from innkeeper.settings import Settings

HERE = Belonging("sqlite", "innkeeper.db", "aaa")
PG = Belonging("postgresql", "db.example.org/inn", "bbb")


@pytest.mark.parametrize(
    ("noted", "here", "told"),
    [
        (None, HERE, None),
        (None, Belonging("sqlite", "innkeeper.db", None), None),  # a first start
        (HERE, HERE, None),
        (HERE, Belonging("sqlite", "/elsewhere/inn.db", "aaa"), None),  # the database was moved
        (PG, Belonging("postgresql", "new.example.org/inn", "bbb"), None),
        (PG, Belonging("sqlite", "innkeeper.db", None),
         "the data folder D belongs to the house bbb in the PostgreSQL database db.example.org/inn, and the SQLite"
         " database innkeeper.db has none: name the right one with --database. For a new house name another folder with"
         f" --data, or remove D/{FILE}"),
        (PG, HERE,
         "the data folder D belongs to the house bbb in the PostgreSQL database db.example.org/inn, and the SQLite"
         " database innkeeper.db has another one, aaa: start each with its own --data and --database. Should the folder"
         f" be the other one's from now on, remove D/{FILE}"),
        (HERE, Belonging("sqlite", "innkeeper.db", None),
         "the data folder D belongs to the house aaa in the SQLite database innkeeper.db, and it is not there any more:"
         " put the database back, or import what was exported. For a new house name another folder with --data, or"
         f" remove D/{FILE}"),
    ],
)  # fmt: skip
def test_what_belongs_together(noted: Belonging | None, here: Belonging, told: str | None) -> None:
    assert refusal(noted, here, "D") == told


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (Path("/data/innkeeper.db"), ("sqlite", "innkeeper.db")),
        ("sqlite:////data/innkeeper.db", ("sqlite", "innkeeper.db")),
        ("sqlite:////elsewhere/inn.db", ("sqlite", "/elsewhere/inn.db")),
        ("/data/sub/inn.db", ("sqlite", "sub/inn.db")),
        ("postgresql://me:secret@db.example.org:5433/inn?password=secret", ("postgresql", "db.example.org:5433/inn")),
        ("postgres:///inn?host=/run&password=secret", ("postgresql", "of the local socket/inn")),
    ],
)
def test_where_a_database_is(url: str | Path, place: tuple[str, str]) -> None:
    assert where(url, Path("/data")) == place


def test_a_note_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    assert noted_in(tmp_path) is None
    put_back(tmp_path, PG)
    assert noted_in(tmp_path) == PG
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    put_back(tmp_path, None)
    put_back(tmp_path, None)
    assert noted_in(tmp_path) is None
    for text in ("", "[]", '{"kind": 3}', "\xff"):
        (tmp_path / FILE).write_bytes(text.encode("latin-1"))
        with pytest.raises(Invalid, match=rf"{FILE} cannot be read, which says what database this folder is for"):
            noted_in(tmp_path)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("", ""),
        ("sqlite:////x/a@b.db", "sqlite:////x/a@b.db"),
        ("x.db", "x.db"),
        ("postgresql://me@h/n", "postgresql://me@h/n"),
        ("postgresql://me:secret@h:1/n", "postgresql://me@h:1/n"),
        ("postgresql://me:se@cr:et@h/n", "postgresql://me@h/n"),
        ("postgresql://h/n", "postgresql://h/n"),
        ("postgresql://me:secret@h/n?sslmode=require&password=secret", "postgresql://me@h/n?sslmode=require"),
        ("postgresql:///n?password=secret", "postgresql:///n"),
    ],
)
def test_a_url_that_may_be_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.parametrize(
    ("settings", "config", "told"),
    [
        (Settings(), None, "`innkeeper up`"),
        (Settings(data="my inn"), None, "`innkeeper up --data 'my inn'`"),
        (Settings(data="d", database="postgresql://me@h/n"), None,
         "`innkeeper up --data d --database postgresql://me@h/n`"),
        (Settings(data="d", database="postgresql://me:secret@h/n"), Path("inn.toml"),
         "`innkeeper up --config inn.toml --database postgresql://me@h/n`, with the database's password in the"
         " environment or in ~/.pgpass"),
        (Settings(data="d", database="postgresql://me:secret@filed/n"), Path("inn.toml"),
         "`innkeeper up --config inn.toml`"),
        (Settings(data="e", database="postgresql://me:secret@filed/n"), Path("inn.toml"),
         "`innkeeper up --config inn.toml --data e`"),
    ],
)  # fmt: skip
def test_how_an_imported_house_is_started(
    settings: Settings, config: Path | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("inn.toml").write_text('data = "d"\ndatabase = "postgresql://me:secret@filed/n"\n')
    assert starting(settings, config) == told
