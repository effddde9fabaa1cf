"""Tokens and whose they are: made, shown once, listed, recognised, revoked; never more than their maker holds."""

from __future__ import annotations

import asyncio
import random
import re

import pytest

from innkeeper.accounts.callers import BELIEVED, MOST_CHARACTERS, Callers
from innkeeper.accounts.model import Caller
from innkeeper.accounts.remembered import Remembered
from innkeeper.accounts.scopes import ADMIN, Grant, Role
from innkeeper.accounts.tokens import make_secret
from innkeeper.db.database import Database, Statement, Steps
from innkeeper.kit.clock import SECOND, ManualClock
from innkeeper.kit.errors import Invalid, NotFound, Taken, Unauthorized
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import digest

from .house import House


def test_a_token_has_the_format_that_tools_look_for() -> None:
    token = make_secret(Chance(random.Random(1)))
    assert re.fullmatch(r"hathora_org_st_[0-9a-z]{50}_[0-9a-f]{32}", token)
    assert token != make_secret(Chance(random.Random(2)))


async def test_a_new_token_is_recognised_and_its_secret_is_stored_nowhere(house: House) -> None:
    new = await house.tokens.create(house.owner, "ci", Grant.of(["builds:read-write"]))

    caller = await house.callers.recognise(new.plain)

    assert caller == Caller(house.owner.org_id, new.token.id, "owner@localhost", Grant.of(["builds:read-write"]))
    assert caller.may("builds:read")
    assert not caller.may("processes:read")
    assert new.token.last_four == new.plain[-4:]
    assert new.plain not in repr(new)
    stored = await house.db.read(_everything_about_tokens)
    assert new.plain not in stored
    assert digest(new.plain) in stored


def _everything_about_tokens() -> Steps[str]:
    tokens = yield Statement("select * from org_tokens")
    lines = yield Statement("select * from audit")
    return repr([tuple(row) for row in (*tokens, *lines)])


async def test_tokens_are_listed_with_the_newest_first_and_revoked_ones_too(house: House) -> None:
    first = await house.tokens.create(house.owner, "first")
    house.clock.advance(1)
    second = await house.tokens.create(house.owner, "second", Grant.of([]))
    await house.tokens.revoke(house.owner, first.token.id)

    listed = await house.tokens.list(house.owner.org_id)

    assert [token.name for token in listed] == ["second", "first", "admin"]
    assert [token.active for token in listed] == [True, False, True]
    assert listed[0] == second.token
    assert listed[1].grant == ADMIN
    assert await house.tokens.list("org-unknown") == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 65])
async def test_a_name_must_be_one(house: House, name: str) -> None:
    with pytest.raises(Invalid, match="name: must have from 1 to 64 characters"):
        await house.tokens.create(house.owner, name)


async def test_a_name_belongs_to_one_active_token_of_an_organisation(house: House) -> None:
    first = await house.tokens.create(house.owner, "ci")
    with pytest.raises(Taken, match="name: there is a token 'ci' already"):
        await house.tokens.create(house.owner, "ci")
    assert len(await house.tokens.list(house.owner.org_id)) == 2

    await house.tokens.revoke(house.owner, first.token.id)
    again = await house.tokens.create(house.owner, "ci")
    assert again.token.id != first.token.id

    await house.tokens.create(await house.another_org("b@example.com"), "ci")  # elsewhere it is free


@pytest.mark.parametrize(
    ("held", "asked", "allowed"),
    [
        (ADMIN, None, True),
        (Grant.to(Role.MEMBER), None, False),
        (Grant.of(["builds:read-write", "tokens:read-write"]), Grant.of(["builds:read"]), True),
        (Grant.of(["builds:read", "tokens:read-write"]), Grant.of(["builds:read-write"]), False),
        (Grant.of(["tokens:read-write"]), Grant.of([]), True),
        (Grant.of(["tokens:read-write"]), Grant.of(["tokens:read-write"]), True),
    ],
)
async def test_nobody_grants_more_than_they_hold(house: House, held: Grant, asked: Grant | None, allowed: bool) -> None:
    maker = await house.with_grant(held)
    if allowed:
        assert (await house.tokens.create(maker, "new", asked)).token.grant == (asked or ADMIN)
    else:
        with pytest.raises(Unauthorized, match="you cannot grant what you do not hold"):
            await house.tokens.create(maker, "new", asked)


async def test_a_revoked_token_is_refused_at_once_and_revoking_again_is_fine(house: House) -> None:
    new = await house.tokens.create(house.owner, "ci")
    await house.callers.recognise(new.plain)

    await house.tokens.revoke(house.owner, new.token.id)
    await house.tokens.revoke(house.owner, new.token.id)

    with pytest.raises(Unauthorized, match="not known here, or was revoked"):
        await house.callers.recognise(new.plain)
    verbs = [line.verb for line in await house.audit.history(house.owner.org_id)]
    assert verbs.count("token.revoke") == 1


