"""Migrations, and opening a database by its URL."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from innkeeper.db.connect import connect
from innkeeper.db.database import Database, DatabaseUnavailable, Statement, Steps
from innkeeper.db.migrate import Migration, SchemaMismatch, migrate, migrations, read_migration
from innkeeper.kit.clock import ManualClock
from postgres import PostgresServer

FIRST = read_migration(1, "first", "-- a comment; not a statement\ncreate table a (id text primary key);\n\n")
SECOND = read_migration(
    2, "second", "create table b (\n  id text primary key -- with; a comment\n);\ninsert into a values ('x;y');"
)
BROKEN = read_migration(2, "broken", "create table b (id text primary key);\ninsert into nowhere values ('x');")


async def _open(url: str, *wanted: Migration) -> Database:
    return await connect(url, clock=ManualClock(), migrations=wanted)


def _notes() -> Steps[list[tuple[int, str]]]:
    rows = yield Statement("select number, name from schema_migrations order by number")
    return [(row[0], row[1]) for row in rows]


async def test_only_what_is_missing_is_carried_out(database_url: str) -> None:
    db = await _open(database_url, FIRST)
    assert await migrate(db, 1, [FIRST, SECOND]) == [2]
    assert await migrate(db, 1, [FIRST, SECOND]) == []
    assert await db.read(_notes) == [(1, "first"), (2, "second")]
    assert await db.read(lambda: (yield Statement("select id from a"))) == [("x;y",)]
    await db.close()


async def test_several_that_start_at_once_do_it_once(database_url: str) -> None:
    databases = await asyncio.gather(*(_open(database_url, FIRST, SECOND) for _ in range(4)))
    assert await databases[0].read(_notes) == [(1, "first"), (2, "second")]
    assert len(await databases[0].read(lambda: (yield Statement("select id from a")))) == 1
    for db in databases:
        await db.close()


async def test_a_migration_that_fails_leaves_nothing_of_itself(database_url: str) -> None:
    with pytest.raises(Exception, match="nowhere"):
        await _open(database_url, FIRST, BROKEN)
    db = await _open(database_url, FIRST, SECOND)
    assert await db.read(_notes) == [(1, "first"), (2, "second")]
    await db.close()


async def test_a_changed_migration_and_a_newer_database_are_refused(database_url: str) -> None:
    await (await _open(database_url, FIRST, SECOND)).close()
    with pytest.raises(SchemaMismatch, match=r"made by a newer Innkeeper .*second"):
        await _open(database_url, FIRST)
    with pytest.raises(SchemaMismatch, match="another form"):
        await _open(database_url, FIRST, BROKEN)


def test_comments_and_blank_space_do_not_change_a_checksum() -> None:
    assert (
        read_migration(1, "x", "create  table a (\n id text);\n-- words;\n").checksum
        == read_migration(1, "x", "create table a ( id text);").checksum
    )
    assert len(SECOND.statements) == 2


def test_numbers_without_gaps(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("select 1;")
    (tmp_path / "notes.txt").write_text("not a migration")
    assert [one.name for one in migrations(tmp_path)] == ["a"]
    (tmp_path / "0003_c.sql").write_text("select 1;")
    with pytest.raises(ValueError, match="without gaps"):
        migrations(tmp_path)


async def test_the_tables_of_the_house_are_made_on_both_stores(database_url: str) -> None:
    db = await connect(database_url, clock=ManualClock())
    assert len(await db.read(_notes)) == len(migrations())
    await db.close()


async def test_urls(tmp_path: Path) -> None:
    for url in [tmp_path / "new folder" / "a.db", str(tmp_path / "b.db"), f"sqlite:///{tmp_path}/c%20d.db"]:
        db = await _open(url, FIRST)
        assert db.kind == "sqlite"
        await db.close()
    assert (tmp_path / "c d.db").exists()
    for wrong in ["mysql://x/y", "sqlite://relative.db", "sqlite:///"]:
        with pytest.raises(ValueError, match="write sqlite:///PATH"):
            await _open(wrong)


async def test_a_place_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="is a folder"):
        await _open(str(tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match="cannot be made"):
        await _open(str(tmp_path / "file" / "x.db"))
    if os.geteuid() != 0:  # nothing is read-only to root
        (tmp_path / "mine").mkdir(mode=0o500)
        with pytest.raises(DatabaseUnavailable, match="writable"):
            await _open(str(tmp_path / "mine" / "x.db"))


async def test_a_postgresql_that_refuses_says_why_and_not_the_password(postgres_server: PostgresServer) -> None:
    for url, said in [
        (postgres_server.url("postgres", "not-the-password"), "refuses the user or password"),
        (postgres_server.url("nothing-here"), "no such database"),
        ("postgresql://keeper:hidden@127.0.0.1:1/x", "cannot be reached"),
    ]:
        with pytest.raises(DatabaseUnavailable, match=said) as caught:
            await _open(url, FIRST)
        assert "hidden" not in str(caught.value)
        assert "not-the-password" not in str(caught.value)


async def test_a_postgresql_without_free_connections(postgres_server: PostgresServer) -> None:
    server = PostgresServer("max_connections=5", "superuser_reserved_connections=0", "max_wal_senders=0")
    server.start()
    try:
        url = await server.fresh()
        databases = [await _open(url, FIRST) for _ in range(4)]  # with one connection each
        assert await databases[0].read(_notes) == [(1, "first")]  # the fifth
        with pytest.raises(DatabaseUnavailable, match="max_connections"):
            await databases[1].read(_notes)
        await databases[0].close()
        assert await databases[1].read(_notes) == [(1, "first")]
        for db in databases:
            await db.close()
    finally:
        server.remove()
