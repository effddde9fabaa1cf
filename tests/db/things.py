"""A table to test with, and steps on it."""

from __future__ import annotations

from innkeeper.db.database import Statement, Steps
from innkeeper.db.migrate import read_migration

TABLES = [
    read_migration(
        1,
        "things",
        """
        create table boxes (id text primary key, filled bigint not null default 0);
        create table things (
            id text primary key,
            box text references boxes (id),
            name text not null,
            size bigint check (size >= 0),
            weight double precision
        );
        create unique index things_by_name on things (box, name);
        create unique index things_by_lower_name on things (lower(name)) where box is null;
        """,
    )
]


class Refused(Exception):
    """Raised by steps, to roll back."""


def add(id: str, name: str | None = None, box: str | None = None, size: int = 1) -> Steps[str]:
    """Add a thing."""
    yield Statement(
        "insert into things (id, box, name, size) values ($1, $2, $3, $4)",
        (id, box, id if name is None else name, size),
    )
    return id


def add_and_refuse(id: str) -> Steps[None]:
    """Add a thing and then think better of it."""
    yield from add(id)
    raise Refused(id)


def look_and_refuse(id: str) -> Steps[None]:
    """Read, and then refuse."""
    yield Statement("select id from things where id = $1", (id,))
    raise Refused(id)


def ids() -> Steps[list[str]]:
    """The ids of all things, in order."""
    rows = yield Statement("select id from things order by id")
    return [row[0] for row in rows]
