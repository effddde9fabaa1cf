"""A founded house, once on each store."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from innkeeper.db.database import Database
from postgres import PostgresServer

from .house import House

#: Those of this wing, the ones that point at others first.
TABLES = ("audit", "org_tokens", "invites", "members", "founding", "users", "orgs")


@pytest.fixture(scope="package")
def emptied() -> dict[str, str]:
    """The PostgreSQL database that the tests of this folder share, once there is one."""
    return {}


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path, emptied: dict[str, str]) -> str:
    """As in ``tests/conftest.py``; but PostgreSQL takes half a second to make a database, and a moment to empty one."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'innkeeper.db'}"
    if "url" in emptied:
        line = await asyncpg.connect(emptied["url"])
        await line.execute("; ".join(f"delete from {table}" for table in TABLES))
        await line.close()
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        emptied["url"] = await server.fresh()
    return emptied["url"]


@pytest.fixture
async def house(db: Database, tmp_path: Path) -> House:
    """A house after its first start."""
    return await House(db, tmp_path / "data").found()
