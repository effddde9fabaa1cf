"""Further organisations and persons: how they come to be, and how far their tokens reach."""

from __future__ import annotations

import pytest

from factories import TestInn
from innkeeper.contract.errors import CallError
from innkeeper.contract.hathora.organizations_v1 import CreateUserInvite
from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken
from innkeeper.contract.hathora.words import Scope, UserRole
from innkeeper.contract.house.orgs_v1 import ChangedOrg, MadeOrg, NewOrg
from innkeeper.contract.house.tokens_v1 import NewTokenFor

ANN = "ann@example.com"


async def made(inn: TestInn, name: str = "Second", owner: str = "Kim@Example.com ") -> MadeOrg:
    return await inn.client().house.orgs_v1.create_org(NewOrg(name=name, owner_email=owner))


async def invite(inn: TestInn, org: MadeOrg, email: str, role: UserRole) -> None:
    wish = CreateUserInvite(user_email=email, scopes=role)
    await inn.client(org.token).organizations_v1.invite_user(wish, org.org_id)


async def test_an_organisation_of_its_own(inn: TestInn) -> None:
    org = await made(inn)
    assert (org.name, org.owner_email) == ("Second", "kim@example.com")
    kim = inn.client(org.token)
    [own] = (await kim.organizations_v1.get_orgs()).orgs
    assert (own.org_id, own.name) == (org.org_id, "Second")
    assert len((await inn.client().house.orgs_v1.get_orgs()).orgs) == 2
    assert (await kim.apps_v2.get_apps()).applications == []
    game = await inn.game()
    with pytest.raises(CallError, match="there is no app"):
        await kim.apps_v2.get_app(game.app_id)
    for refused in (
        kim.house.orgs_v1.create_org(NewOrg(name="Third", owner_email=ANN)),
        kim.house.orgs_v1.change_org(org.org_id, ChangedOrg(name="Mine")),
        kim.house.hosts_v1.get_hosts(),
    ):
        with pytest.raises(CallError) as error:
            await refused
        assert error.value.status == 404
    renamed = await inn.client().house.orgs_v1.change_org(org.org_id, ChangedOrg(name=" Third "))
    assert renamed.name == "Third"
    assert (await kim.organizations_v1.get_orgs()).orgs[0].name == "Third"
    said = {one.verb: one for one in (await kim.house.audit_v1.get_entries()).entries}
    assert said["org.found"].who == said["org.rename"].who == "owner@localhost"


@pytest.mark.parametrize(("name", "owner"), [(" ", ANN), ("two\nlines", ANN), ("x", "nobody"), ("", ANN)])
async def test_what_can_be_no_organisation(inn: TestInn, name: str, owner: str) -> None:
    with pytest.raises(CallError) as refused:
        await made(inn, name, owner)
    assert refused.value.status == 422
    assert len((await inn.client().house.orgs_v1.get_orgs()).orgs) == 1


@pytest.mark.parametrize("role", list(UserRole))
async def test_an_invited_person_joins_by_a_first_token(inn: TestInn, role: UserRole) -> None:
    org = await made(inn)
    await invite(inn, org, ANN, role)
    kim = inn.client(org.token)
    first = await kim.house.tokens_v1.create_token_for(NewTokenFor(name="ann", user_email=ANN), org.org_id)
    assert (first.joined, first.user_email) == (True, ANN)
    ann = inn.client(first.token)
    [own] = (await ann.organizations_v1.get_orgs()).orgs
    assert sorted(map(str, own.scopes)) == sorted(first.scopes)
    assert {one.user_email for one in (await kim.organizations_v1.get_org_members(org.org_id)).members} == {
        "kim@example.com", ANN
    }  # fmt: skip
    assert (await kim.organizations_v1.get_org_pending_invites(org.org_id)).invites == []
    wish = NewTokenFor(name="ann 2", user_email=ANN, scopes=["builds:read"])
    second = await kim.house.tokens_v1.create_token_for(wish, org.org_id)
    assert (second.joined, second.scopes) == (False, ["builds:read"])
    entries = (await kim.house.audit_v1.get_entries()).entries
    assert {(one.verb, one.who) for one in entries if "ann" in one.detail or one.subject == ANN} == {
        ("invite.create", "kim@example.com"), ("invite.accept", "kim@example.com"), ("token.create", "kim@example.com"),
    }  # fmt: skip
    assert not any(first.token in (one.detail + one.subject) for one in entries)
    with pytest.raises(CallError, match="is a token 'ann' already"):
        await kim.house.tokens_v1.create_token_for(NewTokenFor(name="ann", user_email=ANN), org.org_id)


