"""``import``: a file of ``export`` into a house that is stopped. Called by ``cli/import_.py``.

In this order: everything is taken out of the file and checked, in a folder beside; the rows are compared with those of
the house; the files of builds are put in their place; the rows are written by one transaction. Cut off before the last
of these, the house has at most some files more, under keys that nothing names; the same import again finds them there.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from innkeeper import belonging
from innkeeper.belonging import Belonging
from innkeeper.db.connect import connect
from innkeeper.db.database import Database, RuleBroken, Statement, Steps
from innkeeper.db.lease import Lease
from innkeeper.folders import lock_folder, make_folder
from innkeeper.hosting.archives.disk import disk_trouble, off_loop
from innkeeper.hosting.archives.unpacking import put_in_place, remove
from innkeeper.inn import PASSABLE, give_back, take_lease
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import HouseError, Invalid, Unavailable
from innkeeper.kit.ids import Chance
from innkeeper.kit.keeper import KeeperLoop
from innkeeper.kit.secrets import KEY_BYTES, Box, load_key
from innkeeper.settings import Settings

from .merging import Conflict, Conflicts, Outcome, merge
from .opening import Arrival
from .rows import Column, columns_of, schema
from .sealing import key_of
from .staged import Staged
from .tables import MOVED
from .threads import Stopped, in_thread
from .words import Content, Manifest

#: Told how many bytes are done, of how many.
Progress = Callable[[int, int], None]
#: Where a file is taken out, in the data folder. One that was left by a crash is removed by the next import.
STAGING = "importing"


class Refused(HouseError):
    """The house has things that the file has too, and other ones. Nothing was imported."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        lines = "".join(f"\n  {one.table} {one.id}: {one.why}" for one in conflicts)
        count = len(conflicts)
        super().__init__(f"nothing was imported: {count} of its rows cannot be beside what the house has{lines}")
        self.conflicts = list(conflicts)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of an import, or would."""

    manifest: Manifest
    outcome: Outcome
    builds: list[Content]  #: whose files were new here


def look_into(file: Path) -> Manifest:
    """What a file says that is in it; nothing of it is checked. Raises :class:`innkeeper.kit.errors.HouseError`."""
    arrival = Arrival(file)
    try:
        return arrival.manifest()
    finally:
        arrival.close()


async def import_house(
    settings: Settings,
    file: Path,
    passphrase: str,
    clock: Clock,
    chance: Chance,
    *,
    operator: str | None = None,
    dry_run: bool = False,
    progress: Progress = lambda done, total: None,
    database: Database | None = None,
) -> Arrived:
    """Take the file in. ``dry_run`` tells what would come of it, and may be done beside a house that runs.

    ``operator`` names the organisation, by id or name, that shall run a house which nobody runs yet; it is needed only
    where several could.

    ``database`` is an open one to use in place of the settings'; it is closed here. Raises
    :class:`innkeeper.kit.errors.HouseError`: :class:`Refused` with all conflicts, ``Invalid`` for a file that cannot be
    taken or a house that runs. Then nothing has changed.
    """
    manifest = look_into(file)
    key = key_of(manifest.lock, passphrase)
    try:
        async with _at_home(settings, clock, chance, dry_run, database) as (db, folder, lease):
            return await _import(settings, db, folder, lease, file, manifest, key, chance, operator, dry_run, progress)
    except OSError as error:
        raise disk_trouble(error, f"importing {file}") from error


@asynccontextmanager
async def _at_home(
    settings: Settings, clock: Clock, chance: Chance, dry_run: bool, database: Database | None
) -> AsyncGenerator[tuple[Database, Path, Lease | None]]:
    """The house's database, a folder to take the file out in, and the lease, where there is one."""
    async with AsyncExitStack() as stack:
        if database is not None:
            stack.push_async_callback(database.close)
        data = settings.folder
        lease: Lease | None = None
        if dry_run:
            folder = Path(tempfile.mkdtemp(prefix="dry-run-", dir=data if data.is_dir() else None))
        else:
            await off_loop(make_folder, data, PASSABLE)
            stack.callback((await off_loop(lock_folder, data)).close)
            folder = data / STAGING
            await off_loop(remove, folder)
            folder.mkdir(mode=0o700)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if database is None:
            url = settings.database_url
            if dry_run and isinstance(url, Path) and not url.exists():
                url = folder / "empty.db"  # of a house that is not there yet
            database = await connect(url, clock=clock)
            stack.push_async_callback(database.close)
        if not dry_run:
            lease = await take_lease(settings, database, clock, chance)
        if lease is not None:
            stack.push_async_callback(give_back, lease)
            renewing = asyncio.create_task(KeeperLoop("lease", lease.renew, Bell(), clock, chance).run())
            stack.push_async_callback(_end, renewing)
        yield database, folder, lease


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _import(
    settings: Settings,
    db: Database,
    folder: Path,
    lease: Lease | None,
    file: Path,
    manifest: Manifest,
    key: bytes,
    chance: Chance,
    operator: str | None,
    dry_run: bool,
    progress: Progress,
) -> Arrived:
    name, number, columns, known = await db.read(_facts, db.kind, chance.hex(12))
    if manifest.schema != number:
        raise Invalid(
            f"{file} has tables of version {manifest.schema}, by Innkeeper {manifest.innkeeper}, and this house"
            f" those of version {number}: import it with the Innkeeper that wrote it, and start the newer one then"
        )
    builds = settings.folder / "builds"

    def is_here(content: Content) -> bool:
        """Whether it is in its place: what has its name there is whole, and never changes. An image's archive has the
        name of its house in it: one that no row of this house is for may be another's."""
        return os.path.lexists(builds / content.key) and (not content.image or content.key in known)

    contents = await in_thread(_stage, file, manifest, key, columns, folder, name, is_here, progress)
    house = Box(await off_loop(_key_of_house, settings, dry_run))
    staged = Staged(folder, manifest.tables, columns, Box(key), house, name, operator)
    outcome = await db.read(merge, staged, apply=False)
    if outcome.conflicts:
        raise Refused(outcome.conflicts)
    if dry_run:
        return Arrived(manifest, outcome, contents)
    await off_loop(make_folder, builds, PASSABLE)
    came = await off_loop(_put_in_place, contents, folder, builds)
    if lease is not None and lease.lost.is_set():
        raise Unavailable("another Innkeeper has taken over the database; nothing was imported")
    # From now on, so that a start that names no database does not found another house beside what comes.
    before = await belonging.note(settings, name)
    try:
        outcome = await db.write(merge, staged, apply=True)
    except Conflicts:
        await off_loop(_take_back, came, settings.folder, before)
        raise Unavailable("somebody else has written to the database meanwhile; nothing was imported") from None
    except RuleBroken as error:
        await off_loop(_take_back, came, settings.folder, before)
        raise Invalid(f"{file} cannot be imported: it is not whole, or breaks a rule of the house ({error})") from error
    return Arrived(manifest, outcome, contents)


