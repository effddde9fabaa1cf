"""What wings see of the database, whichever store it is.

A transaction is written as *steps*: a generator that yields statements and is sent their rows. The store decides how
to carry it out: SQLite runs it whole on its writer thread, PostgreSQL on a connection of its pool. The same text
serves both, and a test can drive it by hand.

Rules for steps: no input or output but statements; no chance and no clock inside (hand them in), because a store may
run the same steps again from the start when a transaction has to be repeated; raise to roll back. Tables are made and
changed by migrations alone. A transaction is short: SQLite runs its statements on the event loop's thread, so large
work is done in portions. A mistake in a statement's text comes out as the store's own error.

    def rename(app_id: str, name: str) -> Steps[bool]:
        rows = yield Statement("update apps set name = $1 where id = $2 returning id", (name, app_id))
        return bool(rows)

    done = await db.write(rename, "app-1", "chess")
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar

from innkeeper.kit.errors import Unavailable

from .pulse import Pulse

A = ParamSpec("A")
R = TypeVar("R")

#: What travels to and from the database. Times are whole microseconds, truth is 0 or 1, objects are JSON text.
Value = str | int | float | bytes | None
#: A row. Columns by position, in the order the statement names them.
Row = Sequence[Any]


class Statement(NamedTuple):
    """One SQL statement with ``$1``, ``$2`` ... for its values, understood by both stores.

    A list of texts or numbers is handed over as a JSON array and unpacked with ``db.sql.listed`` (see there).
    """

    sql: str
    values: Sequence[Value] = ()


class Many(NamedTuple):
    """One SQL statement carried out for each of many rows of values. Brings no rows back."""

    sql: str
    rows: Sequence[Sequence[Value]]


#: A transaction of the house: yields statements, is sent their rows, returns its outcome.
Steps = Generator[Statement | Many, list[Row], R]


class Database(Protocol):
    """Where everything that must outlive a crash is kept."""

    #: "sqlite" or "postgresql"
    kind: str
    #: how the last changes went
    pulse: Pulse

    async def write(self, steps: Callable[A, Steps[R]], *args: A.args, **kwargs: A.kwargs) -> R:
        """Carry out a transaction. When this returns, it is on disk; when it raises, nothing of it happened.

        Transactions that are waiting together may share one commit; each still succeeds or fails alone.
        Raises what the steps raise, :class:`Duplicate` or another :class:`RuleBroken`,
        :class:`innkeeper.kit.errors.Invalid` for text or a number that no store can hold, or
        :class:`DatabaseUnavailable`. Who is cancelled while waiting does not know whether it was carried out.
        """
        ...

    async def read(self, steps: Callable[A, Steps[R]], *args: A.args, **kwargs: A.kwargs) -> R:
        """Carry out steps that only read, all on one state of the database, which holds every write that returned."""
        ...

    def when_written(self, sql: str, then: Callable[[], None]) -> None:
        """Call ``then`` after each commit of a transaction of this process in which this statement was carried out for
        many rows (:class:`Many`). It may be called for nothing, where such a transaction was rolled back."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go."""
        ...


class RuleBroken(Exception):
    """A statement broke a rule of a table: a reference to a row that is not there, a missing value, a check."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class Duplicate(RuleBroken):
    """A statement broke a unique rule of a table.

    ``rule`` names it alike on both stores: ``rooms.app_id, rooms.name``, or ``index 'name'`` when the rule is about
    more than plain columns.
    """


class DatabaseUnavailable(Unavailable):
    """The store did not take the transaction: disk full, connection lost, locked by another program. Nothing happened.

    One exception: when the connection to PostgreSQL, or the disk under SQLite, is lost in the very moment of a commit,
    nobody can say on which side of it. Then the text says so. Transactions that may be asked for again are therefore
    written to bear being carried out twice.
    """


def drive(steps: Steps[R], run: Callable[[Statement | Many], list[Row]]) -> R:
    """Carry out steps with a function that runs one statement. The heart of the synchronous store."""
    try:
        statement = next(steps)
        while True:
            statement = steps.send(run(statement))
    except StopIteration as done:
        result: R = done.value
        return result
    finally:
        steps.close()
