"""Organisations and who belongs to them. Called by the organisations doors, and by whoever asks for a limit.

The first organisation is made by ``founding.py``; further ones here, by the operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from innkeeper.db.database import Database, Steps
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid, NotFound
from innkeeper.kit.ids import Chance

from . import queries
from .audit import OPERATOR, Audit
from .invites import tidy_email
from .model import Caller, Entry, Limits, Member, NewToken, Org
from .scopes import ADMIN, Grant
from .tokens import make_secret, make_token, store_token, vouched_by

#: The name of an organisation's first token.
ADMIN_TOKEN = "admin"  # noqa: S105 - a name, not a secret
MOST_NAME_CHARACTERS = 100


def tidy_name(name: str) -> str:
    """What an organisation is called, without blanks around it. Raises ``Invalid``."""
    tidy = name.strip()
    if not 1 <= len(tidy) <= MOST_NAME_CHARACTERS or not tidy.isprintable():
        raise Invalid(f"name: must have from 1 to {MOST_NAME_CHARACTERS} characters, and stand on one line")
    return tidy


def add_org(org: Org, owner: Member, token: NewToken, entry: Entry) -> Steps[None]:
    """Steps that add an organisation with its owner and first token, and the line that says so."""
    yield from queries.add_org(org)
    yield from queries.add_member(owner)
    yield from store_token(token, entry)


class Organisations:
    """Verbs on organisations."""

    def __init__(self, db: Database, clock: Clock, chance: Chance) -> None:
        self._db, self._clock, self._chance = db, clock, chance
        self._audit = Audit(db, clock, chance)

    async def of(self, caller: Caller) -> Sequence[tuple[Org, Grant]]:
        """The organisations that a caller may ask about and what they may do in each, the token's own first."""
        found = await self._db.read(queries.orgs_of, caller.by)
        if caller.vouched_by is not None:
            found = [one for one in found if one[0].id == caller.org_id]
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

    async def create(self, caller: Caller, name: str, owner: str, limits: Limits | None = None) -> tuple[Org, NewToken]:
        """Make a further organisation with an owner and an admin's token; its secret is in the answer only.

        The token acts as the owner; made for somebody else, in the new organisation alone. Raises ``Invalid`` for an
        owner that is no e-mail address, and for what cannot be a name. The operator's verb.
        """
        now, owner = self._clock.now(), tidy_email(owner, "owner")
        org = Org(f"org-{self._chance.uuid()}", tidy_name(name), now, limits or Limits())
        member = Member(org.id, owner, ADMIN, owner, now, now)
        token = make_token(
            make_secret(self._chance), org.id, ADMIN_TOKEN, ADMIN, owner, self._clock, self._chance,
            vouched_by=vouched_by(caller, owner),
        )  # fmt: skip
        entry = self._audit.entry(org.id, caller.by, "org.found", org.id, f"{org.name}, owned by {owner}")
        await self._db.write(add_org, org, member, token, entry)
        return org, token

    async def rename(self, org_id: str, name: str, *, by: str = OPERATOR) -> None:
        """Call an organisation by another name: the operator's verb. Raises ``NotFound``, ``Invalid``."""
        name = tidy_name(name)
        await self._db.write(_rename, org_id, name, self._audit.entry(org_id, by, "org.rename", org_id, name))

    async def set_limits(
        self, org_id: str, limits: Limits, *, by: str = OPERATOR, recorded_in: str | None = None
    ) -> None:
        """Replace all limits of an organisation: the operator's verb, no token of its own may do it.

        The organisation's record gets a line, unless it is the one in which the asking was ``recorded_in`` already.
        Raises ``NotFound``.
        """
        entry = None if recorded_in == org_id else self._audit.entry(org_id, by, "org.limits", org_id)
        await self._db.write(_set_limits, org_id, limits, entry)


def _rename(org_id: str, name: str, entry: Entry) -> Steps[None]:
    if not (yield from queries.rename_org(org_id, name)):
        raise NotFound(f"there is no organisation {org_id!r}")
    yield from queries.add_entry(entry)


def _set_limits(org_id: str, limits: Limits, entry: Entry | None) -> Steps[None]:
    before = yield from queries.org(org_id)
    if before is None or not (yield from queries.set_limits(org_id, limits)):
        raise NotFound(f"there is no organisation {org_id!r}")
    if entry is not None:
        yield from queries.add_entry(replace(entry, detail=changed_limits(before.limits, limits)))


def changed_limits(before: Limits, after: Limits) -> str:
    """What is different, for people: ``cpus=16 (before: none)``. Pure."""
    old, new = asdict(before), asdict(after)
    return " ".join(
        f"{name}={_limit(new[name])} (before: {_limit(old[name])})" for name in new if new[name] != old[name]
    )


def _limit(value: float | None) -> str:
    return "none" if value is None else f"{value:.15g}"
