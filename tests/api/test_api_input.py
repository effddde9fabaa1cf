"""Bad and odd requests on the wire: the right status, and a message that names what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from api.wire import OPERATIONS, Answer, ask, body_of, path_of, real_ids
from factories import Game, TestInn
from innkeeper.contract.operation import Declared

MIB = 1 << 20
ROOM = "/rooms/v2/{app}/create"
DEPLOYMENT = "/deployments/v3/apps/{app}/deployments"
GOOD_DEPLOYMENT: dict[str, Any] = {
    "buildId": "b", "requestedCPU": 1, "requestedMemoryMB": 512, "idleTimeoutEnabled": True, "containerPort": 7777,
    "transportType": "udp", "roomsPerProcess": 1, "env": [],
}  # fmt: skip


def deployment(**changes: Any) -> bytes:
    return json.dumps({**GOOD_DEPLOYMENT, **changes}).encode()


@pytest.fixture
async def game(small_inn: TestInn) -> Game:
    return await small_inn.game()


async def post(game: Game, path: str, body: bytes | None, **more: Any) -> Answer:
    return await ask(game.inn, "POST", path.format(app=game.app_id), body, token=game.inn.token, **more)


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (ROOM, b"{", 400, "not JSON"),
        (ROOM, b"\xff\xfe", 400, "not JSON"),
        (ROOM, b"[" * 100_000, 422, "object"),
        (ROOM, b'{"region":"Tokyo","roomConfig":"\xed\xa0\x80"}', 400, "not JSON"),
        (ROOM, b"", 422, "body is empty"),
        (ROOM, b"[]", 422, "object"),
        (ROOM, b"null", 422, "object"),
        (ROOM, b"{}", 422, "region"),
        (ROOM, b'{"region":"Mars"}', 422, "region"),
        (ROOM, b'{"region":7}', 422, "region"),
        (ROOM, b'{"region":"tokyo"}', 422, "region"),
        (ROOM, b'{"region":"Tokyo","roomConfig":7}', 422, "roomConfig"),
        (ROOM, json.dumps({"region": "Tokyo", "roomConfig": "x" * 10_001}).encode(), 422, "roomConfig"),
        (ROOM, b'{"region":"Tokyo","clientIPs":"1.2.3.4"}', 422, "clientIPs"),
        (ROOM, b'{"region":"Tokyo","roomConfig":"\\u0000"}', 422, "NUL"),
        (ROOM + "?roomId=a%20b", b'{"region":"Tokyo"}', 422, "roomId"),
        (ROOM + "?roomId=", b'{"region":"Tokyo"}', 422, "roomId"),
        (ROOM + "?roomId=" + "x" * 101, b'{"region":"Tokyo"}', 422, "roomId"),
        (ROOM + "?roomId=a%0A", b'{"region":"Tokyo"}', 422, "roomId"),
        (ROOM + "?roomId=%C3%BC", b'{"region":"Tokyo"}', 422, "roomId"),
        ("/rooms/v2/{app}/update/a%2Fb", b'{"roomConfig":"x"}', 422, "roomId"),
        (DEPLOYMENT, deployment(containerPort=0), 422, "containerPort"),
        (DEPLOYMENT, deployment(containerPort=65536), 422, "containerPort"),
        (DEPLOYMENT, deployment(containerPort="7777"), 422, "containerPort"),
        (DEPLOYMENT, deployment(transportType="quic"), 422, "transportType"),
        (DEPLOYMENT, deployment(roomsPerProcess=0), 422, "roomsPerProcess"),
        (DEPLOYMENT, deployment(roomsPerProcess=10_001), 422, "roomsPerProcess"),
        (DEPLOYMENT, deployment(env=[{"name": "1X", "value": ""}]), 422, "env[0].name"),
        (DEPLOYMENT, deployment(env=[{"name": "X", "value": "x" * 5001}]), 422, "env[0].value"),
        (DEPLOYMENT, deployment(env=[{"name": "X", "value": ""}] * 101), 422, "env"),
        (DEPLOYMENT, deployment(requestedMemoryMB=99_999), 422, "requestedMemoryMB"),
        (DEPLOYMENT, deployment(requestedCPU=0), 422, "CPU"),
        (DEPLOYMENT, deployment(additionalContainerPorts=[{"name": "default", "port": 1, "transportType": "udp"}]), 422,
         "default"),
        (DEPLOYMENT, deployment(buildId="bld-none"), 404, "buildId"),
        ("/apps/v2/apps", b'{"appName":"Not Good","authConfiguration":{}}', 422, "appName"),
        ("/apps/v2/apps", b'{"appName":"game-1","authConfiguration":{}}', 422, "game-1"),
        ("/builds/v3/builds", b'{"buildSizeInBytes":-1}', 422, "buildSizeInBytes: a build of -1 bytes"),
        ("/builds/v3/builds", b'{"buildSizeInBytes":0}', 422, "buildSizeInBytes: a build of 0 bytes"),
        ("/builds/v3/builds", b'{"buildSizeInBytes":99999999999999}', 422, "buildSizeInBytes: a build of 9"),
        ("/processes/v3/apps/{app}/processes/regions/Mars", None, 422, "region"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(game: Game, path: str, body: bytes | None, status: int, said: str) -> None:
    answer = await post(game, path, body)
    assert (answer.status, said in answer.message) == (status, True), answer
    if path == ROOM:
        assert await game.processes() == []  # nothing is half-done


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/processes/v3/apps/{app}/processes/latest?status=asleep", 422, "status"),
        ("/processes/v3/apps/{app}/processes/latest?region=Tokyo&region=Mars", 422, "region"),
        ("/processes/v3/apps/{app}/processes/latest?before=soon", 422, "before"),
        ("/processes/v3/apps/{app}/processes/latest?before=nan", 422, "before"),
        ("/processes/v3/apps/{app}/processes/latest?before=-1", 422, "before"),
        ("/processes/v3/apps/{app}/processes/latest?before=1e15", 422, "before"),
        ("/logs/v1/{app}/process/x?tailLines=0", 400, "tailLines"),
        ("/logs/v1/{app}/process/x?tailLines=5001", 400, "tailLines"),
        ("/logs/v1/{app}/process/x?follow=perhaps", 400, "follow"),
        ("/deployments/v3/apps/{app}/deployments?nextPageToken=-", 422, "page token"),
        ("/deployments/v3/apps/{app}/deployments?buildTag=%00", 422, "NUL"),
        ("/processes/v3/apps/{app}/processes/process/x/metrics?step=0", 422, "step"),
        ("/processes/v3/apps/{app}/processes/process/x/metrics?start=5&end=1", 422, "start"),
        ("/rooms/v2/{app}/info/none", 404, "none"),
        ("/rooms/v2/%00/info/none", 404, ""),
        ("/builds/v3/builds/..%2F..%2Fetc", 404, ""),
    ],
)
async def test_a_bad_query_or_path_is_named(game: Game, path: str, status: int, said: str) -> None:
    answer = await ask(game.inn, "GET", path.format(app=game.app_id), token=game.inn.token)
    if status == 404:
        assert answer.status in (404, 422), answer
    else:
        assert answer.status == status, answer
    assert said in answer.message


async def test_unknown_fields_and_queries_are_ignored(game: Game) -> None:
    answer = await post(game, ROOM + "?utm=1&x", b'{"region":"Tokyo","orgId":"x","extra":{"a":[1]}}')
    assert answer.status == 201


async def test_whole_numbers_may_be_written_with_a_point(game: Game) -> None:
    body = deployment(containerPort=7777.0, roomsPerProcess=2.0, buildId=game.deployment.build_id)
    answer = await post(game, DEPLOYMENT, body)
    assert answer.status == 201
    assert b'"port":7777,' in answer.body
    assert answer.json["roomsPerProcess"] == 2
    assert (await post(game, DEPLOYMENT, deployment(containerPort=7777.5))).status == 422


@pytest.mark.parametrize("body", [None, b"", b"{}", b"[1]", b"garbage"])
async def test_a_body_that_nobody_asked_for_does_no_harm(game: Game, body: bytes | None) -> None:
    """Unreal sends the header without a body, others send ``{}``."""
    json_header = {"content-type": "application/json"}
    room = await game.room()
    login = await ask(game.inn, "POST", f"/auth/v1/{game.app_id}/login/anonymous", body, headers=json_header)
    assert login.status == 200
    info = f"/rooms/v2/{game.app_id}/info/{room.room_id}"
    assert (await ask(game.inn, "GET", info, body, token=game.inn.token, headers=json_header)).status == 200
    destroyed = await post(game, f"/rooms/v2/{{app}}/destroy/{room.room_id}", body, headers=json_header)
    assert (destroyed.status, destroyed.body) == (204, b"")
    assert "content-length" not in destroyed.headers
    assert "content-type" not in destroyed.headers


def endless(size: int, most: int) -> Iterator[bytes]:
    for _ in range(most // size):
        yield b" " * size


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_of_200_megabytes_is_refused_early(game: Game, announced: bool) -> None:
    length = 200 * MIB if announced else None
    path = ROOM.format(app=game.app_id)
    answer = await ask(game.inn, "POST", path, endless(MIB, 200 * MIB), token=game.inn.token, length=length)
    assert answer.status == 422
    assert "bytes" in answer.message
    assert answer.taken <= 6 * MIB
    stranger = await ask(game.inn, "POST", path, endless(MIB, 200 * MIB), length=length)
    assert (stranger.status, stranger.taken) == (401, 0)


async def test_a_part_that_is_larger_than_announced_is_refused_early(game: Game) -> None:
    from innkeeper.contract.hathora.builds_v3 import CreateMultipartBuildParams

    made = await game.cloud.builds_v3.create_build(CreateMultipartBuildParams(build_size_in_bytes=1000))
    link = made.upload_parts[0].put_request_url.removeprefix("http://inn")
    answer = await ask(game.inn, "PUT", link, endless(MIB, 200 * MIB))
    assert answer.status in (400, 413, 422)
    assert answer.message
    assert answer.taken <= 4 * MIB
    good = await ask(game.inn, "PUT", link, b"x" * 1000)
    assert good.status == 200
    assert "ETag" in good.headers  # in this very case
    done = "/".join(link.split("/")[:4]) + "/complete"
    for xml in (b"", b"<nonsense", b"<a/>", b"<CompleteMultipartUpload></CompleteMultipartUpload>", b"\xff"):
        assert (await ask(game.inn, "POST", done, xml)).status in (400, 422)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/rooms/v2//info/x", 404),
        ("POST", "/", 404),
        ("DELETE", "/healthz", 404),
        ("GET", "/rooms/v2/a/create", 405),
        ("PUT", "/apps/v2/apps", 405),
        ("TRACE", "/apps/v2/apps", 405),
        ("GET", "/openapi/none.json", 404),
        ("GET", "/" + "a/" * 5000, 404),
    ],
)
async def test_what_is_not_there(small_inn: TestInn, method: str, path: str, status: int) -> None:
    answer = await ask(small_inn, method, path)
    assert answer.status == status
    assert answer.message
    assert ("allow" in answer.headers) == (status == 405)


async def test_a_slash_at_the_end_is_forgiven(game: Game) -> None:
    assert (await ask(game.inn, "GET", "/apps/v2/apps/", token=game.inn.token)).status == 200


async def test_an_encoded_slash_stays_inside_its_value(game: Game) -> None:
    answer = await ask(game.inn, "GET", f"/apps/v2/apps/{game.app_id}%2Fx", token=game.inn.token)
    assert (answer.status, f"{game.app_id}/x" in answer.message) == (404, True)


async def test_browsers_may_call(game: Game) -> None:
    asked = {"origin": "https://game.example", "access-control-request-method": "POST",
             "access-control-request-headers": "authorization,content-type"}  # fmt: skip
    preflight = await ask(game.inn, "OPTIONS", ROOM.format(app=game.app_id), headers=asked)
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert {"authorization", "content-type"} <= set(preflight.headers["access-control-allow-headers"].split(", "))
    origin = {"origin": "https://game.example"}
    for path in ("/discovery/v2/ping", f"/rooms/v2/{game.app_id}/connectioninfo/none"):
        answer = await ask(game.inn, "GET", path, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "*"  # on faults too: a browser hides them otherwise


async def test_pages_of_the_house(small_inn: TestInn) -> None:
    for path, kind in (
        ("/healthz", "application/json"),
        ("/metrics", "text/plain"),
        ("/docs", "text/html"),
        ("/openapi/hathora.json", "application/json"),
    ):
        page = await ask(small_inn, "GET", path)
        assert (page.status, page.headers["content-type"].startswith(kind)) == (200, True), path
        head = await ask(small_inn, "HEAD", path)
        assert (head.status, head.body, head.headers.keys()) == (200, b"", page.headers.keys())
    small_inn.trouble.away = True
    sick = await ask(small_inn, "GET", "/healthz")
    assert (sick.status, sick.json["status"]) == (503, "failing")
    counts = await ask(small_inn, "GET", "/metrics")
    assert (counts.status, "does not answer" in counts.message) == (503, True)


def by_id(operation: Declared) -> str:
    return operation.id


async def test_every_refusal_is_one_that_its_operation_declares(game: Game) -> None:
    """Broken bodies, ids that are not there and ids that cannot be, at every operation."""
    ids = await real_ids(game.inn, game)
    player = await game.inn.client(None, app_id=game.app_id).auth_v1.login_anonymous()
    for operation in OPERATIONS:
        token = {"org": game.inn.token, "player": player.token}.get(operation.key)
        bodies = [body_of(operation)]
        if operation.plan.body is not None and not operation.plan.binary:
            bodies += [b"", b"{", b"[]", b"7", b'{"region":[],"appName":1,"scopes":9,"image":1}']
        for values in (ids, {"region": "Tokyo"}, dict.fromkeys(ids, "!%20%00")):
            for body in bodies:
                for query in ("", "?orgId=org-none&status=7&region=8&roomId=!&follow=x&step=x&nextPageToken=-"):
                    path = path_of(operation, values)
                    if operation.method == "DELETE" and values is ids:
                        continue
                    if operation.id in ("RevokeOrgToken", "StopProcess", "DestroyRoom") and values is ids:
                        continue
                    answer = await ask(game.inn, operation.method, path + query, body, token=token)
                    declared = {operation.status, *operation.errors}
                    if operation.key == "link":
                        declared.add(401)
                    if not {400, 404, 422} & declared:  # the vendor documents no refusal of what cannot be used
                        declared.add(400)
                    assert answer.status in declared, (operation, path, body, query, answer)
                    if answer.status != operation.status:
                        assert answer.message


async def test_nulls_and_omissions_are_as_strict_clients_need_them(game: Game) -> None:
    created = await post(game, ROOM, b'{"region":"Tokyo"}')
    assert created.status == 201
    told = created.json
    assert sorted(told) == ["additionalExposedPorts", "processId", "roomId", "status"]  # exposedPort is left out
    app, room, process = game.app_id, told["roomId"], told["processId"]

    async def get(path: str) -> Any:
        answer = await ask(game.inn, "GET", path, token=game.inn.token)
        assert answer.status == 200
        return answer.json

    info = await get(f"/rooms/v2/{app}/connectioninfo/{room}")
    assert sorted(info) == ["additionalExposedPorts", "roomId", "status"]
    one = await get(f"/processes/v3/apps/{app}/processes/{process}")
    for field in ("exposedPort", "scheduledAt", "bootedAt", "startedAt", "stoppingAt", "terminatedAt"):
        assert one[field] is None, field
    assert "summaryExitReason" not in one
    assert (await get(f"/rooms/v2/{app}/info/{room}"))["roomConfig"] is None
    await game.inn.settle()
    info = await get(f"/rooms/v2/{app}/connectioninfo/{room}")
    assert isinstance(info["exposedPort"]["port"], int)
    assert info["exposedPort"]["name"] == "default"
    one = await get(f"/processes/v3/apps/{app}/processes/{process}")
    assert one["startedAt"].endswith(("Z", "+00:00"))
    assert isinstance(one["exposedPort"]["port"], int)
    assert (await get(f"/apps/v2/apps/{app}"))["deletedAt"] is None
    player = await game.inn.client(None, app_id=app).auth_v1.login_anonymous()
    lobby = await ask(
        game.inn, "POST", f"/lobby/v3/{app}/create", b'{"visibility":"public","region":"Tokyo"}', token=player.token
    )
    assert lobby.status == 201
    assert lobby.json["roomConfig"] is None
    assert lobby.json["shortCode"]
    build = await ask(game.inn, "DELETE", f"/builds/v3/builds/{game.deployment.build_id}", token=game.inn.token)
    assert (build.status, build.json) == (200, {})


@pytest.mark.parametrize("text", ["\0", "a\ud800b", "\uffff", "\U0001f3f0 \u202e"])
async def test_odd_text_is_kept_or_refused_on_both_stores(inn: TestInn, text: str) -> None:
    """The same answer from both, and never a failure inside."""
    game = await inn.game(seats=10)
    statuses = []
    for body in ({"region": "Tokyo", "roomConfig": text}, {"region": "Tokyo", "clientIPs": [text]}):
        statuses.append((await post(game, ROOM, json.dumps(body).encode())).status)
    room = await game.room()
    update = json.dumps({"roomConfig": text}).encode()
    statuses.append((await post(game, f"/rooms/v2/{{app}}/update/{room.room_id}", update)).status)
    names = deployment(buildId=game.deployment.build_id, env=[{"name": "X", "value": text}], deploymentTag=text)
    statuses.append((await post(game, DEPLOYMENT, names)).status)
    whole = text in ("\uffff", "\U0001f3f0 \u202e")
    assert [status < 300 for status in statuses] == [whole, whole, whole, whole], statuses
    assert max(statuses) < 500


async def test_a_backslash_before_u0000_is_text(game: Game) -> None:
    assert (await post(game, ROOM, rb'{"region":"Tokyo","roomConfig":"\\u0000"}')).status == 201
