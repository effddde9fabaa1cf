"""Health tells whether the house can do its work: on a disk that is full, with a PostgreSQL that takes no changes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from api.wire import ask
from factories import Game, TestInn, copied_database, opened_inn
from innkeeper.hosting.writing import CALM
from innkeeper.kit.clock import SECOND
from innkeeper.sdk import StatusError
from postgres import PostgresServer
from unit.hosting.small_disk import small_disk

AGAIN = "the database takes changes again"
NOT = "the database takes no changes"


async def healthz(inn: TestInn) -> tuple[int, Any]:
    answer = await ask(inn, "GET", "/healthz")
    return answer.status, answer.json


async def refused(game: Game) -> None:
    with pytest.raises(StatusError) as caught:
        await game.room()
    assert caught.value.status == 503


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as out:
        for size in (1 << 16, 1 << 10, 1):
            with suppress(OSError):
                while out.write(b"x" * size):
                    pass


async def test_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "16m"):
        async with opened_inn(disk / "data", f"sqlite:///{disk / 'data' / 'innkeeper.db'}") as inn:
            game = await inn.game()
            room = await game.room()
            await inn.settle()
            status, told = await healthz(inn)
            assert (status, told["status"], told["database"], told["warnings"]) == (200, "ok", "ok", [])
            filler = disk / "filler"
            fill(filler)
            for _ in range(3):
                await refused(game)
                status, told = await healthz(inn)
                assert (status, told["database"]) == (503, "it takes no changes; the log says why")
                inn.clock.advance(2 * CALM / SECOND)
            assert str(disk) not in str(told)
            assert told["warnings"][0].startswith("the disk of the data folder has ")
            assert told["disk_free_bytes"]["data folder"] < 1 << 16
            assert "innkeeper_takes_changes 0.0" in (await ask(inn, "GET", "/metrics")).body.decode()
            assert (await game.info(room)).room_id == room.room_id, "what is there can be read"
            filler.unlink()
            inn.clock.advance(CALM / SECOND)
            status, told = await healthz(inn)
            assert (status, told["database"], told["warnings"]) == (200, "ok", [])
            metrics = (await ask(inn, "GET", "/metrics")).body.decode()
            assert "innkeeper_takes_changes 1.0" in metrics
            assert 'innkeeper_disk_size_bytes{of="data folder"} 1.6777216e+07' in metrics
            await game.room()
    assert [caplog.text.count(text) for text in (NOT, AGAIN)] == [1, 1]


async def test_a_full_disk_is_found_though_nobody_writes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "16m"):
        async with opened_inn(disk / "data", f"sqlite:///{disk / 'data' / 'innkeeper.db'}") as inn:
            fill(disk / "filler")
            assert (await healthz(inn))[0] == 503
            assert caplog.text.count(NOT) == 1
            (disk / "filler").unlink()
            for _ in range(3):  # nobody asks any more: the house finds it out by itself
                inn.clock.advance(CALM / SECOND)
                await inn.inn.figures.writing.keep()
    assert [caplog.text.count(text) for text in (NOT, AGAIN)] == [1, 1]


async def test_a_postgresql_that_takes_no_changes_or_is_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = PostgresServer(in_memory=True)
    try:
        server.start()
        async with opened_inn(tmp_path / "data", await copied_database(server)) as inn:
            game = await inn.game()
            assert (await healthz(inn))[0] == 200
            server.stop()
            standby = server.data / "standby.signal"
            standby.touch()
            server.start()  # as one that another server was put in the place of
            await refused(game)
            status, told = await healthz(inn)
            assert (status, told["database"]) == (503, "it takes no changes; the log says why")
            server.stop()
            inn.clock.advance(CALM / SECOND)
            status, told = await healthz(inn)
            assert (status, told["database"]) == (503, "it does not answer; the log says why")
            assert "127.0.0.1" not in str(told)
            standby.unlink()
            server.start()
            inn.clock.advance(CALM / SECOND)
            assert (await healthz(inn))[0] == 200
            await game.room()
    finally:
        server.remove()
    assert [caplog.text.count(text) for text in (NOT, AGAIN)] == [1, 1]
