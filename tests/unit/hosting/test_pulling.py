"""Files for servers that are about to start, where a store is slow: nobody waits for ever, and nobody for another's."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from innkeeper.engines.base import NotStarted
from innkeeper.hosting.pulling import Pulls
from innkeeper.hosting.storages import StorageDoor
from innkeeper.hosting.storing.bucket import Buckets, Found, Where
from innkeeper.hosting.storing.guard import Guard
from innkeeper.hosting.storing.model import OutputForm, Profile, Pull, PullKind, Storage
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box


class Slow(Buckets):
    """Stores, of which one called ``slow`` never answers. The others have nothing."""

    async def list(self, where: Where, folder: str, most: int) -> list[Found]:
        if where.bucket == "slow":
            await asyncio.Event().wait()
        return []


BOX = Box(bytes(32))


def pull(org_id: str, bucket: str) -> Pull:
    secret = BOX.seal("a-secret", place=f"store-{org_id}")
    storage = Storage(
        f"store-{org_id}", org_id, "files", "https://s3.example.com", bucket, "key", secret, OutputForm.TEXT, 0, "", 0
    )
    return Pull(Profile("pull-1", storage.id, "maps", f"/{bucket}/maps", PullKind.FOLDER, "/app", 0, 0), storage)


def pulls(folder: Path, patience: float) -> Pulls:
    door = StorageDoor(BOX, Slow(Guard(Chance(random.Random(1)))), lambda _: True)
    nothing: Any = None  # of the database nothing is asked here
    return Pulls(nothing, door, folder, patience=patience)


async def test_what_takes_too_long_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match=r"were not all there within 0\.01 s"):
        await pulls(tmp_path, 0.01).bring("s-1", [pull("org-1", "slow")])


async def test_a_slow_store_holds_up_nobody_elses(tmp_path: Path) -> None:
    bringing = pulls(tmp_path, 600)
    tasks = [asyncio.create_task(bringing.bring(f"s-{at}", [pull("org-1", "slow")])) for at in range(20)]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        with pytest.raises(NotStarted, match="there is nothing below /fast/maps"):
            await bringing.bring("other", [pull("org-2", "fast")])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
