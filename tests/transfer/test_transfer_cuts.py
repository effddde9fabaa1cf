"""The power goes out in the middle of an import, or of an export; it is repeated, and comes to the same end."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from innkeeper.db.connect import connect
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.ids import Chance
from innkeeper.transfer.arriving import STAGING, import_house
from innkeeper.transfer.leaving import Wish, export_house
from innkeeper.transfer.tables import MOVED
from troubled import Cut, Trouble, TroubledDatabase

from .conftest import NewHouse
from .houses import CHEAP, PASSPHRASE, House, carry_out


async def came_through(target: House, house: House) -> None:
    """All has arrived, once, and nothing is left over."""
    assert await target.rows() == await house.rows()
    assert len(target.files()) == len(house.files())
    assert not (target.folder / STAGING).exists()


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_cut_off_at_every_write(house: House, parcel: Path, new_house: NewHouse, store: str, after: bool) -> None:
    number, was_cut = 0, True
    all_apps = await house.look("select count(*) from apps")
    while was_cut:
        number += 1
        target, trouble = await new_house(store), Trouble()
        trouble.arm(number, after=after)
        database = await connect(target.settings.database_url, clock=ManualClock())
        try:
            await import_house(
                target.settings,
                parcel,
                PASSPHRASE,
                ManualClock(),
                Chance(),
                database=TroubledDatabase(database, trouble),
            )
        except Cut:
            apps = await target.look("select count(*) from apps")
            assert apps in ([(0,)], all_apps), "all of it, or nothing"
        was_cut = trouble.was_cut
        await target.write("delete from lease")  # as it runs out by itself
        await target.take(parcel)
        await came_through(target, house)
    assert number > (1 if store == "sqlite" else 2)


async def test_cut_off_at_every_step_of_reading(house: House, parcel: Path, new_house: NewHouse) -> None:
    target = await new_house("sqlite")

    def cut_at(at: int) -> Callable[[int, int], None]:
        steps = itertools.count(1)

        def cut(done: int, total: int) -> None:
            if next(steps) == at:
                raise Cut

        return cut

    for at in (1, 2):  # its first bytes, and its end
        with pytest.raises(Cut):
            await target.take(parcel, progress=cut_at(at))
        assert await target.look("select count(*) from orgs") == [(0,)]
        assert target.files() == {}
        leftover = target.folder / STAGING / "half"  # as a crash leaves it
        leftover.parent.mkdir(exist_ok=True)
        leftover.write_bytes(b"x")
    await target.take(parcel)
    await came_through(target, house)


async def test_files_that_came_before_their_rows(house: House, parcel: Path, new_house: NewHouse) -> None:
    """The power went out between the two: the same import finds the files in their place."""
    target = await new_house("sqlite")
    await target.take(parcel)
    async with target.database() as db:
        db._writer.execute("pragma foreign_keys = off")  # type: ignore[attr-defined]
        await db.write(carry_out, tuple(f"delete from {table.name}" for table in MOVED))
    arrived = await target.take(parcel)
    assert [one.build_id for one in arrived.builds] == ["bld-image"], "whose archive may be another house's"
    await came_through(target, house)


async def test_an_export_that_is_cut_off_leaves_nothing(house: House, tmp_path: Path) -> None:
    def cut(done: int, total: int) -> None:
        raise Cut

    wish = Wish(tmp_path / "f", cost=CHEAP)
    with pytest.raises(Cut):
        await export_house(house.settings, wish, PASSPHRASE, ManualClock(), cut)
    assert not any(name.startswith((".f", "f")) for name in os.listdir(tmp_path))


async def test_who_calls_it_off_is_heard_soon(house: House, parcel: Path, new_house: NewHouse) -> None:
    target = await new_house("sqlite")
    loop, reading = asyncio.get_running_loop(), asyncio.Event()

    def note(done: int, total: int) -> None:
        loop.call_soon_threadsafe(reading.set)
        holding.result(timeout=20)

    holding: Future[None] = Future()
    task = asyncio.create_task(target.take(parcel, progress=note))
    await reading.wait()
    task.cancel()
    holding.set_result(None)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (target.folder / STAGING).exists()
    await target.take(parcel)
    await came_through(target, house)


async def test_a_build_that_is_deleted_while_it_is_packed(house: House, tmp_path: Path) -> None:
    """Once more from the beginning, without it."""
    [program] = [path.parent for path in house.folder.glob("builds/*/Procfile")]
    gone = False

    def delete(done: int, total: int) -> None:
        nonlocal gone
        if not gone:
            gone = True
            program.rename(tmp_path / "gone")

    wish = Wish(tmp_path / "f", cost=CHEAP)
    manifest = await export_house(house.settings, wish, PASSPHRASE, ManualClock(), delete)
    assert [one.build_id for one in manifest.contents] == ["bld-image"]
    assert manifest.left_out[0].startswith("the files of build bld-")
