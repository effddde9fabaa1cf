"""Takes the archives of builds that were announced. Called by the doors; ``archives/uploads.py`` keeps what comes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from innkeeper.db.database import Database
from innkeeper.kit.errors import Invalid, NotFound

from .archives.uploads import UploadStore
from .model import Build, BuildState
from .queries import builds as queries


class Intake:
    """Where archives come in, in the parts that were planned or in one piece. ``key`` is a build's key in the house."""

    def __init__(self, db: Database, uploads: UploadStore) -> None:
        self._db, self._uploads = db, uploads

    def check_size(self, upload_bytes: int) -> None:
        """Raises Invalid, or its kin TooLarge, for an archive of a size that is not taken."""
        self._uploads.plan(upload_bytes)

    def parts(self, build: Build) -> list[int]:
        """The numbers of the parts that the build's upload comes in."""
        return list(self._sizes(build))

    def _sizes(self, build: Build) -> dict[int, int | None]:
        """The parts and their sizes: one of any size (None), where that of the archive was not announced."""
        return dict(self._uploads.plan(build.upload_bytes)) if build.upload_bytes else {1: None}

    @property
    def part_bytes(self) -> int:
        """The size of every part but the last."""
        return self._uploads.chunk_size

    async def take_part(self, key: str, number: int, pieces: AsyncIterator[bytes]) -> str:
        """Take a part of a build's upload; its ETag, quoted. On disk when this returns."""
        sizes = self._sizes(await self._awaiting(key))
        if number not in sizes:
            raise Invalid(f"partNumber: this upload has the parts 1 to {len(sizes)}, not {number}")
        return await self._uploads.receive(key, number, pieces, sizes[number])

    async def take_whole(self, key: str, pieces: AsyncIterator[bytes]) -> str:
        """Take all of an archive whose size was not announced; its ETag, quoted. On disk when this returns."""
        build = await self._awaiting(key)
        if build.upload_bytes:
            raise Invalid(f"build {build.id} was announced with parts: send them to their links")
        etag = await self._uploads.receive(key, 1, pieces)
        await self._uploads.complete(key, [(1, etag)])
        return etag

    async def complete(self, key: str, parts: list[tuple[int, str]]) -> None:
        """All parts were sent. Raises Invalid when one is missing or is not what was sent."""
        build = await self._awaiting(key)
        await self._uploads.complete(key, parts, build.upload_bytes or None)

    async def _awaiting(self, key: str) -> Build:
        build = await self._db.read(queries.build_by_key, key)
        if build is None or build.deleted_at is not None:
            raise NotFound("the build of this upload was deleted")
        if build.state is not BuildState.CREATED:
            raise Invalid(f"build {build.id} is {build.state} already; create another one")
        return build
