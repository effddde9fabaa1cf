"""Verbs on builds: announce one, make it runnable while its log is read, delete it. ``intake.py`` takes its upload.

Called by the doors; ``passes/metering.py`` calls ``sweep``, ``inn.py`` ``open`` and ``close``. An archive is unpacked
and checked; then it is a program, or the context of an image that ``making.py`` builds. A build that was being run when
the house went down is run again: all that it needs is still there, and what is half done is replaced.
A run that ends while the database is away keeps its verdict and writes it down when the database is back.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from innkeeper.db.database import Database, Duplicate
from innkeeper.engines.images import Image
from innkeeper.kit.clock import HOUR, MINUTE, Clock
from innkeeper.kit.errors import HouseError, Invalid, Unavailable
from innkeeper.kit.ids import Chance

from .archives.disk import off_loop
from .archives.procfile import server_command, starters, without_engine
from .archives.unpacking import Limits, Unpacked, clear_leftovers, unpack
from .archives.uploads import UploadStore
from .build_log import Run
from .making import NO_ENGINE, ImageMaker, NoBuilder, Way, way_of
from .model import Build, BuildKind, BuildState, Verdict
from .queries import builds as queries
from .registries import RegistrySource
from .verdicts import Verdicts, overdue

log = logging.getLogger(__name__)

#: An announced build must have been run by then.
UPLOAD_LIFE = 24 * HOUR
#: A run that takes longer is called off.
RUN_LIFE = 15 * MINUTE
#: What is left of an upload is not touched before nothing was added to it for so long.
_LEFT_ALONE = HOUR
#: How often a build is numbered anew when others are made at the same moment.
_TRIES = 50
_BROKEN = "something broke inside; the log of the house tells more"


class Builds:
    """Create, fill, run, find and delete builds. ``directory`` holds what they are run from, each under its key.

    ``maker`` makes images; without one the house runs programs alone.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        chance: Chance,
        uploads: UploadStore,
        directory: Path,
        limits: Limits,
        maker: ImageMaker | None = None,
    ) -> None:
        self._db, self._clock, self._chance, self._uploads = db, clock, chance, uploads
        self._directory, self._limits, self._maker = directory, limits, maker
        self._verdicts = Verdicts(db, clock, chance)
        self._runs: dict[str, Run] = {}

    async def open(self) -> None:
        """Clear what a crash left half unpacked, and run again what was being run. The hosts are open by then."""
        await off_loop(clear_leftovers, self._directory)
        for build in await self._db.read(queries.interrupted_builds):
            self._start(build, "The house was restarted; this build is run again.")

    async def close(self) -> None:
        """Stop running builds; the next house runs them again."""
        tasks = [run.task for run in self._runs.values() if run.task is not None]
        for run in self._runs.values():
            run.called_off = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def create(
        self,
        org_id: str,
        by: str,
        *,
        upload_bytes: int | None,
        build_id: str | None = None,
        tag: str | None = None,
        app_id: str | None = None,
    ) -> Build:
        """Announce a build of an archive of so many bytes; None is a build that comes from an image registry.

        0 is an archive that will come in one piece and whose size is not known yet (``Intake.take_whole``). ``app_id``
        keeps it out of the lists of other apps. Raises Taken for an id that was used before, and Invalid, or its kin
        TooLarge, for a size that is not taken.
        """
        if upload_bytes:
            self._uploads.plan(upload_bytes)
        now = self._clock.now()
        build = Build(
            key=self._chance.uuid(), org_id=org_id, id=build_id or f"bld-{self._chance.uuid()}",
            kind=BuildKind.IMAGE if upload_bytes is None else BuildKind.ARCHIVE, tag=tag, state=BuildState.CREATED,
            upload_bytes=upload_bytes or 0, bytes=0, content_hash=None, detail="", command=None, created_at=now,
            created_by=by, started_at=None, finished_at=None, deleted_at=None, until=now + UPLOAD_LIFE, app_id=app_id,
        )  # fmt: skip
        for _ in range(_TRIES):
            try:
                return await self._db.write(queries.add_build, build)
            except Duplicate:  # another one took the number, or the id, at the same moment
                continue
        raise Unavailable("too many builds are made at this moment; try again")

    def go_on(self, build: Build) -> None:
        """Work on a build that is on record as being run. After a crash :meth:`open` sees to it."""
        if build.key not in self._runs:
            self._start(build, f"Build {build.id}")

    def let_go(self, build: Build) -> None:
        """Call off the run of a build that was deleted, where it is run now."""
        if build.key in self._runs:
            self._runs[build.key].call_off()

    async def get(self, org_id: str, build_id: str) -> Build:
        """One build. Raises NotFound."""
        return await self._db.read(queries.build, org_id, build_id)

    async def numbered(self, org_id: str, number: int) -> Build:
        """The build that old clients know by a number. Raises NotFound."""
        return await self._db.read(queries.numbered_build, org_id, number)

    async def all(self, org_id: str, app_id: str | None = None) -> list[Build]:
        """The organisation's builds, the newest first; with an app, without those made for another one."""
        return await self._db.read(queries.builds, org_id, app_id)

    async def run(self, org_id: str, build_id: str, *, source: RegistrySource | None = None) -> AsyncIterator[bytes]:
        """Make a build runnable. Its log comes as it is written; the run goes on when nobody reads.

        ``source`` is for a build that comes from an image registry. A build that is being run already is listened to.
        Raises NotFound, and Invalid for one that is finished.
        """
        found = await self.get(org_id, build_id)
        if (found.kind == BuildKind.IMAGE) != (source is not None):
            raise Invalid(
                f"build {build_id} is made from {'an image registry' if source is None else 'an uploaded archive'}"
            )
        running = self._runs.get(found.key)
        if running is not None:
            return running.book.follow()
        now = self._clock.now()
        reference = None if source is None else source.reference
        login = None if source is None or self._maker is None else self._maker.seal(source, found.key)
        build = await self._db.write(queries.start_build, org_id, build_id, now, now + RUN_LIFE, reference, login)
        return self._start(build, f"Build {build.id}").book.follow()

    def _start(self, build: Build, headline: str) -> Run:
        run = self._runs[build.key] = Run(headline)
        run.task = asyncio.create_task(self._carry_out(build, run))
        run.task.add_done_callback(lambda _: self._runs.pop(build.key, None))
        return run

    async def _carry_out(self, build: Build, run: Run) -> None:
        book = run.book
        try:
            verdict = await self._verdict(build, run)
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
            elif verdict.image is not None and self._maker is not None:
                made = replace(build, state=state, image=verdict.image, architecture=verdict.architecture)
                self._maker.images.spread(made)
        except Exception:
            log.exception("ending the run of build %s failed", build.id)
            book.write(f"Error: {_BROKEN}")
        finally:
            book.close()

    async def _verdict(self, build: Build, run: Run) -> Verdict:
        """Do the work; how it ended, whatever came."""
        make = self._image if build.kind == BuildKind.IMAGE else self._archive
        run.work = asyncio.create_task(make(build, run))
        if run.called_off:  # before it began
            run.work.cancel()
        try:
            return await run.work
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # the house closes; the next one runs it again
                raise
            detail = "it was called off"
        except HouseError as error:
            detail = str(error)
        except OSError as error:
            detail = f"the disk failed: {error.strerror or error}"
        except Exception:
            log.exception("running build %s failed", build.id)
            detail = _BROKEN
        if run.called_off and self._clock.now() >= (build.until or 0):
            detail = "it took too long and was called off"
        return Verdict(BuildState.FAILED, detail)

    async def _archive(self, build: Build, run: Run) -> Verdict:
        """Unpack the upload; then it is a program, or an image is built of it."""
        target, maker = self._directory / build.key, self._maker
        found = await self._unpack(build, run)
        dockerfile, procfile = await off_loop(starters, target)
        way = way_of(dockerfile=dockerfile, procfile=procfile, engine=maker is not None and maker.can)
        if way is Way.WAIT and maker is not None and maker.images.hosts:
            way = Way.IMAGE  # they are silent now; perhaps not for long
        if way is Way.WAIT:
            raise Invalid(without_engine(NO_ENGINE))
        if way is Way.IMAGE and maker is not None:
            try:
                image = await maker.build(build, target, run.book.write, run.book.pour)
            except NoBuilder as error:
                raise Unavailable(without_engine(str(error))) from error
            return self._succeeded(build, image, found.content_hash)
        command = await off_loop(server_command, target)
        if dockerfile:
            run.book.write(f"The Dockerfile is not used: {NO_ENGINE if maker is None else maker.why_not()}")
        run.book.write(f"Servers start by: {command}")
        return Verdict(BuildState.SUCCEEDED, "", found.bytes, found.content_hash, command)

    async def _unpack(self, build: Build, run: Run) -> Unpacked:
        loop = asyncio.get_running_loop()

        def progress(line: str) -> None:
            loop.call_soon_threadsafe(run.book.write, line)

        with await self._uploads.open_stream(build.key) as stream:
            return await off_loop(
                unpack,
                stream,
                self._directory / build.key,
                limits=self._limits,
                progress=progress,
                cancelled=lambda: run.called_off,
            )

    async def _image(self, build: Build, run: Run) -> Verdict:
        """Get the image from its registry."""
        if self._maker is None:
            raise Unavailable(NO_ENGINE)
        image = await self._maker.pull(build, run.book.write, run.book.pour)
        return self._succeeded(build, image, image.id.removeprefix("sha256:"))

    def _succeeded(self, build: Build, image: Image, content_hash: str) -> Verdict:
        assert self._maker is not None
        name = self._maker.images.name(build.key)
        return Verdict(BuildState.SUCCEEDED, "", image.bytes, content_hash, None, name, image.architecture)

    async def _remove_files(self, key: str) -> None:
        await off_loop(shutil.rmtree, self._directory / key, ignore_errors=True)

    async def delete(self, org_id: str, build_id: str) -> None:
        """Delete a build. Its files go when no living server runs it any more."""
        build = await self._db.write(queries.delete_build, org_id, build_id, self._clock.now())
        if build.key in self._runs:
            self._runs[build.key].call_off()
        else:
            await self._uploads.discard(build.key)

    async def sweep(self) -> None:
        """Give up overdue uploads and runs, and remove the files and images of builds that nothing runs any more."""
        now = self._clock.now()
        for build in await self._db.read(queries.overdue_builds, now):
            if build.key in self._runs:
                self._runs[build.key].call_off()
                continue
            state = await self._verdicts.write(build, overdue(build))
            await self._uploads.discard(build.key)
            if state is BuildState.FAILED:
                await self._remove_files(build.key)
        for key in await self._db.read(queries.deleted_builds_unused, 100):
            await self._remove_files(key)
            await self._db.write(queries.build_removed, key)
        # What is left of an upload whose build is settled: the house went down between the two.
        waiting = await self._db.read(queries.builds_that_need_their_upload)
        await self._uploads.sweep(now - _LEFT_ALONE, waiting)
        if self._maker is not None:
            await self._maker.images.collect()
