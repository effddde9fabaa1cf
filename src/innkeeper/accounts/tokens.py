"""An organisation's tokens: made, listed, revoked. Called by the tokens door; ``founding.py`` makes the first one."""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.db.database import Database, Duplicate, Steps
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid, NotFound, Taken, Unauthorized
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import digest

from . import queries
from .audit import Audit
from .callers import Callers
from .model import Caller, Entry, NewToken, Token
from .scopes import ADMIN, Grant

#: How a token of an organisation begins, in the vendor's format: so that people, and tools that look for leaked
#: secrets, know one when they see it.
PREFIX = "hathora_org_st_"
MOST_NAME_CHARACTERS = 64


def make_secret(chance: Chance) -> str:
    """The text of a new token: the prefix, more than 256 random bits, ``_``, 32 random hexadecimal digits."""
    return f"{PREFIX}{chance.base36(50)}_{chance.hex(32)}"


def make_token(
    plain: str,
    org_id: str,
    name: str,
    grant: Grant,
    created_by: str,
    clock: Clock,
    chance: Chance,
    *,
    vouched_by: str | None = None,
) -> NewToken:
    """A token with this secret, not stored yet."""
    token_id = f"org-token-{chance.uuid()}"
    token = Token(token_id, org_id, name, plain[-4:], grant, created_by, clock.now(), None, vouched_by)
    return NewToken(token, plain)


def store_token(new: NewToken, entry: Entry) -> Steps[None]:
    """Steps that add the token and the line that says so."""
    yield from queries.add_token(new.token, digest(new.plain))
    yield from queries.add_entry(entry)


def check_name(name: str) -> None:
    """Raises ``Invalid`` for what no token can be called."""
    if not 1 <= len(name) <= MOST_NAME_CHARACTERS or not name.strip():
        raise Invalid(f"name: must have from 1 to {MOST_NAME_CHARACTERS} characters")


def name_taken(name: str) -> Taken:
    """The refusal of a name that an active token of the organisation has."""
    return Taken(f"name: there is a token {name!r} already; revoke it or choose another name")


def vouched_by(caller: Caller, email: str) -> str | None:
    """Who answers for it that a token for this person is theirs: nobody needs to where they make it themselves."""
    return None if email == caller.by and caller.vouched_by is None else caller.by


def may_not_grant() -> Unauthorized:
    """The refusal of whoever hands on more than they hold."""
    return Unauthorized("scopes: you cannot grant what you do not hold yourself")


class Tokens:
    """Verbs on the tokens of the organisation that a caller asks about."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, callers: Callers) -> None:
        self._db, self._clock, self._chance, self._callers = db, clock, chance, callers
        self._audit = Audit(db, clock, chance)

    async def create(self, caller: Caller, name: str, grant: Grant | None = None) -> NewToken:
        """Make a token that acts as the caller; without a ``grant``, an admin's.

        Raises ``Invalid`` for a name that is empty or too long, ``Taken`` for one that an active token has,
        ``Unauthorized`` for a grant that is more than the caller holds.
        """
        check_name(name)
        grant = ADMIN if grant is None else grant
        if not caller.grant.covers(grant):
            raise may_not_grant()
        new = make_token(
            make_secret(self._chance), caller.org_id, name, grant, caller.by, self._clock, self._chance,
            vouched_by=caller.vouched_by,
        )  # fmt: skip
        entry = self._audit.entry(caller.org_id, caller.by, "token.create", new.token.id, f"{name}: {grant.text}")
        try:
            await self._db.write(store_token, new, entry)
        except Duplicate:
            raise name_taken(name) from None
        return new

    async def list(self, org_id: str) -> Sequence[Token]:
        """All tokens of an organisation, the revoked ones too, the newest first."""
        return await self._db.read(queries.tokens, org_id)

    async def revoke(self, caller: Caller, token_id: str) -> None:
        """End a token, at once in this process and within seconds in others. One that was revoked stays so.

        Raises ``NotFound`` for a token that is none of the organisation's, ``Unauthorized`` for one that may do more
        than the caller: a lesser token cannot shut out an admin.
        """
        entry = self._audit.entry(caller.org_id, caller.by, "token.revoke", token_id)
        secret_hash = await self._db.write(_revoke, caller, token_id, entry)
        if secret_hash is not None:
            self._callers.forget(secret_hash)


def _revoke(caller: Caller, token_id: str, entry: Entry) -> Steps[str | None]:
    token = yield from queries.token(caller.org_id, token_id)
    if token is None:
        raise NotFound(f"there is no token {token_id!r}")
    if not caller.grant.covers(token.grant):
        raise Unauthorized("this token may do more than yours; it takes one that may do as much to revoke it")
    secret_hash = yield from queries.revoke_token(caller.org_id, token_id, entry.at)
    if secret_hash is not None:
        yield from queries.add_entry(entry)
    return secret_hash
