"""The name that a house carries."""

from __future__ import annotations

import asyncio
import random

from innkeeper.db.connect import connect
from innkeeper.db.house import name_of_house
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.ids import Chance


async def test_it_is_made_once_and_kept(database_url: str) -> None:
    first, second = (Chance(random.Random(seed)) for seed in (1, 2))
    db = await connect(database_url, clock=ManualClock())
    names = await asyncio.gather(*(name_of_house(db, chance) for chance in (first, second)))
    assert len(set(names)) == 1
    assert len(names[0]) == 12
    await db.close()
    db = await connect(database_url, clock=ManualClock())
    assert await name_of_house(db, second) == names[0]
    await db.close()
