"""Verbs on reserves, where another one comes first."""

from __future__ import annotations

from typing import Any

import pytest

from innkeeper.db.database import Duplicate
from innkeeper.hosting.reserves import Reserves
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.errors import Taken
from innkeeper.kit.ids import Chance


class Overtaken:
    """A database in which another reserve gets the name at the same moment, by being renamed."""

    async def write(self, *_: Any) -> None:
        raise Duplicate("reserves.org_id, reserves.name")


async def test_a_name_that_another_one_gets_at_the_same_moment_is_taken() -> None:
    db: Any = Overtaken()
    reserves = Reserves(db, ManualClock(), Chance(), Bell(), {})
    with pytest.raises(Taken, match="has a reserve crowd already"):
        await reserves.create("org", "by", "crowd", enabled=True)
