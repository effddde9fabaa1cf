"""Fixtures for all tests that stand on a database: the same test on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from factories import TestInn, copied_database, copied_file, opened_inn
from innkeeper.db.connect import connect, path_of
from innkeeper.db.database import Database
from innkeeper.kit.clock import ManualClock
from networks import stand_apart
from postgres import PostgresServer


def pytest_sessionstart(session: pytest.Session) -> None:
    """Who runs tests has a network and mounts of its own; who only deals them to workers has not."""
    if hasattr(session.config, "workerinput") or not session.config.getoption("numprocesses", None):
        stand_apart()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL server, shared by the tests of a run that leave it running."""
    server = PostgresServer(in_memory=True)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a new, empty database, once on each store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'innkeeper.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = await server.fresh()
    yield url
    await server.drop(url)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A new database with the tables of the house, once on each store."""
    if (file := path_of(database_url)) is not None:
        await copied_file(file)
    database = await connect(database_url, clock=ManualClock())
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def house_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a database for an inn, once on each store; it has its tables already, or gets them copied."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'innkeeper.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = await copied_database(server)
    yield url
    await server.drop(url)


@pytest.fixture
async def inn(house_url: str, tmp_path: Path) -> AsyncIterator[TestInn]:
    """The real inn with a pretended host, once on each store."""
    async with opened_inn(tmp_path / "data", house_url) as opened:
        yield opened


@pytest.fixture
async def small_inn(tmp_path: Path) -> AsyncIterator[TestInn]:
    """The same on SQLite alone: for what does not reach the database's own statements."""
    async with opened_inn(tmp_path / "data", f"sqlite:///{tmp_path / 'innkeeper.db'}") as opened:
        yield opened
