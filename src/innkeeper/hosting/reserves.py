"""Verbs on reserves: labels whose servers are kept ready, as policies say. Called by the doors.

What a policy asks for is decided in ``policies.py`` and carried out by ``passes/scaling.py``. Servers that were wanted
go on, whatever becomes of their policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from innkeeper.db.database import Database, Duplicate
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Taken
from innkeeper.kit.ids import Chance

from .policies import Aim, Policy, PolicyKind, Reserve, check_bounds
from .queries import reserves as queries
from .queries.reserves import Link

_encode = msgspec.json.Encoder().encode


class Terms(NamedTuple):
    """What a policy is to be."""

    name: str
    enabled: bool
    kind: PolicyKind
    least: int
    most: int
    threshold: float
    aim: Aim
    said: Mapping[str, Any]


class Reserves:
    """Make, find, change and delete reserves, their policies and links. ``troubles``: by policy and label, why there
    are fewer servers than there shall be."""

    def __init__(
        self, db: Database, clock: Clock, chance: Chance, bell: Bell, troubles: Mapping[tuple[str, str], str]
    ) -> None:
        self._db, self._clock, self._chance, self._bell, self._troubles = db, clock, chance, bell, troubles

    async def create(self, org_id: str, by: str, name: str, *, enabled: bool) -> Reserve:
        """A new one, with neither policies nor labels. Raises Taken and LimitReached."""
        now = self._clock.now()
        new = Reserve(f"reserve-{self._chance.uuid()}", org_id, name, int(enabled), now, by, now)
        try:
            return await self._db.write(queries.add, new)
        except Duplicate:  # another one was given the name at the same moment
            raise Taken(f"name: the organisation has a reserve {name} already") from None

    async def all(self, org_id: str) -> list[Reserve]:
        """The organisation's reserves, by name."""
        return await self._db.read(queries.reserves, org_id)

    async def get(self, org_id: str, name: str) -> Reserve:
        """One of them. Raises NotFound."""
        return await self._db.read(queries.reserve, org_id, name)

    async def change(self, org_id: str, name: str, new_name: str | None, enabled: bool | None) -> Reserve:
        """Change what is given. Raises NotFound, and Taken for a name that another one has."""
        now = self._clock.now()

        def changed(before: Reserve) -> Reserve:
            return replace(
                before, name=before.name if new_name is None else new_name,
                enabled=before.enabled if enabled is None else int(enabled), changed_at=now,
            )  # fmt: skip

        try:
            made = await self._db.write(queries.change, org_id, name, changed)
        except Duplicate:
            raise Taken(f"name: the organisation has a reserve {new_name} already") from None
        self._bell.ring()
        return made

    async def delete(self, org_id: str, name: str) -> None:
        """Forget one with its policies and links. Raises NotFound."""
        await self._db.write(queries.delete, org_id, name)

    async def link(self, org_id: str, name: str, app_name: str, label: str) -> Link:
        """Keep servers of a label ready from now on. Raises NotFound and LimitReached."""
        made = await self._db.write(queries.link, org_id, name, app_name, label, self._clock.now())
        self._bell.ring()
        return made

    async def unlink(self, org_id: str, name: str, app_name: str, label: str) -> None:
        """Keep them no more. Raises NotFound."""
        await self._db.write(queries.unlink, org_id, name, app_name, label)

    # -- policies --------------------------------------------------------------------------------------------------

    async def create_policy(self, org_id: str, reserve: str, terms: Terms) -> Policy:
        """A new one. Raises NotFound, Invalid, Taken and LimitReached."""
        policy_id, now = f"policy-{self._chance.uuid()}", self._clock.now()
        made = await self._db.write(
            queries.add_policy, org_id, reserve, lambda of: _policy(policy_id, of.id, terms, now, now)
        )
        self._bell.ring()
        return made

    async def policies(self, org_id: str, reserve: str) -> list[Policy]:
        """Those of a reserve, by name. Raises NotFound."""
        return await self._db.read(queries.policies, org_id, reserve)

    async def policy(self, org_id: str, reserve: str, name: str) -> Policy:
        """One of them. Raises NotFound."""
        return await self._db.read(queries.policy, org_id, reserve, name)

    async def change_policy(self, org_id: str, reserve: str, name: str, revise: Callable[[Policy], Terms]) -> Policy:
        """Change one as ``revise`` says, which is pure. Raises NotFound, Invalid and Taken."""
        now = self._clock.now()
        made = await self._db.write(
            queries.change_policy, org_id, reserve, name,
            lambda before: _policy(before.id, before.reserve_id, revise(before), before.created_at, now),
        )  # fmt: skip
        self._bell.ring()
        return made

    async def delete_policy(self, org_id: str, reserve: str, name: str) -> None:
        """Forget one. Raises NotFound."""
        await self._db.write(queries.delete_policy, org_id, reserve, name)

    def trouble(self, policy_id: str) -> str | None:
        """Why a policy has fewer servers than it asks for, by what its pass saw last; None where it has them."""
        found = sorted({text for (policy, _), text in self._troubles.items() if policy == policy_id})
        return "; ".join(found) or None


def _policy(policy_id: str, reserve_id: str, terms: Terms, created_at: int, now: int) -> Policy:
    check_bounds(terms.least, terms.most)
    return Policy(
        policy_id, reserve_id, terms.name, int(terms.enabled), terms.kind, terms.least, terms.most, terms.threshold,
        _encode(terms.aim).decode(), _encode(dict(terms.said)).decode(), created_at, now,
    )  # fmt: skip
