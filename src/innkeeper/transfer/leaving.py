"""``export``: everything of a house, or of some apps, into one file. Called by ``cli/export.py``.

It works on the database and the data folder, beside a house that runs or where none does. The rows are read in one
transaction, into files beside the one that is made; then what builds are run from is added, which never changes. The
file has its name once it is whole and on disk.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from innkeeper import __version__
from innkeeper.db.connect import connect
from innkeeper.db.database import Database
from innkeeper.hosting.archives.disk import disk_trouble, sync_directory
from innkeeper.hosting.archives.keeping import NAME as IMAGE
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import HouseError, Invalid, NotFound, Taken, Unavailable
from innkeeper.kit.secrets import Box, load_key
from innkeeper.settings import Settings

from .parcel import Parcel, size_of
from .rows import Spool, Wanted, named_apps, read_house
from .sealing import COST, new_lock
from .threads import Stopped, in_thread
from .words import FORMAT, MANIFEST, VERSION, Content, Manifest, folder_of, image_file, table_file

#: Told how many bytes are done, of how many.
Progress = Callable[[int, int], None]
_SALT_BYTES = 16
#: How often a file is begun anew because a build was deleted, or written to by its own program, while it was packed.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be exported, and where to."""

    file: Path
    apps: Sequence[str] = ()  #: names or ids; empty is the whole house
    images: bool = True  #: with the images of builds, which are large
    cost: int = COST  #: of a guess of the passphrase


async def export_house(
    settings: Settings, wish: Wish, passphrase: str, clock: Clock, progress: Progress = lambda done, total: None
) -> Manifest:
    """Write the file; what is in it. Raises :class:`innkeeper.kit.errors.HouseError`, and nothing of it is left.

    What cannot be taken along and should be (an image that is not on the disk) is told in the manifest's ``left_out``.
    """
    lock, key = new_lock(passphrase, os.urandom(_SALT_BYTES), wish.cost)
    house_key = _key_of_house(settings)
    _refuse_taken(wish.file)
    database = await connect(settings.database_url, clock=clock)
    try:
        with _beside(wish.file) as folder:
            wanted = Wanted(await _apps(database, wish.apps))
            spool = Spool(folder, Box(house_key), Box(key))
            await database.read(read_house, database.kind, wanted, spool)
            if not any(one.rows for one in spool.tables):
                raise NotFound(f"there is nothing in the house of {settings.folder}: it was never started")
            manifest = Manifest(
                FORMAT, VERSION, __version__, spool.schema, clock.now(), list(wanted.apps), lock, spool.tables,
                [], [], {name: count for name, count in spool.standing.items() if count},
            )  # fmt: skip
            runnable = [one for one in spool.runnable if wish.images or not one.image]
            left_out = _skipped(spool.runnable) if not wish.images else []
            builds, changed = settings.folder / "builds", ""
            for _ in range(_TRIES):
                manifest = _with_contents(manifest, runnable, left_out, builds)
                try:
                    return await in_thread(_write, wish.file, manifest, spool, key, builds, progress)
                except _Changed as error:
                    changed = str(error)
            raise Unavailable(f"build {changed} changes while it is packed: stop its servers, or delete it")
    except OSError as error:
        raise disk_trouble(error, f"writing {wish.file}") from error
    finally:
        await database.close()


def _refuse_taken(file: Path) -> None:
    if file.exists():
        raise Taken(f"there is a file {file} already; name another one, or move it away")


def _key_of_house(settings: Settings) -> bytes:
    """The house's key. There has to be one: without it nothing that is sealed can be taken along."""
    if not settings.folder.is_dir():
        raise NotFound(f"there is no data folder {settings.folder}; name it with --data")
    if isinstance(settings.database_url, Path) and not settings.database_url.exists():
        raise NotFound(f"there is no house in {settings.folder}: no {settings.database_url.name}; name it with --data")
    if not settings.secret_key and not (settings.folder / "secret.key").exists():
        raise NotFound(f"there is no {settings.folder / 'secret.key'}: without it the apps' secrets cannot be read")
    return load_key(settings.folder, settings.secret_key or None)


async def _apps(database: Database, names: Sequence[str]) -> list[str]:
    """The ids of the apps that were named."""
    found = await database.read(named_apps, names) if names else []
    chosen: list[str] = []
    for name in names:
        ids = [app_id for app_id, app_name in found if name in (app_id, app_name)]
        if not ids:
            raise NotFound(f"there is no app {name!r}")
        if len(ids) > 1 and name not in ids:
            raise Invalid(f"several apps have the name {name!r}: name one by its id, {' or '.join(ids)}")
        chosen.append(name if name in ids else ids[0])
    return sorted(set(chosen))


@contextmanager
def _beside(file: Path) -> Generator[Path]:
    """A folder of our own on the disk that the file goes to."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{file.name}.", dir=file.absolute().parent))
    except OSError as error:
        raise _no_place(file, error) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _no_place(file: Path, error: OSError) -> HouseError:
    """Why nothing can be written beside the file's place, and what to do."""
    if not file.parent.exists():
        return NotFound(f"there is no folder {file.parent}: make it, or name a file elsewhere")
    if not file.parent.is_dir():
        return Invalid(f"{file.parent} is no folder: name a file elsewhere")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_trouble(error, f"writing {file}")
    return Invalid(f"no file can be made in {file.parent} ({error.strerror}): name one elsewhere, or mend the folder")


def _skipped(runnable: Sequence[Content]) -> list[str]:
    return [f"the image of build {one.build_id}, as was asked" for one in runnable if one.image]


class _Changed(Exception):
    """What a build is run from is not what it was when it was measured. The text is the build's id."""


def _with_contents(manifest: Manifest, runnable: Sequence[Content], left_out: list[str], builds: Path) -> Manifest:
    """Look at what builds are run from, and note what is there, with its size."""
    contents: list[Content] = []
    missing: list[str] = []
    for one in runnable:
        place = builds / one.key / IMAGE if one.image else builds / one.key
        try:
            size = place.stat().st_size if one.image else size_of(place)
        except FileNotFoundError:
            what = "the image" if one.image else "the files"
            hint = "; start the house, which gets it back from a host that has it" if one.image else ""
            missing.append(f"{what} of build {one.build_id}: not in {builds}{hint}")
            continue
        contents.append(Content(one.key, one.build_id, one.image, size))
    return msgspec.structs.replace(manifest, contents=contents, left_out=[*left_out, *missing])


def _write(
    stop: Stopped, file: Path, manifest: Manifest, spool: Spool, key: bytes, builds: Path, progress: Progress
) -> Manifest:
    """Write all of it beside the file's place, and give it its name."""
    done = 0

    def more(count: int) -> None:
        nonlocal done
        stop.check()
        done += count
        progress(done, manifest.bytes)

    draft = spool.folder / "draft"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as out:
        parcel = Parcel(out, more)
        parcel.data(MANIFEST, msgspec.json.encode(manifest))
        for table in manifest.tables:
            parcel.file(table_file(table.name), spool.path(table.name))
        for one in manifest.contents:
            before = done
            try:
                if one.image:
                    parcel.file(image_file(one.key), builds / one.key / IMAGE)
                else:
                    parcel.folder(folder_of(one.key), builds / one.key)
            except FileNotFoundError as error:
                raise _Changed(one.build_id) from error
            if done - before != one.bytes:
                raise _Changed(one.build_id)
        parcel.close(key)
    _refuse_taken(file)
    draft.rename(file)
    sync_directory(file.absolute().parent)
    return manifest
