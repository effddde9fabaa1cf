"""People: members, invitations and their answers, and what a person of two organisations may do in each."""

from __future__ import annotations

import pytest

from innkeeper.accounts.invites import tidy_email
from innkeeper.accounts.model import Limits, Member
from innkeeper.accounts.scopes import ADMIN, Grant, Role
from innkeeper.kit.errors import Invalid, NotFound, Taken, Unauthorized

from .house import House

MEMBER, VIEWER = Grant.to(Role.MEMBER), Grant.to(Role.VIEWER)
ALICE = "alice@example.com"


async def test_an_accepted_invitation_makes_a_member_of_two_organisations(house: House) -> None:
    alice = await house.another_org(ALICE)
    invite = await house.invites.invite(house.owner, " Alice@Example.com ", MEMBER)
    assert (invite.email, invite.grant, invite.invited_by) == (ALICE, MEMBER, "owner@localhost")
    assert await house.invites.of_org(house.owner.org_id) == [invite]
    assert await house.invites.of_user(alice) == [invite]
    house.clock.advance(60)

    await house.invites.accept(alice, house.owner.org_id)

    owner, joined = await house.organisations.members(house.owner.org_id)
    assert owner == Member(
        house.owner.org_id, "owner@localhost", ADMIN, "owner@localhost", owner.joined_at, owner.joined_at
    )
    assert joined == Member(house.owner.org_id, ALICE, MEMBER, "owner@localhost", invite.created_at, house.clock.now())
    assert await house.invites.of_org(house.owner.org_id) == []
    orgs = await house.organisations.of(alice)
    assert [(org.id, grant) for org, grant in orgs] == [(alice.org_id, ADMIN), (house.owner.org_id, MEMBER)]
    assert [org.name for org, _ in orgs] == ["another", "Innkeeper"]
    with pytest.raises(NotFound):
        await house.invites.accept(alice, house.owner.org_id)


async def test_in_another_organisation_a_caller_may_do_what_token_and_membership_both_allow(house: House) -> None:
    alice = await house.another_org(ALICE)
    await house.invites.invite(house.owner, ALICE, VIEWER)
    await house.invites.accept(alice, house.owner.org_id)
    narrow = await house.tokens.create(alice, "narrow", Grant.of(["builds:read-write", "orgs:read-write"]))

    there = await house.callers.within(alice, house.owner.org_id)
    assert (there.org_id, there.grant, there.by) == (house.owner.org_id, VIEWER, ALICE)
    thin = await house.callers.within(await house.callers.recognise(narrow.plain), house.owner.org_id)
    assert thin.grant == Grant.of(["builds:read", "orgs:read"])
    assert await house.callers.within(alice, alice.org_id) is alice
    with pytest.raises(Unauthorized, match="you cannot grant"):
        await house.invites.invite(there, "bob@example.com")


async def test_an_organisation_of_others_and_one_that_is_none_are_refused_alike(house: House) -> None:
    alice = await house.another_org(ALICE)
    texts = []
    for org_id in (house.owner.org_id, "org-unknown"):
        with pytest.raises(Unauthorized) as caught:
            await house.callers.within(alice, org_id)
        texts.append(str(caught.value).replace(org_id, "ID"))
    assert texts[0] == texts[1] == "orgId: this token does not belong to an organisation 'ID'"


async def test_inviting_again_replaces_the_invitation(house: House) -> None:
    await house.invites.invite(house.owner, ALICE)
    house.clock.advance(1)
    await house.invites.invite(house.owner, ALICE, VIEWER)
    house.clock.advance(1)
    await house.invites.invite(house.owner, "bob@example.com", Grant.of(["orgs:read"]))
    waiting = await house.invites.of_org(house.owner.org_id)
    assert [(each.email, each.grant) for each in waiting] == [
        ("bob@example.com", Grant.of(["orgs:read"])),
        (ALICE, VIEWER),
    ]


async def test_a_member_is_not_invited(house: House) -> None:
    with pytest.raises(Taken, match="userEmail: owner@localhost belongs to the organisation already"):
        await house.invites.invite(house.owner, "OWNER@localhost")
    assert await house.invites.of_org(house.owner.org_id) == []


async def test_an_invitation_is_rejected_or_taken_back_once(house: House) -> None:
    alice = await house.another_org(ALICE)
    await house.invites.invite(house.owner, ALICE)
    await house.invites.reject(alice, house.owner.org_id)
    await house.invites.invite(house.owner, ALICE)
    await house.invites.rescind(house.owner, ALICE)
    for answer in (
        house.invites.accept(alice, house.owner.org_id),
        house.invites.reject(alice, house.owner.org_id),
        house.invites.rescind(house.owner, ALICE),
        house.invites.accept(alice, "org-unknown"),
    ):
        with pytest.raises(NotFound, match=r"no invitation of alice@example\.com"):
            await answer
    assert len(await house.organisations.members(house.owner.org_id)) == 1


@pytest.mark.parametrize(
    ("held", "offered", "changed", "allowed"),
    [
        (ADMIN, ADMIN, VIEWER, True),
        (Grant.of(["orgs:read-write", "builds:read"]), Grant.of([]), Grant.of(["builds:read"]), True),
        (Grant.of(["orgs:read-write", "builds:read"]), Grant.of([]), Grant.of(["builds:read-write"]), False),
        (Grant.of(["orgs:read-write"]), Grant.of(["builds:read"]), Grant.of([]), False),
        (Grant.of(["orgs:read-write"]), ADMIN, VIEWER, False),
        (Grant.of(["orgs:read-write"]), Grant.of(["builds:read"]), Grant.of(["builds:read", "orgs:read"]), True),
    ],
)
async def test_an_invitation_is_changed_by_no_more_than_one_holds(
    house: House, held: Grant, offered: Grant, changed: Grant, allowed: bool
) -> None:
    await house.invites.invite(house.owner, ALICE, offered)
    caller = await house.with_grant(held)
    if allowed:
        await house.invites.update(caller, ALICE, changed)
    else:
        with pytest.raises(Unauthorized, match="only add or remove what you hold"):
            await house.invites.update(caller, ALICE, changed)
        if held.covers(changed):  # nor by inviting once more
            with pytest.raises(Unauthorized, match="cannot grant"):
                await house.invites.invite(caller, ALICE, changed)
    (waiting,) = await house.invites.of_org(house.owner.org_id)
    assert waiting.grant == (changed if allowed else offered)


async def test_there_must_be_an_invitation_to_change(house: House) -> None:
    with pytest.raises(Invalid, match=r"userEmail: no invitation to alice@example\.com"):
        await house.invites.update(house.owner, ALICE, VIEWER)


@pytest.mark.parametrize("text", ["", "alice", "@example.com", "alice@", "a b@example.com", "x" * 250 + "@e.org"])
async def test_what_is_no_address_is_refused(house: House, text: str) -> None:
    with pytest.raises(Invalid, match=r"userEmail: .* is not an e-mail address"):
        await house.invites.invite(house.owner, text)


def test_addresses_are_tidied() -> None:
    assert tidy_email(" A.b@Example.COM\n") == "a.b@example.com"


async def test_limits_can_be_changed_by_the_operator(house: House) -> None:
    limits = Limits(2048, 10, 1, 0, 5.5, 2.0, 100.25)
    await house.organisations.set_limits(house.owner.org_id, limits)
    assert (await house.organisations.get(house.owner.org_id)).limits == limits
    with pytest.raises(NotFound):
        await house.organisations.set_limits("org-unknown", limits)
    with pytest.raises(NotFound):
        await house.organisations.get("org-unknown")
