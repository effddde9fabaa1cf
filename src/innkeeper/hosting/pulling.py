"""Brings files from buckets for servers that are about to start. Called by ``passes/placing.py``.

For each server that gets any a folder is prepared whose tree is laid over the server's root: by its engine, before its
program starts. The folder is this machine's and goes when the host has been told; one that a crash left behind goes
when the house opens.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from innkeeper.db.database import Database
from innkeeper.engines.base import NotStarted
from innkeeper.kit.errors import Invalid

from .queries import storages as queries
from .storages import StorageDoor
from .storing.bucket import Found, Missing, Trouble, Where
from .storing.model import MOST_BYTES, MOST_FILES, Pull, PullKind, overlap, place_of, read_source

log = logging.getLogger(__name__)

#: Servers whose files are brought at once, of all organisations and of each; files of one server at once.
_SERVERS, _SERVERS_OF_EACH, _FILES = 8, 4, 8
#: Seconds that all files of one server may take, once it is their turn.
_PATIENCE = 900.0


class _Piece(NamedTuple):
    """One object on its way to its place."""

    where: Where
    object: Found
    place: tuple[str, ...]  #: from the root on
    listed: bool  #: it was found in a list


class Pulls:
    """What is laid into servers. ``folder`` is where trees are prepared; nobody else writes there."""

    def __init__(self, db: Database, door: StorageDoor, folder: Path, *, patience: float = _PATIENCE) -> None:
        self._db, self._door, self._folder, self._patience = db, door, folder, patience
        self._slots = asyncio.Semaphore(_SERVERS)
        self._slots_of: dict[str, asyncio.Semaphore] = {}  # by organisation: a slow store holds up nobody else's
        self._brought: set[str] = set()  # servers whose folder is there

    async def open(self) -> None:
        """Take away what a crash left behind."""
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def of(self, label_id: str) -> Sequence[Pull]:
        """What servers of a label get."""
        return await self._db.read(queries.pulls_of, label_id)

    async def bring(self, server_id: str, pulls: Sequence[Pull]) -> Path:
        """The prepared folder, for :meth:`drop` to take away. Raises NotStarted, which says what could not be had."""
        folder = self._folder / server_id
        slots_of = self._slots_of.setdefault(pulls[0].storage.org_id, asyncio.Semaphore(_SERVERS_OF_EACH))
        async with slots_of, self._slots:
            self._brought.add(server_id)
            try:
                async with asyncio.timeout(self._patience):
                    await asyncio.to_thread(_make_anew, folder)
                    await self._fill(folder, pulls)
            except TimeoutError:
                raise NotStarted(f"the files that it gets were not all there within {self._patience:g} s") from None
        return folder

    async def drop(self, server_id: str) -> None:
        """Its host has been told, or is not told any more. Where nothing was brought, nothing happens."""
        if server_id not in self._brought:
            return
        self._brought.discard(server_id)
        await asyncio.to_thread(shutil.rmtree, self._folder / server_id, ignore_errors=True)

    async def _fill(self, folder: Path, pulls: Sequence[Pull]) -> None:
        pieces: dict[tuple[str, ...], _Piece] = {}
        for pull in pulls:
            try:
                pieces.update((piece.place, piece) for piece in await self._pieces(pull))
            except (Trouble, Invalid) as error:
                raise _not_had(pull, str(error)) from None
        if (found := overlap(list(pieces))) is not None:
            raise NotStarted(f"the files it gets cannot be laid: {found} would be a file and a folder")
        size = sum(piece.object.size for piece in pieces.values())
        if len(pieces) > MOST_FILES or size > MOST_BYTES:
            raise NotStarted(
                f"the files it gets are {len(pieces)} of {size} bytes together, and may be {MOST_FILES} of"
                f" {MOST_BYTES} bytes: let its pull profiles bring less"
            )
        await self._fetch_all(folder, list(pieces.values()))

    async def _pieces(self, pull: Pull) -> list[_Piece]:
        """What a profile brings, as its bucket tells now. Raises Trouble and Invalid."""
        profile = pull.profile
        source = read_source(profile.source, profile.kind)
        where = self._door.where(pull.storage, source.bucket)
        if profile.kind is PullKind.FILE:
            return [_Piece(where, Found(source.path, 0), place_of(profile), listed=False)]
        listed = await self._door.buckets.list(where, source.path, MOST_FILES)
        within = f"{source.path}/" if source.path else ""
        # A folder that a tool made for itself is an object without bytes, by the folder's own name.
        folders = {one.path[:at] for one in listed for at, letter in enumerate(one.path) if letter == "/"}
        below = [
            one for one in listed
            if one.path.startswith(within) and one.path != source.path and (one.size or one.path not in folders)
        ]  # fmt: skip
        if not below:
            raise Trouble(f"there is nothing below {profile.source}")
        return [_Piece(where, one, place_of(profile, one.path.removeprefix(within)), listed=True) for one in below]

    async def _fetch_all(self, folder: Path, pieces: Sequence[_Piece]) -> None:
        left = MOST_BYTES
        slots = asyncio.Semaphore(_FILES)

        def take(size: int) -> None:
            nonlocal left
            left -= size
            if left < 0:
                raise NotStarted(f"the files it gets have more than {MOST_BYTES} bytes together")

        async def fetch(piece: _Piece) -> None:
            into = folder.joinpath(*piece.place)
            async with slots:
                await asyncio.to_thread(into.parent.mkdir, mode=0o755, parents=True, exist_ok=True)
                try:
                    await self._door.buckets.fetch(piece.where, piece.object.path, into, take)
                except Trouble as trouble:
                    if isinstance(trouble, Missing) and piece.listed and not piece.object.size:
                        return  # an empty folder: the list does not tell the slash at the end of its name
                    raise NotStarted(f"a file that it gets could not be had: {trouble}") from None

        tasks = [asyncio.create_task(fetch(piece)) for piece in pieces]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _not_had(pull: Pull, text: str) -> NotStarted:
    return NotStarted(f"what pull profile {pull.profile.name} brings could not be had: {text}")


def _make_anew(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
