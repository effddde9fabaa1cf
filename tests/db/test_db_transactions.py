"""What both stores promise of transactions, by the same tests."""

from __future__ import annotations

import asyncio
import json

import pytest

from innkeeper.db.connect import connect
from innkeeper.db.database import Database, DatabaseUnavailable, Duplicate, Many, RuleBroken, Statement, Steps
from innkeeper.db.postgres import PostgresDatabase
from innkeeper.db.sql import FOR_UPDATE, listed, tabled
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.errors import Invalid

from .things import TABLES, Refused, add, add_and_refuse, ids, look_and_refuse


async def test_what_a_write_returned_is_seen_by_a_read_and_by_another_connection(
    db: Database, database_url: str
) -> None:
    assert await db.write(add, "a") == "a"
    assert await db.read(ids) == ["a"]
    other = await connect(database_url, clock=ManualClock(), migrations=TABLES)
    assert await other.read(ids) == ["a"]
    await other.write(add, "b")
    assert await db.read(ids) == ["a", "b"]
    await other.close()


async def test_a_transaction_that_raises_leaves_nothing(db: Database) -> None:
    with pytest.raises(Refused):
        await db.write(add_and_refuse, "a")
    assert await db.read(ids) == []


@pytest.mark.parametrize("bad", [add_and_refuse, look_and_refuse])
async def test_one_of_fifty_that_fails_harms_none_of_the_others(db: Database, bad) -> None:
    writes = [db.write(bad if n == 31 else add, f"{n:02}") for n in range(50)]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Refused)] == [31]
    assert await db.read(ids) == [f"{n:02}" for n in range(50) if n != 31]


async def test_many_that_fail_in_every_way_among_many_that_do_not(db: Database) -> None:
    await db.write(add, "taken")

    def steps(n: int) -> Steps[str]:
        match n % 5:
            case 0:
                return add(f"{n:02}")
            case 1:
                return add_and_refuse(f"{n:02}")
            case 2:
                return look_and_refuse(f"{n:02}")
            case 3:
                return add("taken")
            case _:
                return add(f"{n:02}", box="no such box")

    outcomes = await asyncio.gather(*(db.write(steps, n) for n in range(60)), return_exceptions=True)
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [str, Refused, Refused, Duplicate, RuleBroken] * 12
    assert await db.read(ids) == [*(f"{n:02}" for n in range(0, 60, 5)), "taken"]


async def test_members_of_a_group_see_each_other_in_order(db: Database) -> None:
    def count() -> Steps[int]:
        rows = yield Statement("select count(*) from things")
        yield from add(f"{rows[0][0]:03}")
        return rows[0][0]

    await db.write(add, "zzz")
    if db.kind == "sqlite":  # one writer at a time; on PostgreSQL each writing connection has a group
        assert await asyncio.gather(*(db.write(count) for _ in range(50))) == list(range(1, 51))
    else:
        assert [await db.write(count) for _ in range(5)] == [1, 2, 3, 4, 5]


async def test_steps_begin_anew_when_a_neighbour_fails(db: Database) -> None:
    runs: list[str] = []

    def noted(id: str) -> Steps[str]:
        runs.append(id)
        return (yield from add(id))

    def refused() -> Steps[None]:
        yield from add("x")
        raise Refused

    a, x, b = await asyncio.gather(
        db.write(noted, "a"), db.write(refused), db.write(noted, "b"), return_exceptions=True
    )
    assert (a, b) == ("a", "b")
    assert isinstance(x, Refused)
    assert runs.count("a") <= 3
    assert await db.read(ids) == ["a", "b"]


async def test_a_broken_unique_rule_is_named_alike_on_both_stores(db: Database) -> None:
    await db.write(lambda: (yield Statement("insert into boxes (id) values ('box')")))
    await db.write(add, "a", "lamp", "box")
    await db.write(add, "b", "Table")
    for steps, rule in [
        (add("a"), "things.id"),
        (add("c", "lamp", "box"), "things.box, things.name"),
        (add("d", "TABLE"), "index 'things_by_lower_name'"),
    ]:
        with pytest.raises(Duplicate) as caught:
            await db.write(lambda steps=steps: (yield from steps))
        assert caught.value.rule == rule


