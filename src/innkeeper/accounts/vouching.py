"""A first token for somebody who has none: an admin makes it for a member, or for a person who is invited. Called by
the house's own tokens door.

An e-mail address is all that a person is here, and no mail is sent, so it is the admin who says that this is they. That
word counts in the admin's own organisation and nowhere else: see ``Token.vouched_by``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from innkeeper.db.database import Database, Duplicate, Steps
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import NotFound, Unauthorized
from innkeeper.kit.ids import Chance

from . import queries
from .audit import Audit
from .invites import tidy_email
from .model import Caller, Entry, Member, NewToken, Token
from .scopes import Grant
from .tokens import check_name, make_secret, make_token, may_not_grant, name_taken, store_token, vouched_by


@dataclass(frozen=True, slots=True)
class Vouched:
    """What came of it."""

    made: NewToken
    joined: bool  #: whether the person was invited until now, and belongs to the organisation from now on


class Vouching:
    """Makes tokens for others."""

    def __init__(self, db: Database, clock: Clock, chance: Chance) -> None:
        self._db, self._clock, self._chance = db, clock, chance
        self._audit = Audit(db, clock, chance)

    async def token_for(self, caller: Caller, email: str, name: str, grant: Grant | None = None) -> Vouched:
        """Make a token that acts as a member, or as a person who is invited and joins by it.

        Without a ``grant`` it may do all that their membership allows. Raises ``Invalid`` for what is no address or no
        name, ``NotFound`` for a person who is neither, ``Taken`` for a name that an active token has, ``Unauthorized``
        for more than the person, or the caller, may do.
        """
        check_name(name)
        email = tidy_email(email)
        for scope in ("tokens:read-write", "orgs:read-write"):
            if not caller.may(scope):
                raise Unauthorized(f"this token lacks the scope {scope}: making tokens for others is for admins")
        new = make_token(
            make_secret(self._chance), caller.org_id, name, grant or Grant.of(()), email, self._clock, self._chance,
            vouched_by=vouched_by(caller, email),
        )  # fmt: skip
        joins = self._audit.entry(caller.org_id, caller.by, "invite.accept", email, f"by token {new.token.id}")
        made = self._audit.entry(caller.org_id, caller.by, "token.create", new.token.id)
        try:
            return await self._db.write(_vouch, caller, new, grant is None, joins, made)
        except Duplicate:
            raise name_taken(name) from None


def _vouch(caller: Caller, new: NewToken, whole: bool, joins: Entry, made: Entry) -> Steps[Vouched]:
    email = new.token.created_by
    member = yield from queries.member(caller.org_id, email)
    joined = member is None
    if member is None:
        invite = yield from queries.take_invite(caller.org_id, email)
        if invite is None:
            raise NotFound(f"userEmail: {email} neither belongs to the organisation nor is invited: invite them first")
        member = Member(caller.org_id, email, invite.grant, invite.invited_by, invite.created_at, joins.at)
        yield from queries.add_member(member)
        yield from queries.add_entry(joins)
    token = granted(caller.grant, member, new.token, whole=whole)
    yield from store_token(
        NewToken(token, new.plain), _told(made, f"{token.name}: {token.grant.text or 'no scope'}, for {email}")
    )
    return Vouched(NewToken(token, new.plain), joined)


def granted(maker: Grant, member: Member, token: Token, *, whole: bool) -> Token:
    """The token with what it shall allow. Raises ``Unauthorized`` where that is more than maker or member may do."""
    grant = member.grant if whole else token.grant
    if not maker.covers(grant):
        raise may_not_grant()
    if not member.grant.covers(grant):
        raise Unauthorized(f"scopes: {member.email} may do less in this organisation: {member.grant.text or 'nothing'}")
    return replace(token, grant=grant)


def _told(entry: Entry, detail: str) -> Entry:
    return replace(entry, detail=detail)
