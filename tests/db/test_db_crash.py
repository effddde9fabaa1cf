"""What was answered is there after a ``kill -9``, whole; what was not answered is there whole or not at all."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from innkeeper.db.connect import connect
from innkeeper.db.database import DatabaseUnavailable, Statement, Steps
from innkeeper.kit.clock import ManualClock
from postgres import PostgresServer

from .things import TABLES, add, ids


async def _tables(url: str) -> None:
    """The tables, without notes of migrations: the child knows none."""
    db = await connect(url, clock=ManualClock(), migrations=[])

    def make() -> Steps[None]:
        for statement in TABLES[0].statements:
            yield Statement(statement)

    await db.write(make)
    await db.close()


def _writer(url: str, life: int) -> subprocess.Popen[bytes]:
    program = Path(__file__).with_name("killed.py")
    return subprocess.Popen([sys.executable, program, url, str(life)], stdout=subprocess.PIPE)


async def test_all_that_was_answered_survives_kill_9(database_url: str) -> None:
    await _tables(database_url)
    chance = random.Random(7)
    answered: set[str] = set()
    for life in range(5):
        child = _writer(database_url, life)
        assert child.stdout is not None
        # Killed after so many answers: the moment is wherever it then is in its next transactions.
        for _ in range(chance.randrange(20, 400)):
            answered.add(child.stdout.readline().decode().strip())
        child.kill()
        answered.update(line.decode().strip() for line in child.stdout if line.endswith(b"\n"))
        child.stdout.close()
        child.wait()

    db = await connect(database_url, clock=ManualClock(), migrations=[])
    stored = set(await db.read(ids))
    assert answered <= stored
    assert all((id.removesuffix("-twin") in stored) and (id.removesuffix("-twin") + "-twin" in stored) for id in stored)
    assert len(stored) <= 2 * (len(answered) + 5 * 16)
    await db.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that this test may stop and start."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


async def test_a_postgresql_that_goes_away_and_comes_back(own_server: PostgresServer) -> None:
    url = await own_server.fresh()
    db = await connect(url, clock=ManualClock(), migrations=TABLES)
    await db.write(add, "before")
    assert await db.read(ids) == ["before"]

    own_server.stop()
    for attempt in (db.write(add, "while it is away"), db.read(ids)):
        with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1"):
            await attempt

    own_server.start()
    await db.write(add, "after")
    assert await db.read(ids) == ["after", "before"]

    # Restarted while nobody looks: neither a write nor a read notices.
    for name in ("x", "y", "z"):
        own_server.stop()
        own_server.start()
        await db.write(add, name)
        assert name in await db.read(ids)
    await db.close()


async def test_answers_are_true_while_a_postgresql_crashes_under_load(own_server: PostgresServer) -> None:
    url = await own_server.fresh()
    db = await connect(url, clock=ManualClock(), migrations=TABLES)
    answered: set[str] = set()
    failures: list[str] = []
    enough = asyncio.Event()
    over = asyncio.Event()

    async def client(name: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            try:
                answered.add(await db.write(add, f"{name}.{number}"))
            except DatabaseUnavailable as error:
                failures.append(str(error))
                await asyncio.sleep(0.01)
            if len(answered) > 200:
                enough.set()

    clients = [asyncio.ensure_future(client(n)) for n in range(16)]
    await enough.wait()
    await asyncio.to_thread(own_server.stop, signal.SIGQUIT)
    await asyncio.to_thread(own_server.start)
    before = len(answered)
    enough.clear()
    while len(answered) <= before:
        await enough.wait()
        enough.clear()
    over.set()
    await asyncio.gather(*clients)
    assert answered <= set(await db.read(ids))
    assert failures
    assert all("127.0.0.1" in text for text in failures)
    await db.close()
    line = await asyncpg.connect(url)
    assert await line.fetchval("show fsync") == "on"
    await line.close()
