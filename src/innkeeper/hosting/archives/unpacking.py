"""Unpacking the archive of a build into a directory. Called by ``hosting/builds.py`` in a worker thread.

The archive comes from somebody else, so two walls stand between it and the disk. ``tarball.py`` gives out only files,
directories and links; ``manifest.py`` decides where each may lie, by an index of what came before and never by the
disk. What is left for this module is to carry out: files are created anew and never opened through a link, and
symbolic links are made when all else is written. So no link can lead a write astray. ``flushing.py`` brings it all to
the disk.

The work is done in a hidden directory beside the target and renamed at the end: a target that exists is whole.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from innkeeper.kit.errors import HouseError, Invalid

from .disk import disk_trouble, sync_directory
from .flushing import Flush, flush_file_system
from .inflow import Limits, Readable
from .manifest import Manifest
from .tarball import Entry, Kind, Tarball, shown

__all__ = [
    "Limits",
    "Readable",
    "UnpackCancelled",
    "Unpacked",
    "clear_leftovers",
    "put_in_place",
    "remove",
    "staging_of",
    "unpack",
]

_STAGING, _REPLACED = ".unpacking", ".replaced"
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

#: What the archive asks for that no file system takes: its own fault, not the disk's.
_OF_THE_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EMLINK, errno.ELOOP, errno.EFBIG)


class UnpackCancelled(HouseError):
    """The unpacking was called off; nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out of an archive."""

    files: int  #: regular files, hard links counted as files of their own
    bytes: int  #: in these files
    content_hash: str  #: SHA-256 over all paths, kinds and contents: the same files give the same hash, however packed


def unpack(
    source: Readable,
    target: Path,
    *,
    limits: Limits | None = None,
    progress: Callable[[str], None] = lambda line: None,
    cancelled: Callable[[], bool] = lambda: False,
    all_at_once: Callable[[int], bool] = flush_file_system,
) -> Unpacked:
    """Unpack a ``.tar.gz`` (or plain ``.tar``) into ``target``, whose parent directory exists.

    Files get mode 0644, or 0755 if anybody may run them; directories 0755; all belong to us. A single directory at the
    top stays. What comes twice in the archive counts as it comes last. A target that exists is replaced: after a crash,
    unpack again. ``progress`` is given lines for the build log; ``cancelled`` is asked often;
    ``all_at_once`` is :class:`Flush`'s.

    Blocks; when it returns, all is on disk. Raises :class:`Invalid` (or its kin :class:`TooLarge`) for an archive that
    cannot be taken, :class:`Unavailable` when the disk is full or failing, :class:`UnpackCancelled`. After an error
    nothing is left behind.
    """
    staging = staging_of(target)
    try:
        remove(staging)
        staging.mkdir(mode=0o700)
        try:
            flush = Flush(staging, all_at_once)
            try:
                report = _Unpacking(staging, limits or Limits(), progress, cancelled).run(source, flush)
            finally:
                flush.close()
            staging.chmod(0o755)
            sync_directory(staging)
            put_in_place(staging, target)
        except BaseException:
            remove(staging)
            raise
    except OSError as error:
        if error.errno in _OF_THE_NAME:
            name = os.fsdecode(error.filename or "").rpartition(f"{staging.name}/")[2]
            raise Invalid(f"{shown(name)} cannot be created on this disk ({error.strerror}): rename it.") from error
        raise disk_trouble(error, "unpacking the build") from error
    return report


def clear_leftovers(directory: Path) -> list[str]:
    """Remove what unpackings that were cut off by a crash left in the directory of builds. Call it at the start.

    Returns the names that were removed. A build whose replacement was cut off between two renames is put back.
    """
    cleared: list[str] = []
    for entry in sorted(directory.iterdir()) if directory.is_dir() else []:
        if entry.name.startswith(".") and entry.name.endswith(_REPLACED):
            original = entry.with_name(entry.name[1 : -len(_REPLACED)])
            if not original.exists():
                entry.rename(original)
                continue
        if entry.name.startswith(".") and entry.name.endswith((_STAGING, _REPLACED)):
            remove(entry)
            cleared.append(entry.name)
    return cleared


def staging_of(target: Path) -> Path:
    """Where to make what shall lie at the target whole or not at all: a crash's leftovers are known by this name."""
    return target.with_name(f".{target.name}{_STAGING}")


