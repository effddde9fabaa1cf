"""Houses on either store, and a file of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from factories import copied_database
from postgres import PostgresServer

from .houses import House, empty, lived_in

NewHouse = Callable[[str], Awaitable[House]]


@pytest.fixture
async def new_house(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[NewHouse]:
    """Makes houses that were never started, on the store that is named."""
    urls: list[str] = []

    async def make(store: str) -> House:
        if store == "sqlite":
            return empty(tmp_path)
        server: PostgresServer = request.getfixturevalue("postgres_server")
        urls.append(await copied_database(server))
        return empty(tmp_path, urls[-1])

    yield make
    for url in urls:
        await request.getfixturevalue("postgres_server").drop(url)


@pytest.fixture
async def house(new_house: NewHouse) -> House:
    """A closed house with something of everything, on SQLite."""
    new = await new_house("sqlite")
    return await lived_in(new.folder, "")


@pytest.fixture
async def parcel(house: House, tmp_path: Path) -> Path:
    """Its file."""
    path = tmp_path / "house.inn"
    await house.export(path)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a full house, made once for a module."""
    folder = tmp_path_factory.mktemp("made")

    async def make() -> None:
        house = await lived_in(folder / "house", "")
        await house.export(folder / "house.inn")

    asyncio.run(make())
    return folder / "house.inn"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of somebody else. Whatever a test does to it is undone by nobody: it must not change."""
    folder = tmp_path_factory.mktemp("target")

    async def make() -> House:
        house = empty(folder)
        house.folder.mkdir()
        (house.folder / "builds").mkdir()
        assert house.box  # it has a key
        async with house.database():
            return house

    house = asyncio.run(make())
    before = asyncio.run(house.counts()), house.everything_on_disk()
    yield house
    assert (asyncio.run(house.counts()), house.everything_on_disk()) == before
    assert {path.name for path in house.folder.iterdir()} <= {
        "builds", "innkeeper.db", "innkeeper.lock", "secret.key",
    }  # fmt: skip
