"""Opens the database that the settings name and brings its tables up to date. Called by ``inn.py`` and by tests."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from innkeeper.kit.clock import Clock

from .database import Database, DatabaseUnavailable
from .migrate import Migration, migrate
from .sqlite import SqliteDatabase

#: The first SQLite whose SQL has all that the house's statements use (``is not distinct from``, 2022).
OLDEST_SQLITE = (3, 39, 0)


async def connect(url: str | Path, *, clock: Clock, migrations: Sequence[Migration] | None = None) -> Database:
    """Open ``sqlite:///path``, a path, or ``postgresql://user:password@host/name``, ready for the wings.

    The folder of an SQLite file is made if it is missing. ``migrations`` replaces those of this Innkeeper.
    Raises :class:`DatabaseUnavailable` with what to do about it, ``db.migrate.SchemaMismatch`` when another version of
    Innkeeper made the tables, ValueError for a URL of another kind.
    """
    database = await _open(url)
    try:
        # A migration may take long: it has a connection of its own, which is patient.
        migrating = await _open(url, patient=True) if database.kind == "postgresql" else database
        try:
            await migrate(migrating, clock.now(), migrations)
        finally:
            if migrating is not database:
                await migrating.close()
    except BaseException:
        await database.close()
        raise
    return database


async def _open(url: str | Path, *, patient: bool = False) -> Database:
    path = path_of(url)
    if path is not None:
        return await _open_sqlite(path)
    scheme = str(url).partition("://")[0]
    if scheme in ("postgresql", "postgres"):
        try:
            from .postgres import PATIENCE, PostgresDatabase  # asyncpg is an extra: only those who use it need it
        except ImportError as error:
            raise DatabaseUnavailable("PostgreSQL needs one more package: pip install asyncpg") from error

        postgres = PostgresDatabase(str(url), patience=None if patient else PATIENCE)
        await postgres.open()
        return postgres
    raise ValueError(f"the database URL begins with {scheme}://; write sqlite:///PATH or postgresql://USER@HOST/NAME")


def path_of(url: str | Path) -> Path | None:
    """The file of an SQLite database; None for a URL of another kind. Raises ValueError for one that names no file."""
    scheme, colon, rest = str(url).partition("://")
    if isinstance(url, Path) or not colon:
        return Path(url)
    if scheme != "sqlite":
        return None
    # As others write it: three strokes and a relative path, four and an absolute one.
    if not rest.startswith("/") or len(rest) < 2:
        raise ValueError(f"the database URL {url} names no file; write sqlite:///PATH")
    return Path(unquote(rest[1:]))


async def _open_sqlite(path: Path) -> SqliteDatabase:
    _prepare(path)
    database = SqliteDatabase(path)
    await database.open()
    return database


def _prepare(path: Path) -> None:
    """Make the folder, and find out what SQLite would only call "unable to open"."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise DatabaseUnavailable(f"this Python has SQLite {sqlite3.sqlite_version}; Innkeeper needs {needed} or later")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(f"the database folder {path.parent} cannot be made: {error.strerror}") from error
    if path.is_dir():
        raise DatabaseUnavailable(f"the database {path} is a folder; name a file")
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise DatabaseUnavailable(
            f"the database {path} cannot be written: make it and its folder writable for this user"
        )
    _keep_private(path)


def _keep_private(path: Path) -> None:
    """Make the file for us alone, and shut one that is there already to strangers.

    Game servers run on this machine as other users. SQLite gives the files beside it (``-wal``, ``-shm``) its mode.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if file.exists() and file.stat().st_mode & 0o007:
                file.chmod(file.stat().st_mode & 0o770)
    except OSError as error:
        raise DatabaseUnavailable(f"the database {path} cannot be opened: {error.strerror}") from error
