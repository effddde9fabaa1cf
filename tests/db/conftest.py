"""The database of these tests has tables of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from innkeeper.db.connect import connect
from innkeeper.db.database import Database
from innkeeper.kit.clock import ManualClock

from .things import TABLES


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A new database with the tables of ``things.py``, once on each store."""
    database = await connect(database_url, clock=ManualClock(), migrations=TABLES)
    yield database
    await database.close()
