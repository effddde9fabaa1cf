"""What the plugins for Unity, Unreal and Godot and older SDKs really send, byte for byte, to a running Innkeeper.

Heads are in the clients' own order and letters: an HTTP library between would mend them.
"""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from inns import RunningInn, running_inn, until

from .games import archive, ask_tiny, deploy, tiny
from .raw import RawAnswer, exchange, head, line_to


@pytest.fixture(scope="module")
def inn() -> Iterator[RunningInn]:
    with running_inn() as inn:
        yield inn
        assert "Traceback" not in inn.log, inn.log


@pytest.fixture(scope="module")
def app_id(inn: RunningInn) -> str:
    app_id = deploy(inn, "recorded", tiny(), rooms_per_process=100)
    logins = {"authConfiguration": {"anonymous": {}, "nickname": {}}}
    told(unity(inn, "PATCH", f"/apps/v2/apps/{app_id}", logins, inn.token), 200)
    return app_id


def godot(inn: RunningInn, method: str, path: str, data: Any = None, token: str | None = None) -> RawAnswer:
    """As its REST client asks: no blank after colons, and a length only where there is a body."""
    body = b"" if data is None else json.dumps(data).encode()
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [] if token is None else [f"Authorization:Bearer {token}"]
    lines += [] if data is None else ["content-type:application/json"]
    lines += ["Accept-Encoding: gzip, deflate", "Host: {host}"]
    lines += [f"Content-Length: {len(body)}"] if body else []
    lines += ["User-Agent: GodotEngine/4.3.stable.official (Linux)", "Accept: */*"]
    return exchange(inn.port, lines, body)


