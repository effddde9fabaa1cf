"""A build whose run ends while the database is away: how it ended is not lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from factories import archive
from innkeeper.db.database import Database, DatabaseUnavailable
from innkeeper.hosting.archives.unpacking import Limits
from innkeeper.hosting.archives.uploads import UploadStore
from innkeeper.hosting.builds import RUN_LIFE, Builds
from innkeeper.hosting.intake import Intake
from innkeeper.hosting.model import Build, BuildState
from innkeeper.hosting.queries import builds as queries
from innkeeper.hosting.verdicts import Verdict, Verdicts
from innkeeper.kit.clock import SECOND
from innkeeper.kit.errors import Unavailable
from innkeeper.kit.ids import Chance
from troubled import Trouble, TroubledDatabase, WatchedClock
from unit.hosting.tars import file, tgz

NO_PROCFILE = tgz(file("readme", b"no Procfile")).read()


class LosingStore(UploadStore):
    """Uploads in whose house the database goes away as soon as one of them is read."""

    trouble: Trouble

    async def open_stream(self, build_id: str) -> BinaryIO:
        self.trouble.away = True
        return await super().open_stream(build_id)


class DoubtfulDatabase(TroubledDatabase):
    """Carries out verdicts, and loses the answer to the first."""

    lost = 0

    async def write(self, steps: Any, *args: Any, **kwargs: Any) -> Any:
        result = await super().write(steps, *args, **kwargs)
        if steps is queries.finish_build and not self.lost:
            self.lost += 1
            raise DatabaseUnavailable("the connection was lost in the moment of the commit")
        return result


class Yard:
    """The verbs on builds over a database that goes away, with a build that waits to be run."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.clock, self.trouble, self.folder = WatchedClock(), Trouble(), folder
        self.store = LosingStore(folder / "uploads")
        self.store.trouble = self.trouble
        self.db: TroubledDatabase = TroubledDatabase(db, self.trouble)
        (folder / "builds").mkdir()
        self.builds = self.opened()

    def opened(self) -> Builds:
        return Builds(self.db, self.clock, Chance(), self.store, self.folder / "builds", Limits())

    async def run(self, data: bytes) -> tuple[Build, AsyncIterator[bytes]]:
        """Upload a build and begin to run it; its log, too."""

        async def pieces() -> AsyncIterator[bytes]:
            yield data

        build = await self.builds.create("org", "me", upload_bytes=len(data))
        intake = Intake(self.db, self.store)
        await intake.complete(build.key, [(1, await intake.take_part(build.key, 1, pieces()))])
        return build, await self.builds.run("org", build.id)

    async def until_it_waits(self, log: AsyncIterator[bytes]) -> None:
        async for lines in log:
            if b"waiting for the database" in lines:
                return
        raise AssertionError("the log ended")

    async def rest(self, log: AsyncIterator[bytes], step: float = 5.0) -> str:
        """The rest of the log, while time goes on."""

        async def read() -> str:
            return b"".join([lines async for lines in log]).decode()

        reading = asyncio.ensure_future(read())
        while not reading.done():
            if self.clock.waiting:
                self.clock.advance(step)
            await asyncio.wait({reading}, timeout=0.002)
        return reading.result()

    async def state(self, build: Build) -> BuildState:
        return (await self.builds.get("org", build.id)).state

    def files(self) -> list[str]:
        """What is on the disk, but for folders."""
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
async def yard(db: Database, tmp_path: Path) -> AsyncIterator[Yard]:
    (tmp_path / "yard").mkdir()
    opened = Yard(db, tmp_path / "yard")
    yield opened
    await opened.builds.close()


@pytest.mark.parametrize(
    ("data", "state", "said", "files"),
    [
        (archive(), BuildState.SUCCEEDED, "Build succeeded.\n", ["Procfile", "game"]),
        (NO_PROCFILE, BuildState.FAILED, "Error: The build has no Procfile", []),
    ],
    ids=["succeeded", "failed"],
)
async def test_the_verdict_is_written_when_the_database_is_back(
    yard: Yard, data: bytes, state: BuildState, said: str, files: list[str]
) -> None:
    build, log = await yard.run(data)
    await yard.until_it_waits(log)
    for _ in range(20):  # 100 seconds
        yard.clock.advance(5)
        await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await yard.builds.sweep()
    assert "".join(yard.files()).count(".part") == 1  # the upload is kept until its build is settled
    yard.trouble.away = False
    assert (await yard.rest(log)).startswith(said)
    build = await yard.builds.get("org", build.id)
    assert build.state is state
    assert (build.bytes > 0, build.content_hash is not None) == (bool(files), bool(files))
    assert build.finished_at == yard.clock.now()
    assert build.until is None
    assert yard.files() == files


