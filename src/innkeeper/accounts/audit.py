"""The record of what was changed by whom.

Every change of this wing adds its line in its own transaction. For what other wings change, the door writes a line
before the deed (:meth:`Audit.begin`) and what came of it afterwards: a line without an outcome was broken off.
"""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.db.database import Database
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid
from innkeeper.kit.ids import Chance

from . import queries
from .model import Caller, Entry

#: Who is named for what the operator of the machine did without a token.
OPERATOR = "innkeeper"
MOST_ENTRIES = 1000
_LONGEST = 500  # characters of a refusal


class Audit:
    """Makes entries, and reads them back."""

    def __init__(self, db: Database, clock: Clock, chance: Chance) -> None:
        self._db, self._clock, self._chance = db, clock, chance

    def entry(self, org_id: str, who: str, verb: str, subject: str, detail: str = "") -> Entry:
        """A line about what happens now, to be written by the steps that make it happen."""
        return Entry(self._chance.uuid(), self._clock.now(), org_id, who, verb, subject, detail)

    async def begin(self, caller: Caller, verb: str, subject: str, client: str, detail: str = "") -> str:
        """Write that a caller asks for a change, before it is made; the line's id. ``client`` is their address, and
        ``detail`` what they ask for, without any secret.
        """
        new = Entry(
            self._chance.uuid(), self._clock.now(), caller.org_id, caller.by, verb, subject, detail, None,
            caller.token_id, client,
        )  # fmt: skip
        await self._db.write(queries.add_entry, new)
        return new.id

    async def end(self, entry_id: str, subject: str, refusal: str | None = None) -> None:
        """Write what came of it: it was done to this, or why it was refused."""
        outcome = "done" if refusal is None else f"refused: {refusal}"[:_LONGEST]
        await self._db.write(queries.end_entry, entry_id, subject, outcome)

    async def history(
        self,
        org_id: str,
        limit: int = 100,
        *,
        before: tuple[int, str] | None = None,
        who: str | None = None,
        verb: str | None = None,
    ) -> Sequence[Entry]:
        """The last ``limit`` lines of an organisation, the newest first: before a line's time and id, of a person."""
        if not 1 <= limit <= MOST_ENTRIES:
            raise Invalid(f"limit: must be from 1 to {MOST_ENTRIES}")
        return await self._db.read(queries.entries, org_id, before, who, verb, limit)
