"""Ways to send: proxies, TLS, an application in this process, the stub, and a transport of the user's own."""

from __future__ import annotations

import asyncio
import queue
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from innkeeper import sdk
from innkeeper.contract.hathora.logs_v1 import LogsV1
from innkeeper.contract.hathora.processes_v3 import ProcessesV3
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams, RoomConnectionData, RoomsV2
from innkeeper.contract.hathora.words import Region, RoomReadyStatus
from innkeeper.sdk import AsyncHathoraCloud, ConnectionFailed, HathoraCloud, NotFound, Request, Response

from .conftest import Flavour, Time
from .scripted import ROOM, Reply, Server


@pytest.mark.parametrize("how", ["environment", "setting"])
@pytest.mark.parametrize("kind", [sdk.Urllib3Transport, sdk.AiohttpTransport])
def test_a_proxy_is_asked(kind: Any, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flavour = Flavour("aiohttp" if kind is sdk.AiohttpTransport else "urllib3")
    with Server(Reply(200, ROOM)) as proxy:
        address = proxy.url.replace("http://", "http://user:pass%2Fword@")
        if how == "environment":
            monkeypatch.setenv("HTTP_PROXY", address)
        transport = kind() if how == "environment" else kind(proxy=address)
        client = flavour.client("http://inn.invalid:81/base", transport=transport)
        assert flavour.run(client.rooms_v2.get_room_info("../r")).room_id == "r-1"
        flavour.end()
        seen = proxy.seen[0]
    assert seen.target == "http://inn.invalid:81/base/rooms/v2/app-1/info/..%2Fr"
    assert seen.headers["host"] == "inn.invalid:81"
    assert seen.headers["proxy-authorization"] == "Basic dXNlcjpwYXNzL3dvcmQ="
    assert seen.headers["authorization"] == "Bearer secret-token"


@pytest.mark.parametrize("kind", [sdk.Urllib3Transport, sdk.AiohttpTransport])
def test_no_proxy_can_be_told(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    flavour = Flavour("aiohttp" if kind is sdk.AiohttpTransport else "urllib3")
    with Server(Reply(200, ROOM)) as server:
        client = flavour.client(server.url, transport=kind(proxy=""))
        assert flavour.run(client.rooms_v2.get_room_info("r")).room_id == "r-1"
        flavour.end()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out",
         folder / "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.mark.parametrize("kind", [sdk.Urllib3Transport, sdk.AiohttpTransport])
def test_certificates_are_checked(kind: Any, certificate: Path) -> None:
    flavour = Flavour("aiohttp" if kind is sdk.AiohttpTransport else "urllib3")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    trusted = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    with Server(Reply(200, ROOM), tls=tls) as server:
        stranger = flavour.client(server.url, transport=kind(), retry=sdk.NO_RETRY)
        error = flavour.fails(ConnectionFailed, lambda: stranger.rooms_v2.get_room_info("r"))
        assert "certificate" in str(error).lower()
        assert not error.sent
        assert not server.seen
        friend = flavour.client(server.url, transport=kind(tls=trusted))
        assert flavour.run(friend.rooms_v2.get_room_info("r")).room_id == "r-1"
        flavour.end()


@pytest.mark.parametrize(("url", "told"), [
    ("http://127.0.0.1:9", "the connection to 127.0.0.1:9 failed: Connection refused"),
    ("https://127.0.0.1:9", "the connection to 127.0.0.1:9 failed: Connection refused"),
])  # fmt: skip
def test_a_refused_connection_is_told_plainly(url: str, told: str) -> None:
    flavour = Flavour("aiohttp")
    client = flavour.client(url, retry=sdk.NO_RETRY)
    assert str(flavour.fails(sdk.ConnectionFailed, lambda: client.rooms_v2.get_room_info("r"))) == told
    flavour.end()


def test_an_httpx_client_of_the_users_own_is_used() -> None:
    with Server(Reply(200, ROOM)) as server, httpx.Client(headers={"X-Mine": "1"}) as mine:
        with HathoraCloud("t", app_id="a", server=server.url, transport=sdk.HttpxTransport(mine)) as client:
            client.rooms_v2.get_room_info("r")
        assert not mine.is_closed
        assert server.seen[0].headers["x-mine"] == "1"


def test_a_transport_of_the_users_own() -> None:
    class Mine:
        def __init__(self) -> None:
            self.asked: list[Request] = []

        def send(self, request: Request) -> Response:
            self.asked.append(request)
            if len(self.asked) == 1:
                raise ConnectionResetError("gone")  # a plain OSError is a broken connection
            return Response(200, {}, b'{"count": 3}')

        def close(self) -> None: ...

    mine, time = Mine(), Time()
    client = HathoraCloud("t", app_id="a", server="http://h", transport=mine, world=time.world())
    assert client.processes_v3.get_processes_count_experimental().count == 3
    assert [request.url for request in mine.asked] == ["http://h/processes/v3/apps/a/processes/count"] * 2


class App:
    """A small ASGI application: echoes what it is asked, and streams lines as they are fed."""

    def __init__(self) -> None:
        self.feed: queue.Queue[bytes] = queue.Queue()
        self.left = threading.Event()
        self.bodies: list[bytes] = []
        self.after = 0  #: answers that were followed by something

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("/info/fails"):
            raise LookupError("broken inside")
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        self.bodies.append(body)
        headers = [(b"Content-Type", b"application/json"), (b"X-Path", scope["raw_path"])]
        if "logs" not in scope["path"]:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": httpx.Response(200, json=ROOM).content})
            assert (await receive())["type"] == "http.disconnect"
            self.after += 1
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"first\n", "more_body": True})
        try:
            await receive()
        finally:
            self.left.set()


