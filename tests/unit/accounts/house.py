"""A founded house to test verbs in. Used by the tests beside it."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from innkeeper.accounts.audit import Audit
from innkeeper.accounts.callers import Callers
from innkeeper.accounts.founding import Founding
from innkeeper.accounts.invites import Invites
from innkeeper.accounts.model import Caller
from innkeeper.accounts.organisations import Organisations
from innkeeper.accounts.scopes import ADMIN, Grant
from innkeeper.accounts.tokens import Tokens
from innkeeper.accounts.vouching import Vouching
from innkeeper.db.database import Database
from innkeeper.kit.clock import ManualClock
from innkeeper.kit.ids import Chance


class House:
    """The verbs of this wing on one database, and the owner of the first organisation."""

    owner: Caller

    def __init__(self, db: Database, folder: Path, seed: int = 1) -> None:
        self.db, self.folder = db, folder
        self.clock = ManualClock()
        self.chance = Chance(random.Random(seed))
        self.callers = Callers(db, self.clock)
        self.tokens = Tokens(db, self.clock, self.chance, self.callers)
        self.organisations = Organisations(db, self.clock, self.chance)
        self.vouching = Vouching(db, self.clock, self.chance)
        self.invites = Invites(db, self.clock, self.chance)
        self.audit = Audit(db, self.clock, self.chance)
        self.founding = Founding(db, self.clock, self.chance, self.callers, folder)

    async def found(self) -> House:
        """Make the first organisation."""
        founded = await self.founding.found("http://127.0.0.1:7900")
        assert founded.token is not None
        self.owner = await self.callers.recognise(founded.token)
        self.clock.advance(1)
        return self

    async def another_org(self, owner: str) -> Caller:
        """A further organisation's owner."""
        _, token = await self.organisations.create(Caller("", "", owner, ADMIN), "another", owner)
        self.clock.advance(1)
        return await self.callers.recognise(token.plain)

    async def with_grant(self, grant: Grant) -> Caller:
        """Somebody of the first organisation who may do just this."""
        token = await self.tokens.create(self.owner, f"for {grant.text}"[:64], grant)
        self.clock.advance(1)
        caller = await self.callers.recognise(token.plain)
        assert caller == replace(self.owner, token_id=token.token.id, grant=grant)
        return caller