async def test_a_token_of_somebody_else_does_not_exist(house: House) -> None:
    other = await house.another_org("b@example.com")
    theirs = await house.tokens.create(other, "theirs")
    for token_id in (theirs.token.id, "org-token-unknown"):
        with pytest.raises(NotFound, match="there is no token"):
            await house.tokens.revoke(house.owner, token_id)
    assert (await house.callers.recognise(theirs.plain)).org_id == other.org_id


async def test_a_lesser_token_cannot_shut_out_an_admin(house: House) -> None:
    lesser = await house.with_grant(Grant.of(["tokens:read-write", "builds:read"]))
    with pytest.raises(Unauthorized, match="may do more than yours"):
        await house.tokens.revoke(lesser, house.owner.token_id)
    await house.tokens.revoke(lesser, lesser.token_id)  # its own it may end


async def test_a_token_that_another_process_revoked_is_refused_within_seconds(house: House) -> None:
    new = await house.tokens.create(house.owner, "ci")
    here = Callers(house.db, house.clock)  # knows nothing of revocations made through `house`
    await here.recognise(new.plain)
    await house.tokens.revoke(house.owner, new.token.id)

    house.clock.advance(BELIEVED / SECOND - 0.001)
    await here.recognise(new.plain)
    house.clock.advance(0.001)
    with pytest.raises(Unauthorized):
        await here.recognise(new.plain)


async def test_a_recognised_token_is_not_looked_up_again(house: House) -> None:
    new = await house.tokens.create(house.owner, "ci")
    watched = CountedReads(house.db)
    callers = Callers(watched, house.clock)
    for _ in range(10):
        await callers.recognise(new.plain)
    assert watched.reads == 1


async def test_a_look_that_a_revocation_overtook_is_not_believed(house: House) -> None:
    new = await house.tokens.create(house.owner, "ci")
    slow = HeldRead(house.db)
    callers = Callers(slow, house.clock)
    looking = asyncio.create_task(callers.recognise(new.plain))
    await slow.has_read.wait()  # the look saw an active token, and has not returned yet

    await house.tokens.revoke(house.owner, new.token.id)
    callers.forget(digest(new.plain))
    slow.may_return.set()

    await looking  # it was asked before the revocation: that answer may stand
    with pytest.raises(Unauthorized):
        await callers.recognise(new.plain)


@pytest.mark.parametrize("token", ["", "x", "hathora_org_st_a_b", "\ud800", "x" * (MOST_CHARACTERS + 1)])
async def test_what_is_no_token_is_refused(house: House, token: str) -> None:
    with pytest.raises(Unauthorized, match="not known here"):
        await house.callers.recognise(token)


async def test_the_record_tells_who_made_what(house: House) -> None:
    new = await house.tokens.create(house.owner, "ci", Grant.of(["builds:read"]))
    audit = house.audit
    house.clock.advance(1)
    await house.tokens.revoke(house.owner, new.token.id)

    revoked, created = await audit.history(house.owner.org_id, 2)

    assert (revoked.verb, revoked.subject, revoked.who) == ("token.revoke", new.token.id, "owner@localhost")
    assert (created.verb, created.subject, created.detail) == ("token.create", new.token.id, "ci: builds:read")
    assert revoked.at == created.at + SECOND
    assert [line.verb for line in await audit.history(house.owner.org_id, 1)] == ["token.revoke"]
    assert await audit.history("org-unknown") == []
    for limit in (0, 1001):
        with pytest.raises(Invalid, match="limit"):
            await audit.history(house.owner.org_id, limit)


def test_a_memory_holds_so_much_and_so_long() -> None:
    clock = ManualClock()
    kept: Remembered[str, int] = Remembered(3, clock.now)
    for number, key in enumerate("abcd"):
        kept.keep(key, number, clock.now() + SECOND)
    assert [kept.get(key) for key in "abcd"] == [None, 1, 2, 3]
    kept.keep("b", 9, clock.now() + 2 * SECOND)
    kept.drop("c")
    clock.advance(1)
    assert [kept.get(key) for key in "abcd"] == [None, 9, None, None]
    assert len(kept) == 1


class CountedReads:
    """A database that counts what is read."""

    kind = "counted"

    def __init__(self, db: Database) -> None:
        self._db, self.reads = db, 0
        self.write, self.close = db.write, db.close

    async def read(self, steps, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.reads += 1
        return await self._db.read(steps, *args, **kwargs)


class HeldRead(CountedReads):
    """A database whose answers can be held back."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.has_read, self.may_return = asyncio.Event(), asyncio.Event()

    async def read(self, steps, *args, **kwargs):  # type: ignore[no-untyped-def]
        answer = await super().read(steps, *args, **kwargs)
        self.has_read.set()
        await self.may_return.wait()
        return answer
