"""When the house can write, when that is tried, and when a disk has little room: tables."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from innkeeper.db.database import DatabaseUnavailable, Statement, Steps
from innkeeper.db.house import name_of_house
from innkeeper.db.migrate import migrate
from innkeeper.db.sqlite import SqliteDatabase
from innkeeper.hosting.writing import (
    CALM,
    EVERY,
    FRESH,
    PAUSE,
    ROOM,
    Known,
    Room,
    Writing,
    room_of,
    seen,
    to_try,
    tried,
)
from innkeeper.kit.clock import SECOND, ManualClock
from innkeeper.kit.ids import Chance

T = 1_000 * SECOND
GB = 1 << 30
TROUBLED = Known(refused_at=T, since=T)


@pytest.mark.parametrize(
    ("known", "commits", "refusals", "taken_at", "refused_at", "since"),
    [
        (Known(), 0, 0, None, None, None),
        (Known(), 3, 0, None, None, None),  # nobody knows when that was
        (Known(looked_at=T - FRESH), 3, 0, T, None, None),
        (Known(looked_at=T - FRESH - 1), 3, 0, None, None, None),
        (Known(commits=3, looked_at=T - 1, taken_at=T - 9), 3, 0, T - 9, None, None),
        (Known(looked_at=T - 1), 0, 1, None, T, T),
        (Known(looked_at=T - 1), 1, 1, T, T, T),  # some are taken and some are not
        (Known(refusals=1, looked_at=T - 1, refused_at=T - 9, since=T - 99), 0, 2, None, T, T - 99),
        (Known(refusals=1, looked_at=T - 1, refused_at=T - 9, since=T - 99), 5, 1, T, T - 9, T - 99),
    ],
)
def test_what_a_look_tells(
    known: Known, commits: int, refusals: int, taken_at: int | None, refused_at: int | None, since: int | None
) -> None:
    found = seen(known, commits, refusals, T)
    assert (found.taken_at, found.refused_at, found.since) == (taken_at, refused_at, since)
    assert (found.commits, found.refusals, found.looked_at) == (commits, refusals, T)


@pytest.mark.parametrize(
    ("known", "letters"),
    [
        (Known(), 0),
        (Known(taken_at=T - FRESH + 1), None),
        (Known(taken_at=T - FRESH), 0),
        (Known(since=T - 1), ROOM),
        (Known(since=T - 1, taken_at=T - 1), ROOM),
        (Known(since=T - 9, tried_at=T - PAUSE + 1), None),
        (Known(since=T - 9, tried_at=T - PAUSE), ROOM),
    ],
)
def test_when_a_try_is_made(known: Known, letters: int | None) -> None:
    assert to_try(known, T) == letters


@pytest.mark.parametrize(
    ("known", "taken", "letters", "after", "since"),
    [
        (Known(), True, 0, 0, None),
        (Known(), False, 0, 0, T),
        (TROUBLED, True, ROOM, CALM, None),
        (TROUBLED, True, ROOM, CALM - 1, T),  # another one was refused a moment ago
        (TROUBLED, True, 0, CALM, T),  # a few bytes are always left
        (TROUBLED, False, ROOM, CALM, T),
    ],
)
def test_what_a_try_tells(known: Known, taken: bool, letters: int, after: int, since: int | None) -> None:
    found = tried(known, taken=taken, letters=letters, now=T + after)
    assert (found.since, found.tried_at) == (since, T + after)
    assert found.refused_at == (known.refused_at if taken else T + after)


def test_what_is_counted_between_two_looks_of_the_loop_is_fresh() -> None:
    assert EVERY * SECOND < FRESH


@pytest.mark.parametrize(
    ("room", "little"),
    [
        (Room(1 * GB, 100 * GB), False),
        (Room(512 << 20, 100 * GB), False),
        (Room((512 << 20) - 1, 100 * GB), True),
        (Room(40 << 20, 64 << 20), False),
        (Room(3 << 20, 64 << 20), True),
        (Room(0, 64 << 20), True),
        (Room(50 * GB, 100 * GB, 99, 10_000), True),
        (Room(50 * GB, 100 * GB, 100, 10_000), False),
    ],
)
def test_little_room(room: Room, little: bool) -> None:
    assert room.is_little is little


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    db = SqliteDatabase(tmp_path / "innkeeper.db", most_pages=400)
    await db.open()
    await migrate(db, 1)
    await name_of_house(db, Chance())
    yield db
    await db.close()


def _large(letters: int) -> Steps[None]:
    yield Statement("insert into users (email, created_at) values ($1, 1)", ("y" * letters,))


async def test_a_refusal_counts_until_there_is_room_again(
    db: SqliteDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    writing = Writing(db, clock, {"data folder": tmp_path})
    await writing.look()
    assert writing.works
    with pytest.raises(DatabaseUnavailable, match="full"):
        await db.write(_large, 2_000_000)
    for _ in range(3):
        await writing.keep()
        assert not writing.works
        clock.advance(0.5)
    clock.advance(CALM / SECOND)
    await writing.keep()
    assert writing.works
    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 2
    assert said[0].startswith("the database takes no changes: the disk of the database ")
    assert said[1] == "the database takes changes again, after 6 s"


async def test_who_asks_often_writes_seldom(db: SqliteDatabase, tmp_path: Path) -> None:
    clock = ManualClock()
    writing, before = Writing(db, clock, {}), db.pulse.commits
    for _ in range(200):
        await asyncio.gather(*(writing.look() for _ in range(3)))
        clock.advance(0.1)
    assert db.pulse.commits - before <= 1 + 20 / (FRESH / SECOND)
    before = db.pulse.commits
    for _ in range(50):
        await writing.keep()
        clock.advance(EVERY)
    assert db.pulse.commits == before, "nobody asks: nothing is written"


async def test_a_folder_that_is_away_is_not_told(db: SqliteDatabase, tmp_path: Path) -> None:
    rooms = {tmp_path: Room(1, GB)}

    def look(folder: Path) -> Room:
        return rooms.get(folder) or room_of(folder / "none")

    writing = Writing(db, ManualClock(), {"data folder": tmp_path}, look)
    await writing.look()
    assert writing.warnings == ["the disk of the data folder has 1 bytes left"]
    rooms.clear()
    await writing.look()
    assert (writing.warnings, writing.rooms) == ([], {})
