"""A checked tree of files as a tar archive, piece by piece. Called by ``making.py``, for engines that build images.

What an engine is handed is an archive of our own making, from files that have passed the walls of ``unpacking.py``:
never the bytes that somebody sent, which two readers may read in two ways. Names are sorted, times zero, owners nobody.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

from .disk import off_loop

_PIECE = 1 << 20
_BLOCK = tarfile.BLOCKSIZE
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


async def packed(root: Path) -> AsyncIterator[bytes]:
    """All files, directories and links beneath a directory, as a tar. Reads in worker threads; raises ``OSError``."""
    pieces = _gathered(root)
    try:
        while piece := await off_loop(next, pieces, b""):
            yield piece
    finally:
        pieces.close()


def _gathered(root: Path) -> Generator[bytes]:
    """The archive in pieces worth a change of thread."""
    waiting, size = list[bytes](), 0
    for piece in _archive(root):
        waiting.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _archive(root: Path) -> Iterator[bytes]:
    for path, name in _walk(root, ""):
        entry = tarfile.TarInfo(name)
        if path.is_symlink():
            entry.type, entry.mode, entry.linkname = tarfile.SYMTYPE, 0o777, os.fspath(path.readlink())
            yield _header(entry)
        elif path.is_dir():
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            yield _header(entry)
        else:
            yield from _file(path, entry)
    yield bytes(2 * _BLOCK)


def _walk(root: Path, below: str) -> Iterator[tuple[Path, str]]:
    for entry in sorted(root.iterdir()):
        name = f"{below}{entry.name}"
        yield entry, name
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry, f"{name}/")


def _file(path: Path, entry: tarfile.TarInfo) -> Iterator[bytes]:
    with open(os.open(path, _PLAIN), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        entry.size, entry.mode = status.st_size, 0o755 if status.st_mode & 0o111 else 0o644
        yield _header(entry)
        left = entry.size
        while left:
            piece = file.read(min(left, _PIECE))
            if not piece:
                raise OSError(None, f"{entry.name} became shorter while it was read")
            left -= len(piece)
            yield piece
    yield bytes(-entry.size % _BLOCK)


def _header(entry: tarfile.TarInfo) -> bytes:
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
