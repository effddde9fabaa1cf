"""Invitations into an organisation: sent, changed, taken back, accepted, rejected. Called by the organisations door.

No mail is sent: an invitation waits in the house until the invited person, asking with a token of their own, answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.db.database import Database, Steps
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid, NotFound, Taken, Unauthorized
from innkeeper.kit.ids import Chance

from . import queries
from .audit import Audit
from .model import Caller, Entry, Invite, Member
from .scopes import ADMIN, Grant
from .tokens import may_not_grant

MOST_EMAIL_CHARACTERS = 254


def tidy_email(text: str, field: str = "userEmail") -> str:
    """An e-mail address as it is stored: lower case. Raises ``Invalid``, naming ``field``, for what cannot be one."""
    email = text.strip().lower()
    name, at, place = email.rpartition("@")
    if not (name and at and place) or len(email) > MOST_EMAIL_CHARACTERS or any(c.isspace() for c in email):
        raise Invalid(f"{field}: {text[:80]!r} is not an e-mail address")
    return email


class Invites:
    """Verbs on invitations. ``caller`` asks about the inviting organisation, but for accept and reject."""

    def __init__(self, db: Database, clock: Clock, chance: Chance) -> None:
        self._db, self._clock = db, clock
        self._audit = Audit(db, clock, chance)

    async def invite(self, caller: Caller, email: str, grant: Grant | None = None) -> Invite:
        """Invite a person; without a ``grant``, as an admin. An invitation that waits already is replaced.

        Raises ``Invalid`` for what is no e-mail address, ``Taken`` for a member, ``Unauthorized`` for a grant that is
        more than the caller holds, or replacing an invitation that offers more.
        """
        grant = ADMIN if grant is None else grant
        if not caller.grant.covers(grant):
            raise may_not_grant()
        new = Invite(caller.org_id, tidy_email(email), grant, caller.by, self._clock.now())
        await self._db.write(_invite, caller, new, self._entry(caller, "invite.create", new.email, grant.text))
        return new

    async def update(self, caller: Caller, email: str, grant: Grant) -> None:
        """Change what a waiting invitation offers, by no more than the caller holds.

        Raises ``Invalid`` where no invitation waits, ``Unauthorized`` where the change is more than the caller holds.
        """
        email = tidy_email(email)
        entry = self._entry(caller, "invite.update", email, grant.text)
        await self._db.write(_update, caller, email, grant, entry)

    async def rescind(self, caller: Caller, email: str) -> None:
        """Take an invitation back. Raises ``NotFound`` where none waits."""
        email = tidy_email(email)
        await self._db.write(_end, caller.org_id, email, self._entry(caller, "invite.rescind", email))

    async def of_org(self, org_id: str) -> Sequence[Invite]:
        """Invitations to an organisation that wait for an answer, the newest first."""
        return await self._db.read(queries.invites_of_org, org_id)

    async def of_user(self, caller: Caller) -> Sequence[Invite]:
        """Invitations that wait for the caller's answer, the newest first. Raises as :meth:`accept`."""
        _check_own(caller)
        return await self._db.read(queries.invites_of_user, caller.by)

    async def accept(self, caller: Caller, org_id: str) -> None:
        """The caller joins the organisation that invited them.

        Raises ``NotFound`` where no invitation waits, ``Unauthorized`` for a token that somebody else made for them.
        """
        _check_own(caller)
        entry = self._audit.entry(org_id, caller.by, "invite.accept", caller.by)
        await self._db.write(_accept, org_id, caller.by, entry)

    async def reject(self, caller: Caller, org_id: str) -> None:
        """The caller will not join. Raises as :meth:`accept`."""
        _check_own(caller)
        entry = self._audit.entry(org_id, caller.by, "invite.reject", caller.by)
        await self._db.write(_end, org_id, caller.by, entry)

    def _entry(self, caller: Caller, verb: str, email: str, detail: str = "") -> Entry:
        return self._audit.entry(caller.org_id, caller.by, verb, email, detail)


def _check_own(caller: Caller) -> None:
    """Answering for a person takes a token of theirs: who made one for them, and may have kept it, is not them."""
    if caller.vouched_by is not None:
        raise Unauthorized(
            f"this token was made for {caller.by} by {caller.vouched_by}, and speaks for them in its own organisation"
            " alone; an admin of the one that invites can make them a token there"
        )


def _invite(caller: Caller, new: Invite, entry: Entry) -> Steps[None]:
    if (yield from queries.member(new.org_id, new.email)) is not None:
        raise Taken(f"userEmail: {new.email} belongs to the organisation already")
    standing = yield from queries.hold_invite(new.org_id, new.email)
    if standing is not None and not caller.grant.covers_change(standing.grant, new.grant):
        raise may_not_grant()
    yield from queries.put_invite(new)
    yield from queries.add_entry(entry)


def _update(caller: Caller, email: str, grant: Grant, entry: Entry) -> Steps[None]:
    standing = yield from queries.hold_invite(caller.org_id, email)
    if standing is None:
        raise Invalid(f"userEmail: no invitation to {email} waits for an answer")
    if not caller.grant.covers_change(standing.grant, grant):
        raise Unauthorized("scopes: you can only add or remove what you hold yourself")
    yield from queries.regrant_invite(caller.org_id, email, grant)
    yield from queries.add_entry(entry)


def _end(org_id: str, email: str, entry: Entry) -> Steps[None]:
    if (yield from queries.take_invite(org_id, email)) is None:
        raise NotFound(f"no invitation of {email} to {org_id!r} waits for an answer")
    yield from queries.add_entry(entry)


def _accept(org_id: str, email: str, entry: Entry) -> Steps[None]:
    invite = yield from queries.take_invite(org_id, email)
    if invite is None:
        raise NotFound(f"no invitation of {email} to {org_id!r} waits for an answer")
    yield from queries.add_member(Member(org_id, email, invite.grant, invite.invited_by, invite.created_at, entry.at))
    yield from queries.add_entry(entry)