@pytest.mark.parametrize(
    "sql", ["insert into things (id) values ('a')", "insert into things (id, name, size) values ('a', 'a', -1)"]
)
async def test_other_broken_rules(db: Database, sql: str) -> None:
    def steps() -> Steps[None]:
        yield Statement(sql)

    with pytest.raises(RuleBroken) as caught:
        await db.write(steps)
    assert not isinstance(caught.value, Duplicate)
    assert caught.value.rule


@pytest.mark.parametrize(("text", "size"), [("\ud800", 1), ("a", 1 << 63)])
async def test_what_no_store_can_keep_is_the_callers_fault(db: Database, text: str, size: int) -> None:
    with pytest.raises(Invalid):
        await db.write(add, "a", text, None, size)
    await db.write(add, "a")


async def test_nul_is_kept_or_refused_but_never_cut(db: Database) -> None:
    try:
        await db.write(add, "a\0b")
    except Invalid:
        assert db.kind == "postgresql"
    else:
        assert await db.read(ids) == ["a\0b"]


async def test_a_mistake_in_a_statement_is_not_taken_for_a_fault_of_the_store(db: Database) -> None:
    def wrong() -> Steps[None]:
        yield Statement("select missing from nowhere")

    for call in (db.write, db.read):
        with pytest.raises(Exception, match="nowhere") as caught:
            await call(wrong)
        assert not isinstance(caught.value, DatabaseUnavailable)
    await db.write(add, "a")
    assert await db.read(ids) == ["a"]


async def test_a_read_cannot_write(db: Database) -> None:
    with pytest.raises(Exception, match=r"read.?only"):
        await db.read(add, "a")
    assert await db.read(ids) == []


async def test_statements_of_one_read_see_one_state(db: Database) -> None:
    """A write that lands between them is not seen: the store is asked to write while the read is half done."""
    await db.write(add, "a")
    seen: list[tuple[int, int]] = []

    def twice() -> Steps[None]:
        first = yield Statement("select count(*) from things")
        second = yield Statement("select count(*) from things where name <> $1", ("",))
        seen.append((first[0][0], second[0][0]))

    async def write_on(name: str) -> None:
        for n in range(30):
            await db.write(add, f"{name}{n}")

    await asyncio.gather(write_on("x"), write_on("y"), *(db.read(twice) for _ in range(60)))
    assert len(seen) == 60
    assert all(first == second for first, second in seen)


async def test_lists_rows_and_words_that_the_stores_say_differently(db: Database) -> None:
    def steps() -> Steps[list[list[tuple[object, ...]]]]:
        rows = [["a", "x'y", 3, None], ["b", "ü", 5, 2.5], ["c", "", 7, 1]]
        yield Statement(
            "insert into things (id, name, size, weight) select id, name, size, weight from ("
            f"{tabled('$1', id='text', name='text', size='bigint', weight='double precision')}) as new",
            (json.dumps(rows),),
        )
        found = [
            (yield Statement(f"select id, name, size, weight from things order by size desc {FOR_UPDATE}")),
            (
                yield Statement(
                    f"select id from things where id in ({listed('$1')}) order by id", (json.dumps(["c", "a"]),)
                )
            ),
            (yield Statement(f"select id from things where size in ({listed('$1', 'bigint')})", ("[5, 9]",))),
            (
                yield Statement(
                    "select sum(size), count(*), max(weight), '$1' from things where id is distinct from $1", ("a",)
                )
            ),
            (yield Statement(f"select position, n from ({tabled('$1', n='bigint')}) as t order by n", ("[[2],[1]]",))),
        ]
        return [[tuple(row) for row in one] for one in found]

    assert await db.write(steps) == [
        [("c", "", 7, 1.0), ("b", "ü", 5, 2.5), ("a", "x'y", 3, None)],
        [("a",), ("c",)],
        [("b",)],
        [(12, 2, 2.5, "$1")],
        [(1, 1), (0, 2)],
    ]


