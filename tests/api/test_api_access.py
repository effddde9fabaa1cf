"""Who may call what, generated from the contract: every operation, every kind of caller.

What each is answered is in ``who_may.txt``. Nothing may be learnt from an answer by those whom it is not for.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from api.wire import OPERATIONS, WORDS, Answer, ask, body_of, headers_of, key_of, path_of, real_ids
from factories import Game, TestInn, archive, opened_inn
from innkeeper.accounts.scopes import SCOPES, Grant
from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig
from innkeeper.contract.operation import Declared
from innkeeper.hosting.links import LINK_LIFE
from innkeeper.kit.clock import SECOND

ORG = [operation for operation in OPERATIONS if operation.key == "org"]
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)


def _table() -> dict[str, dict[str, str]]:
    text = (Path(__file__).parent / "who_may.txt").read_text()
    lines = [line for line in text.splitlines() if line[:1] not in ("", "#")]
    names = lines[0].split()[1:]
    rows = [line.split() for line in lines[1:]]
    assert len({name for name, *_ in rows}) == len(rows)
    return {name: dict(zip(names, told, strict=True)) for name, *told in rows}


WHO_MAY = _table()
CALLERS = [name for name in next(iter(WHO_MAY.values())) if name != "scope"]


class House:
    """An inn with every kind of caller."""

    def __init__(self, inn: TestInn) -> None:
        self.inn = inn
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
        body = body_of(operation, ids) if body is None else body
        path, headers = path_of(operation, ids), headers_of(operation)
        return await ask(self.inn, operation.method, path, body, token=token, headers=headers)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened_inn(tmp_path / "data", f"sqlite:///{tmp_path / 'innkeeper.db'}") as inn:
        yield await House(inn).fill()


def test_the_table_has_a_row_for_each_operation_and_the_contracts_scopes() -> None:
    assert {name: row["scope"] for name, row in WHO_MAY.items()} == {o.id: o.scope or "-" for o in OPERATIONS}


@each_operation
async def test_callers_are_told_what_the_table_says(house: House, operation: Declared) -> None:
    told = {who: await house.call(operation, house.callers[who]) for who in CALLERS}
    row = WHO_MAY[operation.id]
    assert {who: str(answer.status) for who, answer in told.items()} == {who: row[who] for who in CALLERS}
    if operation.key in ("org", "player"):
        for who in set(CALLERS) - {"foreign", "player"}:
            assert "token" in told[who].message, who


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


def never(real: str) -> str:
    """An id as long as this one, of nothing."""
    return str(int(real) + 1) if real.isdecimal() else real[:-4] + "none"


def alike(there: Answer, missing: Answer, ids: Mapping[str, str]) -> None:
    """Both answers are the same, byte for byte, but for the id that was asked for."""

    def seen(answer: Answer) -> tuple[int, dict[str, str], str]:
        text = answer.body.decode()
        for real in ids.values():
            text = re.sub(rf"(?<![\w-])({re.escape(real)}|{re.escape(never(real))})(?![\w-])", "ID", text)
        return answer.status, {k: v for k, v in answer.headers.items() if k != "x-request-id"}, text

    assert seen(there) == seen(missing)


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
