"""PostgreSQL: for a house with several machines or an operator who has it anyway. Made by ``connect.py``.

Each of a few writing connections takes all transactions that wait and carries them out one after the other with one
commit. Transactions run as READ COMMITTED: steps that decide on what they read lock it (``db.sql.FOR_UPDATE``) or say
so in the statement that writes. Reads have connections of their own that cannot write.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import asyncpg

from .database import DatabaseUnavailable, Many, Row, Statement, Steps
from .group import CLOSED, Apart, Failed, Failure, Tried, Waiting, serve, settle_all
from .lines import Lines
from .postgres_errors import CONFLICTS, is_lost, translated
from .pulse import Pulse
from .sql import for_postgres

A = ParamSpec("A")
R = TypeVar("R")

#: At most so many transactions share a commit: they hold their locks until the last of them is done.
MOST = 64
WRITERS = 2
READERS = 8
#: How often a transaction is run again that met another one's locks.
CONFLICTS_BORNE = 8
#: Seconds within which a statement must be answered, and a connection made.
PATIENCE = 30.0

_BEGIN = "begin isolation level read committed read write"
_BEGIN_READING = "begin isolation level repeatable read read only"


# How a statement begins that changes nothing; of one that begins otherwise it is not known.
_READING = ("select", "SELECT")


async def _begin(line: asyncpg.Connection) -> None:
    try:
        await line.execute(_BEGIN)
    except asyncpg.FeatureNotSupportedError as error:  # what a standby says to "read write"
        raise asyncpg.ReadOnlySQLTransactionError(str(error)) from error


class _Work:
    """How far the steps of a transaction have come."""

    __slots__ = ("changed", "running", "written")

    def __init__(self) -> None:
        self.written = set[str]()  #: statements that somebody waits to hear of
        self.changed = False  #: they may have changed something
        self.running = False  #: a statement of theirs is under way


class PostgresDatabase:
    """A database on a PostgreSQL server."""

    kind = "postgresql"

    def __init__(
        self, url: str, *, writers: int = WRITERS, readers: int = READERS, patience: float | None = PATIENCE
    ) -> None:
        """``patience`` is how long a statement and its locks may take, in seconds; None for as long as it takes."""
        self.pulse = Pulse()
        parts = urlsplit(url)
        self._place = f"{parts.hostname or 'the local socket'}{f':{parts.port}' if parts.port else ''}{parts.path}"
        self._writers = Lines(url, self._place, writers, patience, read_only=False)
        self._readers = Lines(url, self._place, readers, patience, read_only=True)
        self._texts: dict[str, str] = {}
        self._then: dict[str, Callable[[], None]] = {}
        self._several: set[object] = set()  #: steps that were seen to read with more than one statement
        self._waiting: deque[Waiting] = deque()
        self._writing: set[asyncio.Task[None]] = set()
        self._serving = 0  #: tasks that will look at what waits once more; fewer than are in the set
        self._most_writers = writers
        self._closed = False

    async def open(self) -> None:
        """See that the server can be reached. Raises DatabaseUnavailable."""
        self._writers.give(await self._writers.take())

    async def write(self, steps: Callable[A, Steps[R]], *args: A.args, **kwargs: A.kwargs) -> R:
        """See :class:`innkeeper.db.database.Database`."""
        if self._closed:
            raise DatabaseUnavailable(CLOSED)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = loop.create_future()
        self._waiting.append(Waiting(steps, args, kwargs, answer))
        if self._serving < self._most_writers:
            self._serving += 1
            writing = loop.create_task(self._serve())
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)
        return await answer

    def when_written(self, sql: str, then: Callable[[], None]) -> None:
        """See :class:`innkeeper.db.database.Database`."""
        self._then[sql] = then

    async def read(self, steps: Callable[A, Steps[R]], *args: A.args, **kwargs: A.kwargs) -> R:
        """See :class:`innkeeper.db.database.Database`."""
        if self._closed:
            raise DatabaseUnavailable(CLOSED)
        for last in (False, True):
            line = await self._readers.take()
            try:
                return await self._read(line, lambda: steps(*args, **kwargs), getattr(steps, "__code__", steps))
            except Exception as error:
                if is_lost(error, line):
                    line.terminate()
                    if not last:  # it may have been lost long ago, and reading again does no harm
                        continue
                raise translated(error, self._place) from error
            except BaseException:
                line.terminate()  # cancelled in the middle of something
                raise
            finally:
                self._readers.give(line)
        raise AssertionError("the second try returns or raises")

    async def close(self) -> None:
        """Carry out what was asked for and let go. May be called again."""
        self._closed = True
        if self._writing:
            await asyncio.wait(self._writing)
        await self._writers.close()
        await self._readers.close()

    # Reading

    async def _read(self, line: asyncpg.Connection, begin: Callable[[], Steps[R]], key: object) -> R:
        if key not in self._several:
            steps = begin()
            try:
                steps.send(await self._run(line, next(steps)))
            except StopIteration as done:
                result: R = done.value
                return result
            finally:
                steps.close()
            # They want to know more, of the same state of the database: from the start, in a transaction.
            self._several.add(key)
        await line.execute(_BEGIN_READING)
        try:
            return await self._drive(line, begin(), _Work())
        finally:
            if not line.is_closed():
                await line.execute("rollback")

    async def _drive(self, line: asyncpg.Connection, steps: Steps[R], work: _Work) -> R:
        try:
            statement = next(steps)
            while True:
                work.changed = work.changed or statement.sql[:6] not in _READING
                work.running = True
                if statement.sql in self._then:
                    work.written.add(statement.sql)
                rows = await self._run(line, statement)
                work.running = False
                statement = steps.send(rows)
        except StopIteration as done:
            result: R = done.value
            return result
        finally:
            steps.close()

    async def _run(self, line: asyncpg.Connection, statement: Statement | Many) -> list[Row]:
        text = self._texts.get(statement.sql)
        if text is None:
            text = self._texts[statement.sql] = for_postgres(statement.sql)
        if isinstance(statement, Many):
            await line.executemany(text, statement.rows)
            return []
        rows: list[Row] = await line.fetch(text, *statement.values)
        return rows

    # Writing

    async def _serve(self) -> None:
        try:
            await serve(self._waiting, MOST, self._try)
        finally:
            self._serving -= 1  # in the same step as the last look: whoever comes next starts another

    async def _try(self, members: list[Waiting]) -> Tried:
        """Carry out the members in one transaction and settle them, or say what to try instead."""
        conflicts = losses = 0
        while True:
            try:
                line = await self._writers.take()
            except DatabaseUnavailable as error:
                self._refuse(members, str(error))
                return None
            try:
                return await self._try_on(line, members)
            except Exception as error:
                # Nothing of it happened. A line may have been lost long ago: once more on a new one.
                losses += is_lost(error, line)
                conflicts += isinstance(error, CONFLICTS)
                if isinstance(error, CONFLICTS) and len(members) > 1:
                    return Apart()
                if losses > 1 or conflicts > CONFLICTS_BORNE or not (losses or conflicts):
                    told = translated(error, self._place)
                    if isinstance(told, DatabaseUnavailable):
                        # Whom others keep waiting is refused, and yet the store takes changes.
                        (settle_all if isinstance(error, CONFLICTS) else self._refuse)(members, str(told))
                        return None
                    if len(members) > 1:
                        return Apart()
                    members[0].settle(Failure(told))
                    return None
                if is_lost(error, line):
                    line.terminate()
            except BaseException:
                line.terminate()
                raise
            finally:
                self._writers.give(line)

    async def _try_on(self, line: asyncpg.Connection, members: list[Waiting]) -> Tried:
        """The same on one connection. Raises what befell the transaction as a whole, after it was rolled back."""
        outcomes: list[Any] = []
        written: set[str] = set()
        changed = False
        await _begin(line)
        for at, member in enumerate(members):
            work = _Work()
            try:
                outcomes.append(await self._drive(line, member.begin(), work))
                written |= work.written
                changed = changed or work.changed
            except Exception as error:
                if not work.running and not work.changed:
                    # The steps themselves gave up before they changed anything: its neighbours are unharmed.
                    outcomes.append(Failure(error))
                    continue
                if not is_lost(error, line):
                    await line.execute("rollback")
                    if len(members) > 1 and not isinstance(error, CONFLICTS):
                        return Failed(at)
                raise
        if await self._commit(line, members, outcomes) and changed:
            self.pulse.took()
        for sql in written:
            self._then[sql]()
        return None

    async def _commit(self, line: asyncpg.Connection, members: list[Waiting], outcomes: list[Any]) -> bool:
        """Whether it was carried out, as far as is known; the members are told."""
        try:
            await line.execute("commit")
        except Exception as error:
            if not is_lost(error, line):
                raise  # the server said no, and rolled back
            line.terminate()
            self._refuse(
                members,
                f"the connection to the database at {self._place} was lost during a commit: whether it was carried out"
                " is not known",
            )
            return False
        for member, outcome in zip(members, outcomes, strict=True):
            member.settle(outcome)
        return True

    def _refuse(self, members: list[Waiting], text: str) -> None:
        self.pulse.refused(text)
        settle_all(members, text)