async def test_many_rows_with_one_statement(db: Database) -> None:
    def steps() -> Steps[None]:
        rows = yield Many("insert into things (id, name) values ($1, $2)", [(f"{n:03}", f"n{n}") for n in range(300)])
        assert rows == []
        yield Many("update things set size = $2 where id = $1", [])

    await db.write(steps)
    assert len(await db.read(ids)) == 300


async def test_like_heeds_case(db: Database) -> None:
    await db.write(add, "Abc")
    assert await db.read(lambda: (yield Statement("select id from things where id like 'a%'"))) == []
    assert len(await db.read(lambda: (yield Statement("select id from things where id like 'A%'")))) == 1


async def test_those_who_go_away_harm_nobody(db: Database) -> None:
    writes = [asyncio.ensure_future(db.write(add, f"{n:02}")) for n in range(40)]
    await asyncio.sleep(0)
    for n in range(0, 40, 2):
        writes[n].cancel()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert all(isinstance(outcomes[n], asyncio.CancelledError) for n in range(0, 40, 2))
    assert [outcomes[n] for n in range(1, 40, 2)] == [f"{n:02}" for n in range(1, 40, 2)]
    stored = set(await db.read(ids))
    assert {f"{n:02}" for n in range(1, 40, 2)} <= stored


async def test_a_write_just_after_the_last_group_is_not_forgotten(db: Database, database_url: str) -> None:
    single = PostgresDatabase(database_url, writers=1) if db.kind == "postgresql" else db
    for turn in range(40):
        await asyncio.wait_for(single.write(add, f"{turn:02}"), 10)
        for _ in range(turn % 6):
            await asyncio.sleep(0)
    assert len(await single.read(ids)) == 40
    await single.close()


async def test_a_reader_who_goes_away_harms_nobody(db: Database) -> None:
    def slow() -> Steps[None]:
        for _ in range(50):
            yield Statement("select id from things")

    for _ in range(20):
        reads = [asyncio.ensure_future(db.read(slow)) for _ in range(10)]
        for _ in range(5):
            await asyncio.sleep(0)
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
    assert await db.read(ids) == []


async def test_close_carries_out_what_was_asked_for_and_nothing_after(database_url: str) -> None:
    database = await connect(database_url, clock=ManualClock(), migrations=TABLES)
    writes = [asyncio.ensure_future(database.write(add, f"{n:03}")) for n in range(200)]
    await asyncio.sleep(0)
    await asyncio.gather(database.close(), *writes)
    for call in (database.read(ids), database.write(add, "late")):
        with pytest.raises(DatabaseUnavailable, match="closed"):
            await call
    await database.close()
    again = await connect(database_url, clock=ManualClock(), migrations=TABLES)
    assert len(await again.read(ids)) == 200
    await again.close()


async def test_whoever_waits_for_a_statement_hears_of_it_after_its_commit(db: Database) -> None:
    heard: list[list[str]] = []
    rung = asyncio.Event()
    add_some = "insert into things (id, name) values ($1, $1)"

    def some(names: list[str], *, refuse: bool = False) -> Steps[None]:
        yield Many(add_some, [(name,) for name in names])
        if refuse:
            raise Refused

    db.when_written(add_some, rung.set)
    await db.write(add, "a")
    assert not rung.is_set(), "of other statements nothing is said"
    # Others commit meanwhile, on connections of their own where the store has several.
    writes = [db.write(some, [f"{n}-1", f"{n}-2"], refuse=n == 3) for n in range(6)]
    gathered = asyncio.gather(*writes, *(db.write(add, f"z{n}") for n in range(6)), return_exceptions=True)
    while not gathered.done():
        await asyncio.wait_for(rung.wait(), 10)
        rung.clear()
        heard.append([name for name in await db.read(ids) if "-" in name])
        if len(heard[-1]) == 10:
            break
    outcomes = await gathered
    assert [n for n, outcome in enumerate(outcomes) if outcome is not None][:1] == [3]
    assert len(heard[-1]) == 10, "the last one to hear sees all of it"
