"""Which database a data folder belongs to. Looked at by ``inn.py``, ``transfer/arriving.py`` and ``cli/tokens.py``.

A house is both: its rows are in the database, its key and the files of its builds in the folder. Who forgets to name
the one beside the other would found an empty house and be told that all is well. So the folder notes its database, as
what it calls itself and where it is (never a password), and what does not belong together is refused. A folder may be
moved, and a database, too: the house's own name decides, which goes with the rows.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from innkeeper.db.connect import path_of
from innkeeper.db.database import Database, Statement, Steps
from innkeeper.kit.errors import Invalid
from innkeeper.kit.secrets import Box, WrongKey, load_key, write_private
from innkeeper.settings import Settings

log = logging.getLogger(__name__)

#: Where it is noted, in the data folder.
FILE = "database.json"
_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


class Belonging(Struct, frozen=True):
    """A database as people know it, and the house in it."""

    kind: str  #: ``sqlite`` or ``postgresql``
    place: str  #: a file, relative in the data folder; else the server and the name of the database
    house: str | None  #: what the house calls itself; None where there is none yet

    def __str__(self) -> str:
        return f"the {_KINDS.get(self.kind, self.kind)} database {self.place}"


def refusal(noted: Belonging | None, here: Belonging, folder: str) -> str | None:
    """Why a data folder with this note cannot be used with the database that is here; None where it can."""
    if noted is None or here.house == noted.house:
        return None
    theirs = f"the data folder {folder} belongs to the house {noted.house} in {noted}"
    same = (here.kind, here.place) == (noted.kind, noted.place)
    if here.house is not None:
        return (
            f"{theirs}, and {here} has another one, {here.house}: start each with its own --data and --database. Should"
            f" the folder be the other one's from now on, remove {folder}/{FILE}"
        )
    if not same:
        return (
            f"{theirs}, and {here} has none: name the right one with --database. For a new house name another folder"
            f" with --data, or remove {folder}/{FILE}"
        )
    return (
        f"{theirs}, and it is not there any more: put the database back, or import what was exported. For a new house"
        f" name another folder with --data, or remove {folder}/{FILE}"
    )


def where(url: str | Path, folder: Path) -> tuple[str, str]:
    """The kind of a database and where it is, in words that hold no user and no password."""
    path = path_of(url)
    if path is None:
        parts = urlsplit(str(url))
        port = f":{parts.port}" if parts.port else ""
        return "postgresql", f"{parts.hostname or 'of the local socket'}{port}{parts.path}"
    whole, home = path.absolute(), folder.absolute()
    return "sqlite", str(whole.relative_to(home) if whole.is_relative_to(home) else whole)


async def check(settings: Settings, db: Database | None) -> None:
    """Raise Invalid where the data folder belongs to another database than the one of the settings.

    ``db`` is None before it is opened: so none is made in vain.
    """
    folder = settings.folder
    kind, place = where(settings.database_url, folder)
    path = path_of(settings.database_url)
    if db is None and (path is None or await asyncio.to_thread(path.exists)):
        return  # it has to be opened to know
    here = Belonging(kind, place, None if db is None else await db.read(_house))
    if why := refusal(await asyncio.to_thread(noted_in, folder), here, settings.data):
        raise Invalid(why)


async def note(settings: Settings, house: str) -> Belonging | None:
    """Note that the data folder belongs to this house, in the database of the settings. What was noted before."""
    kind, place = where(settings.database_url, settings.folder)
    before, now = await asyncio.to_thread(noted_in, settings.folder), Belonging(kind, place, house)
    if before != now:
        await asyncio.to_thread(put_back, settings.folder, now)
    return before


def put_back(folder: Path, noted: Belonging | None) -> None:
    """Note this; None: nothing."""
    if noted is None:
        (folder / FILE).unlink(missing_ok=True)
    else:
        write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(noted)) + b"\n", replace=True)


def noted_in(folder: Path) -> Belonging | None:
    """What a data folder has noted, if anything. Raises Invalid for a note that is none."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Belonging)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise Invalid(f"{folder / FILE} cannot be read, which says what database this folder is for: {error}") from None


async def key_of(settings: Settings, db: Database) -> bytes:
    """The house's key, made where nothing was sealed yet. Raises Invalid where it is not the one of this database.

    A key that the settings name is taken as it is, with a word in the log: who has lost the right one goes on so.
    """
    folder, sealed = settings.folder, await db.read(_sealed)
    if sealed and not settings.secret_key and not await asyncio.to_thread((folder / "secret.key").exists):
        raise Invalid(f"the secrets of this database were sealed with a key that is not in {settings.data}: {_HOW}")
    key = await asyncio.to_thread(load_key, folder, settings.secret_key or None)
    if sealed:
        try:
            Box(key).open(sealed[1], sealed[0])
        except WrongKey:
            if not settings.secret_key:
                raise Invalid(
                    f"the secrets of this database were sealed with another key than {settings.data}/secret.key: {_HOW}"
                ) from None
            log.error("the key of the settings is not the one that this database's secrets were sealed with")
    return key


_HOW = (
    "use the data folder that belongs to it, with its builds, or copy secret.key from there. Where that is lost for"
    " good, a new one in INNKEEPER_SECRET_KEY (as `openssl rand -base64 32` prints) starts without the secrets"
)


def _house() -> Steps[str | None]:
    rows = yield Statement("select id from house where one = 1")
    return rows[0][0] if rows else None


def _sealed() -> Steps[tuple[str, str] | None]:
    """Something that was sealed, with its place: the secret of the newest app."""
    rows = yield Statement("select id, secret_sealed from apps order by created_at desc, id limit 1")
    return (rows[0][0], rows[0][1]) if rows else None
