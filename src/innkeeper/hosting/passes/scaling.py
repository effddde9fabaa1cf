"""Keeps as many servers ready as the policies of reserves ask for, and wants more when their seats fill up.

It ends none: what is too many ends by itself when it is empty for as long as its label says (``retiring.py``).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from innkeeper.db.database import Database
from innkeeper.hosting.orders import Ask, Orders
from innkeeper.hosting.plans import Serving, out_of_use
from innkeeper.hosting.policies import InForce, Reserved, missing
from innkeeper.hosting.queries import labels, reserves
from innkeeper.hosting.standing import REMEMBERED, held_until
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.errors import Invalid, LimitReached, Taken

log = logging.getLogger(__name__)

#: The longest pause after a refusal, such as that no location has space. What changes the policy or the label ends it.
LONGEST_PAUSE = 16 * SECOND


class _Pause(NamedTuple):
    """After a refusal."""

    tries: int
    until: int
    of: InForce  #: as they were


class Scaling:
    """Carries out ``policies.missing``, at the end of every pass."""

    def __init__(self, db: Database, clock: Clock, bell: Bell, orders: Orders) -> None:
        self._db, self._clock, self._bell, self._orders = db, clock, bell, orders
        self._pauses: dict[tuple[str, str], _Pause] = {}
        #: By policy and label, why there are fewer servers than the policy asks for.
        self.troubles: dict[tuple[str, str], str] = {}

    async def keep(self) -> None:
        """One step towards every policy."""
        kept, servers = await self._db.read(reserves.due)
        there = {one.key for one in kept}
        for gone in {*self._pauses, *self.troubles} - there:
            self._pauses.pop(gone, None)
            self.troubles.pop(gone, None)
        for one in kept:
            await self._keep(one, servers.get(one.key, ()))

    async def _keep(self, kept: InForce, servers: Sequence[Reserved]) -> None:
        count = missing(kept.bounds, kept.each, servers)
        if not count:
            self._pauses.pop(kept.key, None)
            self.troubles.pop(kept.key, None)
            return
        now = self._clock.now()
        pause = self._pauses.get(kept.key)
        if pause is not None and pause.of != kept:
            pause = None
        if pause is not None and now < pause.until:
            return
        serving = await self._db.read(labels.serving_label, kept.label_id)
        if serving is None:  # it has just been deleted
            return
        try:
            why = out_of_use(serving) or await self._held(kept, serving, now)
            if why is None:
                await self._want(kept, serving, count)
                self._pauses.pop(kept.key, None)
                self.troubles.pop(kept.key, None)
                return
        except (Invalid, LimitReached) as error:
            why = str(error)
            tries = 0 if pause is None else pause.tries + 1
            self._pauses[kept.key] = _Pause(tries, now + min(LONGEST_PAUSE, SECOND << min(tries, 30)), kept)
        if self.troubles.get(kept.key) != why:
            self.troubles[kept.key] = why
            log.warning("%s has fewer servers than it asks for: %s", kept.title, why)

    async def _held(self, kept: InForce, serving: Serving, now: int) -> str | None:
        """Why there is a pause after servers that ended by themselves soon after they were wanted."""
        since = now - REMEMBERED
        lives = await self._db.read(reserves.short_lives, *kept.key, serving.release.id, since)
        until = held_until(kept.policy.least, lives)
        return "its servers end by themselves soon after they start" if now < until else None

    async def _want(self, kept: InForce, serving: Serving, count: int) -> None:
        for _ in range(count):
            want = await self._orders.wanted(serving, Ask(wishes=kept.policy.wishes))
            try:
                wanted = await self._db.write(reserves.want_for, *kept.key, want)
            except Taken:  # its twelve digits: others are made in the next pass
                wanted = True
            if not wanted:
                return
            self._bell.ring()
