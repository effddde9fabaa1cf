"""One Innkeeper at a time for a database. Taken by ``inn.py`` before anything is kept, and renewed as long as it runs.

Two that keep the same rows would each take the other's servers for lost and end their rooms. The lease is a row with
the holder's name and a time; who does not renew it loses it to whoever asks next. A holder that was killed and is
started again has the same name, and goes on at once.
"""

from __future__ import annotations

import asyncio
import logging

from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.errors import Invalid

from .database import Database, Statement, Steps

log = logging.getLogger(__name__)

#: How long a lease holds that nobody renews, and how often it is renewed: a few tries may fail in between. In seconds.
HOLDS = 20.0
EVERY = 5.0


class Lease:
    """The right to keep a database. ``holder`` names this house for good, ``told`` says to people where it runs."""

    def __init__(self, db: Database, clock: Clock, holder: str, told: str) -> None:
        self._db, self._clock, self._holder, self._told = db, clock, holder, told
        self.lost = asyncio.Event()  #: set when another has taken it, after we could not renew it in time

    async def take(self) -> None:
        """Take it. Raises Invalid where another Innkeeper has it."""
        other = await self._ask()
        if other is not None:
            raise Invalid(
                f"another Innkeeper keeps this database: {other}. Stop it first, or give each a database of its own;"
                f" one that was killed lets go after {HOLDS:g} s"
            )

    async def renew(self) -> float:
        """Keep it; the seconds until this is to be done again. Called by a keeper's loop."""
        other = await self._ask()
        if other is not None and not self.lost.is_set():
            log.critical("another Innkeeper has taken over the database: %s. This one ends", other)
            self.lost.set()
        return EVERY

    async def give_back(self) -> None:
        """Let go of it, so that another may have it at once."""
        await self._db.write(_give_back, self._holder)

    async def _ask(self) -> str | None:
        now = self._clock.now()
        return await self._db.write(_take, self._holder, self._told, now, now + round(HOLDS * SECOND))


def _take(holder: str, told: str, now: int, until: int) -> Steps[str | None]:
    """Take or renew it; what the other one told of itself where it is another's."""
    ours = yield Statement(
        "insert into lease (one, holder, told, until) values (1, $1, $2, $3) on conflict (one) do update"
        " set holder = excluded.holder, told = excluded.told, until = excluded.until"
        " where lease.holder = excluded.holder or lease.until <= $4 returning holder",
        (holder, told, until, now),
    )
    if ours:
        return None
    rows = yield Statement("select told from lease where one = 1")
    return str(rows[0][0])


def _give_back(holder: str) -> Steps[None]:
    yield Statement("delete from lease where holder = $1", (holder,))