def unreal(inn: RunningInn, method: str, path: str, data: Any = None, token: str | None = None) -> RawAnswer:
    """As its HTTP module asks: JSON is announced always, also where nothing follows."""
    body = b"" if data is None else json.dumps(data, indent="\t").encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: {host}", "Accept: */*", "Accept-Encoding: deflate, gzip"]
    lines += ["User-Agent: SDKDemo/++UE5+Release-5.3-CL-29314046 Windows/10.0.22631.1.256.64bit"]
    lines += ["Content-Type: application/json"]
    lines += [] if token is None else [f"Authorization: Bearer {token}"]
    lines += [] if method == "GET" else [f"Content-Length: {len(body)}"]
    return exchange(inn.port, lines, body)


def unity(inn: RunningInn, method: str, path: str, data: Any = None, token: str | None = None) -> RawAnswer:
    """As its web request asks: an empty cookie, and a body of JSON only where there is one."""
    body = b"" if data is None else json.dumps(data).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: {host}", "Accept: application/json", "Accept-Encoding: deflate, gzip"]
    lines += [] if token is None else [f"Authorization: Bearer {token}"]
    lines += ["cookie: ", "User-Agent: speakeasy-sdk/unity 0.30.0 2.338.5 0.0.1 HathoraCloud"]
    lines += ["X-Unity-Version: 2021.3.30f1"]
    lines += [] if data is None else ["Content-Type: application/json"]
    lines += [] if method == "GET" else [f"Content-Length: {len(body)}"]
    return exchange(inn.port, lines, body)


CLIENTS = pytest.mark.parametrize("client", [godot, unreal, unity])


def told(answer: RawAnswer, status: int) -> Any:
    """What a good answer says, which must be JSON where it says anything."""
    assert answer.status == status, (answer, answer.body)
    if status == 204:
        assert (answer.body, answer.value("content-length: "), answer.value("transfer-encoding: ")) == (b"", None, None)
        return None
    assert answer.value("content-type: ") == "application/json"
    return answer.json()


@CLIENTS
def test_a_player_logs_in_opens_a_lobby_and_waits_for_the_address(inn: RunningInn, app_id: str, client: Any) -> None:
    token = told(client(inn, "POST", f"/auth/v1/{app_id}/login/anonymous"), 200)["token"]
    named = told(client(inn, "POST", f"/auth/v1/{app_id}/login/nickname", {"nickname": "ann"}), 200)["token"]
    assert json.loads(base64.urlsafe_b64decode(named.split(".")[1] + "=="))["name"] == "ann"
    code = client.__name__
    wanted = {"visibility": "public", "region": "Tokyo", "roomConfig": ""}
    lobby = told(client(inn, "POST", f"/lobby/v3/{app_id}/create?shortCode={code}", wanted, token), 201)
    assert (lobby["shortCode"], lobby["visibility"], lobby["region"]) == (code, "public", "Tokyo")
    assert isinstance(lobby["createdBy"], str)
    room_id = lobby["roomId"]

    def active() -> Any:
        info = told(client(inn, "GET", f"/rooms/v2/{app_id}/connectioninfo/{room_id}"), 200)
        assert ("exposedPort" in info) == (info["status"] == "active")
        return info if info["status"] == "active" else None

    port = until(active, what="an address")["exposedPort"]
    process = told(client(inn, "GET", f"/rooms/v2/{app_id}/info/{room_id}", None, inn.token), 200)
    assert ask_tiny(port["host"], port["port"]) == process["currentAllocation"]["processId"]
    listed = told(client(inn, "GET", f"/lobby/v3/{app_id}/list/public?region=Tokyo", None, token), 200)
    assert room_id in [one["roomId"] for one in listed]
    for where in (f"roomid/{room_id}", f"shortcode/{code}"):
        assert told(client(inn, "GET", f"/lobby/v3/{app_id}/info/{where}"), 200)["roomId"] == room_id
    none = client(inn, "GET", f"/lobby/v3/{app_id}/info/roomid/none")
    assert (none.status, list(none.json()), none.value("content-type: ")) == (404, ["message"], "application/json")


@CLIENTS
def test_a_backend_opens_finds_and_ends_a_room(inn: RunningInn, app_id: str, client: Any) -> None:
    room_id, token = f"of-{client.__name__}", inn.token
    body = {"region": "Tokyo", "roomConfig": '{"map":"a : b"}'}
    room = told(client(inn, "POST", f"/rooms/v2/{app_id}/create?roomId={room_id}", body, token), 201)
    assert (room["roomId"], "processId" in room) == (room_id, True)
    process = f"/processes/v3/apps/{app_id}/processes/{room['processId']}"
    until(lambda: told(client(inn, "GET", process, None, token), 200)["exposedPort"], what="a port")
    active = told(client(inn, "GET", f"/rooms/v2/{app_id}/list/{room['processId']}/active", None, token), 200)
    assert room_id in [one["roomId"] for one in active]
    latest = f"/processes/v3/apps/{app_id}/processes/latest?status=running&status=starting&region=Tokyo&region=London"
    assert room["processId"] in [one["processId"] for one in told(client(inn, "GET", latest, None, token), 200)]
    update = {"roomConfig": "{}"}
    assert told(client(inn, "POST", f"/rooms/v2/{app_id}/update/{room_id}", update, token), 204) is None
    assert told(client(inn, "POST", f"/rooms/v2/{app_id}/destroy/{room_id}", None, token), 204) is None
    assert client(inn, "GET", f"/rooms/v2/{app_id}/connectioninfo/{room_id}").status == 404
    refused = client(inn, "POST", f"/rooms/v2/{app_id}/create", body, "no-such-token")
    assert (refused.status, list(refused.json())) == (401, ["message"])  # Godot's plugin forgets its token by this


def godot_uploads(inn: RunningInn, method: str, url: str, kind: str, body: bytes) -> RawAnswer:
    """As its editor's plugin sends files: with a blank before a colon."""
    lines = [f"{method} {url.removeprefix(inn.url)} HTTP/1.1", f"Content-Type : {kind}"]
    lines += ["Accept-Encoding: gzip, deflate", "Host: {host}", f"Content-Length: {len(body)}"]
    lines += ["User-Agent: GodotEngine/4.3.stable.official (Linux)", "Accept: */*"]
    return exchange(inn.port, lines, body)


