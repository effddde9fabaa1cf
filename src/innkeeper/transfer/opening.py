"""Reading a file that may be damaged or hostile, into a folder beside the house. Called by ``arriving.py``.

Nothing in it is believed. ``hosting/archives`` gives out sound entries alone and unpacks builds behind its two walls;
here every entry must be the next one that the manifest names, every row must fit its table, every secret must open for
its place, and at the end the checksum must be vouched for by the passphrase. Until all of that holds, the house is not
touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from innkeeper.hosting.archives.disk import sync, sync_directory
from innkeeper.hosting.archives.inflow import Limits
from innkeeper.hosting.archives.keeping import NAME as IMAGE
from innkeeper.hosting.archives.tarball import Entry, Kind, Tarball, shown
from innkeeper.hosting.archives.unpacking import unpack
from innkeeper.kit.errors import Invalid, NotFound
from innkeeper.kit.secrets import Box, same

from .checking import RowCheck, Unsound
from .parcel import Sum
from .repacking import Fed, folder_again, image_again
from .rows import Column
from .tables import MOVED
from .words import (
    CHECKSUMS,
    FORMAT,
    MANIFEST,
    VERSION,
    Checksums,
    Content,
    Manifest,
    Rows,
    folder_of,
    image_file,
    table_file,
)

T = TypeVar("T")

#: The whole has no bound but the disk: what a file says of its own size is held against the disk, and then against it.
_LIMITS = Limits(unpacked_bytes=1 << 60, entries=1 << 40, ratio=1 << 20)
_MOST_WORDS = 16 << 20  # bytes of the manifest
_MOST_LINE = 16 << 20  # bytes of one row
_TABLES = {table.name: table for table in MOVED}
NO_EXPORT = "it is not a file that `innkeeper export` wrote, or it was cut off or damaged: copy it again"


class Arrival:
    """A file that is read from its beginning to its end. Every call blocks; errors are :class:`Invalid`."""

    def __init__(self, path: Path, progress: Callable[[int], None] = lambda count: None) -> None:
        """``progress`` is told how many bytes of the file were read; it may raise to call the work off."""
        self.path, self._progress = path, progress
        self._sum = Sum()
        try:
            self._file: IO[bytes] = path.open("rb")
        except OSError as error:
            raise NotFound(f"{path} cannot be read: {error.strerror}") from None
        self._read = 0
        self._held: Entry | None = None  #: one that was taken and is not the taker's

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def read(self, size: int, /) -> bytes:
        """For the archive: the file's bytes."""
        data = self._file.read(size)
        self._read += len(data)
        self._progress(self._read)
        return data

    def manifest(self) -> Manifest:
        """The first entry. Of the rest nothing is known yet."""
        with self._told():
            self._tarball = Tarball(self, _LIMITS)
            self._entries = self._tarball.entries()
            manifest = self._words(MANIFEST, Manifest)
        if (manifest.format, manifest.version) != (FORMAT, VERSION):
            raise Invalid(
                f"{self.path} is of another format ({shown(manifest.format)} {manifest.version}):"
                f" it was written by Innkeeper {shown(manifest.innkeeper)}, and is read by that version"
            )
        return manifest

    def stage(
        self,
        manifest: Manifest,
        key: bytes,
        columns: Mapping[str, Sequence[Column]],
        folder: Path,
        *,
        house: str,
        is_here: Callable[[Content], bool],
    ) -> list[Content]:
        """Take out all that follows the manifest, into a folder; the contents that were, but for those that are here.

        ``columns`` are those of our tables. ``house`` is the name that images are to carry. When this returns, the
        whole file was found to be sound.
        """
        with self._told():
            checks = _checks(manifest, key, columns)
            for rows in manifest.tables:
                self._table(rows, checks[rows.name], folder)
            images = checks["builds"].images if "builds" in checks else {}
            staged: list[Content] = []
            for content in manifest.contents:
                if content.key not in images or content.image != (images[content.key] is not None):
                    raise Unsound(f"it has a build {shown(content.key)} that is not on its list")
                if self._content(content, folder, images[content.key], house, here=is_here(content)):
                    staged.append(content)
            self._end(key)
        return staged

    # -- inside ------------------------------------------------------------------------------------------------------

    def _told(self) -> _Telling:
        return _Telling(self.path)

    def _next(self, path: str, kind: Kind = Kind.FILE) -> Entry:
        """The next entry, which has to be this one."""
        entry = self._take()
        if entry is None:
            raise Unsound(NO_EXPORT)
        if entry.path != path or entry.kind is not kind:
            raise Unsound(f"it has {shown(entry.path)} where {shown(path)} should be")
        self._count(entry)
        return entry

    def _take(self) -> Entry | None:
        """The next entry, whichever it is; None at the end."""
        held, self._held = self._held, None
        return held or next(self._entries, None)

    def _count(self, entry: Entry) -> None:
        self._sum.entry(entry.path, entry.kind, entry.size, executable=entry.executable, target=entry.target)

    def _pieces(self) -> Iterator[bytes]:
        for piece in self._tarball.content():
            self._sum.content(piece)
            yield piece

    def _words(self, path: str, kind: type[T], *, counted: bool = True) -> T:
        """A small entry, read as JSON."""
        entry = self._next(path) if counted else self._take()
        if entry is None or entry.path != path or entry.kind is not Kind.FILE or entry.size > _MOST_WORDS:
            raise Unsound(NO_EXPORT)
        pieces = self._pieces() if counted else self._tarball.content()
        try:
            return msgspec.json.decode(b"".join(pieces), type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise Unsound(NO_EXPORT) from None

    def _table(self, rows: Rows, check: RowCheck, folder: Path) -> None:
        entry = self._next(table_file(rows.name))
        if entry.size != rows.bytes:
            raise Unsound(f"its table {rows.name} is not as long as it says")
        count, rest = 0, b""
        with (folder / f"{rows.name}.jsonl").open("wb") as file:
            for piece in self._pieces():
                *lines, rest = (rest + piece).split(b"\n")
                if len(rest) > _MOST_LINE:
                    raise Unsound(f"its table {rows.name} has a row that is too long")
                for line in lines:
                    check.row(line)
                    file.write(line + b"\n")
                count += len(lines)
        if rest or count != rows.rows:
            raise Unsound(f"its table {rows.name} has not as many rows as it says")

    def _content(self, content: Content, folder: Path, image: str | None, house: str, *, here: bool) -> bool:
        """What one build is run from; False where it is here already, and was only looked at."""
        target = folder / content.key
        if image is not None:
            entry = self._next(image_file(content.key))
            if entry.size != content.bytes:
                raise Unsound(f"the image of build {shown(content.build_id)} is not as long as it says")
            if here:
                for _ in self._pieces():
                    pass
            else:
                _write_image(target, image_again(self._pieces(), image.encode(), house.encode()))
            return not here
        tar = Fed(folder_again(self._within(content), folder_of(content.key)))
        if here:
            tar.drain()
        else:
            try:  # the size of all is held to what the manifest says
                unpack(tar, target, limits=Limits(unpacked_bytes=1 << 60, ratio=1 << 20))
            except Unsound:
                raise
            except Invalid as error:
                raise Unsound(f"the files of build {shown(content.build_id)} cannot be unpacked: {error}") from error
            tar.drain()
        return not here

    def _within(self, content: Content) -> Iterator[tuple[Entry, Iterator[bytes]]]:
        """The entries of a build's folder, each with its content. The one after them is kept for :meth:`_next`."""
        prefix, left = folder_of(content.key), content.bytes
        while (entry := self._take()) is not None:
            if not entry.path.startswith(prefix):
                self._held = entry
                break
            self._count(entry)
            left -= entry.size
            if left < 0:
                break
            yield entry, self._pieces()
        if left:
            raise Unsound(f"the files of build {shown(content.build_id)} are not as long as it says")

    def _end(self, key: bytes) -> None:
        expected = self._sum.seal(key)
        found = self._words(CHECKSUMS, Checksums, counted=False)
        if found.entries != expected.entries or not same(found.sha256, expected.sha256):
            raise Unsound("it was changed or damaged: its checksum is another one. Copy it again")
        if not same(found.mac, expected.mac):
            raise Unsound("it was changed by somebody who does not know the passphrase")
        if self._take() is not None:
            raise Unsound("something follows its end")


class _Telling:
    """Says of which file an error is."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Invalid):
            why = str(error) if isinstance(error, Unsound) else NO_EXPORT
            raise Invalid(f"{self._path} cannot be imported: {why}") from error


def _checks(manifest: Manifest, key: bytes, columns: Mapping[str, Sequence[Column]]) -> dict[str, RowCheck]:
    """How the rows of each table are checked. Raises :class:`Unsound` for tables and columns that are not ours."""
    box, names = Box(key), {rows.name for rows in manifest.tables}
    order = [table.name for table in MOVED if table.name in names]
    if [rows.name for rows in manifest.tables] != order:
        raise Unsound("it has other tables than this version of Innkeeper")
    for rows in manifest.tables:
        if sorted(rows.columns) != sorted(column.name for column in columns[rows.name]):
            raise Unsound(f"its table {rows.name} has other columns than this version of Innkeeper")
    checks: dict[str, RowCheck] = {}
    for rows in manifest.tables:
        known = {column.name: column for column in columns[rows.name]}
        checks[rows.name] = RowCheck(_TABLES[rows.name], [known[name] for name in rows.columns], box)
    return checks


def _write_image(directory: Path, pieces: Iterator[bytes]) -> None:
    """As ``archives/keeping.py`` keeps it: servers that are programs have no business in it."""
    directory.mkdir(mode=0o700)
    with open(os.open(directory / IMAGE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        for piece in pieces:
            file.write(piece)
    sync(directory / IMAGE)
    sync_directory(directory)
