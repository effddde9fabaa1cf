"""Who may call what, generated from the contract: every operation, every kind of caller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.wire import OPERATIONS, Answer, ask, body_of, path_of, real_ids
from factories import Game, TestInn, opened_inn
from innkeeper.accounts.scopes import SCOPES, Grant
from innkeeper.contract.operation import Declared

ORG = [operation for operation in OPERATIONS if operation.key == "org"]


def by_id(operation: Declared) -> str:
    return operation.id


class House:
    """An inn with every kind of caller."""

    def __init__(self, inn: TestInn) -> None:
        self.inn = inn
        self.callers: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.game: Game

    async def fill(self) -> House:
        inn = self.inn
        self.game = await inn.game()
        self.ids = await real_ids(inn, self.game)
        wings = inn.inn.wings
        admin = await wings.callers.recognise(inn.token)
        for scope in SCOPES:
            self.callers[scope] = (await wings.tokens.create(admin, scope, Grant.of([scope]))).plain
        revoked = await wings.tokens.create(admin, "revoked")
        await wings.tokens.revoke(admin, revoked.token.id)
        login = await inn.client(None, app_id=self.game.app_id).auth_v1.login_anonymous()
        self.callers |= {
            "revoked": revoked.plain,
            "garbage": "hathora_org_st_nothing",
            "player": login.token,
            "foreign": await inn.another_org(),
        }
        return self

    async def call(self, operation: Declared, token: str | None, ids: dict[str, str] | None = None) -> Answer:
        path = path_of(operation, self.ids if ids is None else ids)
        return await ask(self.inn, operation.method, path, body_of(operation), token=token)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened_inn(tmp_path / "data", f"sqlite:///{tmp_path / 'innkeeper.db'}") as inn:
        yield await House(inn).fill()


async def test_without_a_good_token_every_operation_of_an_organisation_says_401(house: House) -> None:
    for operation in ORG:
        for who in (None, "garbage", "revoked", "player"):
            answer = await house.call(operation, None if who is None else house.callers[who])
            assert answer.status == 401, (operation, who, answer)
            assert "token" in answer.message


async def test_a_token_with_one_scope_does_what_that_scope_covers_and_nothing_else(house: House) -> None:
    tried = 0
    nothing = {"region": "Tokyo", "orgId": house.ids["orgId"]}  # what is allowed shall change nothing
    for operation in ORG:
        assert operation.scope is None or operation.scope in SCOPES
        for scope in SCOPES:
            answer = await house.call(operation, house.callers[scope], nothing)
            covers = operation.scope in (None, scope) or operation.scope == scope.replace("read-write", "read")
            if covers:
                handed_on = answer.status == 401 and "grant" in answer.message  # more than the caller holds
                assert answer.status != 401 or handed_on, (operation, scope, answer)
            else:
                assert answer.status == 401, (operation, scope, answer)
                assert answer.message == f"this token lacks the scope {operation.scope}"
            tried += 1
    assert tried == len(ORG) * len(SCOPES)


async def test_what_belongs_to_somebody_else_does_not_exist(house: House) -> None:
    """A stranger is told the same about a thing that is there and about one that is not."""
    for operation in ORG:
        names = [parameter.wire for parameter in operation.plan.path if parameter.wire not in ("region", "partNumber")]
        if not names:
            continue
        there = await house.call(operation, house.callers["foreign"])
        never = {name: f"none-{name}" for name in names}
        missing = await house.call(operation, house.callers["foreign"], {**house.ids, **never})
        assert there.status in (401, 404), (operation, there)
        assert there.status == missing.status, (operation, there, missing)
        text = there.message
        for name in names:
            text = text.replace(house.ids[name], never[name])
        assert text == missing.message, operation


async def test_lists_hold_nothing_of_others(house: House) -> None:
    for operation in ORG:
        if operation.method != "GET" or operation.plan.path:
            continue
        answer = await house.call(operation, house.callers["foreign"])
        assert answer.status == 200
        for wire, value in house.ids.items():
            if wire in ("appId", "buildId", "orgId", "roomId", "processId"):
                assert value.encode() not in answer.body, operation
    for query in (f"?orgId={house.ids['orgId']}", "?orgId=org-none"):
        for path in ("/apps/v2/apps", "/builds/v3/builds", "/orgs/v1/metadata/usageLimits"):
            answer = await ask(house.inn, "GET", path + query, token=house.callers["foreign"])
            assert (answer.status, "does not belong" in answer.message) == (401, True)


async def test_public_operations_ask_for_nothing(house: House) -> None:
    for operation in OPERATIONS:
        if operation.key == "none":
            answers = [await house.call(operation, token) for token in (None, house.callers["garbage"])]
            assert len({answer.status for answer in answers}) == 1
            assert answers[0].status != 401 or operation.id == "LoginGoogle"


async def test_only_a_player_of_the_app_may_create_its_lobbies(house: House) -> None:
    [operation] = [operation for operation in OPERATIONS if operation.key == "player"]
    other = await house.inn.game()
    stranger = await house.inn.client(None, app_id=other.app_id).auth_v1.login_anonymous()
    expected: dict[Any, int] = {
        None: 401, house.callers["garbage"]: 401, house.callers["foreign"]: 401, house.inn.token: 401,
        stranger.token: 401, house.callers["player"]: 201,
    }  # fmt: skip
    assert {token: (await house.call(operation, token)).status for token in expected} == expected


async def test_upload_links_are_proof_of_themselves(house: House) -> None:
    for operation in OPERATIONS:
        if operation.key == "link":
            for token in ("nonsense", "a.1.b", "%2e%2e", "ünï", "YWJj.99999999999999999999.AAAA"):
                ids = {**house.ids, "uploadToken": token}
                answer = await house.call(operation, house.inn.token, ids)
                assert (answer.status, bool(answer.message)) == (401, True), (operation, token, answer)


async def test_old_clients_send_the_token_bare(house: House) -> None:
    for value in (house.inn.token, f"bearer {house.inn.token}", f"BEARER   {house.inn.token} "):
        answer = await ask(house.inn, "GET", "/apps/v2/apps", headers={"authorization": value})
        assert answer.status == 200
