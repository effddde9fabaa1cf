"""Whoever brings a table, a secret or a unique rule says what becomes of it when a house moves."""

from __future__ import annotations

from typing import Any

from innkeeper.db.database import Database, Statement, Steps
from innkeeper.transfer.rows import Wanted, columns_of
from innkeeper.transfer.tables import LEFT, MOVED, STANDING


def tables(kind: str) -> Steps[set[str]]:
    if kind == "sqlite":
        rows = yield Statement("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
    else:
        rows = yield Statement("select table_name from information_schema.tables where table_schema = current_schema()")
    return {row[0] for row in rows}


async def test_every_table_has_its_fate(db: Database) -> None:
    moved = [table.name for table in MOVED]
    assert len(set(moved)) == len(moved)
    assert not set(moved) & set(LEFT)
    there = await db.read(tables, db.kind)
    assert there == {*moved, *LEFT}, "say in transfer/tables.py what is done with it"


async def test_columns_are_known_by_name_and_kind(db: Database) -> None:
    for table in MOVED:
        columns = {column.name: column for column in await db.read(columns_of, db.kind, table.name)}
        assert {column.kind for column in columns.values()} <= {"text", "bigint", "double precision"}, table.name
        named = {*table.key, *table.instead, *table.instead_of_apps, *table.drifts, *table.sealed}
        named |= {name for rule in table.unique for name in (*rule.columns, rule.living or rule.columns[0])}
        assert named <= set(columns), table.name
        assert not any(columns[name].nullable for name in table.key), table.name
        secrets = {name for name in columns if name.endswith("_sealed")}
        assert secrets == {*table.sealed, *(name for name in table.instead if name.endswith("_sealed"))}, table.name


def rules(table: str) -> Steps[set[tuple[str, ...]]]:
    """The unique rules of a table on SQLite."""
    found: set[tuple[str, ...]] = set()
    indexes = yield Statement('select name, "unique" from pragma_index_list($1)', (table,))
    for name, unique in indexes:
        if unique:
            rows: list[Any] = yield Statement("select name from pragma_index_info($1) order by seqno", (name,))
            found.add(tuple(row[0] for row in rows))
    return found


async def test_every_unique_rule_is_looked_at(db: Database) -> None:
    if db.kind != "sqlite":
        return  # the migrations are the same
    for table in MOVED:
        expected = {table.key, *(rule.columns for rule in table.unique)}
        assert await db.read(rules, table.name) | {table.key} == expected, table.name


def every_condition() -> Steps[int]:
    count = 0
    for wanted in (Wanted(), Wanted(["app-1", "app-2"])):
        for table in MOVED:
            condition, values = wanted.condition(table)
            yield Statement(f"select count(*) from {table.name} where {condition}", values)
            count += 1
    for text in STANDING.values():
        yield Statement(text)
    return count


async def test_every_condition_is_understood(db: Database) -> None:
    assert await db.read(every_condition) == 2 * len(MOVED)


def references() -> Steps[list[tuple[str, str]]]:
    found: list[tuple[str, str]] = []
    for table in MOVED:
        rows: list[Any] = yield Statement('select "table" from pragma_foreign_key_list($1)', (table.name,))
        found += [(table.name, row[0]) for row in rows]
    return found


async def test_what_is_referred_to_comes_first(db: Database) -> None:
    if db.kind != "sqlite":
        return
    order = [table.name for table in MOVED]
    for table, other in await db.read(references):
        assert order.index(other) < order.index(table), f"{other} before {table}"
