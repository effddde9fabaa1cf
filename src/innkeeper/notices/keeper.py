"""The keeper of notices: numbers what was told, and makes the deliveries that are due, one repeatable pass at a time.

``inn.py`` runs its loop. What it is told of waits in the database: a pass that was cut off is simply made again. A
delivery that was sent and not recorded is sent again, with the same id: at least once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import HOUR, SECOND, Clock
from innkeeper.kit.ids import Chance

from .board import Board
from .figures import Figures
from .model import DeliveryState, Due
from .posting import Poster
from .queries import deliveries, events, webhooks
from .recording import Recorder
from .schedule import Limits, choose, verdict
from .underway import UnderWay

if TYPE_CHECKING:
    from prometheus_client.core import Metric

log = logging.getLogger(__name__)

#: Seconds until the next pass at the latest while anybody is listened for, and while nobody is. Who tells something
#: rings, in this process.
EVERY = 1.0
SELDOM = 30.0
#: What was told, in one transaction and in one pass: others want to write too.
_PORTION = 100
_MOST_PORTIONS = 20
#: Deliveries of one webhook that are read ahead, and for how long what was read is good: more may be due by then.
_AHEAD = 64
_GOOD_FOR = SECOND // 2
#: Rows forgotten in one transaction, and seconds between two sweeps.
_SWEPT = 500
_SWEEP_EVERY = 60.0
_WHY_GONE = "the receiver answered 410 Gone"


class NoticesKeeper:
    """Passes events on. ``unit`` is the first wait after a failed attempt, in seconds, ``keep_hours`` how long events
    and deliveries are kept.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        chance: Chance,
        bell: Bell,
        board: Board,
        poster: Poster,
        *,
        unit: float = 1.0,
        keep_hours: float = 168.0,
        limits: Limits = Limits(),  # noqa: B008 - it cannot be changed
    ) -> None:
        self._db, self._clock, self._chance, self.bell = db, clock, chance, bell
        self._board, self._poster = board, poster
        self._unit, self._keep, self._limits = unit, round(keep_hours * HOUR), limits
        self._recorder = Recorder(db)
        self._busy = UnderWay[Due]("a delivery", self._ended)
        self._ready: dict[str, list[Due]] = {}  #: what is due by webhook, as it was at the time below
        self._ready_at = 0
        self._changes = 0
        self._swept_at: int | None = None
        self._figures = Figures(
            "delivery", "deliveries", waiting="Events on their way to webhooks.",
            attempts="Attempts to deliver an event to a webhook.", lost="Deliveries that were given up.",
        )  # fmt: skip

    async def keep(self) -> float:
        """One pass. Returns the seconds until the next one is due though nobody rings."""
        await self._pass_on()
        soon = await self._begin()
        await self._sweep()
        usual = EVERY if self._busy or soon is not None or await self._db.read(events.listening) else SELDOM
        return usual if soon is None else min(usual, soon)

    def changed(self) -> None:
        """A webhook was changed, rotated or deleted: what was read ahead is read anew. Begun attempts go on."""
        self._changes += 1
        self._ready = {}
        self.bell.ring()

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
        await self._recorder.close()

    async def _pass_on(self) -> None:
        for _ in range(_MOST_PORTIONS):
            if not await self._db.read(events.told):
                return
            ids = [f"evt-{self._chance.uuid()}" for _ in range(_PORTION)]
            passed = await self._db.write(events.pass_on, self._clock.now(), ids)
            self._board.call(passed.orgs)
        self.bell.ring()  # there is more

    async def _begin(self) -> float | None:
        """Begin the attempts that are due and have a place. Returns the seconds until the next one is due."""
        now, changes = self._clock.now(), self._changes
        ready: dict[str, list[Due]] = {}
        self._ready = {}
        times = await self._db.read(deliveries.due_times)
        if len(self._busy) < self._limits.all:
            busy = Counter(one.webhook_id for one in self._busy.about)
            for webhook_id, at in times:
                if at <= now and busy[webhook_id] < self._limits.each_webhook:
                    ready[webhook_id] = await self._read_ahead(webhook_id, now)
        if changes == self._changes:  # who changed something meanwhile has rung
            self._ready, self._ready_at = ready, now
            self._start()
        later = [at for _, at in times if at > now]
        return (min(later) - now) / SECOND if later else None

    async def _read_ahead(self, webhook_id: str, now: int) -> list[Due]:
        """What is due and not under way, nor was when it was read: it may have ended since."""
        begun = {one.id for one in self._busy.about}
        found = await self._db.read(deliveries.due, webhook_id, now, _AHEAD + len(begun))
        return [one for one in found if one.id not in begun]

    def _start(self) -> None:
        """Begin as many of those that are ready as have a place."""
        if self._busy.closing:
            return
        for one in choose(self._ready, self._busy.about, self._limits):
            self._ready[one.webhook_id].remove(one)
            self._busy.begin(self._deliver(one), one)

    def _ended(self, due: Due) -> None:
        left = self._ready.get(due.webhook_id)
        if left and self._clock.now() - self._ready_at < _GOOD_FOR:
            self._start()
        else:
            self.bell.ring()

    async def _deliver(self, due: Due) -> None:
        """Make one attempt and write down what came of it."""
        answer = await self._poster.post(due.target, due.event)
        now = self._clock.now()
        found = verdict(answer, due.attempts + 1, due.created_at, now, self._chance.fraction(), self._unit)
        self._figures.attempted(delivered=answer.delivered, given_up=found.state is DeliveryState.GIVEN_UP)
        attempt = deliveries.Attempt(
            due.id, due.webhook_id, due.event.subject, found.state, found.next_at, now, answer.status, answer.error,
            _WHY_GONE if found.gone else None,
        )  # fmt: skip
        try:
            await self._recorder.record(attempt)
        except Exception:
            await self._clock.sleep(EVERY)  # it is due still, and must not be sent again and again meanwhile
            raise

    async def _sweep(self) -> None:
        """Forget what is outdated, now and then, in portions."""
        now = self._clock.now()
        if self._swept_at is not None and now - self._swept_at < _SWEEP_EVERY * SECOND:
            return
        await self._db.write(events.prune, now)
        await self._all(deliveries.give_up, now)
        await self._all(deliveries.sweep, now - self._keep)
        await self._all(events.sweep, now - self._keep)
        await self._db.write(webhooks.sweep)
        self._swept_at = now

    async def _all(self, steps: Callable[[int, int], Any], time: int) -> None:
        while await self._db.write(steps, time, _SWEPT) >= _SWEPT:
            pass

    # What is measured

    async def count(self) -> None:
        """Count anew: asked before metrics are read, which cannot wait."""
        self._figures.pending = await self._db.read(deliveries.pending)

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        return self._figures.collect()
