"""Rows on their way out of the database, and the statements that look at tables. Called by ``leaving.py`` and
``merging.py``.

Reading is one transaction on one state of the database, a page at a time, into files. It may be run again from its
start, as all steps may: then the files are begun anew. So nothing but a page is held in memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from innkeeper.db.database import Row, Statement, Steps, Value
from innkeeper.kit.secrets import Box

from .tables import APPS, MOVED, STANDING, Table
from .words import Content, Rows

PAGE = 500
_encode = msgspec.json.Encoder().encode


class Column(NamedTuple):
    """A column of a table, as its database says."""

    name: str
    kind: str  #: text, bigint or double precision
    nullable: bool

    def takes(self, value: object) -> bool:
        """Whether it can hold the value."""
        match value:
            case None:
                return self.nullable
            case str():
                return self.kind == "text"
            case int():
                return self.kind in ("bigint", "double precision") and -(2**63) <= value < 2**63
            case _:
                return isinstance(value, float) and self.kind == "double precision"


def columns_of(kind: str, table: str) -> Steps[list[Column]]:
    """The columns of a table; ``kind`` is that of the database."""
    if kind == "postgresql":
        rows = yield Statement(
            "select column_name, data_type, is_nullable = 'YES' from information_schema.columns"
            " where table_schema = current_schema() and table_name = $1 order by ordinal_position",
            (table,),
        )
    else:
        rows = yield Statement(
            'select name, lower(type), "notnull" = 0 and pk = 0 from pragma_table_info($1) order by cid', (table,)
        )
    return [Column(name, word, bool(nullable)) for name, word, nullable in rows]


def schema() -> Steps[int]:
    """The number of the last migration."""
    rows = yield Statement("select max(number) from schema_migrations")
    number: int = rows[0][0]
    return number


@dataclass(slots=True)
class Wanted:
    """What is to be read: all of the house, or some apps."""

    apps: Sequence[str] = ()  #: ids; empty is all

    def condition(self, table: Table) -> tuple[str, list[Value]]:
        """Which rows of a table, and the values that the condition needs."""
        if not self.apps:
            return f"({table.rows})", []
        condition = f"({table.rows}) and ({table.of_apps})"
        return condition, [json.dumps(list(self.apps))] if APPS in condition else []

    def instead(self, table: Table) -> Mapping[str, Value]:
        """Which columns go with another value."""
        return {**table.instead, **table.instead_of_apps} if self.apps else table.instead


def named_apps(names: Sequence[str]) -> Steps[list[tuple[str, str]]]:
    """Apps that have one of these names, or of these ids: id and name. Those that were deleted by their id alone."""
    listed_names = json.dumps(list(names))
    rows = yield Statement(
        f"select id, name from apps where id in ({APPS}) or (deleted_at is null and name in ({APPS})) order by id",
        (listed_names,),
    )
    return [(row[0], row[1]) for row in rows]


@dataclass(slots=True)
class Spool:
    """The files that rows are written to, and what was seen on the way. Secrets change their key here."""

    folder: Path
    house: Box  #: opens what the house has sealed
    lock: Box  #: seals for the file
    tables: list[Rows] = field(default_factory=list[Rows])
    runnable: list[Content] = field(default_factory=list[Content])  #: builds to take along, sizes not known yet
    standing: dict[str, int] = field(default_factory=dict[str, int])
    schema: int = 0

    def begin(self) -> None:
        """Forget what an earlier run of the same steps has left."""
        self.tables, self.runnable, self.standing = [], [], {}

    def path(self, table: str) -> Path:
        """Where the rows of a table are."""
        return self.folder / f"{table}.jsonl"

    def reseal(self, table: Table, row: dict[str, Any]) -> None:
        """Seal for the file what the house had sealed for itself, for the same place."""
        for name in table.sealed:
            if row[name] is not None:
                place = row[table.key[0]]
                row[name] = self.lock.seal(self.house.open(row[name], place), place)

    def note(self, table: Table, row: Mapping[str, Any]) -> None:
        """Note a build that can be run."""
        if table.name == "builds" and row["state"] == "succeeded" and row["deleted_at"] is None:
            self.runnable.append(Content(row["key"], row["id"], row["image"] is not None, 0))


def read_house(kind: str, wanted: Wanted, spool: Spool) -> Steps[None]:
    """Write all that is wanted to the spool's files."""
    spool.begin()
    spool.schema = yield from schema()
    for table in MOVED:
        columns = [column.name for column in (yield from columns_of(kind, table.name))]
        condition, values = wanted.condition(table)
        instead = wanted.instead(table)
        rows = size = 0
        with spool.path(table.name).open("wb") as file:
            after: list[Value] = []
            while True:
                page = yield _page(table, columns, condition, values, after)
                for values_of_row in page:
                    row = {**dict(zip(columns, values_of_row, strict=True)), **instead}
                    spool.note(table, row)
                    spool.reseal(table, row)
                    size += file.write(_encode(list(row.values())) + b"\n")
                rows += len(page)
                if len(page) < PAGE:
                    break
                after = [page[-1][columns.index(name)] for name in table.key]
        spool.tables.append(Rows(table.name, rows, size, columns))
    for name, text in STANDING.items():
        found: list[Row] = yield Statement(text)
        spool.standing[name] = found[0][0]


def _page(
    table: Table, columns: Sequence[str], condition: str, values: Sequence[Value], after: Sequence[Value]
) -> Statement:
    key = ", ".join(table.key)
    beyond = ""
    if after:
        places = ", ".join(f"${len(values) + number}" for number in range(1, len(after) + 1))
        beyond = f" and ({key}) > ({places})"
    return Statement(
        f"select {', '.join(columns)} from {table.name} where {condition}{beyond} order by {key} limit {PAGE}",
        [*values, *after],
    )