def test_godots_plugin_deploys_a_build(inn: RunningInn) -> None:
    made = {"appName": "of-godot", "authConfiguration": {"anonymous": {}}}
    app_id = told(godot(inn, "POST", "/apps/v2/apps", made, inn.token), 201)["appId"]
    packed = archive(tiny() | {"lure": b"\r\nContent-Type : x\r\n\r\n", "ballast": os.urandom(3 << 20)})
    # What belongs into the query stands in the body.
    wanted = {"orgId": inn.org_id, "buildSizeInBytes": len(packed)}
    build = told(godot(inn, "POST", "/builds/v3/builds", wanted, inn.token), 201)
    (part,) = build["uploadParts"]
    assert (part["partNumber"], build["maxChunkSize"] >= len(packed)) == (1, True)
    sent = godot_uploads(inn, "PUT", part["putRequestUrl"], "application/octet-stream", packed)
    assert sent.status == 200
    etag = sent.value("ETag: ")
    assert etag
    parts = f"\n\t\t<Part>\n\t\t\t<PartNumber>1</PartNumber>\n\t\t\t<ETag>{etag}</ETag>\n\t\t</Part>\n\t\t"
    xml = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"
    done = godot_uploads(inn, "POST", build["completeUploadPostRequestUrl"], "application/xml", xml.encode())
    assert done.status == 200
    run = godot(inn, "POST", f"/builds/v3/builds/{build['buildId']}/run", {}, inn.token)
    assert (run.status, run.value("content-type: ")) == (200, "application/octet-stream")
    assert run.body
    assert (
        told(godot(inn, "GET", f"/builds/v3/builds/{build['buildId']}", None, inn.token), 200)["status"] == "succeeded"
    )
    config = {
        "requestedCPU": 0.5, "requestedMemoryMB": 1024.0, "roomsPerProcess": 1, "transportType": "udp",
        "containerPort": 7777, "env": [], "buildId": build["buildId"], "idleTimeoutEnabled": False,
    }  # fmt: skip
    path = f"/deployments/v3/apps/{app_id}/deployments"
    deployment = told(godot(inn, "POST", path, config, inn.token), 201)
    latest = told(godot(inn, "GET", f"{path}/latest", None, inn.token), 200)
    assert (latest["deploymentId"], latest["requestedMemoryMB"]) == (deployment["deploymentId"], 1024)
    room = told(godot(inn, "POST", f"/rooms/v2/{app_id}/create", {"region": "London"}, inn.token), 201)
    assert told(godot(inn, "POST", f"/rooms/v2/{app_id}/destroy/{room['roomId']}", None, inn.token), 204) is None


def test_godots_plugin_is_asked_for_one_part_however_large(inn: RunningInn) -> None:
    # It cuts archives wrongly: every part but the first would be empty.
    packed = archive(tiny() | {"ballast": os.urandom(11 << 20)})
    build = told(godot(inn, "POST", "/builds/v3/builds", {"buildSizeInBytes": len(packed)}, inn.token), 201)
    (part,) = build["uploadParts"]
    assert build["maxChunkSize"] == len(packed)
    sent = godot_uploads(inn, "PUT", part["putRequestUrl"], "application/octet-stream", packed)
    etag = sent.value("ETag: ")
    xml = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    )
    assert (
        godot_uploads(inn, "POST", build["completeUploadPostRequestUrl"], "application/xml", xml.encode()).status == 200
    )
    run = godot(inn, "POST", f"/builds/v3/builds/{build['buildId']}/run", {}, inn.token)
    assert b"Build succeeded." in run.body
    others = told(unity(inn, "POST", "/builds/v3/builds", {"buildSizeInBytes": len(packed)}, inn.token), 201)
    assert len(others["uploadParts"]) == 2


def test_a_part_of_which_the_server_is_asked_first(inn: RunningInn) -> None:
    packed = archive(tiny())
    build = told(unity(inn, "POST", "/builds/v3/builds", {"buildSizeInBytes": len(packed)}, inn.token), 201)
    url = build["uploadParts"][0]["putRequestUrl"].removeprefix(inn.url)
    lines = [f"PUT {url} HTTP/1.1", "Host: {host}", "Content-Type : application/octet-stream"]
    lines += [f"Content-Length: {len(packed)}", "Expect: 100-continue"]
    with line_to(inn.port) as line:
        line.send(head(inn.port, *lines))
        assert line.answer().status == 100
        line.send(packed)
        answer = line.answer()
    assert (answer.status, bool(answer.value("ETag: "))) == (200, True)


@dataclass(frozen=True)
class Odd:
    """A request of an older client, and the status that it must have."""

    lines: tuple[str, ...]
    body: bytes
    status: int


