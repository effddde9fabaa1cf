"""The arithmetic of grants, as laws that hold for any of them, and what the roles come to."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.accounts.scopes import ADMIN, SCOPES, Grant, Role
from innkeeper.kit.errors import Invalid

MEMBER, VIEWER = Grant.to(Role.MEMBER), Grant.to(Role.VIEWER)
grants = st.one_of(st.sampled_from([ADMIN, MEMBER, VIEWER]), st.sets(st.sampled_from(SCOPES)).map(Grant.of))
scopes = st.sampled_from(SCOPES)


@pytest.mark.parametrize(
    ("grant", "scope", "may"),
    [
        (Grant.of(["builds:read-write"]), "builds:read", True),
        (Grant.of(["builds:read"]), "builds:read-write", False),
        (Grant.of(["builds:read"]), "builds:read", True),
        (Grant.of(["builds:read-write"]), "deployments:read", False),
        (Grant.of([]), "builds:read", False),
        (ADMIN, "billing:read-write", True),
        (ADMIN, "something:invented-later", True),
        (MEMBER, "something:invented-later", False),
        (MEMBER, "processes:read-write", True),
        (MEMBER, "tokens:read-write", True),
        (MEMBER, "orgs:read-write", False),
        (MEMBER, "orgs:read", True),
        (MEMBER, "billing:read-write", False),
        (VIEWER, "processes:read", True),
        (VIEWER, "processes:read-write", False),
    ],
)
def test_what_a_grant_allows(grant: Grant, scope: str, may: bool) -> None:
    assert grant.may(scope) is may


@given(grants)
def test_a_grant_comes_back_from_storage_as_it_was(grant: Grant) -> None:
    back = Grant.stored(grant.text)
    assert back == grant
    assert [back.may(scope) for scope in SCOPES] == [grant.may(scope) for scope in SCOPES]


@given(st.sets(scopes))
def test_scopes_are_shown_as_they_were_given(given_scopes: set[str]) -> None:
    assert set(Grant.of(given_scopes).scopes) == given_scopes


@given(grants, grants)
def test_a_grant_covers_another_when_it_may_all_that_the_other_may(one: Grant, other: Grant) -> None:
    more = all(one.may(scope) for scope in SCOPES if other.may(scope))
    assert one.covers(other) is (more and (one == ADMIN or other != ADMIN))


@given(grants, grants)
def test_two_grants_meet_in_what_both_may(one: Grant, other: Grant) -> None:
    both = one.meet(other)
    assert [both.may(scope) for scope in SCOPES] == [one.may(scope) and other.may(scope) for scope in SCOPES]
    assert one.covers(both)
    assert other.covers(both)


@given(grants, grants, grants)
def test_a_change_is_covered_when_every_scope_added_or_removed_is_held(who: Grant, before: Grant, after: Grant) -> None:
    changed = [scope for scope in SCOPES if before.may(scope) != after.may(scope)]
    expected = all(who.may(scope) for scope in changed)
    if (before == ADMIN) != (after == ADMIN):
        expected = who == ADMIN
    assert who.covers_change(before, after) is expected


@given(grants, grants)
def test_nobody_can_offer_more_than_they_hold_by_a_change(who: Grant, offered: Grant) -> None:
    if who.covers_change(Grant.of([]), offered):
        assert who.covers(offered)


def test_a_scope_that_is_none_is_refused_and_named() -> None:
    with pytest.raises(Invalid, match=r"scopes: there is no scope 'builds:destroy'"):
        Grant.of(["builds:read", "builds:destroy"])
    with pytest.raises(Invalid, match="there is no scope 'admin'"):
        Grant.of(["admin"])


def test_roles_are_known_as_such() -> None:
    assert [grant.role for grant in (ADMIN, MEMBER, VIEWER, Grant.of(["orgs:read"]))] == [*Role, None]
    assert ADMIN.scopes == SCOPES
    assert all(scope.endswith(":read") for scope in VIEWER.scopes)


def test_the_reference_lists_every_scope_and_role_in_order() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/tokens-and-scopes.md").read_text()
    cells = [line.split("|")[1].strip().strip("`") for line in page.splitlines() if line.startswith("| `")]
    assert [cell for cell in cells if ":" in cell] == list(SCOPES)
    assert [cell for cell in cells if cell in list(Role)] == [role.value for role in Role]
