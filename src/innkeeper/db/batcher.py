"""Lets requests that wait at the same time share one transaction, each with an outcome of its own.

Used by the wings for the few things that are asked very often (a room to open, a room to close). ``asks`` that come
while a transaction is under way are taken together in the next one.

    opening = Batcher(db, queries.open_rooms)
    seat = await opening.ask(OpenAsk(...))
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from .database import Database, DatabaseUnavailable, Steps

Ask = TypeVar("Ask")
Outcome = TypeVar("Outcome")


class Batcher(Generic[Ask, Outcome]):
    """Collects asks and carries them out by ``steps``, which answers a list of asks with as many outcomes, in order.

    An outcome that is an exception is raised to its asker alone. When the whole transaction fails, each of its asks is
    carried out once more by itself, so that only the guilty one fails; except when the store is unavailable, which is
    told to all. ``most`` asks share a transaction, ``flights`` transactions are under way at once (one for SQLite).
    """

    def __init__(
        self,
        db: Database,
        steps: Callable[[Sequence[Ask]], Steps[Sequence[Outcome | Exception]]],
        *,
        most: int = 128,
        flights: int = 1,
    ) -> None:
        self._db, self._steps, self._most, self._flights = db, steps, most, flights
        self._waiting: list[tuple[Ask, asyncio.Future[Outcome]]] = []
        self._flying: set[asyncio.Task[None]] = set()
        self._called = False
        self._aloft = 0  #: flights that will look at what waits once more

    async def ask(self, ask: Ask) -> Outcome:
        """Have it carried out together with others; on disk when this returns.

        An asker that is cancelled does not know whether its ask was carried out. Raises the outcome if it is an
        exception, what the steps raise for this ask alone, or DatabaseUnavailable.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()
        self._waiting.append((ask, answer))
        if not self._called and self._aloft < self._flights:
            # Not at once: all that is ready to ask in this turn of the loop shall come along.
            self._called = True
            loop.call_soon(self._depart)
        return await answer

    def _depart(self) -> None:
        self._called = False
        if self._waiting and self._aloft < self._flights:
            self._aloft += 1
            flight = asyncio.ensure_future(self._fly())
            self._flying.add(flight)
            flight.add_done_callback(self._flying.discard)

    async def _fly(self) -> None:
        try:
            await self._carry_all()
        finally:
            self._aloft -= 1  # in the same step as the last look: whoever asks next starts another

    async def _carry_all(self) -> None:
        while self._waiting:
            # An asker that has gone before its ask was begun is left out.
            aboard = [one for one in self._waiting[: self._most] if not one[1].done()]
            del self._waiting[: self._most]
            if aboard:
                try:
                    await self._carry_out(aboard)
                finally:
                    for _, answer in aboard:
                        answer.cancel()  # only where the flight itself was cancelled: nobody waits for ever
            # Those just answered may ask again at once: they come along.
            await asyncio.sleep(0)

    async def _carry_out(self, aboard: Sequence[tuple[Ask, asyncio.Future[Outcome]]]) -> None:
        try:
            outcomes = await self._db.write(self._steps, [ask for ask, _ in aboard])
            if len(outcomes) != len(aboard):
                raise RuntimeError(f"{self._steps} answered {len(aboard)} asks with {len(outcomes)} outcomes")
        except DatabaseUnavailable as error:
            for _, answer in aboard:
                _settle(answer, DatabaseUnavailable(str(error)))
        except Exception as error:
            if len(aboard) == 1:
                _settle(aboard[0][1], error)
            else:
                await asyncio.gather(*(self._carry_out([one]) for one in aboard))
        else:
            for (_, answer), outcome in zip(aboard, outcomes, strict=True):
                _settle(answer, outcome)


def _settle(answer: asyncio.Future[Outcome], outcome: Outcome | Exception) -> None:
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
