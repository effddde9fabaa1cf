"""What a durable commit costs: CPU and latency with 1, 64 and 256 clients, on both stores, beside a bare loop.

    python benchmarks/database.py            # SQLite, and PostgreSQL when its server is installed
    python benchmarks/database.py --quick    # a tenth of the work

Each client inserts a row, waits until it is on disk, and inserts the next. "bare" is the plain way with the same
library: for SQLite one thread with insert and commit, for PostgreSQL one statement per request on a pool as large as
the clients' number, at most 32. "write" is a transaction of the house, "batched" the same through a ``Batcher``. CPU is
that of this process, per row; PostgreSQL's own is not in it. "busy" is the loop kept busy by other work while one
client writes: its CPU is that of the other work.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import asyncpg

from innkeeper.db.batcher import Batcher
from innkeeper.db.connect import connect
from innkeeper.db.database import Database, Many, Statement, Steps
from innkeeper.db.migrate import read_migration
from innkeeper.db.sql import tabled
from innkeeper.kit.clock import SystemClock

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from postgres import PostgresServer  # type: ignore[import-not-found]

INSERT = "insert into things (id, size) values ($1, $2)"
TABLES = [read_migration(1, "things", "create table things (id text primary key, size bigint not null);")]
Write = Callable[[str], Awaitable[object]]


def add(id: str) -> Steps[None]:
    """One row."""
    yield Statement(INSERT, (id, 1))


def add_many_sqlite(asks: Sequence[str]) -> Steps[Sequence[bool]]:
    """A row for each ask."""
    yield Many(INSERT, [(id, 1) for id in asks])
    return [True] * len(asks)


def add_many_postgres(asks: Sequence[str]) -> Steps[Sequence[bool]]:
    """The same with one statement and one trip."""
    rows = json.dumps([(id, 1) for id in asks])
    table = tabled("$1", id="text", size="bigint")
    yield Statement(f"insert into things (id, size) select id, size from ({table}) as new", (rows,))
    return [True] * len(asks)


async def measure(name: str, clients: int, rows: int, write: Write) -> None:
    """Print one line."""
    took: list[float] = []

    async def client(number: int) -> None:
        for turn in range(rows // clients):
            began = time.perf_counter()
            await write(f"{name} {clients} {number} {turn}")
            took.append(time.perf_counter() - began)

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client(number) for number in range(clients)))
    report(name, clients, time.perf_counter() - began, time.process_time() - cpu, took)


def report(name: str, clients: int, wall: float, cpu: float, took: list[float]) -> None:
    """One line of the table."""
    took.sort()
    p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
    print(
        f"{name:22} {clients:7} {len(took):7} {cpu / len(took) * 1e6:8.1f} {len(took) / wall:9.0f}"
        f" {p50 * 1e3:8.2f} {p99 * 1e3:8.2f}",
        flush=True,
    )


def bare_sqlite(path: Path, rows: int) -> None:
    """Insert and commit in one thread, one after the other."""
    line = sqlite3.connect(path, isolation_level=None)
    line.execute("pragma synchronous = full")
    took: list[float] = []
    began, cpu = time.perf_counter(), time.process_time()
    for turn in range(rows):
        at = time.perf_counter()
        line.execute("begin immediate")
        line.execute("insert into things (id, size) values (?, ?)", (f"bare {turn}", 1))
        line.execute("commit")
        took.append(time.perf_counter() - at)
    report("sqlite bare", 1, time.perf_counter() - began, time.process_time() - cpu, took)
    line.close()


async def bare_postgres(url: str, clients: int, rows: int) -> None:
    """One statement for each request on asyncpg's pool."""
    async with asyncpg.create_pool(url, min_size=1, max_size=min(clients, 32)) as pool:

        async def write(id: str) -> None:
            await pool.execute(INSERT, id, 1)

        await measure("postgresql bare", clients, rows, write)


async def busy_loop(db: Database, rows: int) -> None:
    """One client, while the loop never idles."""
    over = False

    async def busy() -> None:
        while not over:
            sum(range(5000))
            await asyncio.sleep(0)

    hog = asyncio.ensure_future(busy())
    await measure(f"{db.kind} busy", 1, rows, lambda id: db.write(add, id))
    over = True
    await hog


async def main(scale: int) -> None:
    """The whole table."""
    print(f"{'':22} {'clients':>7} {'rows':>7} {'us CPU':>8} {'rows/s':>9} {'p50 ms':>8} {'p99 ms':>8}")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        path = Path(folder) / "bench.db"
        db = await connect(path, clock=SystemClock(), migrations=TABLES)
        bare_sqlite(path, 2_000 // scale)
        await house(db, add_many_sqlite, scale)
        await busy_loop(db, 300 // scale)
        reads = 20_000 // scale
        await measure("sqlite read", 1, reads, lambda id: db.read(look, id))
        await db.close()
    server = PostgresServer("max_connections=60")
    try:
        server.start()
        url = await server.fresh()
        db = await connect(url, clock=SystemClock(), migrations=TABLES)
        for clients in (1, 64, 256):
            await bare_postgres(url, clients, (2_000 if clients == 1 else 20_000) // scale)
        await house(db, add_many_postgres, scale)
        await busy_loop(db, 300 // scale)
        await measure("postgresql read", 1, 10_000 // scale, lambda id: db.read(look, id))
        await measure("postgresql read", 64, 20_000 // scale, lambda id: db.read(look, id))
        await db.close()
    finally:
        server.remove()


def look(id: str) -> Steps[int]:
    """Read by key."""
    return len((yield Statement("select size from things where id = $1", (id,))))


async def house(db: Database, add_many: Callable[[Sequence[str]], Steps[Sequence[bool]]], scale: int) -> None:
    """The house's two ways to write."""
    for clients in (1, 64, 256):
        rows = (2_000 if clients == 1 else 50_000) // scale
        await measure(f"{db.kind} write", clients, rows, lambda id: db.write(add, id))
    batcher: Batcher[str, bool] = Batcher(db, add_many)
    for clients in (1, 64, 256):
        rows = (2_000 if clients == 1 else 50_000) // scale
        await measure(f"{db.kind} batched", clients, rows, batcher.ask)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What a durable commit costs.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    asyncio.run(main(10 if parser.parse_args().quick else 1))
