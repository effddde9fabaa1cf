"""Lays files over the root of a container that was made and has not started. Called by ``starting.py``."""

from __future__ import annotations

import asyncio
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

from . import raw
from .client import Client

#: Seconds for all of them.
_SECONDS = 300.0
_CHUNK = 1 << 20


async def lay(client: Client, container: str, files: Path) -> None:
    """Raises ``DockerError`` and ``HostUnavailable``."""
    async with client.call("laying files into a container", _SECONDS):
        await raw.put_archive(client.docker, container, as_tar(files))


async def as_tar(folder: Path) -> AsyncIterator[bytes]:
    """The files below a folder as an archive, and no folders: those that an image has keep their owners and rights.

    Everybody in the container may read and write them: as whom its program runs is the image's affair.
    """
    for path in await asyncio.to_thread(lambda: sorted(each for each in folder.rglob("*") if each.is_file())):
        info = tarfile.TarInfo(str(path.relative_to(folder)))
        found = await asyncio.to_thread(path.stat)
        info.size, info.mtime, info.mode = found.st_size, int(found.st_mtime), 0o666
        yield info.tobuf(tarfile.PAX_FORMAT)
        file = await asyncio.to_thread(path.open, "rb")
        try:
            while text := await asyncio.to_thread(file.read, _CHUNK):
                yield text
        finally:
            file.close()
        yield b"\0" * (-info.size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)
