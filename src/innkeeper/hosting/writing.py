"""Whether the house can write, and how much room its disks have left. Asked by ``figures.py``, and by its own loop.

A house with a full disk can be read and does nothing. So what became of the last changes is remembered, and where
there were none for some seconds one is made to find out. A refusal counts until a change with some room to it was
taken, and no other one refused for a while: a full disk often has a few bytes left for this and none for that.

Choices are functions of what is known; a test of each is a table.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from innkeeper.db.database import Database
from innkeeper.db.house import beat
from innkeeper.kit.clock import SECOND, Clock

log = logging.getLogger(__name__)

#: A change that was taken so long ago says nothing of now; and so long must nothing be refused until all is well.
#: Microseconds.
FRESH = CALM = 5 * SECOND
#: The least time between two tries to write while changes are refused. Microseconds.
PAUSE = SECOND
#: Letters of the change that tells that all is well again: about as much as a busy moment's commit needs.
ROOM = 64 * 1024
#: Seconds in which the database has to answer who asks for health.
WITHIN = 3.0
#: Seconds between two looks: fewer than a change is fresh, or what was counted between them would say nothing.
EVERY = 4.0
#: Less than the lesser of these is little room: bytes, and the share of the disk.
_LITTLE_BYTES, _LITTLE_SHARE = 512 * 1024 * 1024, 0.05
#: Less than this share of the files that a disk can have is little.
_LITTLE_FILES = 0.01
_SILENT = f"the database has not answered within {WITHIN:g} s"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of writing at a moment. Times are microseconds since the epoch; None: never."""

    commits: int = 0
    refusals: int = 0
    looked_at: int | None = None
    taken_at: int | None = None
    refused_at: int | None = None
    tried_at: int | None = None
    since: int | None = None  #: changes are refused since then; None where they are taken


def seen(known: Known, commits: int, refusals: int, now: int) -> Known:
    """After a look at what the store has counted."""
    found = replace(known, commits=commits, refusals=refusals, looked_at=now)
    if commits > known.commits and known.looked_at is not None and now - known.looked_at <= FRESH:
        found = replace(found, taken_at=now)
    if refusals > known.refusals:
        found = replace(found, refused_at=now, since=now if known.since is None else known.since)
    return found


def to_try(known: Known, now: int) -> int | None:
    """How many letters to write to find out how it is; None where it is known, or was tried a moment ago."""
    if known.since is not None:
        return ROOM if known.tried_at is None or now - known.tried_at >= PAUSE else None
    return 0 if known.taken_at is None or now - known.taken_at >= FRESH else None


def tried(known: Known, *, taken: bool, letters: int, now: int) -> Known:
    """After a try to write."""
    known = replace(known, tried_at=now)
    if not taken:
        return replace(known, refused_at=now, since=now if known.since is None else known.since)
    calm = known.refused_at is None or now - known.refused_at >= CALM
    return replace(known, taken_at=now, since=None if calm and letters else known.since)


@dataclass(frozen=True, slots=True)
class Room:
    """What a disk has left for us, and what it has in all: bytes, and files (0: without a limit)."""

    free: int
    size: int
    free_files: int = 0
    files: int = 0

    def __str__(self) -> str:
        return f"{self.free:,} bytes" + (f" and {self.free_files:,} files" if self.files else "")

    @property
    def is_little(self) -> bool:
        """Whether it is time to make room."""
        if self.files and self.free_files < self.files * _LITTLE_FILES:
            return True
        return self.free < min(_LITTLE_BYTES, self.size * _LITTLE_SHARE)


def room_of(folder: Path) -> Room:
    """Look at the disk of a folder. Raises OSError."""
    found = os.statvfs(folder)
    unit = found.f_frsize
    return Room(found.f_bavail * unit, found.f_blocks * unit, found.f_favail, found.f_files)


class Writing:
    """Finds out how it is. ``folders`` are those with the house's files, by what people call them."""

    def __init__(
        self, db: Database, clock: Clock, folders: Mapping[str, Path], look: Callable[[Path], Room] = room_of
    ) -> None:
        self._db, self._clock, self._folders, self._look = db, clock, folders, look
        self._known = Known(commits=db.pulse.commits, refusals=db.pulse.refusals)
        self._trying: asyncio.Task[bool] | None = None
        self._said = ""
        self.rooms: dict[str, Room] = {}  #: at the last look
        self._little: set[str] = set()

    @property
    def works(self) -> bool:
        """Whether changes are taken, as far as is known."""
        return self._known.since is None

    @property
    def warnings(self) -> list[str]:
        """What will be wrong soon, for people; without names and paths, as strangers may read it."""
        return [f"the disk of the {what} has {self.rooms[what]} left" for what in sorted(self._little)]

    async def keep(self) -> float:
        """One look, so that the log tells when it begins and ends though nobody asks. The seconds until the next."""
        await self.look(only_trouble=True)
        return EVERY

    async def look(self, *, only_trouble: bool = False) -> None:
        """Find out how it is now. ``only_trouble`` writes nothing where nothing was refused."""
        was = self._known
        self._note(seen(was, self._db.pulse.commits, self._db.pulse.refusals, self._clock.now()), self._db.pulse.said)
        letters = to_try(self._known, self._clock.now())
        if letters is not None and not (only_trouble and self.works):
            await self._try(letters)
        await self._measure()

    async def _try(self, letters: int) -> None:
        if self._trying is None:
            self._known = replace(self._known, tried_at=self._clock.now())
            self._trying = asyncio.create_task(self._written(letters))
        trying = self._trying
        done, _ = await asyncio.wait({trying}, timeout=WITHIN)
        if not done:
            self._note(tried(self._known, taken=False, letters=letters, now=self._clock.now()), _SILENT)
        elif self._trying is trying:  # the first of those who waited for it
            self._trying = None
            self._note(tried(self._known, taken=trying.result(), letters=letters, now=self._clock.now()), self._said)
            # It was counted, too, and is no news at the next look.
            pulse = self._db.pulse
            refusals = self._known.refusals if trying.result() else pulse.refusals
            self._known = replace(self._known, commits=pulse.commits, refusals=refusals)

    async def _written(self, letters: int) -> bool:
        try:
            await self._db.write(beat, letters)
        except Exception as error:  # whatever it is, nothing was written
            self._said = str(error) or type(error).__name__
            return False
        return True

    def _note(self, known: Known, said: str) -> None:
        was, self._known = self._known, known
        if was.since is None and known.since is not None:
            log.error("the database takes no changes: %s. What would change something is refused until it does", said)
        elif was.since is not None and known.since is None:
            seconds = (self._clock.now() - was.since) // SECOND
            log.warning("the database takes changes again, after %d s", seconds)

    async def _measure(self) -> None:
        for what, folder in self._folders.items():
            try:
                room = self.rooms[what] = await asyncio.to_thread(self._look, folder)
            except OSError:
                self.rooms.pop(what, None)
                self._little.discard(what)
                continue
            if room.is_little and what not in self._little:
                self._little.add(what)
                log.warning("the disk of the %s, %s, has little room left: %s", what, folder, room)
            elif not room.is_little and what in self._little:
                self._little.discard(what)
                log.warning("the disk of the %s has room again: %s", what, room)
