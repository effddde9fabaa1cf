"""The batcher: asks that wait together share a transaction, and each has its own outcome."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from innkeeper.db.batcher import Batcher
from innkeeper.db.database import Database, DatabaseUnavailable, Statement, Steps
from innkeeper.db.migrate import migrate
from innkeeper.db.sqlite import SqliteDatabase
from innkeeper.kit.errors import NotFound, Taken

from .things import TABLES, ids


def fill(asks: Sequence[tuple[str, int]]) -> Steps[Sequence[int | Exception]]:
    """Put so much into a box; an ask of 13 is unlucky and spoils the whole transaction."""
    outcomes: list[int | Exception] = []
    for box, amount in asks:
        if amount == 13:
            raise ValueError(box)
        rows = yield Statement("update boxes set filled = filled + $2 where id = $1 returning filled", (box, amount))
        outcomes.append(rows[0][0] if rows else NotFound(box))
    return outcomes


def make_boxes(*names: str) -> Steps[None]:
    for name in names:
        yield Statement("insert into boxes (id) values ($1)", (name,))


def boxes() -> Steps[dict[str, int]]:
    rows = yield Statement("select id, filled from boxes")
    return {row[0]: row[1] for row in rows}


async def test_asks_share_transactions_and_have_outcomes_of_their_own(db: Database) -> None:
    await db.write(make_boxes, "a", "b")
    sizes: list[int] = []

    def counted(asks: Sequence[tuple[str, int]]) -> Steps[Sequence[int | Exception]]:
        sizes.append(len(asks))
        return fill(asks)

    batcher = Batcher(db, counted, most=64)
    outcomes = await asyncio.gather(*(batcher.ask((name, 1)) for name in "abc" * 60), return_exceptions=True)
    assert [one for one in outcomes if isinstance(one, int)] == [n for n in range(1, 61) for _ in "ab"]
    assert sum(isinstance(one, NotFound) for one in outcomes) == 60
    assert sizes == [64, 64, 52]
    assert await db.read(boxes) == {"a": 60, "b": 60}


async def test_only_the_guilty_ask_fails(db: Database) -> None:
    await db.write(make_boxes, "a")
    batcher = Batcher(db, fill)
    outcomes = await asyncio.gather(*(batcher.ask(("a", n)) for n in range(20)), return_exceptions=True)
    assert [type(one) for one in outcomes] == [ValueError if n == 13 else int for n in range(20)]
    assert await db.read(boxes) == {"a": sum(range(20)) - 13}


async def test_a_duplicate_is_its_askers_alone(db: Database) -> None:
    def add_all(asks: Sequence[str]) -> Steps[Sequence[str | Exception]]:
        outcomes: list[str | Exception] = []
        for id in asks:
            if id == "taken":
                outcomes.append(Taken(id))
                continue
            yield Statement("insert into things (id, name) values ($1, $1)", (id,))
            outcomes.append(id)
        return outcomes

    batcher = Batcher(db, add_all)
    outcomes = await asyncio.gather(*(batcher.ask(id) for id in ["x", "y", "x", "taken", "z"]), return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["Duplicate", "Taken", "str", "str", "str"]
    assert await db.read(ids) == ["x", "y", "z"]


async def test_askers_who_go_away_harm_nobody(db: Database) -> None:
    await db.write(make_boxes, "a")
    batcher = Batcher(db, fill, most=10)
    asks = [asyncio.ensure_future(batcher.ask(("a", 1))) for _ in range(50)]
    await asyncio.sleep(0)
    for ask in asks[::2]:
        ask.cancel()
    outcomes = await asyncio.gather(*asks, return_exceptions=True)
    assert all(isinstance(one, int) for one in outcomes[1::2])
    assert 25 <= (await db.read(boxes))["a"] <= 50
    assert await batcher.ask(("a", 0)) >= 25


async def test_a_closed_database_is_told_to_all(tmp_path: Path) -> None:
    db = SqliteDatabase(tmp_path / "x.db")
    await db.open()
    await db.close()
    outcomes = await asyncio.gather(*(Batcher(db, fill).ask(("a", n)) for n in range(3)), return_exceptions=True)
    assert [type(one) for one in outcomes] == [DatabaseUnavailable] * 3


async def test_an_ask_just_after_the_last_flight_is_not_forgotten(db: Database) -> None:
    await db.write(make_boxes, "a")
    batcher = Batcher(db, fill)
    for turn in range(40):
        assert await asyncio.wait_for(batcher.ask(("a", 1)), 10) == turn + 1
        for _ in range(turn % 6):
            await asyncio.sleep(0)


async def test_too_few_outcomes_are_an_error_and_not_a_wait_for_ever(db: Database) -> None:
    def short(asks: Sequence[int]) -> Steps[Sequence[int]]:
        yield Statement("select 1")
        return []

    with pytest.raises(RuntimeError, match="0 outcomes"):
        await Batcher(db, short).ask(1)


@settings(max_examples=40, deadline=None)
@given(
    asks=st.lists(st.tuples(st.sampled_from("abz"), st.sampled_from([1, 2, 13])), max_size=30),
    most=st.integers(1, 8),
    flights=st.integers(1, 3),
    pauses=st.sets(st.integers(0, 29)),
    gone=st.sets(st.integers(0, 29)),
)
def test_the_boxes_hold_what_was_answered(
    asks: list[tuple[str, int]], most: int, flights: int, pauses: set[int], gone: set[int]
) -> None:
    """An answered ask was carried out once, a failed one never, one that was given up at most once."""

    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            db = SqliteDatabase(Path(folder) / "x.db")
            await db.open()
            await migrate(db, 1, TABLES)
            await db.write(make_boxes, "a", "b")
            batcher = Batcher(db, fill, most=most, flights=flights)
            waiting = []
            for n, ask in enumerate(asks):
                waiting.append(asyncio.ensure_future(batcher.ask(ask)))
                if n in pauses:
                    await asyncio.sleep(0)
            for n in gone & set(range(len(asks))):
                waiting[n].cancel()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            least = dict.fromkeys("ab", 0)
            most_ = dict.fromkeys("ab", 0)
            for (box, amount), outcome in zip(asks, outcomes, strict=True):
                if isinstance(outcome, asyncio.CancelledError):
                    if box in most_ and amount != 13:
                        most_[box] += amount
                elif amount == 13:
                    assert isinstance(outcome, ValueError)
                elif box == "z":
                    assert isinstance(outcome, NotFound)
                else:
                    assert isinstance(outcome, int)
                    least[box] += amount
                    most_[box] += amount
            held = await db.read(boxes)
            await db.close()
            assert all(least[box] <= held[box] <= most_[box] for box in "ab")

    asyncio.run(play())
