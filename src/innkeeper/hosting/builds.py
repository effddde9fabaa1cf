"""Verbs on builds: announce one, take its upload, unpack and check it while its log is read, delete it.

Called by the doors; ``passes/metering.py`` calls ``sweep``, ``inn.py`` ``open`` and ``close``. A build that was being
run when the house went down is run again: its upload is still there, and unpacking replaces what is half done.
A run that ends while the database is away keeps its verdict and writes it down when the database is back.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from innkeeper.db.database import Database
from innkeeper.kit.clock import HOUR, MINUTE, Clock
from innkeeper.kit.errors import HouseError, Invalid, NotFound
from innkeeper.kit.ids import Chance

from .archives.disk import off_loop
from .archives.procfile import server_command
from .archives.unpacking import Limits, clear_leftovers, unpack
from .archives.uploads import UploadStore
from .build_log import BuildLog
from .model import Build, BuildKind, BuildState
from .queries import releases as queries
from .verdicts import Verdict, Verdicts, overdue

log = logging.getLogger(__name__)

#: An announced build must have been run by then.
UPLOAD_LIFE = 24 * HOUR
#: A run that takes longer is called off.
RUN_LIFE = 15 * MINUTE
#: What is left of an upload is not touched before nothing was added to it for so long.
_LEFT_ALONE = HOUR


class Builds:
    """Create, fill, run, find and delete builds. ``directory`` holds the unpacked ones, each under its key."""

    def __init__(
        self, db: Database, clock: Clock, chance: Chance, uploads: UploadStore, directory: Path, limits: Limits
    ) -> None:
        self._db, self._clock, self._chance, self._uploads = db, clock, chance, uploads
        self._directory, self._limits = directory, limits
        self._verdicts = Verdicts(db, clock, chance)
        self._runs: dict[str, tuple[asyncio.Task[None], BuildLog]] = {}
        self._called_off: set[str] = set()

    async def open(self) -> None:
        """Clear what a crash left half unpacked, and run again what was being run."""
        await off_loop(clear_leftovers, self._directory)
        for build in await self._db.read(queries.interrupted_builds):
            self._start(build, "The house was restarted; this build is run again.")

    async def close(self) -> None:
        """Stop running builds; the next house runs them again."""
        self._called_off.update(self._runs)
        tasks = [task for task, _ in self._runs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def create(
        self, org_id: str, by: str, *, upload_bytes: int | None, build_id: str | None = None, tag: str | None = None
    ) -> Build:
        """Announce a build of an archive of so many bytes; None is a build that comes from an image registry.

        Raises Taken for an id that was used before, and what :meth:`check_size` raises.
        """
        if upload_bytes is not None:
            self.check_size(upload_bytes)
        now = self._clock.now()
        build = Build(
            key=self._chance.uuid(), org_id=org_id, id=build_id or f"bld-{self._chance.uuid()}",
            kind=BuildKind.IMAGE if upload_bytes is None else BuildKind.ARCHIVE, tag=tag, state=BuildState.CREATED,
            upload_bytes=upload_bytes or 0, bytes=0, content_hash=None, detail="", command=None, created_at=now,
            created_by=by, started_at=None, finished_at=None, deleted_at=None, until=now + UPLOAD_LIFE,
        )  # fmt: skip
        return await self._db.write(queries.add_build, build)

    def check_size(self, upload_bytes: int) -> None:
        """Raises Invalid, or its kin TooLarge, for an archive of a size that is not taken."""
        self._uploads.plan(upload_bytes)

    def parts(self, build: Build) -> list[int]:
        """The numbers of the parts that the build's upload comes in."""
        return [number for number, _ in self._uploads.plan(build.upload_bytes)]

    @property
    def part_bytes(self) -> int:
        """The size of every part but the last."""
        return self._uploads.chunk_size

    async def take_part(self, key: str, number: int, pieces: AsyncIterator[bytes]) -> str:
        """Take a part of a build's upload; its ETag, quoted. On disk when this returns."""
        build = await self._awaiting_upload(key)
        sizes = dict(self._uploads.plan(build.upload_bytes))
        if number not in sizes:
            raise Invalid(f"partNumber: this upload has the parts 1 to {len(sizes)}, not {number}")
        return await self._uploads.receive(key, number, pieces, sizes[number])

    async def complete_upload(self, key: str, parts: list[tuple[int, str]]) -> None:
        """All parts were sent. Raises Invalid when one is missing or is not what was sent."""
        build = await self._awaiting_upload(key)
        await self._uploads.complete(key, parts, build.upload_bytes)

    async def _awaiting_upload(self, key: str) -> Build:
        build = await self._db.read(queries.build_by_key, key)
        if build is None or build.deleted_at is not None:
            raise NotFound("the build of this upload was deleted")
        if build.state is not BuildState.CREATED:
            raise Invalid(f"build {build.id} is {build.state} already; create another one")
        return build

    async def get(self, org_id: str, build_id: str) -> Build:
        """One build. Raises NotFound."""
        return await self._db.read(queries.build, org_id, build_id)

    async def all(self, org_id: str) -> list[Build]:
        """The organisation's builds, the newest first."""
        return await self._db.read(queries.builds, org_id)

    async def run(self, org_id: str, build_id: str, *, image: str | None = None) -> AsyncIterator[bytes]:
        """Make a build runnable. Its log comes as it is written; the run goes on when nobody reads.

        A build that is being run already is listened to. Raises NotFound, and Invalid for one that is finished.
        """
        found = await self.get(org_id, build_id)
        if (found.kind == BuildKind.IMAGE) != (image is not None):
            raise Invalid(
                f"build {build_id} is made from {'an image registry' if image is None else 'an uploaded archive'}"
            )
        running = self._runs.get(found.key)
        if running is not None:
            return running[1].follow()
        now = self._clock.now()
        build = await self._db.write(queries.start_build, org_id, build_id, now, now + RUN_LIFE)
        return self._start(build, f"Build {build.id}", image).follow()

    def _start(self, build: Build, headline: str, image: str | None = None) -> BuildLog:
        book = BuildLog(headline)
        task = asyncio.create_task(self._carry_out(build, book, image))
        self._runs[build.key] = task, book
        task.add_done_callback(lambda _: self._runs.pop(build.key, None))
        return book

    async def _carry_out(self, build: Build, book: BuildLog, image: str | None) -> None:
        try:
            verdict = await self._verdict(build, book, image)
            state = await self._verdicts.write_in_time(
                build, verdict, lambda: book.write("Done; waiting for the database, which does not answer now")
            )
            if state is None:  # the first sweep that reaches the database says so there, and removes the files
                book.write("Error: the database did not come back in time; create another build")
                return
            book.write("Build succeeded." if state is BuildState.SUCCEEDED else f"Error: {verdict.detail}")
            await self._uploads.discard(build.key)
            if state is BuildState.FAILED:
                await self._remove_files(build.key)
        except Exception:
            log.exception("ending the run of build %s failed", build.id)
            book.write("Error: something broke inside; the log of the house tells more")
        finally:
            book.close()

    async def _verdict(self, build: Build, book: BuildLog, image: str | None) -> Verdict:
        """Do the work; how it ended, whatever came."""
        try:
            if build.kind == BuildKind.IMAGE:
                raise Invalid(
                    f"the image {image or build.id} needs a host with a container engine, and this house has none;"
                    " upload an archive with a Procfile instead"
                )
            return await self._unpack(build, book)
        except HouseError as error:
            detail = str(error)
        except OSError as error:
            detail = f"the disk failed: {error.strerror}"
        except Exception:
            log.exception("running build %s failed", build.id)
            detail = "something broke inside; the log of the house tells more"
        if build.key in self._called_off and self._clock.now() >= (build.until or 0):
            detail = "it took too long and was called off"
        return Verdict(BuildState.FAILED, detail)

    async def _unpack(self, build: Build, book: BuildLog) -> Verdict:
        key = build.key
        loop = asyncio.get_running_loop()
        target = self._directory / key

        def progress(line: str) -> None:
            loop.call_soon_threadsafe(book.write, line)

        def check() -> str:
            return server_command(target)

        with await self._uploads.open_stream(key) as stream:
            found = await off_loop(
                unpack,
                stream,
                target,
                limits=self._limits,
                progress=progress,
                cancelled=lambda: key in self._called_off,
            )
        command = await off_loop(check)
        book.write(f"Servers start by: {command}")
        return Verdict(BuildState.SUCCEEDED, "", found.bytes, found.content_hash, command)

    async def _remove_files(self, key: str) -> None:
        await off_loop(shutil.rmtree, self._directory / key, ignore_errors=True)

    async def delete(self, org_id: str, build_id: str) -> None:
        """Delete a build. Its files go when no living server runs it any more."""
        build = await self._db.write(queries.delete_build, org_id, build_id, self._clock.now())
        self._called_off.add(build.key)
        if build.key not in self._runs:
            await self._uploads.discard(build.key)

    async def sweep(self) -> None:
        """Give up overdue uploads and runs, and remove the files of deleted builds that nothing runs."""
        now = self._clock.now()
        for build in await self._db.read(queries.overdue_builds, now):
            if build.key in self._runs:
                self._called_off.add(build.key)
                continue
            state = await self._verdicts.write(build, overdue(build))
            await self._uploads.discard(build.key)
            if state is BuildState.FAILED:
                await self._remove_files(build.key)
        for key in await self._db.read(queries.deleted_builds_unused, 100):
            await self._remove_files(key)
            await self._db.write(queries.build_removed, key)
            self._called_off.discard(key)
        # What is left of an upload whose build is settled: the house went down between the two.
        waiting = await self._db.read(queries.builds_that_need_their_upload)
        await self._uploads.sweep(now - _LEFT_ALONE, waiting)