LOBBY = json.dumps({"visibility": "private", "region": "Tokyo"}).encode()
ODD = {
    "old client: the bare token": Odd(
        ("POST /lobby/v3/{app}/create HTTP/1.1", "Host: {host}", "Authorization: {player}",
         "Accept: application/json, text/plain, */*", "Content-Type: application/json",
         f"Content-Length: {len(LOBBY)}"),
        LOBBY, 201,
    ),
    "buildkits: an object where nothing is asked for": Odd(
        ("POST /auth/v1/{app}/login/anonymous HTTP/1.1", "Host: {host}", "content-type: application/json",
         "content-length: 2"), b"{}", 200,
    ),
    "npm: an empty cookie": Odd(
        ("POST /auth/v1/{app}/login/anonymous HTTP/1.1", "host: {host}", "connection: keep-alive", "cookie: ",
         "accept: application/json", "user-agent: speakeasy-sdk/typescript 2.25.6", "content-length: 0"), b"", 200,
    ),
    "an empty cookie without a blank": Odd(
        ("GET /discovery/v2/ping HTTP/1.1", "Host: {host}", "cookie:"), b"", 200,
    ),
    "neither length nor type": Odd(("POST /auth/v1/{app}/login/anonymous HTTP/1.1", "Host: {host}"), b"", 200),
    "a body in chunks": Odd(
        ("POST /lobby/v3/{app}/create HTTP/1.1", "Host: {host}", "Content-Type : application/json",
         "Transfer-Encoding: chunked", "Authorization: Bearer {player}"),
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(LOBBY), LOBBY), 201,
    ),
    "an older HTTP": Odd(("GET /discovery/v2/ping HTTP/1.0",), b"", 200),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_older_clients(inn: RunningInn, app_id: str, name: str) -> None:
    player = told(unreal(inn, "POST", f"/auth/v1/{app_id}/login/anonymous"), 200)["token"]
    odd = ODD[name]
    lines = [line.replace("{app}", app_id).replace("{player}", player) for line in odd.lines]
    answer = exchange(inn.port, lines, odd.body)
    assert answer.status == odd.status, answer


PING = ("GET /discovery/v2/ping HTTP/1.1", "Host: {host}")
BEGINS = ("POST /uploads/v1/none/complete HTTP/1.1", "Host: {host}")


@pytest.mark.parametrize(
    "lines",
    [
        (*BEGINS, "Content-Length : 5"), (*BEGINS, "Transfer-Encoding : chunked"), (*BEGINS, "Content-Length\t: 5"),
        (*BEGINS, "Content-Type : a", "Content-Length : 5"),
        (*BEGINS, "Content-Type : a", "Transfer-Encoding : chunked"),
        (*BEGINS, "Content-Type : a", " b"), (*BEGINS, "Content-Type : a\nContent-Length: 5"),
        (*BEGINS, "Content-Type : a\rContent-Length: 5"), (*BEGINS, " Content-Type : a"),
        (*BEGINS, "Content-Type\t: a"), (*BEGINS, "Content-Type  : a"), (*BEGINS, "Content-Type : a\x00"),
        (*BEGINS, "Content-Type : a", "Content-Length: 5", "Transfer-Encoding: chunked"),
        (*BEGINS, "Content-Type : a", "Content-Length: 5", "Content-Length: 6"),
        (*BEGINS, "Content-Type : a", "Transfer-Encoding: chunked, x"), (BEGINS[0], "Host : {host}"),
        (*BEGINS, "Authorization : Bearer x"), (*BEGINS, "Connection : close"), (*BEGINS, "Expect : 100-continue"),
        ("Content-Type : a", *PING),
    ],
)  # fmt: skip
def test_what_stays_refused(inn: RunningInn, lines: tuple[str, ...]) -> None:
    smuggled = head(inn.port, *PING)
    with line_to(inn.port) as line:
        line.send(head(inn.port, *lines) + b"0\r\n\r\n" + smuggled)
        assert line.answer().status == 400
        assert line.ended()  # nothing that came after it is read


def test_pipelined_requests_each_have_their_answer(inn: RunningInn, app_id: str) -> None:
    body = b'\r\nContent-Type : x\r\n\r\n{"region":"Tokyo"}'
    room = [f"POST /rooms/v2/{app_id}/create HTTP/1.1", "Content-Type : application/json", "Host: {host}"]
    room += [f"Authorization: Bearer {inn.token}", f"Content-Length: {len(body)}"]
    one = head(inn.port, *PING) + head(inn.port, *room) + body + head(inn.port, PING[0], "Content-Type : a", PING[1])
    with line_to(inn.port) as line:
        line.send(one + one)
        assert [line.answer().status for _ in range(6)] == [200, 400, 200] * 2


