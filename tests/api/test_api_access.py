"""Who may call what, generated from the contract: every operation, every kind of caller.

What each is answered is in ``who_may.txt``. Nothing may be learnt from an answer by those whom it is not for.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from api.strangers import alike, never, read_table
from api.wire import OPERATIONS, WORDS, Answer, ask, body_of, headers_of, key_of, path_of, real_ids
from factories import Game, TestInn, archive, opened_inn
from innkeeper.accounts.scopes import SCOPES, Grant
from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig
from innkeeper.contract.operation import Declared
from innkeeper.hosting.links import LINK_LIFE
from innkeeper.kit.clock import SECOND

ORG = [operation for operation in OPERATIONS if operation.key == "org"]


WHO_MAY = read_table(Path(__file__).parent / "who_may.txt")
CALLERS = [name for name in next(iter(WHO_MAY.values())) if name != "scope"]
#: Operations that give a name which nothing else of the organisation may have, and where in their bodies it stands.
NAMING = {
    "CreateApp": "appName", "CreateAppV1Deprecated": "appName", "CreateFleet": "name", "CreateFleetDeprecated": "name",
}  # fmt: skip


class House:
    """An inn with every kind of caller."""

    def __init__(self, inn: TestInn) -> None:
        self.inn = inn
        self.asked = 0  #: how often, which keeps names apart
        self.callers: dict[str, str | None] = {}
        self.ids: dict[str, str] = {}
        self.rival_app = ""  #: of the foreign organisation
        self.game: Game

    async def fill(self) -> House:
        inn = self.inn
        self.game = await inn.game()
        self.ids = await real_ids(inn, self.game)
        self.ids["uploadToken"] = inn.inn.wings.links.make("no-build")
        admin = await inn.inn.wings.callers.recognise(inn.token)
        revoked = await inn.inn.wings.tokens.create(admin, "revoked")
        await inn.inn.wings.tokens.revoke(admin, revoked.token.id)
        elsewhere, foreign = await inn.game(), await inn.another_org()
        rivals = await inn.client(foreign).apps_v2.create_app(
            CreateAppConfig(app_name="rivals", auth_configuration=AuthConfiguration())
        )
        self.rival_app = rivals.app_id
        self.callers = {
            "nobody": None,
            "garbage": "hathora_org_st_nothing",
            "revoked": revoked.plain,
            "foreign": foreign,
            "player": await self.player(self.game),
            "elsewhere": await self.player(elsewhere),
            "expired": await self.expired(),
        }
        return self

    async def player(self, game: Game) -> str:
        """The token of a player of this app."""
        return (await self.inn.client(None, app_id=game.app_id).auth_v1.login_anonymous()).token

    async def expired(self) -> str:
        """A player's token that the studio minted itself, and that has ended. Ours have no end."""
        from joserfc import jwt
        from joserfc.jwk import OctKey

        secret = (await self.game.cloud.apps_v2.get_app()).app_secret
        claims = {"type": "steam", "id": "7", "exp": self.inn.clock.now() // SECOND - 1}
        return jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey.import_key(secret))

    async def scoped(self, scope: str) -> str:
        """A token that holds this scope alone."""
        admin = await self.inn.inn.wings.callers.recognise(self.inn.token)
        return (await self.inn.inn.wings.tokens.create(admin, scope, Grant.of([scope]))).plain

    async def call(
        self, operation: Declared, token: str | None, ids: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        ids = self.ids if ids is None else ids
        self.asked += 1
        if body is None and operation.id in NAMING:
            good = json.loads(body_of(operation, ids) or b"")
            body = json.dumps({**good, NAMING[operation.id]: f"name-{self.asked}"}).encode()
        body = body_of(operation, ids) if body is None else body
        path, headers = path_of(operation, ids), headers_of(operation)
        return await ask(self.inn, operation.method, path, body, token=token, headers=headers)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened_inn(tmp_path / "data", f"sqlite:///{tmp_path / 'innkeeper.db'}") as inn:
        yield await House(inn).fill()


def test_the_table_has_a_row_for_each_operation_and_the_contracts_scopes() -> None:
    assert {name: row["scope"] for name, row in WHO_MAY.items()} == {o.id: o.scope or "-" for o in OPERATIONS}


async def test_callers_are_told_what_the_table_says(house: House) -> None:
    told: dict[str, dict[str, str]] = {}
    for operation in OPERATIONS:
        answers = {who: await house.call(operation, house.callers[who]) for who in CALLERS}
        told[operation.id] = {who: str(answer.status) for who, answer in answers.items()}
        if operation.key in ("org", "player"):
            for who in set(CALLERS) - {"foreign", "player"}:
                assert "token" in answers[who].message, (operation, who)
    assert told == {name: {who: row[who] for who in CALLERS} for name, row in WHO_MAY.items()}


async def test_a_token_with_one_scope_does_what_that_scope_covers_and_nothing_else(house: House) -> None:
    tried = 0
    nothing = {"region": "Tokyo", "orgId": house.ids["orgId"]}  # what is allowed shall change nothing
    tokens = {scope: await house.scoped(scope) for scope in SCOPES}
    for operation in ORG:
        needed = WHO_MAY[operation.id]["scope"]
        for scope in SCOPES:
            answer = await house.call(operation, tokens[scope], nothing)
            covers = needed in ("-", scope, scope.replace("read-write", "read"))
            if covers:
                handed_on = answer.status == 401 and "grant" in answer.message  # more than the caller holds
                assert answer.status != 401 or handed_on, (operation, scope, answer)
            else:
                assert answer.status == 401, (operation, scope, answer)
                assert answer.message == f"this token lacks the scope {needed}"
            tried += 1
    assert tried == len(ORG) * len(SCOPES)


async def test_what_belongs_to_somebody_else_does_not_exist(house: House) -> None:
    """A stranger is told the same about a thing that is there and about one that is not, wherever it is named."""
    token, looked_at = house.callers["foreign"], 0
    for operation in ORG:
        for places in (house.ids, {**house.ids, "appId": house.rival_app}):
            for key in [key_of(parameter) for parameter in operation.plan.path if parameter.wire not in WORDS]:
                if places[key] != house.ids[key]:
                    continue  # the rivals' own app, which they may name
                there = await house.call(operation, token, places)
                missing = await house.call(operation, token, {**places, key: never(places[key])})
                assert there.status in (401, 404), (operation, there)
                alike(there, missing, {key: house.ids[key]})
                looked_at += 1
    assert looked_at > len(ORG)


@pytest.mark.parametrize(
    ("name", "field", "key"),
    [
        ("CreateDeployment", "buildId", "buildId"),
        ("CreateDeployment", "fleetId", "fleetId"),
        ("CreateRoom", "deploymentId", "deploymentId"),
        ("CreateRoomDeprecated", "deploymentId", "deploymentId"),
    ],
)
async def test_nor_does_it_in_a_body(house: House, name: str, field: str, key: str) -> None:
    [operation] = [operation for operation in OPERATIONS if operation.id == name]
    rivals = house.inn.client(house.callers["foreign"] or "", app_id=house.rival_app)
    build = await rivals.upload_build(archive())
    async with await rivals.builds_v3.run_build(build.build_id) as log:
        await log.read()
    places = {**house.ids, "appId": house.rival_app, "buildId": build.build_id}
    good = json.loads(body_of(operation, places) or b"")
    told = [
        await house.call(operation, house.callers["foreign"], places, json.dumps({**good, field: value}).encode())
        for value in (house.ids[key], never(house.ids[key]))
    ]
    assert told[0].status == 404
    assert field in told[0].message or house.ids[key] in told[0].message
    alike(told[0], told[1], {key: house.ids[key]})


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


async def test_public_operations_look_at_no_token(house: House) -> None:
    for operation in OPERATIONS:
        if operation.key == "none":
            assert len({WHO_MAY[operation.id][who] for who in CALLERS}) == 1


async def test_upload_links_are_proof_of_themselves(house: House) -> None:
    for operation in OPERATIONS:
        if operation.key == "link":
            for token in ("nonsense", "a.1.b", "%2e%2e", "ünï", "YWJj.99999999999999999999.AAAA"):
                ids = {**house.ids, "uploadToken": token}
                answer = await house.call(operation, house.inn.token, ids)
                assert (answer.status, bool(answer.message)) == (401, True), (operation, token, answer)


async def test_upload_links_end_after_a_day(house: House) -> None:
    [operation] = [operation for operation in OPERATIONS if operation.id == "PutPart"]
    for seconds, status in ((LINK_LIFE // SECOND - 1, 404), (1, 401)):
        house.inn.clock.advance(seconds)
        assert (await house.call(operation, None)).status == status  # no build is behind it


async def test_old_clients_send_the_token_bare(house: House) -> None:
    for value in (house.inn.token, f"bearer {house.inn.token}", f"BEARER   {house.inn.token} "):
        answer = await ask(house.inn, "GET", "/apps/v2/apps", headers={"authorization": value})
        assert answer.status == 200
