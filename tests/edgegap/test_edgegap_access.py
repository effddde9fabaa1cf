"""Who may call what of Edgegap's API, generated from the contract: every operation, every kind of caller.

What each is answered is in ``who_may.txt``. Nothing may be learnt from an answer by those whom it is not for.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.strangers import alike, never, read_table
from api.wire import Answer, ask
from arenas import version
from factories import TestInn, opened_inn
from innkeeper.accounts.scopes import SCOPES
from innkeeper.contract.edgegap.applications import ApplicationPost
from innkeeper.contract.edgegap.matchmaker import MatchmakerComponentCreate, MatchmakerCreate
from innkeeper.contract.operation import Declared

from .stage import BY_ID, OPERATIONS, Stage, body_of

WHO_MAY = read_table(Path(__file__).parent / "who_may.txt")
CALLERS = [name for name in next(iter(WHO_MAY.values())) if name != "scope"]
ORG = [operation for operation in OPERATIONS if operation.key == "org"]
INSIDE = [operation for operation in OPERATIONS if operation.key == "server"]
#: What in a path is no thing of anybody's: an address, and a number that goes with a server's id.
WORDS = {"ip", "security_number", "access_point_id"}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with opened_inn(tmp_path / "data", f"sqlite:///{tmp_path / 'innkeeper.db'}") as inn:
        yield await Stage(inn).build()


async def callers_of(stage: Stage) -> dict[str, str | None]:
    """A token of each kind."""
    inn, wings = stage.inn, stage.inn.inn.wings
    admin = await wings.callers.recognise(inn.token)
    revoked = await wings.tokens.create(admin, "revoked")
    await wings.tokens.revoke(admin, revoked.token.id)
    game = await inn.game()
    return {
        "nobody": None,
        "garbage": "00000000-0000-0000-0000-000000000000",
        "revoked": revoked.plain,
        "foreign": await inn.another_org(),
        "player": (await inn.client(None, app_id=game.app_id).auth_v1.login_anonymous()).token,
        "server": stage.other_secrets["context"],
    }


def row_of(operation: Declared) -> str:
    """What it is called in the table."""
    return operation.id.replace(" ", "-")


async def called(stage: Stage, operation: Declared, token: str | None) -> Answer:
    if operation.id == "ticket-delete":  # one is there for everybody
        stage.ids["ticket_id"] = (await stage.make("ticket-create"))["data"]["ticket_id"]
    return await stage.ask(operation, token)


def test_the_table_has_a_row_for_each_operation_and_the_contracts_scopes() -> None:
    served = {name: row["scope"] for name, row in WHO_MAY.items()}
    assert served == {row_of(o): o.scope or "-" for o in OPERATIONS}


async def test_callers_are_told_what_the_table_says(stage: Stage) -> None:
    callers = await callers_of(stage)
    told: dict[str, dict[str, str]] = {}
    for operation in OPERATIONS:
        row = told[row_of(operation)] = {}
        for who in CALLERS:
            answer = await called(stage, operation, callers[who])
            row[who] = str(answer.status)
            if answer.status >= 400:
                word = "token" if operation.key == "org" else "secret"
                assert answer.status != 401 or word in answer.message or who == "nobody", (operation, who, answer)
                assert answer.message
    assert told == {name: {who: row[who] for who in CALLERS} for name, row in WHO_MAY.items()}


async def test_a_token_with_one_scope_does_what_that_scope_covers_and_nothing_else(stage: Stage) -> None:
    tokens = {scope: await stage.scoped(scope) for scope in SCOPES}
    tried = 0
    for operation in ORG:
        for scope, token in tokens.items():
            answer = await stage.ask(operation, token, {"ip": "192.0.2.7"})  # what is allowed is about nothing
            if operation.scope in (None, scope, scope.replace("read-write", "read")):
                assert answer.status not in (401, 403), (operation, scope, answer)
            else:
                assert answer.status == 403, (operation, scope, answer)
                assert answer.message == f"this token lacks the scope {operation.scope}"
            tried += 1
    assert tried == len(ORG) * len(SCOPES)


async def test_what_belongs_to_somebody_else_does_not_exist(stage: Stage) -> None:
    """A stranger is told the same about a thing that is there and about one that is not, wherever it is named."""
    token, looked_at = await stage.inn.another_org(), 0
    for operation in ORG:
        keys = [p.wire for p in operation.plan.path if p.wire not in WORDS]
        for key in keys:
            name = "managed_version" if key == "release_version" and "/managed/" in operation.path else key
            there = await stage.ask(operation, token)
            missing = await stage.ask(operation, token, {**stage.ids, name: never(stage.ids[name])})
            assert there.status == (404 if 404 in operation.errors else 400), (operation, there)
            alike(there, missing, {name: stage.ids[name]})
            looked_at += 1
    assert looked_at > 100


@pytest.mark.parametrize(
    ("name", "field", "key"),
    [
        ("deploy", "app_name", "app_name"),
        ("deployment-create", "application", "app_name"),
        ("private-fleets-deployment-create", "application", "app_name"),
        ("deployments-available", "app_name", "app_name"),
        ("session-post", "app_name", "app_name"),
        ("session-post", "deployment_request_id", "request_id"),
        ("active-deployment-telemetry-post", "deployments", "request_id"),
        ("post-matchmaker-managed-release", "release_config_name", "config_name"),
        ("post-matchmaker-release", "frontend_component_name", "component_name"),
        ("app-version-post", "docker_image", "build"),
        ("app-versions-patch", "endpoint_storage", "endpoint_name"),
        ("locations-get", "app", "app_name"),
    ],
)
async def test_nor_does_it_in_a_body_or_a_query(stage: Stage, name: str, field: str, key: str) -> None:
    """All else that the request names is the stranger's own."""
    inn, operation = stage.inn, BY_ID[name]
    token = await inn.another_org()
    own = await rival_of(stage, token)
    places = {**stage.ids, **own, key: stage.ids[key]}
    told = []
    for value in (stage.ids[key], never(stage.ids[key])):
        if operation.plan.body is None:
            told.append(await stage.ask(operation, token, places, query=f"{field}={value}&version=v1"))
        else:
            said = [value] if field == "deployments" else value
            more = {"docker_repository": "build"} if field == "docker_image" else {}
            body = body_of(operation, places, **{field: said}, **more)
            told.append(await stage.ask(operation, token, places, body=body))
    alike(told[0], told[1], {key: stage.ids[key]})
    assert told[0].status in operation.errors, told[0]


