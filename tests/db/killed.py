"""Run as a program by ``test_db_crash.py``: writes as fast as it can and says what was answered, until it is killed."""

from __future__ import annotations

import asyncio
import os
import sys

from innkeeper.db.connect import connect
from innkeeper.db.database import Database, Statement, Steps
from innkeeper.kit.clock import SystemClock


def add(id: str) -> Steps[None]:
    """Two rows that belong together."""
    yield Statement("insert into things (id, name) values ($1, $2)", (id, id))
    yield Statement("insert into things (id, name) values ($1, $2)", (id + "-twin", id + "-twin"))


async def client(db: Database, name: str) -> None:
    """Write for ever; what is said was answered."""
    number = 0
    while True:
        id = f"{name}.{number}"
        await db.write(add, id)
        os.write(1, f"{id}\n".encode())
        number += 1


async def main(url: str, life: str) -> None:
    """Sixteen clients at once."""
    db = await connect(url, clock=SystemClock(), migrations=[])
    await asyncio.gather(*(client(db, f"{life}.{n}") for n in range(16)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
