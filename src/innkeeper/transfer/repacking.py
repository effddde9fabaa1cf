"""Archives written anew from sound entries, as they are read. Called by ``opening.py``.

What is unpacked into a build's folder, and what container engines are handed, is a tar of our own making. In an image's
archive the name of the house changes with it: the archive says by which names it is to be known.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator

from innkeeper.hosting.archives.inflow import Limits
from innkeeper.hosting.archives.tarball import Entry, Kind, Tarball

from .checking import Unsound

_TYPES = {
    Kind.FILE: tarfile.REGTYPE, Kind.DIRECTORY: tarfile.DIRTYPE,
    Kind.SYMLINK: tarfile.SYMTYPE, Kind.HARDLINK: tarfile.LNKTYPE,
}  # fmt: skip
#: The entries of an image's archive that have names in them: Docker's own, its oldest, and that of the OCI.
_NAMING = frozenset({"manifest.json", "repositories", "index.json"})
_MOST_NAMES = 4 << 20


class Fed:
    """Pieces as something to read from, with whatever sizes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def drain(self) -> None:
        """Read on to the end, for nothing."""
        while self.read(1 << 20):
            pass


def folder_again(entries: Iterator[tuple[Entry, Iterator[bytes]]], prefix: str) -> Iterator[bytes]:
    """Entries of a folder as a tar, their paths without the prefix."""
    for entry, content in entries:
        yield _header(entry, entry.path.removeprefix(prefix))
        yield from content
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def image_again(pieces: Iterator[bytes], old: bytes, new: bytes) -> Iterator[bytes]:
    """The archive of an image, with the new name of its house in place of the old one, which has the same length."""
    assert len(old) == len(new)
    tarball = Tarball(Fed(pieces), Limits(unpacked_bytes=1 << 60, ratio=1 << 20))
    for entry in tarball.entries():
        yield _header(entry, entry.path)
        if entry.path.removeprefix("./") in _NAMING:
            if entry.size > _MOST_NAMES:
                raise Unsound(f"an image in it has {entry.size} bytes of names")
            yield b"".join(tarball.content()).replace(b"/innkeeper-" + old, b"/innkeeper-" + new)
        else:
            yield from tarball.content()
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _header(entry: Entry, path: str) -> bytes:
    info = tarfile.TarInfo(path)
    info.type, info.size, info.linkname = _TYPES[entry.kind], entry.size, entry.target
    info.mode = 0o755 if entry.executable else 0o644
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
