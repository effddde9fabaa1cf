"""The loop that every keeper runs in: wait for the bell or for the time, make one pass, repeat.

A pass takes no input and can be repeated or cut off anywhere. A pass that fails is tried again after a growing wait;
it never ends the loop, for a house without its keeper looks alive and is not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from .bell import Bell
from .clock import Clock
from .ids import Chance
from .retry import for_ever

log = logging.getLogger(__name__)


class KeeperLoop:
    """Runs ``keep`` whenever ``bell`` rings, and at the latest when ``keep`` said it wants to be called again.

    ``keep`` returns the seconds until it should run again though nobody rang, or None.
    """

    def __init__(
        self, name: str, keep: Callable[[], Awaitable[float | None]], bell: Bell, clock: Clock, chance: Chance
    ) -> None:
        self._name, self._keep, self._bell, self._clock, self._chance = name, keep, bell, clock, chance
        self.failures = 0  #: passes that failed one after the other; 0 when the last one ended well

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            try:
                again = await self._keep()
                self.failures = 0
            except asyncio.CancelledError:
                raise
            except Exception:
                self.failures += 1
                log.exception("the %s keeper's pass failed (%d in a row); it is repeated", self._name, self.failures)
                again = for_ever(self.failures, self._chance.fraction())
            await self._wait(again)

    async def _wait(self, seconds: float | None) -> None:
        bell = asyncio.ensure_future(self._bell.wait())
        timer = None if seconds is None else asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({bell} if timer is None else {bell, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            bell.cancel()
            if timer is not None:
                timer.cancel()
