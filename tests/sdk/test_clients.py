"""How a client is made, and what each call can set otherwise."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import pytest

from innkeeper import sdk
from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbyVisibility
from innkeeper.contract.hathora.rooms_v2 import ConnectionInfoV2, CreateRoomParams, RoomsV2
from innkeeper.contract.hathora.words import Region
from innkeeper.sdk import Backoff, HathoraCloud, ServerError, Unauthorized

from .conftest import Flavour
from .scripted import ROOM, STARTED, Reply, Seen, Server

LOBBY = {
    "appId": "app-1", "roomId": "r-1", "region": "Tokyo", "visibility": "public", "shortCode": "abc",
    "createdAt": "2026-01-01T00:00:00Z", "createdBy": "p-1",
}  # fmt: skip
INFO = {"roomId": "r-1", "status": "active", "additionalExposedPorts": []}
PORT = {"host": "1.example", "port": 4711, "name": "default", "transportType": "udp"}


def test_everything_promised_is_there() -> None:
    assert sorted(sdk.__all__) == dir(sdk)
    for name in sdk.__all__:
        assert getattr(sdk, name) is not None
    with pytest.raises(AttributeError, match="Hathora2"):
        _ = sdk.Hathora2  # type: ignore[attr-defined]


def test_every_group_of_operations_is_a_property() -> None:
    client = HathoraCloud("t", server="http://127.0.0.1:9")
    groups = set(HATHORA.resources) - {"uploads"}  # links, which upload_build follows
    for name in groups:
        assert isinstance(getattr(client, name), HATHORA.resource(name))
        assert getattr(client, name) is getattr(client, name)


def test_what_a_call_carries(flavour: Flavour) -> None:
    with Server(Reply(201, STARTED)) as server:
        client = flavour.client(server.url + "/", headers={"X-Trace": "t-1"})
        flavour.run(
            client.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO, client_ips=["::1"]), room_id="r 1")
        )
        seen = server.seen[0]
    assert (seen.method, seen.target) == ("POST", "/rooms/v2/app-1/create?roomId=r%201")
    assert seen.json == {"region": "Tokyo", "clientIPs": ["::1"]}
    assert seen.headers["authorization"] == "Bearer secret-token"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["accept"] == "application/json"
    assert seen.headers["user-agent"].startswith("innkeeper-python/")
    assert seen.headers["x-trace"] == "t-1"


def test_an_app_of_the_call_wins_over_the_clients(default_flavour: Flavour) -> None:
    with Server(Reply(204)) as server:
        client = default_flavour.client(server.url)
        default_flavour.run(client.rooms_v2.destroy_room("r-1", "app-2"))
        default_flavour.run(client.rooms_v2.destroy_room("r-1", app_id="app-3"))
        default_flavour.run(client.rooms_v2.destroy_room("r-1"))
        assert [seen.target.split("/")[3] for seen in server.seen] == ["app-2", "app-3", "app-1"]


def test_an_organisation_travels_where_it_is_known(default_flavour: Flavour) -> None:
    with Server(Reply(200, {"builds": []})) as server:
        client = default_flavour.client(server.url, org_id="org-1")
        default_flavour.run(client.builds_v3.get_builds())
        default_flavour.run(client.builds_v3.get_builds(org_id="org-2"))
        default_flavour.run(client.builds_v3.get_builds(org_id=None))
        default_flavour.run(default_flavour.client(server.url).builds_v3.get_builds())
        assert [seen.target.partition("?")[2] for seen in server.seen] == ["orgId=org-1", "orgId=org-2", "", ""]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda c: c.rooms_v2.destroy_room("r-1"), "needs 'app_id': give it to this call, or to the client"),
        (lambda c: c.rooms_v2.destroy_room(), "needs 'room_id'"),
        (lambda c: c.rooms_v2.destroy_room("r", "a", "b"), "takes 2 arguments"),
        (lambda c: c.rooms_v2.destroy_room("r", room_id="s"), "'room_id' twice"),
        (lambda c: c.rooms_v2.destroy_room("r", room="s"), "no parameter 'room'"),
    ],
)
def test_a_wrong_call_is_a_type_error(default_flavour: Flavour, call: Any, text: str) -> None:
    client = default_flavour.client("http://127.0.0.1:9", app_id=None)
    assert text in str(default_flavour.fails(TypeError, lambda: call(client)))


def test_the_server_is_a_url_or_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def base(server: Any = None, **more: Any) -> str:
        return repr(HathoraCloud("t", server=server, **more)).split()[1].rstrip(">")

    assert base(0) == HATHORA.servers[0]
    assert base("https://a.example/inn/") == "https://a.example/inn"
    assert base("https://{where}.example", server_variables={"where": "eu"}) == "https://eu.example"
    monkeypatch.setenv("INNKEEPER_URL", "http://10.0.0.1:8080")
    assert base() == "http://10.0.0.1:8080"
    for bad in (7, -1, "ftp://a", "a.example", "https://", "https://a?b", "https://u:p@a", "https://{where}.example"):
        with pytest.raises(ValueError, match=r"server"):
            base(bad)


@pytest.mark.parametrize("kind", [sdk.HathoraCloud, sdk.AsyncHathoraCloud])
def test_a_token_goes_nowhere_that_was_not_named(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=rf'no server is named: .*{kind.__name__}\(token, server="http.*INNKEEPER_URL'):
        kind("t")
    monkeypatch.setenv("INNKEEPER_URL", "")
    with pytest.raises(ValueError, match="no server is named"):
        kind("t", app_id="a")


def test_a_stub_needs_no_server() -> None:
    stub = sdk.Stub()
    stub.expect(RoomsV2.destroy_room, "r-1")
    HathoraCloud("t", app_id="app-1", transport=stub).rooms_v2.destroy_room("r-1")
    stub.done()
    assert "stub.invalid" in repr(sdk.AsyncHathoraCloud("t", transport=sdk.AsyncStub()))


def test_the_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, default_flavour: Flavour) -> None:
    with Server(Reply(204)) as server:
        for name, token in (("", None), ("HATHORA_TOKEN", "h"), ("INNKEEPER_TOKEN", "i")):
            if token is not None:
                monkeypatch.setenv(name, token)
            default_flavour.run(default_flavour.client(server.url, None).rooms_v2.destroy_room("r"))
        assert [s.headers.get("authorization") for s in server.seen] == [None, "Bearer h", "Bearer i"]


def test_a_token_can_be_brought_for_every_call(default_flavour: Flavour) -> None:
    tokens = iter(["one", "two"])
    with Server([Reply(204)]) as server:
        client = default_flavour.client(server.url, lambda: next(tokens))
        default_flavour.run(client.rooms_v2.destroy_room("r"))
        default_flavour.run(client.rooms_v2.destroy_room("r"))
        assert [s.headers["authorization"] for s in server.seen] == ["Bearer one", "Bearer two"]


def test_each_kind_of_call_has_its_credential(default_flavour: Flavour) -> None:
    params = CreateLobbyV3Params(visibility=LobbyVisibility.PUBLIC, region=Region.TOKYO)

    def answer(seen: Seen) -> Reply:
        return Reply(201, LOBBY) if "lobby" in seen.target else Reply(200, INFO)

    with Server(answer) as server:
        client = default_flavour.client(server.url, player_token="player")
        run = default_flavour.run
        run(client.lobbies_v3.create_lobby(params))
        run(client.lobbies_v3.create_lobby.options(token="another")(params))
        run(client.lobbies_v3.create_lobby.options(token=None)(params))
        run(client.rooms_v2.get_connection_info("r-1"))
        run(client.rooms_v2.get_connection_info.options(token="mine")("r-1"))
        sent = [seen.headers.get("authorization") for seen in server.seen]
    assert sent == ["Bearer player", "Bearer another", None, None, "Bearer mine"]


def test_each_call_can_set_its_own(default_flavour: Flavour) -> None:
    with Server(Reply(500)) as one, Server(Reply(204)) as other:
        client = default_flavour.client(one.url, headers={"X-A": "1", "X-B": "1"})
        call = client.rooms_v2.destroy_room.options(server=other.url + "/p", headers={"x-a": "2"})
        default_flavour.run(call.options(token="t2")("r"))
        assert not one.seen
        seen = other.seen[0]
        assert seen.target == "/p/rooms/v2/app-1/destroy/r"
        assert (seen.headers["x-a"], seen.headers["x-b"]) == ("2", "1")
        assert seen.headers["authorization"] == "Bearer t2"
        again = client.rooms_v2.get_room_info.options(retry=Backoff(tries=5, first=1))
        assert default_flavour.fails(ServerError, lambda: again("r")).attempts == 5
        assert default_flavour.time.waits == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX-Evil: 1", "ü"])
def test_a_token_cannot_break_out_of_its_header(default_flavour: Flavour, token: str) -> None:
    client = default_flavour.client("http://127.0.0.1:9", token)
    error = default_flavour.fails(ValueError, lambda: client.rooms_v2.destroy_room("r"))
    assert token not in str(error)
    call = client.rooms_v2.destroy_room.options(headers={"x-a": token}, token="t")
    assert "x-a" in str(default_flavour.fails(ValueError, lambda: call("r")))


def test_raw_shows_what_the_wire_said(flavour: Flavour) -> None:
    with Server(Reply(200, ROOM, {"X-Request-Id": "q"})) as server:
        raw = flavour.run(flavour.client(server.url).rooms_v2.get_room_info.raw("r-1"))
    assert (raw.status, raw.attempts, raw.value.app_id) == (200, 1, "app-1")
    assert raw.headers["x-request-id"] == "q"
    assert b'"roomId"' in raw.body


def test_lists_numbers_and_words_in_a_query(default_flavour: Flavour) -> None:
    with Server(Reply(200, [])) as server:
        client = default_flavour.client(server.url)
        default_flavour.run(
            client.processes_v3.get_latest_processes(region=[Region.TOKYO, Region.SAO_PAULO], before=1.5)
        )
        default_flavour.run(client.processes_v3.get_latest_processes(region=[], before=1800000000.0))
        assert [seen.target.partition("?")[2] for seen in server.seen] == [
            "region=Tokyo&region=Sao_Paulo&before=1.5",
            "before=1800000000",
        ]


def test_pages_follow_a_token(default_flavour: Flavour) -> None:
    def answer(seen: Seen) -> Reply:
        page = seen.target.partition("nextPageToken=")[2]
        return Reply(200, {"deployments": [], **({"nextPageToken": str(int(page or 0) + 1)} if page != "2" else {})})

    with Server(answer) as server:
        client = default_flavour.client(server.url)
        pages = default_flavour.listed(client.deployments_v3.get_deployments.pages(build_tag="b"))
        assert len(pages) == 3
        assert [seen.target.partition("?")[2] for seen in server.seen] == [
            "buildTag=b", "buildTag=b&nextPageToken=1", "buildTag=b&nextPageToken=2",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("there", "full", "asked"),
    [
        (14, 10, ["", "before=4.5"]),
        (20, 10, ["", "before=10.5", "before=0.5"]),  # the last page was full: who asks on gets an empty one
        (45, 20, ["", "before=25.5", "before=5.5"]),  # a server whose pages are longer, as those with ties are
        (9, 10, [""]),
        (0, 10, [""]),
    ],
)
def test_pages_follow_the_last_of_a_full_list(
    default_flavour: Flavour, there: int, full: int, asked: list[str]
) -> None:
    def process(number: int) -> dict[str, Any]:
        times = dict.fromkeys(("scheduledAt", "bootedAt", "startedAt", "stoppingAt", "terminatedAt"))
        return {
            "processId": f"p-{number}", "appId": "app-1", "deploymentId": "d", "region": "Tokyo", "status": "starting",
            "exposedPort": None, "additionalExposedPorts": [], "roomsAllocated": 0, "roomsPerProcess": 1,
            "createdAt": f"1970-01-01T00:00:{number:02}.500Z", **times,
        }  # fmt: skip

    def answer(seen: Seen) -> Reply:
        before = float(seen.target.partition("before=")[2] or 99)
        return Reply(200, [process(n) for n in reversed(range(there)) if n + 0.5 < before][:full])

    with Server(answer) as server:
        client = default_flavour.client(server.url)
        pages = default_flavour.listed(client.processes_v3.get_latest_processes.pages())
        assert [process.process_id for page in pages for process in page] == [f"p-{n}" for n in reversed(range(there))]
        assert [seen.target.partition("?")[2] for seen in server.seen] == asked


def test_pages_end_where_a_server_goes_in_a_circle(default_flavour: Flavour) -> None:
    with Server(Reply(200, {"deployments": [], "nextPageToken": "same"})) as server:
        client = default_flavour.client(server.url)
        assert len(default_flavour.listed(client.deployments_v3.get_deployments.pages())) == 2
        assert len(server.seen) == 2


def test_pages_of_what_has_none_are_one(default_flavour: Flavour) -> None:
    with Server(Reply(200, ROOM)) as server:
        client = default_flavour.client(server.url)
        assert len(default_flavour.listed(client.rooms_v2.get_room_info.pages("r-1"))) == 1


def test_hooks_see_every_attempt_and_logs_no_secret(default_flavour: Flavour, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[str] = []
    answered: list[tuple[str, int]] = []
    with Server([Reply(503), Reply(200, ROOM)]) as server, caplog.at_level(logging.DEBUG, "innkeeper.sdk"):
        client = default_flavour.client(
            server.url,
            on_request=lambda request: asked.append(f"{request.operation} {request!r}"),
            on_response=lambda request, response: answered.append((request.operation, response.status)),
        )
        default_flavour.run(client.rooms_v2.get_room_info("r-1"))
    assert answered == [("GetRoomInfo", 503), ("GetRoomInfo", 200)]
    assert len(asked) == 2
    assert "GetRoomInfo" in caplog.text
    assert "attempt 1 failed" in caplog.text
    assert "secret-token" not in caplog.text + "".join(asked) + repr(client)


def test_an_error_of_a_status_is_of_its_class(default_flavour: Flavour) -> None:
    with Server(Reply(401, {"message": "who are you"})) as server:
        client = default_flavour.client(server.url)
        error = default_flavour.fails(Unauthorized, lambda: client.rooms_v2.destroy_room("r"))
    assert str(error) == "401 from DestroyRoom: who are you"


def test_waiting_for_a_room(default_flavour: Flavour) -> None:
    starting = Reply(200, {**INFO, "status": "starting"})
    with Server([starting] * 6 + [Reply(200, {**INFO, "exposedPort": PORT})]) as server:
        client = default_flavour.client(server.url)
        room = default_flavour.run(client.wait_until_active("r-1"))
        assert isinstance(room, ConnectionInfoV2)
        assert (room.room_id, room.status, room.exposed_port.host) == ("r-1", "active", "1.example")
        assert msgspec.to_builtins(room)["exposedPort"] == PORT
        # Soon at first, then ever less often.
        assert default_flavour.time.waits == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
        assert all("authorization" not in seen.headers for seen in server.seen)


def test_waiting_for_a_room_more_closely(default_flavour: Flavour) -> None:
    starting = Reply(200, {**INFO, "status": "starting"})
    with Server([starting] * 2 + [Reply(200, {**INFO, "exposedPort": PORT})]) as server:
        default_flavour.run(default_flavour.client(server.url).wait_until_active("r-1", every=0.02))
        assert default_flavour.time.waits == [0.02, 0.02]


def test_an_active_room_without_an_address_is_an_error(default_flavour: Flavour) -> None:
    with Server(Reply(200, INFO)) as server:
        client = default_flavour.client(server.url)
        error = default_flavour.fails(sdk.AnswerUnreadable, lambda: client.wait_until_active("r-1"))
    assert "without an exposedPort" in str(error)
    assert (error.status, error.attempts, b"active" in error.body) == (200, 1, True)


def test_waiting_for_a_room_that_never_comes(default_flavour: Flavour) -> None:
    with Server(Reply(200, {**INFO, "status": "starting"})) as server:
        client = default_flavour.client(server.url)
        error = default_flavour.fails(sdk.DeadlineExceeded, lambda: client.wait_until_active("r-1", timeout=3.5))
    assert "still starting after 3.5 s" in str(error)
    assert (default_flavour.time.waits, error.attempts) == ([0.1, 0.2, 0.4, 0.8, 1.0], 6)
