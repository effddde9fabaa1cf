"""The keeper of callbacks: puts together what is told, and makes the attempts that are due, one repeatable pass at a
time.

``inn.py`` runs its loop, and hands in who puts the words together: those of the API that was asked. What is owed waits
in the database: a pass that was cut off is simply made again. What is told is kept before it is sent for the first
time, so that each attempt sends the same bytes. What was sent and not recorded is sent again, with the same id: at
least once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import HOUR, SECOND, Clock
from innkeeper.kit.ids import Chance

from .callbacks import CallbackSecrets
from .figures import Figures
from .model import CALLED, DeliveryState, DueCallback
from .posting import Poster
from .queries import callbacks as queries
from .schedule import Answer, Limits, choose, verdict
from .underway import UnderWay

if TYPE_CHECKING:
    from prometheus_client.core import Metric

log = logging.getLogger(__name__)

#: Puts together the body of a callback, of its kind and subject. None: there is nothing left to tell of.
Compose = Callable[[str, str], Awaitable[bytes | None]]

#: At once: in all, for one organisation, and to one receiver of it.
LIMITS = Limits(all=32, each_org=8, each_webhook=8)
#: Seconds until the next pass at the latest, while any is under way and while none is. Who owes one rings, in this
#: process.
EVERY = 1.0
SELDOM = 30.0
#: Callbacks to one receiver that are looked at in one pass.
_AHEAD = 64
#: Rows forgotten in one transaction, and seconds between two sweeps.
_SWEPT = 500
_SWEEP_EVERY = 60.0
_NOTHING = "there is nothing left to tell of: what it was about is forgotten"
_NOT_COMPOSED = "what is to be told could not be put together; the log of the house says why"


class CallbacksKeeper:
    """Tells what is owed. ``unit`` is the first wait after a failed attempt, in seconds, ``keep_hours`` how long it is
    known what became of a callback.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        chance: Chance,
        bell: Bell,
        poster: Poster,
        secrets: CallbackSecrets,
        compose: Compose,
        *,
        unit: float = 1.0,
        keep_hours: float = 168.0,
        limits: Limits = LIMITS,
    ) -> None:
        self._db, self._clock, self._chance, self.bell = db, clock, chance, bell
        self._poster, self._secrets, self._compose = poster, secrets, compose
        self._unit, self._keep, self._limits = unit, round(keep_hours * HOUR), limits
        self._busy = UnderWay[DueCallback]("a callback", lambda _: bell.ring())
        self._swept_at: int | None = None
        self._figures = Figures(
            "callback", "callbacks", waiting="Callbacks on their way.",
            attempts="Attempts to make a callback.", lost="Callbacks that were given up.",
        )  # fmt: skip

    async def keep(self) -> float:
        """One pass. Returns the seconds until the next one is due though nobody rings."""
        soon = await self._begin()
        await self._sweep()
        usual = EVERY if self._busy else SELDOM
        return usual if soon is None else min(usual, soon)

    @property
    def busy(self) -> set[asyncio.Task[None]]:
        """The attempts that are under way."""
        return self._busy.tasks

    async def settled(self) -> None:
        """Return once no attempt is under way."""
        await self._busy.settled()

    async def close(self) -> None:
        """Let attempts under way come to their end, for a moment, and begin no others."""
        await self._busy.close()

    async def _begin(self) -> float | None:
        """Begin the attempts that are due and have a place. Returns the seconds until the next one is due."""
        now, begun = self._clock.now(), {one.id for one in self._busy.about}
        times = await self._db.read(queries.due_times)
        ready: dict[str, list[DueCallback]] = {}
        of_org = Counter(one.org_id for one in self._busy.about)
        for org_id, receiver, _ in sorted((one for one in times if one[2] <= now), key=lambda one: one[2]):
            if len(self._busy) < self._limits.all and of_org[org_id] < self._limits.each_org:
                found = await self._db.read(queries.due, org_id, receiver, now, _AHEAD + len(begun))
                # Not what was under way when it was read: that may have ended since.
                fresh = ready[f"{org_id} {receiver}"] = [one for one in found if one.id not in begun]
                of_org[org_id] += bool(fresh)  # more than it may have under way need not be read
        if not self._busy.closing:
            for one in choose(ready, self._busy.about, self._limits):
                self._busy.begin(self._call(one), one)
        later = [at for *_, at in times if at > now]
        return (min(later) - now) / SECOND if later else None

    async def _call(self, due: DueCallback) -> None:
        """Make one attempt and write down what came of it."""
        try:
            answer = await self._attempt(due)
            now = self._clock.now()
            chance = self._chance.fraction()
            if answer is None:
                tried = queries.Tried(due.id, DeliveryState.GIVEN_UP, None, now, None, _NOTHING)
            else:
                found = verdict(answer, due.attempts + 1, due.tried_since, now, chance, self._unit, CALLED)
                tried = queries.Tried(due.id, found.state, found.next_at, now, answer.status, answer.error)
            await self._db.write(queries.record, tried)
        except Exception:
            await self._clock.sleep(EVERY)  # it is due still, and must not be sent again and again meanwhile
            raise
        self._figures.attempted(
            delivered=tried.state is DeliveryState.DELIVERED, given_up=tried.state is DeliveryState.GIVEN_UP
        )

    async def _attempt(self, due: DueCallback) -> Answer | None:
        """One attempt, with the words that the first one had. None: there is nothing to tell of any more."""
        body = due.body
        if body is None:
            try:
                composed = await self._compose(due.kind, due.subject)
            except Exception:
                log.exception("the callback %s of %s %s could not be put together", due.id, due.kind, due.subject)
                return Answer(None, _NOT_COMPOSED)
            if composed is None:
                return None
            body = await self._db.write(queries.keep_body, due.id, composed.decode())
        target = await self._secrets.target(due.org_id, due.url)
        return await self._poster.post_body(target, due.id, body.encode())

    async def _sweep(self) -> None:
        """Forget what is outdated, now and then, in portions."""
        now = self._clock.now()
        if self._swept_at is not None and now - self._swept_at < _SWEEP_EVERY * SECOND:
            return
        while await self._db.write(queries.sweep, now - self._keep, _SWEPT) >= _SWEPT:
            pass
        self._swept_at = now

    # What is measured

    async def count(self) -> None:
        """Count anew: asked before metrics are read, which cannot wait."""
        self._figures.pending = await self._db.read(queries.pending)

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        return self._figures.collect()
