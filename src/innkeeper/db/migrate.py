"""Brings the tables of a database up to this version of Innkeeper. Called by ``connect.py`` before anybody else comes.

A migration is a file ``NNNN_name.sql`` with statements for both stores, each ended by ``;`` at the end of a line.
Numbers have no gaps. Each file is one transaction, noted in ``schema_migrations`` with its checksum, under a lock
that lets one Innkeeper at a time do this: others wait, then find it done.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from .database import Database, Row, Statement, Steps

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_END = re.compile(r";[ \t]*(?:--[^\n]*)?$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_NOTES = (
    "create table if not exists schema_migrations"
    " (number bigint primary key, name text not null, checksum text not null, applied_at bigint not null)"
)
# Any number would do, as long as nobody else who uses the same PostgreSQL database takes the same.
_POSTGRES_LOCK = "select pg_advisory_xact_lock(7306086967)"


class SchemaMismatch(Exception):
    """The tables of this database are not those that this version of Innkeeper knows. The text says what to do."""


class Migration(NamedTuple):
    """One file of statements."""

    number: int
    name: str
    statements: Sequence[str]
    checksum: str


def migrations(folder: Traversable | None = None) -> list[Migration]:
    """The migrations in a folder, by number; those of this Innkeeper when no folder is named.

    Raises ValueError when a number is missing or twice there.
    """
    folder = folder or resources.files("innkeeper.db.migrations")
    found: list[Migration] = []
    for file in folder.iterdir():
        if match := _NAME.fullmatch(file.name):
            found.append(read_migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    found.sort()
    if [one.number for one in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations must be numbered from 1 without gaps: {[one.number for one in found]}")
    return found


def read_migration(number: int, name: str, text: str) -> Migration:
    """Cut a file's text into statements. The checksum is that of the statements, without comments and blank space."""
    parts = (_COMMENT.sub("", part).strip() for part in _END.split(text))
    statements = [part for part in parts if part]
    plain = "\n".join(" ".join(one.split()) for one in statements)
    return Migration(number, name, statements, hashlib.sha256(plain.encode()).hexdigest())


async def migrate(db: Database, now: int, wanted: Sequence[Migration] | None = None) -> list[int]:
    """Carry out what is missing and return the numbers of the files that were. ``now`` is noted beside them.

    Raises SchemaMismatch when the database was made by a newer Innkeeper or by files that have changed since.
    """
    wanted = migrations() if wanted is None else wanted
    done: list[int] = []
    while (number := await db.write(_next, db.kind, wanted, now)) is not None:
        done.append(number)
    return done


def _next(kind: str, wanted: Sequence[Migration], now: int) -> Steps[int | None]:
    """Carry out the first file that is missing and return its number, None when there is none."""
    if kind == "postgresql":
        yield Statement(_POSTGRES_LOCK)
    yield Statement(_NOTES)
    rows = yield Statement("select number, name, checksum from schema_migrations order by number")
    migration = choose(rows, wanted)
    if migration is None:
        return None
    for statement in migration.statements:
        yield Statement(statement)
    yield Statement(
        "insert into schema_migrations (number, name, checksum, applied_at) values ($1, $2, $3, $4)",
        (migration.number, migration.name, migration.checksum, now),
    )
    return migration.number


def choose(noted: Sequence[Row], wanted: Sequence[Migration]) -> Migration | None:
    """The first file that is not noted as done. Raises SchemaMismatch when notes and files do not belong together."""
    for row, migration in zip(noted, wanted, strict=False):
        if row[0] != migration.number or row[2] != migration.checksum:
            raise SchemaMismatch(
                f"migration {row[0]} ({row[1]}) was carried out in another form than this Innkeeper has it "
                f"({migration.name}): install the version that made this database, or put back a backup"
            )
    if len(noted) > len(wanted):
        last = noted[-1]
        raise SchemaMismatch(
            f"this database was made by a newer Innkeeper (it has migration {last[0]}, {last[1]}; this version knows "
            f"{len(wanted)}): install that version or a later one"
        )
    return wanted[len(noted)] if len(noted) < len(wanted) else None
