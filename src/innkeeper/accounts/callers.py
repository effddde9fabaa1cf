"""Whose token is this, and what may it do here? Asked by ``api/serve.py`` on every request that needs a token."""

from __future__ import annotations

from dataclasses import replace

from innkeeper.db.database import Database
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.errors import Unauthorized
from innkeeper.kit.secrets import digest

from . import queries
from .model import Caller
from .remembered import Remembered

#: How long a recognised token is believed without looking again. A token that was revoked by *another* process that
#: shares the database is refused here after this time at the latest; one revoked in this process, at once.
BELIEVED = 5 * SECOND
MOST_REMEMBERED = 10_000
#: Longer than any token of ours or of the vendors.
MOST_CHARACTERS = 512


class Callers:
    """Recognises tokens. Those that are not known are never remembered: there may be any number of them."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._known: Remembered[str, Caller] = Remembered(MOST_REMEMBERED, clock.now)
        self._forgotten = 0  # counts revocations

    async def recognise(self, token: str) -> Caller:
        """Who holds this token. Raises ``Unauthorized`` for one that is not known here, or was revoked."""
        if len(token) > MOST_CHARACTERS:
            raise _unknown()
        secret_hash = digest(token)
        caller = self._known.get(secret_hash)
        return caller if caller is not None else await self._look_up(secret_hash)

    async def within(self, caller: Caller, org_id: str) -> Caller:
        """The same caller, asking about this organisation.

        Their token's own organisation is theirs as it is. In another one they may do what both the token allows and
        their membership does: ask ``may`` of the answer; with a token that somebody else has made for them, nothing.
        Raises ``Unauthorized`` where they do not belong to it, with
        one text whether it exists or not.
        """
        if org_id == caller.org_id:
            return caller
        member = await self._db.read(queries.member, org_id, caller.by) if caller.vouched_by is None else None
        if member is None:
            raise Unauthorized(f"orgId: this token does not belong to an organisation {org_id!r}")
        return replace(caller, org_id=org_id, grant=caller.grant.meet(member.grant))

    def forget(self, secret_hash: str) -> None:
        """The token with this hash was revoked: look again from now on."""
        self._forgotten += 1
        self._known.drop(secret_hash)

    async def _look_up(self, secret_hash: str) -> Caller:
        forgotten = self._forgotten
        token = await self._db.read(queries.token_of_hash, secret_hash)
        if token is None or not token.active:
            raise _unknown()
        caller = Caller(token.org_id, token.id, token.created_by, token.grant, token.vouched_by)
        # A revocation that came between the look and now may have been of this very token.
        if forgotten == self._forgotten:
            self._known.keep(secret_hash, caller, self._clock.now() + BELIEVED)
        return caller


def _unknown() -> Unauthorized:
    return Unauthorized("the token is not known here, or was revoked")
