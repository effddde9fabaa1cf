"""What only a file can do: fill its disk, be locked by another program, be damaged."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from innkeeper.db.database import DatabaseUnavailable, Statement, Steps
from innkeeper.db.migrate import migrate
from innkeeper.db.sqlite import CHECKPOINT_ROWS, SqliteDatabase

from .things import TABLES, Refused, add, add_and_refuse, ids


async def _open(path: Path, **settings: float) -> SqliteDatabase:
    db = SqliteDatabase(path / "innkeeper.db", **settings)
    await db.open()
    await migrate(db, 1, TABLES)
    return db


def _clear() -> Steps[None]:
    yield Statement("delete from things")


async def test_a_full_file_says_so_and_works_again_when_there_is_room(tmp_path: Path) -> None:
    db = await _open(tmp_path, most_pages=40)

    async def fill() -> None:
        for n in range(1000):
            await db.write(add, f"{n:04}", f"{n}" + "x" * 2000)

    with pytest.raises(DatabaseUnavailable, match="full"):
        await fill()
    assert 5 < len(await db.read(ids)) < 100
    # What is too large fails; its neighbours in the same commit do not.
    outcomes = await asyncio.gather(
        db.write(_clear), db.write(add, "large", "y" * 400_000), db.write(add, "small"), return_exceptions=True
    )
    assert isinstance(outcomes[1], DatabaseUnavailable)
    assert outcomes[::2] == [None, "small"]
    assert await db.read(ids) == ["small"]
    await db.close()


@contextmanager
def _file_size_limit(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: to SQLite, a disk that fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_fails_is_reported_and_survived(tmp_path: Path) -> None:
    db = await _open(tmp_path)
    await db.write(add, "before")
    log = tmp_path / "innkeeper.db-wal"
    with _file_size_limit(log.stat().st_size + 5000):
        outcomes = await asyncio.gather(
            *(db.write(add, f"{n}", "x" * 9000) for n in range(20)),
            db.write(add_and_refuse, "r"),
            return_exceptions=True,
        )
        failures = [outcome for outcome in outcomes if isinstance(outcome, DatabaseUnavailable)]
        assert failures
        assert all("does not work" in str(failure) for failure in failures)
        answered = sorted(["before", *(outcome for outcome in outcomes if isinstance(outcome, str))])
        assert len(answered) + len(failures) == 21
        assert await db.read(ids) == answered
    await db.write(add, "after")
    assert await db.read(ids) == sorted([*answered, "after"])
    with pytest.raises(Refused):
        await db.write(add_and_refuse, "r")
    await db.close()


async def test_another_program_that_writes_is_waited_for_and_then_reported(tmp_path: Path) -> None:
    db = await _open(tmp_path, patience=0.05)
    other = sqlite3.connect(tmp_path / "innkeeper.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(DatabaseUnavailable, match="another program"):
        await db.write(add, "a")
    assert await db.read(ids) == []
    other.execute("rollback")
    await db.write(add, "a")
    other.close()
    await db.close()


async def test_while_another_program_writes_the_loop_goes_on_and_the_write_comes_after(tmp_path: Path) -> None:
    db = await _open(tmp_path, patience=30)
    other = sqlite3.connect(tmp_path / "innkeeper.db", isolation_level=None)
    other.execute("begin immediate")
    write = asyncio.ensure_future(db.write(add, "a"))
    for _ in range(20):
        assert await db.read(ids) == []
        await asyncio.sleep(0)
    assert not write.done()
    other.execute("commit")
    assert await write == "a"
    other.close()
    await db.close()


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "innkeeper.db").write_bytes(b"something else " * 500)
    with pytest.raises(DatabaseUnavailable, match="not an SQLite database"):
        await _open(tmp_path)


async def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    db = await _open(tmp_path)
    await asyncio.gather(*(db.write(add, f"{n}") for n in range(CHECKPOINT_ROWS + 100)))
    assert len(set(threading.enumerate()) - before) == 2
    await db.close()
    assert set(threading.enumerate()) == before


async def test_the_write_ahead_log_is_brought_home_while_writing_goes_on(tmp_path: Path) -> None:
    db = await _open(tmp_path)
    file, log = tmp_path / "innkeeper.db", tmp_path / "innkeeper.db-wal"
    size = file.stat().st_size

    def many(start: int) -> Steps[None]:
        yield Statement(
            "with recursive n (n) as (select 0 union all select n + 1 from n where n < 499)"
            " insert into things (id, name) select cast($1 + n as text), cast($1 + n as text) from n",
            (start,),
        )

    for turn in range(60):
        await db.write(many, turn * 500)
    assert len(await db.read(ids)) == 30_000
    assert file.stat().st_size > size  # without a checkpoint all of it would be in the log alone
    assert log.stat().st_size < 64 * 1024 * 1024
    await db.close()
    assert not log.exists()


async def test_a_busy_loop_does_not_starve_a_commit(tmp_path: Path) -> None:
    """The loop never idles; each turn of it gives the interpreter's lock away for an instant only."""
    db = await _open(tmp_path)
    turns = 0
    over = False

    async def busy() -> None:
        nonlocal turns
        while not over:
            sum(range(3000))
            turns += 1
            await asyncio.sleep(0)

    hog = asyncio.ensure_future(busy())
    for n in range(20):
        await asyncio.wait_for(db.write(add, f"{n}"), 5)
    over = True
    await hog
    assert turns
    await db.close()
