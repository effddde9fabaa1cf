"""Writing the file: a gzipped tar, piece by piece, with a checksum over all of it at its end. Called by ``leaving.py``.

Everything in it is a plain entry that any ``tar`` can take out: ``tables/*.jsonl``, ``builds/<key>/...`` and
``images/<key>.tar``. Times are zero and owners nobody, so the same house gives the same entries.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from innkeeper.hosting.archives.tarball import Kind

from .sealing import mac
from .words import CHECKSUMS, Checksums

_PIECE = 1 << 20
_LEVEL = 3  # six takes three times as long for a tenth
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Sum:
    """The checksum of entries, as the writer and the reader work it out."""

    def __init__(self) -> None:
        self.entries = 0
        self._digest = hashlib.sha256()

    def entry(self, path: str, kind: Kind, size: int, *, executable: bool, target: str) -> None:
        """The next entry; its content follows by :meth:`content`."""
        self.entries += 1
        self._digest.update(f"{path.rstrip('/')}\0{kind.value}\0{size}\0{int(executable)}\0{target}\0".encode())

    def content(self, piece: bytes) -> None:
        """Some of its bytes."""
        self._digest.update(piece)

    def seal(self, key: bytes) -> Checksums:
        """What vouches for all of it."""
        return Checksums(self.entries, self._digest.hexdigest(), mac(key, self._digest.digest()))


class Parcel:
    """A file that is being written. Every call blocks."""

    def __init__(self, file: IO[bytes], progress: Callable[[int], None]) -> None:
        """``progress`` is told of every so many bytes of content; it may raise to call the work off."""
        self._file, self._progress = file, progress
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
        self._sum = Sum()

    def data(self, path: str, content: bytes) -> None:
        """A small file."""
        self._entry(_info(path, len(content)))
        self._content(content)
        self._pad(len(content))

    def file(self, path: str, source: Path, mode: int = 0o644) -> None:
        """A file from the disk. Raises ``OSError`` when it changes meanwhile."""
        with open(os.open(source, _PLAIN), "rb", buffering=0) as content:
            size = os.fstat(content.fileno()).st_size
            self._entry(_info(path, size, mode))
            left = size
            while left:
                piece = content.read(min(left, _PIECE))
                if not piece:
                    raise OSError(None, f"{source} became shorter while it was read")
                left -= len(piece)
                self._content(piece)
                self._progress(len(piece))
            self._pad(size)

    def folder(self, prefix: str, source: Path) -> None:
        """All that is in a folder, with paths that begin with the prefix."""
        for path, name in walk(source, prefix):
            if path.is_symlink():
                entry = _info(name, 0, 0o777)
                entry.type, entry.linkname = tarfile.SYMTYPE, os.fspath(path.readlink())
                self._entry(entry)
            elif path.is_dir():
                entry = _info(name, 0, 0o755)
                entry.type = tarfile.DIRTYPE
                self._entry(entry)
            elif path.is_file():  # a program may have made pipes and sockets beside what it came with
                self.file(name, path, 0o755 if path.stat().st_mode & 0o111 else 0o644)

    def close(self, key: bytes) -> None:
        """Write the checksums and the end, and bring it to the disk."""
        self.data(CHECKSUMS, msgspec.json.encode(self._sum.seal(key)))
        self._write(bytes(2 * tarfile.BLOCKSIZE))
        self._file.write(self._deflate.flush())
        self._file.flush()
        os.fsync(self._file.fileno())

    def _entry(self, entry: tarfile.TarInfo) -> None:
        kind = {tarfile.SYMTYPE: Kind.SYMLINK, tarfile.DIRTYPE: Kind.DIRECTORY}.get(entry.type, Kind.FILE)
        executable = bool(entry.mode & 0o111)
        self._sum.entry(entry.name, kind, entry.size, executable=executable, target=entry.linkname)
        self._write(entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))

    def _content(self, piece: bytes) -> None:
        self._sum.content(piece)
        self._write(piece)

    def _pad(self, size: int) -> None:
        self._write(bytes(-size % tarfile.BLOCKSIZE))

    def _write(self, data: bytes) -> None:
        self._file.write(self._deflate.compress(data))


def walk(root: Path, prefix: str = "") -> Iterator[tuple[Path, str]]:
    """Everything in a folder, by name, with its path in the file. Links are not followed."""
    for entry in sorted(root.iterdir()):
        name = f"{prefix}{entry.name}"
        yield entry, name
        if entry.is_dir() and not entry.is_symlink():
            yield from walk(entry, f"{name}/")


def size_of(root: Path) -> int:
    """The bytes of all files in a folder. Raises ``OSError``."""
    return sum(path.lstat().st_size for path, _ in walk(root) if path.is_file() and not path.is_symlink())


def _info(path: str, size: int, mode: int = 0o644) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = size, mode
    return entry
