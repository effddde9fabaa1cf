"""SQLite: the whole house in one file. Made by ``connect.py``; wings see only what ``database.py`` promises.

All connections belong to the event loop's thread. Statements run there, because a transaction of the house takes a few
microseconds and a hop to a thread takes more; what may wait for the disk or for another program (the commit, opening,
checkpoints) is done by helper threads. See docs/decisions/0002-steps-and-group-commit.md for the figures.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from .database import DatabaseUnavailable, Many, Row, Statement, Steps, drive
from .group import CLOSED, Apart, Cut, Failed, Failure, Tried, Waiting, serve, settle_all
from .pulse import Pulse
from .sql import for_sqlite
from .sqlite_connections import Opener, discard
from .sqlite_errors import is_busy, is_refused_write, needs_reopening, translated
from .threads import Helper

A = ParamSpec("A")
R = TypeVar("R")
log = logging.getLogger(__name__)

#: At most so many transactions share a commit, and at most about so many seconds of their statements run in one go.
MOST = 256
SLICE = 0.004
#: Changed rows after which the write-ahead log is brought home, and pages in it that are too many to leave there.
CHECKPOINT_ROWS = 4_000
CHECKPOINT_PAGES = 16_000
#: Seconds to wait for another program that writes to the same file.
PATIENCE = 5.0


class SqliteDatabase:
    """A database in one file."""

    kind = "sqlite"

    def __init__(self, path: Path, *, most_pages: int | None = None, patience: float = PATIENCE) -> None:
        """``most_pages`` bounds the file, in pages of 4 KiB. Call :meth:`open` before anything else."""
        self.pulse = Pulse()
        self._path = path
        self._open = Opener(path, patience, most_pages)
        self._loop = asyncio.get_running_loop()
        self._texts: dict[str, str] = {}
        self._then: dict[str, Callable[[], None]] = {}
        self._written: set[str] = set()  #: statements of these that the transaction under way has carried out
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._waiting: deque[Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._committer = Helper("innkeeper-db-commit", self._loop, urgent=True)
        self._checkpointer = Helper("innkeeper-db-checkpoint", self._loop, urgent=False)
        self._checkpoint: asyncio.Future[int] | None = None
        self._checkpoint_connection: sqlite3.Connection | None = None
        self._changed = 0  #: rows changed since the last checkpoint began
        self._restart_log = False  #: the write-ahead log has grown so long that writing has to pause for it
        self._closed = False

    async def open(self) -> None:
        """Open the file, making it if it is missing. Raises DatabaseUnavailable."""
        try:
            self._writer = await self._committer.call(self._open.writer)
            self._reader = await self._committer.call(self._open.reader)
        except sqlite3.Error as error:
            await self.close()
            raise translated(error, self._path) from error

    async def write(self, steps: Callable[A, Steps[R]], *args: A.args, **kwargs: A.kwargs) -> R:
        """See :class:`innkeeper.db.database.Database`."""
        if self._closed:
            raise DatabaseUnavailable(CLOSED)
        answer: asyncio.Future[R] = self._loop.create_future()
        self._waiting.append(Waiting(steps, args, kwargs, answer))
        if self._writing is None:
            self._writing = self._loop.create_task(self._serve())
        return await answer

    def when_written(self, sql: str, then: Callable[[], None]) -> None:
        """See :class:`innkeeper.db.database.Database`."""
        self._then[sql] = then

    async def read(self, steps: Callable[A, Steps[R]], *args: A.args, **kwargs: A.kwargs) -> R:
        """See :class:`innkeeper.db.database.Database`."""
        if self._closed:
            raise DatabaseUnavailable(CLOSED)
        try:
            reader = self._reader or await self._open_reader()
            reader.execute("begin")
            try:
                return drive(steps(*args, **kwargs), partial(self._run, reader))
            finally:
                reader.execute("commit")
        except (sqlite3.Error, UnicodeError, OverflowError) as error:
            if is_refused_write(error):
                raise  # steps that write do not belong here: a mistake, not a fault of the disk
            if needs_reopening(error):
                discard(self._reader)
                self._reader = None
            raise translated(error, self._path) from error

    async def _open_reader(self) -> sqlite3.Connection:
        reader = await self._committer.call(self._open.reader)
        if self._reader is not None or self._closed:  # somebody else was faster, or it is too late
            discard(reader)
        else:
            self._reader = reader
        if self._reader is None:
            raise DatabaseUnavailable(CLOSED)
        return self._reader

    async def close(self) -> None:
        """Carry out what was asked for, bring the write-ahead log home, and let go. May be called again."""
        self._closed = True
        if self._writing is not None:
            await self._writing
        if self._checkpoint is not None:
            if self._checkpoint_connection is not None:
                self._checkpoint_connection.interrupt()
            await asyncio.wait([self._checkpoint])
        await self._checkpointer.close()
        await self._committer.call(self._disconnect)
        await self._committer.close()

    # Writing

    async def _serve(self) -> None:
        try:
            await serve(self._waiting, MOST, self._try)
        finally:
            self._writing = None

    async def _try(self, members: list[Waiting]) -> Tried:
        """Carry out the members in one transaction and settle them, or say what to try instead."""
        try:
            writer = await self._begin()
        except sqlite3.Error as error:
            if needs_reopening(error):
                await self._drop_writer()
            settle_all(members, str(self._told(error)))
            return None
        outcomes: list[Any] = []
        self._written.clear()
        run = partial(self._run, writer)
        start = changes = writer.total_changes
        until = time.perf_counter() + SLICE
        try:
            for at, member in enumerate(members):
                try:
                    outcomes.append(drive(member.begin(), run))
                except Exception as error:
                    if len(members) == 1 or not writer.in_transaction or writer.total_changes != changes:
                        await self._roll_back(writer, error)
                        if len(members) > 1:
                            return Failed(at)
                        member.settle(Failure(self._told(error)))
                        return None
                    # It had changed nothing yet: there is nothing to undo, and its neighbours are unharmed.
                    outcomes.append(Failure(self._told(error)))
                changes = writer.total_changes
                if time.perf_counter() > until:
                    break
        except BaseException:
            await self._roll_back(writer, None)
            raise
        try:
            if changes == start:
                writer.execute("commit")  # nothing to keep: this touches no disk
            else:
                await self._committer.call(partial(writer.execute, "commit"))
                self.pulse.took()
        except sqlite3.Error as error:
            return await self._not_committed(members[: len(outcomes)], writer, error)
        for member, outcome in zip(members, outcomes, strict=False):
            member.settle(outcome)
        for sql in self._written:
            self._then[sql]()
        self._count_changes(changes - start)
        return Cut(len(outcomes)) if len(outcomes) < len(members) else None

    async def _begin(self) -> sqlite3.Connection:
        writer = self._writer
        if writer is None:
            opened = await self._committer.call(self._open.writer)
            self._writer = writer = opened
        if self._restart_log:
            self._restart_log = False
            await self._committer.call(partial(self._bring_home, writer, "restart"))
        try:
            writer.execute("begin immediate")
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            await self._committer.call(partial(self._open.begin_patiently, writer))
        return writer

    async def _not_committed(self, members: list[Waiting], writer: sqlite3.Connection, error: sqlite3.Error) -> Tried:
        await self._roll_back(writer, error)
        if isinstance(error, sqlite3.IntegrityError) and len(members) > 1:  # a rule that is looked at by the commit
            return Apart()
        told = self._told(error)
        for member in members:
            member.settle(Failure(told if len(members) == 1 else type(told)(str(told))))
        return None

    async def _roll_back(self, writer: sqlite3.Connection, error: BaseException | None) -> None:
        try:
            if writer.in_transaction:
                writer.execute("rollback")
        except sqlite3.Error:
            await self._drop_writer()
        else:
            if error is not None and needs_reopening(error):
                await self._drop_writer()

    async def _drop_writer(self) -> None:
        """Let go of a connection after a fault of the disk, so that the next group opens the file anew."""
        writer, self._writer = self._writer, None
        await self._committer.call(partial(discard, writer))

    def _told(self, error: Exception) -> Exception:
        told = translated(error, self._path)
        if isinstance(told, DatabaseUnavailable):
            self.pulse.refused(str(told))
        return told

    def _run(self, connection: sqlite3.Connection, statement: Statement | Many) -> list[Row]:
        text = self._texts.get(statement.sql)
        if text is None:
            text = self._texts[statement.sql] = for_sqlite(statement.sql)
        if isinstance(statement, Many):
            connection.executemany(text, statement.rows)
            if statement.sql in self._then:
                self._written.add(statement.sql)
            return []
        return connection.execute(text, statement.values).fetchall()

    # The write-ahead log

    def _count_changes(self, rows: int) -> None:
        self._changed += rows
        if self._changed >= CHECKPOINT_ROWS and self._checkpoint is None:
            self._changed = 0
            self._checkpoint = self._checkpointer.call(self._bring_some_home)
            self._checkpoint.add_done_callback(self._checkpoint_done)

    def _checkpoint_done(self, checkpoint: asyncio.Future[int]) -> None:
        self._checkpoint = None
        self._restart_log = not checkpoint.cancelled() and checkpoint.result() > CHECKPOINT_PAGES

    def _bring_some_home(self) -> int:
        """Copy the log's pages to the file while others write on; return how many it has. In the helper's thread."""
        try:
            if self._checkpoint_connection is None:
                self._checkpoint_connection = self._open.writer()
            return self._bring_home(self._checkpoint_connection, "passive")
        except sqlite3.Error as error:
            log.warning("the database could not be checkpointed, which is tried again later: %s", error)
            return 0

    def _bring_home(self, connection: sqlite3.Connection, mode: str) -> int:
        try:
            _, pages, _ = connection.execute(f"pragma wal_checkpoint({mode})").fetchone()
            return int(pages)
        except sqlite3.Error as error:
            if not self._closed:
                log.warning("the database could not be checkpointed, which is tried again later: %s", error)
            return 0

    def _disconnect(self) -> None:
        for connection in (self._checkpoint_connection, self._reader, self._writer):
            discard(connection)
        self._checkpoint_connection = self._reader = self._writer = None
