"""Rows on their way into the database: what is there already, what is new, what cannot be. Called by ``arriving.py``.

The same steps look (``apply`` False, for reading) and act: what is new is written in the very transaction in which it
was found to be new. They read the staged files from their beginning, so a store may run them again. All rows arrive by
one commit, or none does; carried out twice, they find everything there and change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from innkeeper.db.database import Many, Statement, Steps, Value
from innkeeper.db.sql import Kind, tabled
from innkeeper.kit.errors import HouseError

from .rows import PAGE
from .running import decide
from .staged import Record, Staged
from .tables import MOVED, Table, Unique


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
    operator: str | None = None  #: the organisation that runs the house then; not known where there are conflicts
    operator_name: str = ""
    operator_new: bool = False  #: whether it does so from now on, and nothing in the file said it


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
    if not outcome.conflicts:
        yield from settle_operator(staged, outcome, apply=apply)
    return outcome


def settle_operator(staged: Staged, outcome: Outcome, *, apply: bool) -> Steps[None]:
    """See to it that somebody runs the house; ``apply`` writes down who. The file's rows may be in the house by now."""
    marks = yield Statement("select org_id from founding")
    found = yield Statement("select id, name from orgs order by created_at, id")
    orgs: dict[str, str] = {row[0]: row[1] for row in found}
    marked: str | None = marks[0][0] if marks else None
    for rows in staged.tables:
        if rows.name == "orgs":
            orgs |= {record["id"]: record["name"] for record in staged.records(rows)}
        elif rows.name == "founding" and marked is None:
            marked = next((record["org_id"] for record in staged.records(rows)), None)
    outcome.operator = decide(marked, orgs, staged.operator)
    outcome.operator_name = orgs.get(outcome.operator or "", "")
    outcome.operator_new = outcome.operator is not None and marked is None
    if apply and outcome.operator_new:
        yield Statement("insert into founding (one, org_id) values (1, $1)", (outcome.operator,))


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