@pytest.fixture(params=["sync", "async"])
def inside(request: pytest.FixtureRequest) -> Iterator[tuple[Flavour, Any, App]]:
    app = App()
    flavour = Flavour("urllib3" if request.param == "sync" else "aiohttp")
    transport: Any = sdk.SyncAsgiTransport(app) if request.param == "sync" else sdk.AsgiTransport(app)
    yield flavour, flavour.client("http://inn.local/base", transport=transport), app
    flavour.end()


def test_an_application_is_called_without_a_socket(inside: tuple[Flavour, Any, App]) -> None:
    flavour, client, app = inside
    raw = flavour.run(client.rooms_v2.get_room_info.raw("../r"))
    assert raw.value.room_id == "r-1"
    assert raw.headers["x-path"] == "/base/rooms/v2/app-1/info/..%2Fr"
    flavour.run(client.rooms_v2.get_room_info.raw("r"))
    assert app.bodies == [b"", b""]
    flavour.run(client.close())
    assert app.after == 2


def test_an_application_that_fails(inside: tuple[Flavour, Any, App]) -> None:
    flavour, client, _ = inside
    error = flavour.fails(ConnectionFailed, lambda: client.rooms_v2.get_room_info("fails"))
    assert "broken inside" in str(error)
    assert isinstance(error.__cause__, LookupError)


def test_a_stream_of_an_application(inside: tuple[Flavour, Any, App]) -> None:
    flavour, client, app = inside
    stream = flavour.run(client.logs_v1.get_logs_for_process("p", follow=True))
    if flavour.is_async:

        async def first() -> str:
            async with stream:
                async for line in stream.lines():
                    return str(line)
            return ""

        assert flavour.run(first()) == "first"
    else:
        with stream:
            assert next(stream.lines()) == "first"
    assert app.left.wait(5)


def test_an_application_on_a_loop_that_runs_already() -> None:
    app, loop = App(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        with HathoraCloud(
            "t", app_id="a", server="http://h", transport=sdk.SyncAsgiTransport(app, loop=loop)
        ) as client:
            assert client.rooms_v2.get_room_info("r").room_id == "r-1"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


CREATED = RoomConnectionData(
    room_id="r-1", process_id="p-1", status=RoomReadyStatus.STARTING, additional_exposed_ports=[]
)


def test_a_stub_checks_and_answers() -> None:
    stub = sdk.Stub()
    stub.expect(RoomsV2.create_room, CreateRoomParams(region=Region.TOKYO), room_id="r-1").answers(CREATED)
    stub.expect(RoomsV2.destroy_room, "r-1", app_id="app-1")
    stub.expect(RoomsV2.get_room_info, "r-1").fails(404, "no such room")
    stub.expect(ProcessesV3.get_latest_processes, region=[Region.TOKYO]).answers([])
    stub.expect_stream(LogsV1.get_logs_for_process, "p").answers(b"line\n")
    client = HathoraCloud("t", app_id="app-1", server="http://h/base", transport=stub)
    assert client.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), room_id="r-1") == CREATED
    client.rooms_v2.destroy_room("r-1")
    with pytest.raises(NotFound, match="no such room"):
        client.rooms_v2.get_room_info("r-1")
    assert client.processes_v3.get_latest_processes(region=[Region.TOKYO]) == []
    assert list(client.logs_v1.get_logs_for_process("p").lines()) == ["line"]
    stub.done()
    with pytest.raises(AssertionError, match="nothing more is expected"):
        client.rooms_v2.destroy_room("r-1")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda c: c.rooms_v2.create_room(CreateRoomParams(region=Region.LONDON), "app-1", room_id="r"), "the body is"),
        (lambda c: c.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), "app-1"), "the query is"),
        (lambda c: c.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), "app-2", room_id="r"), "the path is"),
        (lambda c: c.rooms_v2.get_room_info("r"), "the method is GET"),
    ],
)
async def test_a_stub_says_what_is_different(call: Any, text: str) -> None:
    stub = sdk.AsyncStub()
    stub.expect(RoomsV2.create_room, CreateRoomParams(region=Region.TOKYO), "app-1", room_id="r").answers(CREATED)
    client = AsyncHathoraCloud("t", app_id="app-1", server="http://h", transport=stub)
    with pytest.raises(AssertionError, match=text):
        await call(client)
    with pytest.raises(AssertionError, match="not asked: CreateRoom"):
        stub.done()
    assert await client.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), room_id="r") == CREATED