async def test_nobody_gives_more_than_person_and_maker_have(inn: TestInn) -> None:
    org = await made(inn)
    kim = inn.client(org.token)
    with pytest.raises(CallError, match="invite them first") as unknown:
        await kim.house.tokens_v1.create_token_for(NewTokenFor(name="x", user_email=ANN), org.org_id)
    assert unknown.value.status == 404
    await invite(inn, org, ANN, UserRole.VIEWER)
    more = NewTokenFor(name="x", user_email=ANN, scopes=["builds:read-write"])
    with pytest.raises(CallError, match="may do less in this organisation: viewer"):
        await kim.house.tokens_v1.create_token_for(more, org.org_id)
    assert (await kim.organizations_v1.get_org_pending_invites(org.org_id)).invites, "she has not joined by that"
    for scopes, why in (
        (["tokens:read-write"], "lacks the scope orgs:read-write"),
        (["orgs:read-write"], "lacks the scope tokens:read-write"),
        (["tokens:read-write", "orgs:read-write"], "cannot grant what you do not hold"),
    ):
        lesser = CreateOrgToken(name=why[:60], scopes=[Scope(scope) for scope in scopes])
        token = (await kim.tokens_v1.create_org_token(lesser, org.org_id)).plain_text_token
        with pytest.raises(CallError, match=why):
            await inn.client(token).house.tokens_v1.create_token_for(NewTokenFor(name="x", user_email=ANN), org.org_id)
    stranger = NewTokenFor(name="x", user_email="owner@localhost")
    with pytest.raises(CallError) as elsewhere:
        await kim.house.tokens_v1.create_token_for(stranger, inn.inn.founded.org_id)
    assert elsewhere.value.status == 401


async def test_nobodys_word_for_a_person_counts_elsewhere(inn: TestInn) -> None:
    """An admin of one organisation says that they are the operator's owner: they are so in their own alone."""
    org, operator = await made(inn), inn.inn.founded.org_id
    await invite(inn, org, "owner@localhost", UserRole.ADMIN)
    kim = inn.client(org.token)
    wish = NewTokenFor(name="posing", user_email="owner@localhost")
    posing = inn.client((await kim.house.tokens_v1.create_token_for(wish, org.org_id)).token)
    another = (await posing.tokens_v1.create_org_token(CreateOrgToken(name="further"), org.org_id)).plain_text_token
    itself = NewTokenFor(name="itself", user_email="owner@localhost")
    third = (await posing.house.tokens_v1.create_token_for(itself, org.org_id)).token
    await inn.client().organizations_v1.invite_user(CreateUserInvite(user_email="kim@example.com"), operator)
    for client in (posing, inn.client(another), inn.client(third), kim):
        assert [one.org_id for one in (await client.organizations_v1.get_orgs()).orgs] == [org.org_id]
        for call in (
            client.apps_v2.get_apps(org_id=operator),
            client.tokens_v1.get_org_tokens(operator),
            client.organizations_v1.get_org_members(operator),
            client.organizations_v1.get_user_pending_invites(),
            client.organizations_v1.accept_invite(operator),
            client.organizations_v1.reject_invite(operator),
        ):
            with pytest.raises(CallError) as refused:
                await call
            assert refused.value.status == 401
        with pytest.raises(CallError) as nothing:
            await client.house.hosts_v1.get_hosts()
        assert nothing.value.status == 404


async def test_who_makes_an_organisation_for_themselves_reaches_both(inn: TestInn) -> None:
    org = await made(inn, "Mine", "owner@localhost")
    for token in (org.token, inn.token):
        assert len((await inn.client(token).organizations_v1.get_orgs()).orgs) == 2