def _put_in_place(contents: Sequence[Content], folder: Path, builds: Path) -> list[Path]:
    """Give what builds are run from its place; those that replaced nothing."""
    came = [builds / content.key for content in contents if not os.path.lexists(builds / content.key)]
    for content in contents:
        put_in_place(folder / content.key, builds / content.key)
    return came


def _take_back(came: Sequence[Path], data: Path, noted: Belonging | None) -> None:
    """Remove the files of builds that came a moment ago and whose rows cannot follow; note what was noted before."""
    for path in came:
        remove(path)
    belonging.put_back(data, noted)


def _facts(kind: str, fresh: str) -> Steps[tuple[str, int, dict[str, list[Column]], set[str]]]:
    """The house's name, the fresh one where it has none yet; the version of its tables; their columns; its builds."""
    rows = yield Statement("select id from house where one = 1")
    number = yield from schema()
    columns: dict[str, list[Column]] = {}
    for table in MOVED:
        columns[table.name] = yield from columns_of(kind, table.name)
    builds = yield Statement("select key from builds")
    return (rows[0][0] if rows else fresh), number, columns, {row[0] for row in builds}


def _check_room(manifest: Manifest, folder: Path, is_here: Callable[[Content], bool]) -> None:
    needed = sum(one.bytes for one in manifest.tables)
    needed += sum(one.bytes for one in manifest.contents if not is_here(one))
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise Unavailable(f"the disk of {folder.parent} has {free:,} bytes left, and {needed:,} are needed: make room")


def _stage(
    stop: Stopped,
    file: Path,
    manifest: Manifest,
    key: bytes,
    columns: dict[str, list[Column]],
    folder: Path,
    name: str,
    is_here: Callable[[Content], bool],
    progress: Progress,
) -> list[Content]:
    _check_room(manifest, folder, is_here)
    size = file.stat().st_size

    def more(done: int) -> None:
        stop.check()
        progress(done, size)

    arrival = Arrival(file, more)
    try:
        if arrival.manifest() != manifest:
            raise Invalid(f"{file} is changing: wait until it was copied whole")
        return arrival.stage(manifest, key, columns, folder, house=name, is_here=is_here)
    finally:
        arrival.close()


def _key_of_house(settings: Settings, dry_run: bool) -> bytes:
    """The house's key, made where it has none yet; a dry run makes nothing."""
    if dry_run and not settings.secret_key and not (settings.folder / "secret.key").exists():
        return bytes(KEY_BYTES)
    return load_key(settings.folder, settings.secret_key or None)
