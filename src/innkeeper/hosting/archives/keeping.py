"""The archives of images that the house keeps, so that any host can be given them. Called by ``images.py``.

    DIR/<build>/image.tar

A directory of that name is whole: it was written beside, brought to the disk and renamed.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from io import FileIO
from pathlib import Path

from innkeeper.kit.errors import TooLarge

from .disk import off_loop, on_disk, sync_directory
from .unpacking import put_in_place, remove, staging_of

NAME = "image.tar"
_DOING = "keeping the image"
_PIECE = 1 << 20


async def keep(directory: Path, pieces: AsyncIterator[bytes], most_bytes: int) -> int:
    """Keep an archive in a directory, which it replaces; how many bytes there are. On disk when this returns.

    Raises :class:`TooLarge` for more than ``most_bytes``, :class:`Unavailable` when the disk is full or failing, and
    what reading the pieces raises; then nothing of it is left, and what was in the directory still is.
    """
    archive, size = _NewArchive(directory), 0
    try:
        await on_disk(_DOING, archive.open)
        async for piece in pieces:
            size += len(piece)
            if size > most_bytes:
                raise TooLarge(f"The image has more than {most_bytes} bytes; make it smaller.")
            await on_disk(_DOING, archive.write, piece)
        await on_disk(_DOING, archive.finish)
    finally:
        await on_disk(_DOING, archive.drop)
    return size


async def kept(directory: Path) -> AsyncIterator[bytes]:
    """The bytes of a kept archive. Reading it raises ``FileNotFoundError`` when there is none, ``OSError``."""
    archive = _Archive(directory)
    try:
        while piece := await off_loop(archive.read):
            yield piece
    finally:
        archive.close()


def is_kept(directory: Path) -> bool:
    """Whether there is an archive."""
    return (directory / NAME).is_file()


# Both hold their file themselves: one that a thread opened for somebody who was called off meanwhile would stay open.


class _NewArchive:
    """An archive that is being written; blocks, so its methods are called in worker threads."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._staging = directory, staging_of(directory)
        self._file: FileIO | None = None

    def open(self) -> None:
        remove(self._staging)
        self._staging.mkdir(mode=0o700)  # servers that are programs run as other users, and have no business in it
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = FileIO(os.open(self._staging / NAME, flags, 0o600), "wb")

    def write(self, piece: bytes) -> None:
        assert self._file is not None
        view = memoryview(piece)
        while view:
            view = view[self._file.write(view) :]

    def finish(self) -> None:
        """Bring it to the disk and give it its place."""
        assert self._file is not None
        os.fsync(self._file.fileno())
        self._file.close()
        sync_directory(self._staging)
        put_in_place(self._staging, self._directory)

    def drop(self) -> None:
        """Close it, and delete it unless it has its place."""
        if self._file is not None:
            self._file.close()
        remove(self._staging)


class _Archive:
    """An archive that is being read; blocks, but for :meth:`close`."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._file: FileIO | None = None

    def read(self) -> bytes:
        """The next bytes; none at the end."""
        if self._file is None:
            self._file = FileIO(self._path, "rb")
        return self._file.read(_PIECE)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
