"""The loop that keepers run in, with time moved by hand."""

from __future__ import annotations

import asyncio
import random

import pytest

from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.ids import Chance
from innkeeper.kit.keeper import KeeperLoop
from innkeeper.kit.retry import Backoff


class Passes:
    """A keeper that does as it is told and counts."""

    def __init__(self) -> None:
        self.clock, self.bell, self.made = ManualClock(), Bell(), 0
        self.again: float | None = None
        self.error: Exception | None = None
        self.loop = KeeperLoop("test", self.keep, self.bell, self.clock, Chance(random.Random(1)))

    async def keep(self) -> float | None:
        self.made += 1
        if self.error is not None:
            raise self.error
        return self.again

    async def rest(self) -> int:
        for _ in range(10):
            await asyncio.sleep(0)
        return self.made


async def test_a_pass_is_made_for_the_bell_and_for_the_time() -> None:
    passes = Passes()
    task = asyncio.create_task(passes.loop.run())
    assert await passes.rest() == 1
    passes.clock.advance(3600)
    assert await passes.rest() == 1  # it did not ask to be called again
    passes.again = 5
    passes.bell.ring()
    passes.bell.ring()
    assert await passes.rest() == 2
    passes.clock.advance(4)
    assert await passes.rest() == 2
    passes.clock.advance(1)
    assert await passes.rest() == 3
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_failing_pass_is_repeated_after_growing_waits() -> None:
    passes = Passes()
    passes.error = RuntimeError("no")
    task = asyncio.create_task(passes.loop.run())
    for failures in range(1, 12):
        assert await passes.rest() == failures == passes.loop.failures
        passes.clock.advance(5)
    passes.error = None
    await passes.rest()
    passes.bell.ring()
    await passes.rest()
    assert passes.loop.failures == 0
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_waits_double_up_to_the_most() -> None:
    backoff = Backoff(first=0.5, most=8)
    assert [backoff.delay(attempt, 1.0) for attempt in range(1, 7)] == [0.5, 1, 2, 4, 8, 8]
    assert backoff.delay(10_000, 0.5) == 4


async def test_a_manual_clock_wakes_those_whose_time_has_come_in_order() -> None:
    clock, woken = ManualClock(), list[int]()

    async def sleeper(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (3, 1, 2, 0)]
    for _ in range(3):
        await asyncio.sleep(0)
    assert woken == [0]
    clock.advance(2)
    for _ in range(3):
        await asyncio.sleep(0)
    assert woken == [0, 1, 2]
    clock.advance(1)
    await asyncio.gather(*tasks)


def test_chance_is_repeatable_and_its_ids_well_formed() -> None:
    one, same = Chance(random.Random(3)), Chance(random.Random(3))
    assert [one.uuid(), one.base36(13), one.hex(32)] == [same.uuid(), same.base36(13), same.hex(32)]
    real = Chance()
    ids = {real.base36(13) for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(found) for found in ids} == {13}
    assert all(0 <= real.fraction() < 1 for _ in range(100))