async def rival_of(stage: Stage, token: str) -> dict[str, str]:
    """Things of the stranger's own, by names that the other organisation does not have."""
    client = stage.inn.edgegap(token)
    await client.applications.create_application(ApplicationPost(name="rivals", is_active=True, image="AAAA"))
    await client.matchmaker.create_matchmaker(MatchmakerCreate(name="their-duels"))
    component = MatchmakerComponentCreate(name="theirs", repository="ghcr.io", image="rivals/front", tag="1")
    await client.matchmaker.create_component(component)
    return {"app_name": "rivals", "matchmaker_name": "their-duels"}


async def test_lists_hold_nothing_of_others(stage: Stage) -> None:
    token, looked_at = await stage.inn.another_org(), 0
    for operation in ORG:
        if not operation.name.startswith("list_") or operation.method != "GET" or operation.plan.path:
            continue
        if operation.scope is None:  # locations are everybody's
            continue
        answer = await stage.ask(operation, token, query="")
        assert answer.status == 200, operation
        count = answer.json.get("total_count", answer.json.get("count"))
        assert count == 0, (operation, answer)
        looked_at += 1
    assert looked_at >= 8
    for name in ("deployments-bulk-delete", "sessions-bulk-stop"):
        assert (await stage.ask(BY_ID[name], token)).json == {"processable": []}
    status = await stage.make("deployment-status-get")
    assert (status["running"], len(status["sessions"])) == (True, 2)


async def test_servers_show_their_own_secret_for_their_own_use(stage: Stage) -> None:
    other = {**stage.ids, "security_number": never(stage.ids["security_number"])}
    other["access_point_id"] = never(stage.ids["access_point_id"])
    for operation in INSIDE:
        use, wrong = ("stop", "context") if "/stop/" in operation.path else ("context", "stop")
        refused = [
            await stage.ask(operation, stage.inn.token),
            await stage.ask(operation, stage.secrets[wrong]),
            await stage.ask(operation, stage.other_secrets[use]),
            await stage.ask(operation, stage.secrets[use], other),  # the number is part of it
            await stage.ask(operation, stage.secrets[use], {**stage.ids, "request_id": "0123456789ab"}),
            await stage.ask(operation, stage.secrets[use], word="token"),  # it stands alone
        ]
        for answer in refused:
            assert (answer.status, answer.message) == (401, refused[0].message), operation
    for operation in (BY_ID["deployment-status-get"], BY_ID["deployment-delete"], BY_ID["deployments-get"]):
        for use in ("stop", "context"):
            assert (await stage.ask(operation, stage.secrets[use])).status == 401
    for operation in sorted(INSIDE, key=lambda one: one.method == "DELETE"):
        use = "stop" if "/stop/" in operation.path else "context"
        ids = {**stage.ids, "tag_name": "mine"}
        answer = await stage.ask(operation, stage.secrets[use], ids)
        assert answer.status in (operation.status, *operation.also), answer


async def test_tokens_come_with_the_word_or_without(small_inn: TestInn) -> None:
    await version(small_inn, small_inn.edgegap())
    token = small_inn.token
    for value in (f"token {token}", token, f"Token {token}", f"token   {token} "):
        answer = await ask(small_inn, "GET", "/v1/apps", headers={"authorization": value})
        assert (answer.status, answer.json["total_count"]) == (200, 1), value
    for value in ("token", "token ", f"Bearer {token}", f"key {token}", ""):
        answer = await ask(small_inn, "GET", "/v1/apps", headers={"authorization": value})
        assert (answer.status, list(json.loads(answer.body))) == (401, ["message"]), value
