"""Rows on their way into the database: what is there already, what is new, what cannot be. Called by ``arriving.py``.

The same steps look (``apply`` False, for reading) and act: what is new is written in the very transaction in which it
was found to be new. They read the staged files from their beginning, so a store may run them again. All rows arrive by
one commit, or none does; carried out twice, they find everything there and change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from innkeeper.db.database import Many, Statement, Steps, Value
from innkeeper.db.sql import Kind, tabled
from innkeeper.kit.errors import HouseError
from innkeeper.kit.secrets import Box

from .rows import PAGE, Column
from .tables import MOVED, Table, Unique
from .words import Rows

_decode = msgspec.json.Decoder(list[Any]).decode
Record = dict[str, Any]


class Conflicts(Exception):
    """Rows of the file and of the house cannot both be."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One of them."""

    table: str
    id: str
    why: str  #: for people; no secret is in it


@dataclass(slots=True)
class Outcome:
    """What came of it, or would."""

    new: dict[str, int] = field(default_factory=dict[str, int])  #: rows by table
    same: dict[str, int] = field(default_factory=dict[str, int])  #: those that are there already
    conflicts: list[Conflict] = field(default_factory=list[Conflict])


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows that were taken out of a file and found to be sound."""

    folder: Path
    tables: Sequence[Rows]
    columns: dict[str, list[Column]]  #: of our tables
    lock: Box  #: opens what is sealed in the file
    house: Box  #: seals for the house
    name: str  #: of the house

    def records(self, rows: Rows) -> Iterator[Record]:
        """The rows of a table, as the house would have them, but for what is sealed."""
        doubles = {column.name for column in self.columns[rows.name] if column.kind == "double precision"}
        with (self.folder / f"{rows.name}.jsonl").open("rb") as file:
            for line in file:
                record = dict(zip(rows.columns, _decode(line), strict=True))
                for name in doubles:
                    record[name] = None if record[name] is None else float(record[name])
                if rows.name == "builds" and record["image"] is not None:
                    record["image"] = f"localhost/innkeeper-{self.name}:{record['key']}"
                yield record


def merge(staged: Staged, *, apply: bool) -> Steps[Outcome]:
    """Compare all rows with those of the house; ``apply`` writes those that are new. Raises :class:`Conflicts`.

    To look, conflicts are in the outcome, all of them.
    """
    outcome = Outcome()
    if apply:
        yield Statement("insert into house (one, id) values (1, $1) on conflict do nothing", (staged.name,))
    tables = {table.name: table for table in MOVED}
    for rows in staged.tables:
        table = tables[rows.name]
        outcome.new[table.name] = outcome.same[table.name] = 0
        records = staged.records(rows)
        while page := list(islice(records, PAGE)):
            fresh = yield from _compare(staged, table, page, outcome)
            if apply:
                if outcome.conflicts:
                    raise Conflicts
                yield from _add(staged, table, fresh)
            outcome.new[table.name] += len(fresh)
    return outcome


def _compare(staged: Staged, table: Table, page: Sequence[Record], outcome: Outcome) -> Steps[list[Record]]:
    """Those of the page that the house has not; the others are counted, or are conflicts."""
    names = [column.name for column in staged.columns[table.name]]
    there = yield _matching(staged, table, table.key, names, page)
    known = {tuple(row[names.index(name)] for name in table.key): dict(zip(names, row, strict=True)) for row in there}
    fresh: list[Record] = []
    for record in page:
        ours = known.get(tuple(record[name] for name in table.key))
        if ours is None:
            fresh.append(record)
            continue
        other = [] if table.yields else [name for name in names if not _equal(staged, table, name, record, ours)]
        if other:
            why = f"the house has it with another {', '.join(other).replace('_sealed', '')}"
            outcome.conflicts.append(Conflict(table.name, _id(table, record), why))
        else:
            outcome.same[table.name] += 1
    for rule in table.unique:
        fresh = yield from _unless_taken(staged, table, rule, fresh, outcome)
    return fresh


def _unless_taken(
    staged: Staged, table: Table, rule: Unique, fresh: list[Record], outcome: Outcome
) -> Steps[list[Record]]:
    """Those of the new rows that break no further rule of their table beside what the house has."""
    bound = [one for one in fresh if rule.living is None or one[rule.living] is None]
    if not bound:
        return fresh
    names = [*rule.columns, *table.key]
    rows = yield _matching(staged, table, rule.columns, names, bound, living=rule.living)
    taken = {tuple(row[: len(rule.columns)]): row[len(rule.columns) :] for row in rows}
    free: list[Record] = []
    for record in fresh:
        values = tuple(record[name] for name in rule.columns)
        if record not in bound or values not in taken:
            free.append(record)
            continue
        what = " ".join(name for name in rule.columns if name not in ("org_id", "app_id")).replace("_hash", "")
        by = " ".join(map(str, taken[values]))
        outcome.conflicts.append(Conflict(table.name, _id(table, record), f"its {what} is that of {by} in the house"))
    return free


def _matching(
    staged: Staged,
    table: Table,
    by: Sequence[str],
    names: Sequence[str],
    page: Sequence[Record],
    *,
    living: str | None = None,
) -> Statement:
    """The house's rows that have the same values in some columns as those of the page."""
    kinds = {column.name: column.kind for column in staged.columns[table.name]}
    places: dict[str, Kind] = {f"v{at}": _kind(kinds[name]) for at, name in enumerate(by)}
    alike = " and ".join(f"t.{name} = given.v{at}" for at, name in enumerate(by))
    alive = f" and t.{living} is null" if living else ""
    return Statement(
        f"select {', '.join(f't.{name}' for name in names)} from ({tabled('$1', **places)}) as given"
        f" join {table.name} t on {alike}{alive}",
        (json.dumps([[record[name] for name in by] for record in page]),),
    )


def _kind(word: str) -> Kind:
    return "bigint" if word == "bigint" else "text"  # no key is a fraction


def _equal(staged: Staged, table: Table, name: str, record: Record, ours: Record) -> bool:
    if name in table.drifts or name in table.instead or record[name] == ours[name]:
        return True
    if name not in table.sealed or record[name] is None or ours[name] is None:
        return False
    place = record[table.key[0]]
    try:
        return staged.lock.open(record[name], place) == staged.house.open(ours[name], place)
    except HouseError:
        return False  # the house cannot open its own: it was sealed with another key


def _add(staged: Staged, table: Table, fresh: Sequence[Record]) -> Steps[None]:
    """Write new rows, their secrets sealed for the house."""
    if not fresh:
        return
    names = list(fresh[0])
    rows: list[list[Value]] = []
    for record in fresh:
        place = record[table.key[0]]
        sealed = {
            name: staged.house.seal(staged.lock.open(record[name], place), place)
            for name in table.sealed
            if record[name] is not None
        }
        rows.append([sealed.get(name, record[name]) for name in names])
    places = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    yield Many(f"insert into {table.name} ({', '.join(names)}) values ({places})", rows)
    if table.name == "webhooks":
        yield Many(
            "insert into listeners (org_id, until) values ($1, null) on conflict (org_id) do update set until = null",
            [(org_id,) for org_id in sorted({record["org_id"] for record in fresh})],
        )


def _id(table: Table, record: Record) -> str:
    return " ".join(str(record[name]) for name in table.key)