def put_in_place(staging: Path, target: Path) -> None:
    """Rename what was made to the target, in place of what lies there. On disk when this returns."""
    replaced = target.with_name(f".{target.name}{_REPLACED}")
    remove(replaced)
    if target.is_symlink() or target.exists():
        target.rename(replaced)
    staging.rename(target)
    sync_directory(target.parent)
    remove(replaced)


def remove(path: Path) -> None:
    """Delete a file or a directory with all that is in it. There being none is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


class _Unpacking:
    """One archive on its way into one empty directory."""

    def __init__(
        self, root: Path, limits: Limits, progress: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> None:
        self._root, self._limits, self._progress, self._cancelled = root, limits, progress, cancelled
        self._manifest = Manifest(limits)
        self._sizes: dict[str, int] = {}
        self._written = 0

    def run(self, source: Readable, flush: Flush) -> Unpacked:
        tarball = Tarball(source, self._limits)
        told_files, told_bytes = 0, 0
        for entry in tarball.entries():
            self._stop_if_cancelled()
            self._take(entry, tarball)
            if len(self._sizes) >= told_files + 5000 or self._written >= told_bytes + (256 << 20):
                told_files, told_bytes = len(self._sizes), self._written
                self._progress(f"Unpacked {_amount(told_files, told_bytes)} so far")
        for path, target in self._manifest.symlinks():
            self._at(path).symlink_to(os.fsdecode(target.encode()))
        if not self._sizes:
            raise Invalid("The archive has no files: pack the directory that your Procfile is in.")
        flush.finish(len(self._manifest), map(self._at, self._manifest.on_disk()), self._stop_if_cancelled)
        report = Unpacked(len(self._sizes), sum(self._sizes.values()), self._manifest.hash())
        self._progress(f"Unpacked {_amount(report.files, report.bytes)}")
        return report

    def _stop_if_cancelled(self) -> None:
        if self._cancelled():
            raise UnpackCancelled("The unpacking of the build was called off.")

    def _take(self, entry: Entry, tarball: Tarball) -> None:
        place = self._manifest.place(entry)
        for directory in place.new_directories:
            self._at(directory).mkdir(0o755)
            self._at(directory).chmod(0o755)  # whatever our umask: servers may run as another user
        if place.replaces_file:
            self._at(place.path).unlink()
            del self._sizes[place.path]
        if entry.kind is Kind.FILE:
            self._write(place.path, entry, tarball)
        elif place.original is not None:
            self._at(place.path).hardlink_to(self._at(place.original))
            self._sizes[place.path] = self._sizes[place.original]

    def _write(self, path: str, entry: Entry, tarball: Tarball) -> None:
        digest = hashlib.sha256()
        mode = 0o755 if entry.executable else 0o644
        with open(os.open(self._at(path), _FRESH, 0o600), "wb") as file:
            for piece in tarball.content():
                self._stop_if_cancelled()
                digest.update(piece)
                file.write(piece)
            os.fchmod(file.fileno(), mode)
        self._manifest.written(path, f"{mode:o} {digest.hexdigest()}")
        self._sizes[path] = entry.size
        self._written += entry.size

    def _at(self, path: str) -> Path:
        """Where an entry lies on disk. Names are UTF-8 there, whatever the machine's locale."""
        return self._root / os.fsdecode(path.encode())


def _amount(files: int, size: int) -> str:
    counted = f"{files} file{'' if files == 1 else 's'}"
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")):
        if size >= unit:
            return f"{counted}, {size / unit:.1f} {name}"
    return f"{counted}, {size} bytes"
