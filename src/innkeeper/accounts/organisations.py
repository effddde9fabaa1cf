"""Organisations and who belongs to them. Called by the organisations door, and by whoever asks for a limit."""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.db.database import Database, Steps
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import NotFound
from innkeeper.kit.ids import Chance

from . import queries
from .audit import OPERATOR, Audit
from .model import Caller, Entry, Limits, Member, Org
from .scopes import Grant


class Organisations:
    """Verbs on organisations."""

    def __init__(self, db: Database, clock: Clock, chance: Chance) -> None:
        self._db = db
        self._audit = Audit(db, clock, chance)

    async def of(self, caller: Caller) -> Sequence[tuple[Org, Grant]]:
        """The organisations that a caller may ask about and what they may do in each, the token's own first."""
        found = await self._db.read(queries.orgs_of, caller.by)
        own = [(org, caller.grant) for org, _ in found if org.id == caller.org_id]
        return [*own, *((org, caller.grant.meet(grant)) for org, grant in found if org.id != caller.org_id)]

    async def get(self, org_id: str) -> Org:
        """An organisation. Raises ``NotFound``."""
        org = await self._db.read(queries.org, org_id)
        if org is None:
            raise NotFound(f"there is no organisation {org_id!r}")
        return org

    async def members(self, org_id: str) -> Sequence[Member]:
        """Everybody in an organisation, the longest membership first."""
        return await self._db.read(queries.members, org_id)

    async def all(self) -> Sequence[Org]:
        """Every organisation of the house, the oldest first: for its operator."""
        return await self._db.read(queries.orgs)

    async def set_limits(self, org_id: str, limits: Limits, *, by: str = OPERATOR) -> None:
        """Replace all limits of an organisation: the operator's verb, no token of its own may do it.

        Raises ``NotFound``.
        """
        entry = self._audit.entry(org_id, by, "org.limits", org_id, repr(limits))
        await self._db.write(_set_limits, org_id, limits, entry)


def _set_limits(org_id: str, limits: Limits, entry: Entry) -> Steps[None]:
    if not (yield from queries.set_limits(org_id, limits)):
        raise NotFound(f"there is no organisation {org_id!r}")
    yield from queries.add_entry(entry)