@pytest.mark.parametrize("size", [1, 3, 14, 15])
def test_a_request_in_small_pieces_on_a_connection_that_stays(inn: RunningInn, app_id: str, size: int) -> None:
    body = b'{"region":"Tokyo",\n"roomConfig":"Content-Type : a"}'
    lines = [f"POST /rooms/v2/{app_id}/create HTTP/1.1", "Content-Type : application/json", "Host: {host}"]
    lines += [f"Authorization: Bearer {inn.token}", f"Content-Length: {len(body)}"]
    whole = head(inn.port, *lines) + body
    with line_to(inn.port) as line:
        for _ in range(2):
            line.send(*(whole[at : at + size] for at in range(0, len(whole), size)))
            room = told(line.answer(), 201)
            info = told(exchange(inn.port, [f"GET /rooms/v2/{app_id}/info/{room['roomId']} HTTP/1.1", "Host: {host}",
                                       f"Authorization: Bearer {inn.token}"]), 200)  # fmt: skip
            assert info["roomConfig"] == "Content-Type : a"


@pytest.mark.parametrize("more", [[], ["Content-Type : a"]])
@pytest.mark.parametrize("path", ["/", "/ws"])
def test_websockets_on_the_same_port(inn: RunningInn, more: list[str], path: str) -> None:
    lines = [f"GET {path} HTTP/1.1", "Host: {host}", *more, "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"]
    with line_to(inn.port) as line:
        line.send(head(inn.port, *lines))
        answer = line.answer()
        assert answer.status == 101
        assert "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in [one.partition(": ")[2] for one in answer.lines]
        # A text of the size of what is looked for in heads, masked with zeros, and its echo.
        text = b"\nContent-Type :"
        frame = bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
        line.send(*(frame[at : at + 1] for at in range(len(frame))))
        assert line.read(2 + len(text)) == bytes([0x81, len(text)]) + text


ORIGIN = "Origin: https://game.example"


def test_games_in_browsers_may_ask(inn: RunningInn, app_id: str) -> None:
    asked = [
        ("POST", f"/auth/v1/{app_id}/login/anonymous", 200), ("POST", f"/lobby/v3/{app_id}/create", 401),
        ("GET", f"/lobby/v3/{app_id}/list/public", 200), ("GET", f"/rooms/v2/{app_id}/connectioninfo/none", 404),
        ("GET", "/discovery/v2/ping", 200), ("GET", "/no/such/path", 404),
    ]  # fmt: skip
    for method, path, status in asked:
        preflight = exchange(inn.port, [
            f"OPTIONS {path} HTTP/1.1", "Host: {host}", ORIGIN, f"Access-Control-Request-Method: {method}",
            "Access-Control-Request-Headers: authorization,content-type,user-agent",
        ])  # fmt: skip
        assert (preflight.status, preflight.value("access-control-allow-origin: ")) == (204, "*")
        assert method in (preflight.value("access-control-allow-methods: ") or "").split(", ")
        allowed = (preflight.value("access-control-allow-headers: ") or "").split(", ")
        assert {"authorization", "content-type", "user-agent", "*"} <= set(allowed)
        length = ["Content-Length: 0"] if method == "POST" else []
        answer = exchange(inn.port, [f"{method} {path} HTTP/1.1", "Host: {host}", ORIGIN, *length])
        assert (answer.status, answer.value("access-control-allow-origin: ")) == (status, "*")


def test_a_base_url_with_a_path() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with running_inn(port=port, public_url=f"http://127.0.0.1:{port}/cloud/") as inn:
        app_id = deploy(inn, "prefixed", tiny())  # by the SDK at that URL: the links for its archive have the path, too
        asked = [
            ("GET /discovery/v2/ping", 200), (f"POST /auth/v1/{app_id}/login/anonymous", 200), ("GET /healthz", 200),
            ("GET /none", 404), ("GET /cloudy/healthz", 404),
        ]  # fmt: skip
        for path in ("/cloud", ""):  # a proxy hands it on, or takes it off
            for line, status in asked:
                answer = exchange(port, [f"{line.replace(' ', f' {path}', 1)} HTTP/1.1", "Host: {host}"])
                assert answer.status == status, (path, line)
