"""The first start: an organisation, its owner and an admin's token. Called by ``inn.py`` at every start.

The token's secret exists in one place, ``credentials.json``; the database has its hash. They cannot be written in one
go, so the order is: first the file, with a token that the database does not know yet; then the database, all in one
transaction. A start that was cut off between the two finds the file and a database without an organisation, and goes
on with the file's token. So no crash loses the token, and none leaves one in the database that nobody holds.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from innkeeper.db.database import Database, Duplicate, Steps
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid, NotFound
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import digest

from . import queries
from .audit import OPERATOR, Audit
from .callers import MOST_CHARACTERS, Callers
from .credentials import FILE, Credentials, read_credentials, write_credentials
from .invites import tidy_email
from .model import Entry, Limits, Member, NewToken, Org
from .scopes import ADMIN
from .tokens import make_secret, make_token, store_token

#: The name of the token in ``credentials.json``.
ADMIN_TOKEN = "admin"  # noqa: S105 - a name, not a secret
#: A token that an operator brings along, in a file written by hand, must be one that cannot be guessed.
FEWEST_CHARACTERS = 32
DEFAULT_NAME = "Innkeeper"
DEFAULT_OWNER = "owner@localhost"

_HOW = "`innkeeper tokens reset` makes a new admin token and writes it there"


class Standing(StrEnum):
    """How a start found the house."""

    NEW = "new"  #: the organisation was made now; the token is to be shown, this once
    KNOWN = "known"  #: the organisation is there and the file's token is good
    NO_FILE = "no file"  #: the organisation is there and the file is not; no token is made behind anybody's back
    STRANGE_FILE = "strange file"  #: the file's token is not one of this database, or was revoked


@dataclass(frozen=True, slots=True)
class Founded:
    """What a start found or made."""

    standing: Standing
    org_id: str  #: the organisation of the first start
    file: Path  #: where the credentials are, or would be
    token: str | None = field(default=None, repr=False)  #: the secret; only when NEW

    @property
    def advice(self) -> str:
        """What the operator should know; empty when all is well."""
        match self.standing:
            case Standing.NO_FILE:
                return f"there is an organisation, but no {self.file}: {_HOW}"
            case Standing.STRANGE_FILE:
                return f"the token in {self.file} is not known in this database, or was revoked: {_HOW}"
            case _:
                return ""


class Founding:
    """Verbs of the machine's operator, who needs no token: first start, further organisations, a new admin token.

    ``folder`` is where the credentials are kept.
    """

    def __init__(self, db: Database, clock: Clock, chance: Chance, callers: Callers, folder: Path) -> None:
        self._db, self._clock, self._chance, self._callers, self._folder = db, clock, chance, callers, folder
        self._audit = Audit(db, clock, chance)

    async def found(
        self, url: str, *, name: str = DEFAULT_NAME, owner: str = DEFAULT_OWNER, limits: Limits | None = None
    ) -> Founded:
        """Make the first organisation, where there is none; say how things stand. Safe to repeat and to be cut off.

        ``url`` is where this Innkeeper can be called; a file that says another is corrected. ``name``, ``owner`` (an
        e-mail address) and ``limits`` count on the first start only. Raises ``Invalid`` for a file that cannot be read,
        and for a weak token in one that was written by hand.
        """
        standing = await self._db.read(queries.founded)
        if standing is not None:
            return await self._check(url, standing)
        owner = tidy_email(owner, "owner")
        made = Credentials(url, f"org-{self._chance.uuid()}", make_secret(self._chance))
        wrote = await asyncio.to_thread(write_credentials, self._folder, made, replace=False)
        credentials = made if wrote else await self._read()
        if credentials is None:  # somebody took the file away between the two looks
            return await self.found(url, name=name, owner=owner, limits=limits)
        if not FEWEST_CHARACTERS <= len(credentials.token) <= MOST_CHARACTERS:
            raise Invalid(
                f"the token in {self._folder / FILE} must have from {FEWEST_CHARACTERS} to {MOST_CHARACTERS} "
                "characters: it would open everything here, and a short one can be guessed"
            )
        try:
            await self._add(credentials.org_id, credentials.token, name, owner, limits, first=True)
        except Duplicate:
            # Another start on the same database was faster, from another folder or from this one.
            standing = await self._db.read(queries.founded)
            if standing is None:
                raise
            if wrote and standing != credentials.org_id:
                await asyncio.to_thread((self._folder / FILE).unlink)  # its token never came to be
            return await self._check(url, standing)
        return Founded(Standing.NEW, credentials.org_id, self._folder / FILE, credentials.token)

    async def add(self, name: str, owner: str, limits: Limits | None = None) -> tuple[Org, NewToken]:
        """Make a further organisation with an owner and an admin's token of its own; its secret is in the answer only.

        Raises ``Invalid`` for an owner that is no e-mail address.
        """
        org_id, plain = f"org-{self._chance.uuid()}", make_secret(self._chance)
        return await self._add(org_id, plain, name, tidy_email(owner, "owner"), limits, first=False)

    async def reissue_admin(self, url: str) -> Credentials:
        """Make a new admin token for the first organisation, write it into the file, and end the one before.

        For when the file was lost or seen by others. Cut off in the middle, it is simply repeated. Raises ``NotFound``
        where there is no organisation yet.
        """
        org_id = await self._db.read(queries.founded)
        if org_id is None:
            raise NotFound("there is no organisation yet: start Innkeeper once")
        members = await self._db.read(queries.members, org_id)
        owner = members[0].email
        new = make_token(make_secret(self._chance), org_id, ADMIN_TOKEN, ADMIN, owner, self._clock, self._chance)
        credentials = Credentials(url, org_id, new.plain)
        await asyncio.to_thread(write_credentials, self._folder, credentials, replace=True)
        entry = self._audit.entry(org_id, OPERATOR, "token.reset", new.token.id)
        old_hash = await self._db.write(_replace_admin, new, entry)
        if old_hash is not None:
            self._callers.forget(old_hash)
        return credentials

    async def _check(self, url: str, org_id: str) -> Founded:
        """How the file stands to an organisation that is there."""
        file = self._folder / FILE
        credentials = await self._read()
        if credentials is None:
            return Founded(Standing.NO_FILE, org_id, file)
        token = await self._db.read(queries.token_of_hash, digest(credentials.token))
        if token is None or not token.active or token.org_id != credentials.org_id:
            return Founded(Standing.STRANGE_FILE, org_id, file)
        if credentials.url != url:
            moved = Credentials(url, credentials.org_id, credentials.token)
            await asyncio.to_thread(write_credentials, self._folder, moved, replace=True)
        return Founded(Standing.KNOWN, org_id, file)

    async def _read(self) -> Credentials | None:
        return await asyncio.to_thread(read_credentials, self._folder)

    async def _add(
        self, org_id: str, plain: str, name: str, owner: str, limits: Limits | None, *, first: bool
    ) -> tuple[Org, NewToken]:
        now = self._clock.now()
        org = Org(org_id, name, now, limits or Limits())
        member = Member(org_id, owner, ADMIN, owner, now, now)
        token = make_token(plain, org_id, ADMIN_TOKEN, ADMIN, owner, self._clock, self._chance)
        entry = self._audit.entry(org_id, OPERATOR, "org.found", org_id, f"{name}, owned by {owner}")
        await self._db.write(_found, org, member, token, entry, first)
        return org, token


def _found(org: Org, owner: Member, token: NewToken, entry: Entry, first: bool) -> Steps[None]:
    yield from queries.add_org(org)
    if first:
        yield from queries.mark_founded(org.id)
    yield from queries.add_member(owner)
    yield from store_token(token, entry)


def _replace_admin(new: NewToken, entry: Entry) -> Steps[str | None]:
    old_hash = yield from queries.revoke_token_named(new.token.org_id, new.token.name, entry.at)
    yield from store_token(new, entry)
    return old_hash
