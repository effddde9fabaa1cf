"""Parts of builds on their way in, kept on disk. Called by ``hosting/builds.py``.

A build comes in numbered parts, in any order, several at a time, and each perhaps more than once. A part is written
under a name of its own, checked, and renamed when it is on disk: what has a part's name is whole. The name carries the
part's MD5, which is its ETag, so that nothing else needs to be remembered:

    DIR/<build>/00001-9e107d9d372bb6826bd81d3542a419d6.part
    DIR/<build>/parts.json        which parts make up the build; written by complete()

The parts are not put together: they are read one after the other when the build is unpacked.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import threading
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import BinaryIO

from innkeeper.kit.errors import Invalid, NotFound, TooLarge

from .disk import Joined, on_disk, sync_directory, write_whole
from .partlist import MOST_PARTS, parse_complete

__all__ = ["CHUNK_SIZE", "MOST_PARTS", "UploadStore", "parse_complete"]

MIB = 1024 * 1024
CHUNK_SIZE = 10 * MIB
_PIECE = 256 * 1024  # gathered before a thread is woken to write: more keeps the loop waiting when many parts come
_MANIFEST = "parts.json"
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_PART = re.compile(r"(\d{5})-([0-9a-f]{32})\.part")
_ETAG = re.compile(r"[0-9a-f]{32}")


class UploadStore:
    """The parts of all builds that are being uploaded.

    ``chunk_size`` is the size of all parts but the last, in bytes; ``most_bytes`` the size of the largest build.
    """

    def __init__(self, directory: Path, chunk_size: int = CHUNK_SIZE, most_bytes: int = 8 << 30) -> None:
        self._directory, self._chunk_size = directory, chunk_size
        self._most_bytes = min(most_bytes, chunk_size * MOST_PARTS)
        self._serial = itertools.count()
        self._settling = threading.Lock()  # a part cannot be replaced while the list of parts is checked and written

    @property
    def chunk_size(self) -> int:
        """The size of all parts but the last, in bytes."""
        return self._chunk_size

    def plan(self, size: int) -> list[tuple[int, int]]:
        """The numbers, from 1, and sizes of the parts that a build of ``size`` bytes comes in."""
        if size < 1:
            raise Invalid(f"a build of {size} bytes cannot be; give the exact size of its archive")
        if size > self._most_bytes:
            raise TooLarge(
                f"a build of {size} bytes is too large; archives of up to {self._most_bytes} bytes are taken"
            )
        starts = range(0, size, self._chunk_size)
        return [(number, min(self._chunk_size, size - start)) for number, start in enumerate(starts, start=1)]

    async def receive(
        self, build_id: str, part_number: int, chunks: AsyncIterator[bytes], expected_size: int | None = None
    ) -> str:
        """Take a part and return its ETag, quoted. When it returns, the part is on disk; it replaces an earlier one.

        ``expected_size`` is the size in bytes that the plan gives the part; None takes up to the largest build in one.
        Raises :class:`Invalid` for a part that is longer or shorter, or comes after the upload was completed, and
        :class:`Unavailable` when the disk is full or failing; then nothing of it is kept.
        """
        if not 1 <= part_number <= MOST_PARTS:
            raise Invalid(f"The part number is {part_number}; parts are numbered from 1 to {MOST_PARTS}.")
        folder = self._folder(build_id)
        most = self._most_bytes if expected_size is None else expected_size
        name = f"{part_number:05}-{next(self._serial)}-{os.getpid()}.incoming"
        part = _NewPart(folder, name)
        try:
            await on_disk("storing the upload", part.open)
            size = await _pour(chunks, part, most)
            if size > most:
                raise TooLarge(f"Part {part_number} is longer than the {most} bytes planned for it.")
            if expected_size is not None and size < expected_size:
                raise Invalid(f"Part {part_number} has {size} of {expected_size} bytes: upload it again.")
            return f'"{await on_disk("storing the upload", self._keep, part, part_number)}"'
        finally:
            await on_disk("storing the upload", part.drop)

    async def complete(self, build_id: str, parts: Sequence[tuple[int, str]], expected_size: int | None = None) -> int:
        """Settle which parts make up the build, and return its size in bytes. May be repeated with the same parts.

        Raises :class:`Invalid` when a part is missing or is not the one that was uploaded last, or when all parts do
        not add up to ``expected_size`` bytes, if it is given; parts are taken on then.
        """
        return await on_disk("completing the upload", self._complete, build_id, parts, expected_size)

    async def open_stream(self, build_id: str) -> BinaryIO:
        """The bytes of a completed upload, to be read (in a worker thread) and closed by the caller.

        Raises :class:`NotFound` unless the upload was completed.
        """
        return await on_disk("reading the upload", self._open_stream, build_id)

    async def discard(self, build_id: str) -> None:
        """Delete all parts of a build. There being none is no error."""
        await on_disk("deleting the upload", _remove, self._folder(build_id))

    async def sweep(self, older_than: int, keep: Collection[str] = ()) -> int:
        """Delete uploads that nothing was added to since ``older_than`` (microseconds since the epoch), but those of
        the builds in ``keep``. Returns how many were deleted."""
        kept = {self._folder(build_id).name for build_id in keep}
        return await on_disk("sweeping old uploads", self._sweep, older_than, kept)

    def _folder(self, build_id: str) -> Path:
        """Ids may be chosen by callers: those that are no plain file names are kept under a name made of their hash."""
        if _PLAIN_ID.fullmatch(build_id):
            return self._directory / build_id
        return self._directory / f"_{hashlib.sha256(build_id.encode(errors='surrogatepass')).hexdigest()}"

    def _keep(self, part: _NewPart, number: int) -> str:
        part.sync()
        with self._settling:
            return part.keep(number)

    def _complete(self, build_id: str, parts: Sequence[tuple[int, str]], expected_size: int | None) -> int:
        chosen = _checked(parts)
        with self._settling:
            return _settle(self._folder(build_id), chosen, expected_size)

    def _open_stream(self, build_id: str) -> BinaryIO:
        folder = self._folder(build_id)
        try:
            names: list[str] = json.loads((folder / _MANIFEST).read_bytes())
        except FileNotFoundError:
            raise NotFound("The upload of this build was not completed, or is no longer kept.") from None
        return io.BufferedReader(Joined([folder / name for name in names]), buffer_size=256 * 1024)

    def _sweep(self, older_than: int, keep: set[str]) -> int:
        swept = 0
        for folder in list(self._directory.iterdir()) if self._directory.is_dir() else []:
            if folder.name in keep:
                continue
            with contextlib.suppress(FileNotFoundError):  # a part ended, or was discarded, meanwhile
                touched = max(path.stat().st_mtime_ns for path in [folder, *folder.iterdir()])
                if touched // 1000 < older_than:
                    _remove(folder)
                    swept += 1
        return swept


def _checked(parts: Sequence[tuple[int, str]]) -> dict[int, str]:
    """The bare ETags by number, from 1 without a gap."""
    if not parts:
        raise Invalid("No parts are named: name every part that was uploaded, with its ETag.")
    chosen = {number: etag.strip().strip('"').lower() for number, etag in parts}
    if len(chosen) != len(parts):
        raise Invalid("A part is named twice: name each part once.")
    if sorted(chosen) != list(range(1, len(chosen) + 1)):
        missing = next(number for number in itertools.count(1) if number not in chosen)
        raise Invalid(f"Part {missing} is not named, but later ones are: upload it and name all parts from 1 on.")
    return dict(sorted(chosen.items()))


def _settle(folder: Path, chosen: dict[int, str], expected_size: int | None) -> int:
    """Check that the parts are there, write down which they are, and return their size together."""
    there = {path.name: path.stat().st_size for path in folder.iterdir()} if folder.is_dir() else {}
    names = [f"{number:05}-{etag}.part" for number, etag in chosen.items()]
    if _MANIFEST in there and json.loads((folder / _MANIFEST).read_bytes()) != names:
        raise Invalid("The upload of this build was completed before, with other parts.")
    for (number, etag), name in zip(chosen.items(), names, strict=True):
        if not _ETAG.fullmatch(etag) or name not in there:
            here = any(other.startswith(f"{number:05}-") and _PART.fullmatch(other) for other in there)
            why = "has another ETag than the one named" if here else "was not uploaded"
            raise Invalid(f"Part {number} {why}: upload it again and name the ETag of the answer.")
    size = sum(there[name] for name in names)
    if expected_size not in (None, size):
        raise Invalid(f"The parts named have {size} of the build's {expected_size} bytes: name all of them.")
    if _MANIFEST not in there:
        write_whole(folder / _MANIFEST, json.dumps(names).encode())
    for other in there.keys() - set(names) - {_MANIFEST}:
        (folder / other).unlink(missing_ok=True)
    return size


class _NewPart:
    """A part that is being written; blocks, so its methods are called in worker threads."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._path = folder, folder / name
        self._digest = hashlib.md5(usedforsecurity=False)
        self._file: io.FileIO | None = None

    def open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if (self._folder / _MANIFEST).exists():
            raise Invalid("The upload of this build is complete; parts are no longer taken.")
        self._file = io.FileIO(self._path, "wb")

    def write(self, data: bytes) -> None:
        assert self._file is not None
        self._digest.update(data)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def sync(self) -> None:
        """Return once all that was written is on disk."""
        assert self._file is not None
        os.fsync(self._file.fileno())

    def keep(self, number: int) -> str:
        """Give it its name, remove the ones it replaces, and return its MD5."""
        etag = self._digest.hexdigest()
        name = f"{number:05}-{etag}.part"
        if (self._folder / _MANIFEST).exists():
            raise Invalid("The upload of this build was completed meanwhile; parts are no longer taken.")
        try:
            self._path.rename(self._folder / name)
        except FileNotFoundError:
            raise Invalid("The build was deleted while this part was uploaded.") from None
        for other in self._folder.glob(f"{number:05}-*.part"):
            if other.name != name:
                other.unlink(missing_ok=True)
        sync_directory(self._folder)
        sync_directory(self._folder.parent)
        return etag

    def drop(self) -> None:
        """Close it, and delete it unless it was kept."""
        if self._file is not None:
            self._file.close()
        self._path.unlink(missing_ok=True)


async def _pour(chunks: AsyncIterator[bytes], part: _NewPart, most: int) -> int:
    """Write chunks as they come, and return how many bytes came; stops soon after there are too many."""
    size, waiting, gathered = 0, 0, list[bytes]()
    async for chunk in chunks:
        size += len(chunk)
        waiting += len(chunk)
        if size > most:
            return size
        gathered.append(chunk)
        if waiting >= _PIECE:
            await on_disk("storing the upload", part.write, b"".join(gathered))
            waiting, gathered = 0, []
    if gathered:
        await on_disk("storing the upload", part.write, b"".join(gathered))
    return size


def _remove(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
