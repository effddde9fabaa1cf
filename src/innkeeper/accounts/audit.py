"""The record of what was changed by whom. Every change of this wing adds its line in its own transaction.

Other wings may add lines for what they change: ``yield from queries.add_entry(entry)`` inside their steps.
"""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.db.database import Database
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid
from innkeeper.kit.ids import Chance

from . import queries
from .model import Entry

#: Who is named for what the operator of the machine did without a token.
OPERATOR = "innkeeper"
MOST_ENTRIES = 1000


class Audit:
    """Makes entries, and reads them back."""

    def __init__(self, db: Database, clock: Clock, chance: Chance) -> None:
        self._db, self._clock, self._chance = db, clock, chance

    def entry(self, org_id: str, who: str, verb: str, subject: str, detail: str = "") -> Entry:
        """A line about what happens now, to be written by the steps that make it happen."""
        return Entry(self._chance.uuid(), self._clock.now(), org_id, who, verb, subject, detail)

    async def history(self, org_id: str, limit: int = 100) -> Sequence[Entry]:
        """The last ``limit`` lines of an organisation, the newest first."""
        if not 1 <= limit <= MOST_ENTRIES:
            raise Invalid(f"limit: must be from 1 to {MOST_ENTRIES}")
        return await self._db.read(queries.entries, org_id, limit)
