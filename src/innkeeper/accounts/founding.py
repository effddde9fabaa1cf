"""The first start: an organisation, its owner and an admin's token. Called by ``inn.py`` at every start.

The token's secret exists in one place, ``credentials.json``; the database has its hash. They cannot be written in one
go, so the order is: first the file, with a token that the database does not know yet; then the database, all in one
transaction. A start that was cut off between the two finds the file and a database without an organisation, and goes
on with the file's token. So no crash loses the token, and none leaves one in the database that nobody holds.

Where there are organisations already, as after an import, nothing is founded: one of them runs the house.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
from .operating import who_runs
from .organisations import ADMIN_TOKEN, add_org
from .scopes import ADMIN
from .tokens import make_secret, make_token, store_token

#: A token that an operator brings along, in a file written by hand, must be one that cannot be guessed.
FEWEST_CHARACTERS = 32
DEFAULT_NAME = "Innkeeper"
DEFAULT_OWNER = "owner@localhost"

_HOW = (
    "`innkeeper tokens reset`, with the --data or --config of this start, makes a new admin token and writes it there"
)
_UNDECIDED = "repeat the import that brought them, with --operator ID"


class Standing(StrEnum):
    """How a start found the house."""

    NEW = "new"  #: the organisation was made now; the token is to be shown, this once
    KNOWN = "known"  #: the organisation is there and the file's token is good
    NO_FILE = "no file"  #: the organisation is there and the file is not; no token is made behind anybody's back
    STRANGE_FILE = "strange file"  #: the file's token is not one of this database, or was revoked
    GUEST_FILE = "guest file"  #: the file's token is good, and of an organisation that does not run the house


@dataclass(frozen=True, slots=True)
class Founded:
    """What a start found or made."""

    standing: Standing
    org_id: str  #: the organisation that runs the house
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
            case Standing.GUEST_FILE:
                return (
                    f"the token in {self.file} is good, but {self.org_id} runs the house and it is another"
                    f" organisation's. To do what an operator does, move the file away; {_HOW}"
                )
            case _:
                return ""


class Founding:
    """Verbs of the machine's operator, who needs no token: the first start, and a new admin token.

    ``folder`` is where the credentials are kept.
    """

    def __init__(self, db: Database, clock: Clock, chance: Chance, callers: Callers, folder: Path) -> None:
        self._db, self._clock, self._chance, self._callers, self._folder = db, clock, chance, callers, folder
        self._audit = Audit(db, clock, chance)

    async def found(
        self, url: str, *, name: str = DEFAULT_NAME, owner: str = DEFAULT_OWNER, limits: Limits | None = None
    ) -> Founded:
        """Make the first organisation, where there is none at all; say how things stand. Safe to repeat and to be cut
        off.

        ``url`` is where this Innkeeper can be called; a file that says another is corrected. ``name``, ``owner`` (an
        e-mail address) and ``limits`` count on the first start only. Raises ``Invalid`` for a file that cannot be read,
        for a weak token in one that was written by hand, and where there are several organisations and nothing says
        which one runs the house.
        """
        standing = await self._standing(await self._read())
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
            await self._add(credentials.org_id, credentials.token, name, owner, limits)
        except Duplicate:
            # Another start on the same database was faster, from another folder or from this one.
            standing = await self._db.read(queries.founded)
            if standing is None:
                raise
            if wrote and standing != credentials.org_id:
                await asyncio.to_thread((self._folder / FILE).unlink)  # its token never came to be
            return await self._check(url, standing)
        return Founded(Standing.NEW, credentials.org_id, self._folder / FILE, credentials.token)

    async def reissue_admin(self, url: str, org_id: str | None = None) -> Credentials:
        """Make a new admin token for an organisation, and end the one before. For the one that runs the house, unless
        another is named, it is written into the file; the secret of any other is in the answer only.

        For when the token was lost or seen by others. Cut off in the middle, it is simply repeated. Raises ``NotFound``
        where there is no organisation yet, or not this one.
        """
        operator = await self._standing(await self._readable())
        if operator is None:
            raise NotFound("there is no organisation yet: start Innkeeper once")
        org_id = org_id or operator
        owner = owner_of(await self._db.read(queries.members, org_id))
        if owner is None:
            raise NotFound(f"there is no organisation {org_id!r} with anybody in it")
        new = make_token(
            make_secret(self._chance), org_id, ADMIN_TOKEN, ADMIN, owner, self._clock, self._chance,
            vouched_by=None if org_id == operator else OPERATOR,
        )  # fmt: skip
        credentials = Credentials(url, org_id, new.plain)
        if org_id == operator:
            await asyncio.to_thread(write_credentials, self._folder, credentials, replace=True)
        entry = self._audit.entry(org_id, OPERATOR, "token.reset", new.token.id)
        old_hash = await self._db.write(_replace_admin, new, entry)
        if old_hash is not None:
            self._callers.forget(old_hash)
        return credentials

    async def _standing(self, credentials: Credentials | None) -> str | None:
        """The organisation that runs the house; None where there is none at all. Where nothing says which one, it is
        found, and said from now on: a house takes in apps before it was ever started, or did so when nobody asked.
        """
        marked = await self._db.read(queries.founded)
        if marked is not None:
            return marked
        orgs = {org.id: org.name for org in await self._db.read(queries.orgs)}
        org_id = who_runs(orgs, [await self._held(credentials)], _UNDECIDED)
        if org_id is None:
            return None
        entry = self._audit.entry(org_id, OPERATOR, "org.operate", org_id, orgs[org_id])
        try:
            await self._db.write(_mark, org_id, entry)
        except Duplicate:  # somebody else has said it in between
            return await self._db.read(queries.founded)
        return org_id

    async def _held(self, credentials: Credentials | None) -> str | None:
        """The organisation whose admin's token is in the file."""
        token = None
        if credentials is not None:
            token = await self._db.read(queries.token_of_hash, digest(credentials.token))
        return token.org_id if token is not None and token.active and token.grant == ADMIN else None

    async def _check(self, url: str, org_id: str) -> Founded:
        """How the file stands to an organisation that is there."""
        file = self._folder / FILE
        credentials = await self._read()
        if credentials is None:
            return Founded(Standing.NO_FILE, org_id, file)
        token = await self._db.read(queries.token_of_hash, digest(credentials.token))
        if token is None or not token.active or token.org_id != credentials.org_id:
            return Founded(Standing.STRANGE_FILE, org_id, file)
        standing = Standing.KNOWN if token.org_id == org_id else Standing.GUEST_FILE
        if credentials.url != url:
            moved = Credentials(url, credentials.org_id, credentials.token)
            await asyncio.to_thread(write_credentials, self._folder, moved, replace=True)
        return Founded(standing, org_id, file)

    async def _readable(self) -> Credentials | None:
        """The file's content, where it can be read at all."""
        try:
            return await self._read()
        except (Invalid, OSError):
            return None

    async def _read(self) -> Credentials | None:
        return await asyncio.to_thread(read_credentials, self._folder)

    async def _add(self, org_id: str, plain: str, name: str, owner: str, limits: Limits | None) -> None:
        now = self._clock.now()
        org = Org(org_id, name, now, limits or Limits())
        member = Member(org_id, owner, ADMIN, owner, now, now)
        token = make_token(plain, org_id, ADMIN_TOKEN, ADMIN, owner, self._clock, self._chance)
        entry = self._audit.entry(org_id, OPERATOR, "org.found", org_id, f"{name}, owned by {owner}")
        await self._db.write(_found, org, member, token, entry)


def owner_of(members: Sequence[Member]) -> str | None:
    """Whom an organisation's admin token acts as: the admin who is there longest, else whoever is."""
    admins = [member for member in members if member.grant == ADMIN]
    return next((member.email for member in (*admins, *members)), None)


def _found(org: Org, owner: Member, token: NewToken, entry: Entry) -> Steps[None]:
    yield from add_org(org, owner, token, entry)
    yield from queries.mark_founded(org.id)


def _mark(org_id: str, entry: Entry) -> Steps[None]:
    yield from queries.mark_founded(org_id)
    yield from queries.add_entry(entry)


def _replace_admin(new: NewToken, entry: Entry) -> Steps[str | None]:
    old_hash = yield from queries.revoke_token_named(new.token.org_id, new.token.name, entry.at)
    yield from store_token(new, entry)
    return old_hash
