"""Packing a directory into the archive of a build. Called by ``innkeeper deploy`` and ``innkeeper builds create``.

The same files give the same bytes: entries are sorted, times are zero and owners nobody. What `.dockerignore` names
stays out, but for the files that say how to start the build. So do the data folder of an Innkeeper and, unless
`.dockerignore` takes them back in, `.git` and `__pycache__`.
"""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from .ignore import IgnoreRules

IGNORE_FILE = ".dockerignore"
#: Left out where `.dockerignore` does not say otherwise: the whole past of the game, and often secrets of long ago; and
#: what Python makes anew wherever it runs, which would make another archive of the same files.
USUAL = ("**/.git", "**/__pycache__")
#: What marks the data folder of an Innkeeper, which has keys in it and never goes along.
DATA_MARK = "innkeeper.lock"
#: One of them has to be at the top of the directory; they go along even if `.dockerignore` names them.
STARTERS = ("Procfile", "Dockerfile")


class CannotPack(Exception):
    """The directory cannot be packed. The text says why, and what to do, to the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive on disk, to be deleted by the caller."""

    path: Path
    size: int  #: bytes of the archive
    files: int
    unpacked: int  #: bytes in the files
    without_git: bool  #: there is a ``.git``, and it stayed behind


def check_directory(directory: Path) -> None:
    """Whether there is anything here to run. Raises :class:`CannotPack`."""
    if not directory.is_dir():
        raise CannotPack(f"{directory} is not a directory. Name the one that your Dockerfile or Procfile is in.")
    if not any((directory / name).is_file() for name in STARTERS):
        raise CannotPack(
            f"{directory} has no Procfile and no Dockerfile, so nothing says how to start the game."
            " Add a Dockerfile, or a file `Procfile` with a line such as: server: ./my-server --port $PORT"
        )


def pack(
    directory: Path, *, progress: Callable[[int, int], None] = lambda done, total: None, into: Path | None = None
) -> Packed:
    """Pack a directory into a new temporary ``.tar.gz`` (in ``into``, or where the system keeps such files).

    ``progress`` is given the bytes packed so far and the bytes there are in all. Raises :class:`CannotPack`; then no
    file is left.
    """
    check_directory(directory)
    found = sorted(_walk(directory, _rules(directory)))
    total = sum(status.st_size for _, status in found if stat.S_ISREG(status.st_mode))
    descriptor, name = tempfile.mkstemp(prefix="innkeeper-build-", suffix=".tar.gz", dir=into)
    path = Path(name)
    try:
        with open(descriptor, "wb") as file:
            files, unpacked = _write(directory, found, file, lambda done: progress(done, max(total, done)))
        without_git = (directory / ".git").exists() and all(name != ".git" for name, _ in found)
        return Packed(path, path.stat().st_size, files, unpacked, without_git)
    except OSError as error:
        path.unlink()
        why = error.strerror or "a file changed while it was read"
        raise CannotPack(f"{directory} cannot be packed into {path}: {why}.") from error
    except BaseException:
        path.unlink()
        raise


def _rules(directory: Path) -> IgnoreRules:
    path = directory / IGNORE_FILE
    try:
        return IgnoreRules(path.read_text("utf-8") if path.exists() else "", USUAL)
    except OSError as error:
        raise CannotPack(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # UnicodeDecodeError is one
        raise CannotPack(f"{path} cannot be understood: {error}. Correct the line, or remove it.") from None


def _walk(directory: Path, rules: IgnoreRules, below: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Everything that goes along, by its path inside the build."""
    try:
        names = [entry.name for entry in (directory / below).iterdir()]
    except OSError as error:
        why = f"{error.strerror}. Allow reading it, or name it in {IGNORE_FILE}."
        raise CannotPack(f"{directory / below} cannot be packed: {why}") from None
    for name in names:
        path = f"{below}/{name}" if below else name
        status = (directory / path).lstat()
        if stat.S_ISDIR(status.st_mode) and os.access(directory / path / DATA_MARK, os.F_OK):
            continue
        ignored = path not in STARTERS and rules.ignores(path)
        if not ignored:
            yield path, status
        if stat.S_ISDIR(status.st_mode) and (not ignored or rules.may_keep_within(path)):
            yield from _walk(directory, rules, path)


def _write(
    directory: Path, found: list[tuple[str, os.stat_result]], file: BinaryIO, progress: Callable[[int], None]
) -> tuple[int, int]:
    """Write the archive; returns the files in it and their bytes."""
    files, done = 0, 0
    with (
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, status in found:
            entry = tarfile.TarInfo(path)
            entry.mode = 0o755 if status.st_mode & 0o111 else 0o644
            if stat.S_ISDIR(status.st_mode):
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            elif stat.S_ISLNK(status.st_mode):
                entry.type, entry.mode = tarfile.SYMTYPE, 0o777
                entry.linkname = _target(directory, path)
                archive.addfile(entry)
            elif stat.S_ISREG(status.st_mode):
                _add_file(archive, entry, directory / path, partial(_add_to, done, progress))
                files, done = files + 1, done + entry.size
                progress(done)
            # Sockets, pipes and devices mean nothing on another machine.
    return files, done


def _add_to(before: int, progress: Callable[[int], None], read: int) -> None:
    progress(before + read)


class _Counted:
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        self._file, self._tell, self._read = file, tell, 0

    def read(self, size: int = -1, /) -> bytes:
        piece = self._file.read(size)
        self._read += len(piece)
        self._tell(self._read)
        return piece


def _add_file(archive: tarfile.TarFile, entry: tarfile.TarInfo, path: Path, progress: Callable[[int], None]) -> None:
    try:
        content = path.open("rb")
    except OSError as error:
        why = f"{error.strerror}. Allow reading it, or name it in {IGNORE_FILE}."
        raise CannotPack(f"{path} cannot be packed: {why}") from None
    with content:
        entry.size = os.fstat(content.fileno()).st_size
        archive.addfile(entry, _Counted(content, progress))


def _target(directory: Path, path: str) -> str:
    """Where a link leads, which must be inside the build: elsewhere there will be nothing."""
    target = str((directory / path).readlink())
    inside = os.path.normpath(Path(path).parent / target)
    if target.startswith("/") or inside == ".." or inside.startswith("../"):
        raise CannotPack(
            f"{directory / path} is a link to {target}, outside the directory. Copy what it leads to,"
            f" or name the link in {IGNORE_FILE}."
        )
    return target
