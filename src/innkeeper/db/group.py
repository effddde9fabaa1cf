"""How transactions that wait together share one commit and yet succeed or fail alone. Used by both stores.

A group is tried as a whole. There are no savepoints between its members: most groups have no failing member, and
steps can be run again. When a member fails after it changed something, everything is rolled back, those before it are
carried out again, then the failing one by itself, so that it meets its own error, then those after it. Every
member is thereby run a bounded number of times and the cost grows with the failures, not with their square.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, NamedTuple

from .database import DatabaseUnavailable, Steps


class Waiting(NamedTuple):
    """A transaction that somebody waits for."""

    steps: Callable[..., Steps[Any]]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    answer: asyncio.Future[Any]

    def begin(self) -> Steps[Any]:
        """The steps from their start."""
        return self.steps(*self.args, **self.kwargs)

    def settle(self, outcome: Any) -> None:
        """Tell the waiting one, unless it went away. A :class:`Failure` is raised to it."""
        if self.answer.done():
            return
        if type(outcome) is Failure:
            self.answer.set_exception(outcome.error)
        else:
            self.answer.set_result(outcome)


class Failure(NamedTuple):
    """The outcome of a member that failed without harm to its neighbours."""

    error: Exception


class Failed(NamedTuple):
    """Nothing of this try was kept, because the member at this place (counted within the try) failed."""

    at: int


class Cut(NamedTuple):
    """The members before this place are settled; the rest was not begun."""

    at: int


class Apart(NamedTuple):
    """Nothing of this try was kept, and it is not known whose fault it was."""


#: What came of a try; None when all its members are settled, as the only member of a try must be.
Tried = Failed | Cut | Apart | None


def tries(size: int) -> Generator[range, Tried, None]:
    """Which members of a group of so many to try next. Is sent what came of the try; ends when all are settled."""
    todo = [range(size)]
    while todo:
        part = todo.pop()
        if not part:
            continue
        tried = yield part
        match tried:
            case None:
                pass
            case Cut(at):
                todo.append(part[at:])
            case Failed(at) if len(part) > 1:
                todo += [part[at + 1 :], part[at : at + 1], part[:at]]
            case Apart() if len(part) > 1:
                todo += [range(one, one + 1) for one in reversed(part)]
            case _:
                raise AssertionError("a try with one member settles it")


async def serve(waiting: deque[Waiting], most: int, attempt: Callable[[list[Waiting]], Awaitable[Tried]]) -> None:
    """Carry out all that wait, and those who come meanwhile, in groups of at most ``most``."""
    while waiting:
        group: list[Waiting] = []
        while waiting and len(group) < most:
            member = waiting.popleft()
            if not member.answer.done():  # who went away before it was begun is left out
                group.append(member)
        try:
            plan = tries(len(group))
            part = next(plan, None)
            while part is not None:
                tried = await attempt(group[part.start : part.stop])
                try:
                    part = plan.send(tried)
                except StopIteration:
                    part = None
        except Exception as error:
            for member in group:
                member.settle(Failure(error))
        finally:
            for member in group:
                member.answer.cancel()  # only where the task itself was ended: nobody shall wait for ever
        # Those just answered may write again at once: they come along with the next group.
        await asyncio.sleep(0)


def settle_all(members: list[Waiting], text: str) -> None:
    """Tell all members that the store did not take them, each with an error of its own."""
    for member in members:
        member.settle(Failure(DatabaseUnavailable(text)))


#: Said to everybody who comes after the end.
CLOSED = "the database is closed"