async def test_who_asks_again_meanwhile_listens_to_the_same_run(yard: Yard) -> None:
    build, log = await yard.run(archive())
    await yard.until_it_waits(log)
    yard.trouble.away = False
    again = await yard.builds.run("org", build.id)
    assert (await yard.rest(again)).endswith("Build succeeded.\n")
    assert (await yard.rest(log)).endswith("Build succeeded.\n")


async def test_when_the_deadline_passes_first_the_build_has_failed(yard: Yard) -> None:
    build, log = await yard.run(archive())
    await yard.until_it_waits(log)
    assert "Error: the database did not come back in time" in await yard.rest(log, RUN_LIFE / SECOND)
    yard.trouble.away = False
    assert await yard.state(build) is BuildState.RUNNING
    await yard.builds.sweep()
    build = await yard.builds.get("org", build.id)
    assert (build.state, build.detail) == (BuildState.FAILED, "its run was not finished in time")
    assert yard.files() == []


async def test_a_house_that_closes_meanwhile_leaves_the_run_to_the_next(yard: Yard) -> None:
    build, log = await yard.run(archive())
    await yard.until_it_waits(log)
    await yard.builds.close()
    assert await yard.rest(log) == ""
    yard.trouble.away = False
    assert await yard.state(build) is BuildState.RUNNING
    yard.builds = yard.opened()
    await yard.builds.open()
    again = await yard.builds.run("org", build.id)
    await yard.until_it_waits(again)  # it went away once more
    yard.trouble.away = False
    assert (await yard.rest(again)).endswith("Build succeeded.\n")
    assert await yard.state(build) is BuildState.SUCCEEDED
    assert yard.files() == ["Procfile", "game"]


@pytest.mark.parametrize(("data", "state"), [(archive(), BuildState.SUCCEEDED), (NO_PROCFILE, BuildState.FAILED)])
async def test_a_verdict_whose_answer_was_lost_is_believed(
    yard: Yard, db: Database, data: bytes, state: BuildState
) -> None:
    yard.db = DoubtfulDatabase(db, yard.trouble)
    yard.builds = yard.opened()
    build, log = await yard.run(data)
    await yard.until_it_waits(log)
    yard.trouble.away = False
    await yard.rest(log)
    assert yard.db.lost == 1
    assert await yard.state(build) is state
    assert yard.files() == (["Procfile", "game"] if state is BuildState.SUCCEEDED else [])


async def test_a_sweep_leaves_the_files_of_a_build_that_was_settled_meanwhile(yard: Yard, db: Database) -> None:
    """The sweep has read that the build is overdue; before it comes to say so, somebody writes down that it is well."""
    build, log = await yard.run(archive())
    await yard.until_it_waits(log)
    await yard.builds.close()
    yard.trouble.away = False
    overdue: list[Build] = []

    class Late(TroubledDatabase):
        async def read(self, steps: Any, *args: Any, **kwargs: Any) -> Any:
            found = await super().read(steps, *args, **kwargs)
            if steps is queries.overdue_builds:
                overdue.extend(found)
                await Verdicts(db, yard.clock, Chance()).write(build, Verdict(BuildState.SUCCEEDED, bytes=40))
            return found

    yard.db = Late(db, yard.trouble)
    yard.builds = yard.opened()
    yard.clock.advance(RUN_LIFE / SECOND)
    await yard.builds.sweep()
    assert [one.id for one in overdue] == [build.id]
    assert await yard.state(build) is BuildState.SUCCEEDED
    assert yard.files() == ["Procfile", "game"]


async def test_what_a_crash_left_of_an_upload_is_swept_and_those_that_wait_stay(yard: Yard) -> None:
    """A crash between the verdict and the deletion of the upload; another build waits to be run."""
    build, log = await yard.run(archive())
    await yard.until_it_waits(log)
    yard.trouble.away = False
    await yard.rest(log)
    waiting = await yard.builds.create("org", "me", upload_bytes=5)
    left, kept = (yard.folder / "uploads" / key for key in (build.key, waiting.key))
    for folder in (left, kept):
        folder.mkdir()
        (folder / "part-1").write_bytes(b"bytes")
        long_ago = yard.clock.now() / SECOND - 3601
        os.utime(folder / "part-1", (long_ago, long_ago))
        os.utime(folder, (long_ago, long_ago))
    await yard.builds.sweep()
    assert not left.exists()
    assert kept.exists()
