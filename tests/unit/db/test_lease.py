"""Who keeps a database: one at a time, and the same one again after a crash."""

from __future__ import annotations

import asyncio

import pytest

from innkeeper.db.database import Database
from innkeeper.db.lease import EVERY, HOLDS, Lease
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.errors import Invalid


async def test_only_one_has_it(db: Database) -> None:
    clock = ManualClock()
    first, second = Lease(db, clock, "a", "one on host A"), Lease(db, clock, "b", "one on host B")
    await first.take()
    with pytest.raises(Invalid, match="another Innkeeper keeps this database: one on host A"):
        await second.take()
    await first.give_back()
    await second.take()
    with pytest.raises(Invalid, match="host B"):
        await first.take()


async def test_of_those_that_come_together_one_gets_it(db: Database) -> None:
    clock = ManualClock()
    leases = [Lease(db, clock, f"h{number}", f"host {number}") for number in range(8)]
    came = await asyncio.gather(*(lease.take() for lease in leases), return_exceptions=True)
    assert [type(one) for one in came].count(Invalid) == 7
    assert [type(one) for one in came].count(type(None)) == 1


async def test_a_holder_that_was_killed_has_it_again_at_once_and_others_after_a_while(db: Database) -> None:
    clock = ManualClock()
    await Lease(db, clock, "a", "host A").take()
    await Lease(db, clock, "a", "host A, started again").take()
    clock.advance(HOLDS - 1)
    with pytest.raises(Invalid, match="started again"):
        await Lease(db, clock, "b", "host B").take()
    clock.advance(1)
    await Lease(db, clock, "b", "host B").take()


async def test_one_that_renews_keeps_it_and_one_that_could_not_learns_that_it_is_lost(db: Database) -> None:
    clock = ManualClock()
    first, second = Lease(db, clock, "a", "host A"), Lease(db, clock, "b", "host B")
    await first.take()
    for _ in range(10):
        clock.advance(EVERY)
        assert await first.renew() == EVERY
        with pytest.raises(Invalid):
            await second.take()
    clock.advance(HOLDS)
    await second.take()
    await first.renew()
    assert first.lost.is_set()
    await first.give_back()  # what is another's stays
    with pytest.raises(Invalid, match="host B"):
        await first.take()
