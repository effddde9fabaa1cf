"""How the run of a build ended, and writing that down though the database be away. Called by ``builds.py``."""

from __future__ import annotations

import logging
from collections.abc import Callable

from innkeeper.db.database import Database
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Unavailable
from innkeeper.kit.ids import Chance
from innkeeper.kit.retry import for_ever

from .model import Build, BuildState, Verdict
from .queries import builds as queries

__all__ = ["Verdict", "Verdicts", "again_in", "overdue"]

log = logging.getLogger(__name__)


def again_in(failures: int, chance: float, now: int, until: int | None) -> float | None:
    """Seconds until a verdict is tried to be written again, after so many failures; None when there is no time left.

    ``chance`` is in [0, 1); ``now`` and ``until``, the deadline of the run, in microseconds since the epoch.
    """
    if until is None or now >= until:
        return None
    return for_ever(failures, chance)


def overdue(build: Build) -> Verdict:
    """On a build whose deadline has passed and that nobody works on."""
    running = build.state is BuildState.RUNNING
    detail = "its run was not finished in time" if running else "its upload was not completed and run in time"
    return Verdict(BuildState.FAILED, detail)


class Verdicts:
    """Writes verdicts down."""

    def __init__(self, db: Database, clock: Clock, chance: Chance) -> None:
        self._db, self._clock, self._chance = db, clock, chance

    async def write(self, build: Build, verdict: Verdict) -> BuildState:
        """Write one down, once; what the build is from then on. Raises Unavailable.

        A build that was settled before stays as it is: the answer to the try that did it may have been lost, or
        somebody else was quicker.
        """
        if await self._db.write(queries.finish_build, build.key, verdict, self._clock.now()):
            return verdict.state
        settled = await self._db.read(queries.build_by_key, build.key)
        return BuildState.FAILED if settled is None else settled.state

    async def write_in_time(self, build: Build, verdict: Verdict, waiting: Callable[[], None]) -> BuildState | None:
        """The same, again and again while the database is away; None when the deadline of the run passed first.

        ``waiting`` is called once, when it turns out that there is something to wait for.
        """
        failures = 0
        while True:
            try:
                return await self.write(build, verdict)
            except Unavailable as error:
                failures += 1
                if failures == 1:
                    log.warning("build %s: that it %s is not written down yet: %s", build.id, verdict.state, error)
                    waiting()
                wait = again_in(failures, self._chance.fraction(), self._clock.now(), build.until)
            if wait is None:
                log.error("build %s: that it %s could not be written down in time", build.id, verdict.state)
                return None
            await self._clock.sleep(wait)
