"""Two Innkeepers on one PostgreSQL: the second does not start, and one that was pushed out ends."""

from __future__ import annotations

import asyncio
import shutil

import asyncpg
import pytest

from inns import RunningInn, until
from postgres import PostgresServer


@pytest.mark.slow
def test_a_database_has_one_innkeeper(postgres_server: PostgresServer) -> None:
    database = asyncio.run(postgres_server.fresh())
    first, second = RunningInn(database=database), RunningInn(database=database)
    try:
        first.start()
        with pytest.raises(AssertionError, match="another Innkeeper keeps this database"):
            second.start()
        assert second.program is not None
        assert second.program.wait(30) == 1
        first.kill()
        first.start()  # at once: it is the same one
        first.stop()
        for name in ("credentials.json", "secret.key"):  # as one moves to another machine
            shutil.copy(first.data / name, second.data / name)
        second.start()  # at once: the first let go

        async def take_over() -> None:
            line = await asyncpg.connect(database)
            await line.execute("update lease set holder = 'x', told = 'on another machine', until = 9e18")
            await line.close()

        asyncio.run(take_over())
        until(lambda: second.program is None or second.program.poll() is not None, what="that it ends")
        assert second.program.returncode == 1
        assert "another Innkeeper has taken over the database: on another machine" in second.log
    finally:
        first.end()
        second.end()
