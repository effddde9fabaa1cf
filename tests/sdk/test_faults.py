"""What a call does when the server or the line misbehaves, over real sockets and every HTTP library."""

from __future__ import annotations

import queue
import socket
import threading
from typing import Any

import pytest

from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region
from innkeeper.sdk import (
    AnswerUnreadable,
    Backoff,
    ConnectionFailed,
    DeadlineExceeded,
    NotFound,
    RateLimited,
    ServerError,
    StatusError,
)

from .conftest import Flavour
from .scripted import ROOM, STARTED, Drop, Reply, Server

PARAMS = CreateRoomParams(region=Region.TOKYO)


def test_a_503_is_tried_again(flavour: Flavour) -> None:
    with Server([Reply(503), Reply(200, ROOM)]) as server:
        client = flavour.client(server.url)
        answer = flavour.run(client.rooms_v2.get_room_info.raw("r-1"))
    assert answer.value.room_id == "r-1"
    assert answer.attempts == 2
    assert flavour.time.waits == [0.25]  # half of 0.5, by the chance that was handed in


def test_a_503_for_ever_ends_with_all_that_is_known(flavour: Flavour) -> None:
    with Server(Reply(503, {"message": "no room at the inn"}, {"X-Request-Id": "q-7"})) as server:
        client = flavour.client(server.url)
        error = flavour.fails(ServerError, lambda: client.rooms_v2.get_room_info("r-1"))
        assert len(server.seen) == 3
    assert (error.status, error.attempts, error.request_id) == (503, 3, "q-7")
    assert error.message == "no room at the inn"
    assert error.body == b'{"message": "no room at the inn"}'
    assert error.operation == "GetRoomInfo"
    assert "GetRoomInfo" in str(error)
    assert flavour.time.waits == [0.25, 0.5]


@pytest.mark.parametrize("header", ["7", "Fri, 15 Jan 2027 08:00:07 GMT"])
def test_retry_after_is_waited_for(flavour: Flavour, header: str) -> None:
    with Server([Reply(429, headers={"Retry-After": header}), Reply(201, STARTED)]) as server:
        client = flavour.client(server.url)
        assert flavour.run(client.rooms_v2.create_room(PARAMS)).process_id == "p-1"
    assert flavour.time.waits == [7.0]


def test_a_long_retry_after_is_an_error_at_once(flavour: Flavour) -> None:
    with Server(Reply(429, {"message": "tomorrow"}, {"Retry-After": "86400"})) as server:
        client = flavour.client(server.url)
        error = flavour.fails(RateLimited, lambda: client.rooms_v2.get_room_info("r-1"))
        assert len(server.seen) == 1
    assert error.retry_after == 86400
    assert "86400" in str(error)
    assert flavour.time.waits == []


def test_retry_after_past_the_deadline_is_an_error_at_once(flavour: Flavour) -> None:
    with Server(Reply(503, headers={"Retry-After": "6"})) as server:
        lefts: list[Any] = []
        client = flavour.client(server.url, timeout=10, on_request=lambda request: lefts.append(request.timeout))
        error = flavour.fails(ServerError, lambda: client.rooms_v2.get_room_info("r-1"))
    assert error.retry_after == 6
    assert flavour.time.waits == [6.0]
    assert lefts == [10, 4]  # each attempt is given what is left


@pytest.mark.parametrize("broken", [Drop(), Reply(200, ROOM, cut=0), Reply(200, ROOM, cut=5)])
def test_a_broken_connection_is_tried_again_where_it_is_safe(flavour: Flavour, broken: Reply | Drop) -> None:
    with Server([broken, Reply(200, ROOM)]) as server:
        client = flavour.client(server.url)
        assert flavour.run(client.rooms_v2.get_room_info.raw("r-1")).attempts == 2


def test_a_broken_connection_does_not_repeat_a_post(flavour: Flavour) -> None:
    with Server([Drop(), Reply(201, STARTED)]) as server:
        client = flavour.client(server.url)
        error = flavour.fails(ConnectionFailed, lambda: client.rooms_v2.create_room(PARAMS))
        assert len(server.seen) == 1
    assert error.sent
    assert error.attempts == 1
    assert error.__cause__ is not None


def test_a_broken_connection_repeats_a_post_with_a_key(flavour: Flavour) -> None:
    with Server([Drop(), Reply(201, STARTED)]) as server:
        client = flavour.client(server.url)
        flavour.run(client.rooms_v2.create_room.options(idempotency_key="k-1")(PARAMS))
        assert [seen.headers["idempotency-key"] for seen in server.seen] == ["k-1", "k-1"]


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_no_connection_is_tried_again_even_for_a_post(flavour: Flavour) -> None:
    client = flavour.client(f"http://127.0.0.1:{_closed_port()}")
    error = flavour.fails(ConnectionFailed, lambda: client.rooms_v2.create_room(PARAMS))
    assert not error.sent
    assert error.attempts == 3


def test_retries_of_connections_can_be_switched_off(flavour: Flavour) -> None:
    client = flavour.client(f"http://127.0.0.1:{_closed_port()}", retry=Backoff(connection_errors=False))
    error = flavour.fails(ConnectionFailed, lambda: client.rooms_v2.get_room_info("r-1"))
    assert error.attempts == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_post_is_not_repeated_without_a_key(flavour: Flavour, status: int) -> None:
    with Server([Reply(status), Reply(201, STARTED)]) as server:
        client = flavour.client(server.url)
        flavour.fails(ServerError, lambda: client.rooms_v2.create_room(PARAMS))
        assert len(server.seen) == 1


def test_a_post_is_repeated_with_a_key(flavour: Flavour) -> None:
    with Server([Reply(503), Reply(201, STARTED)]) as server:
        client = flavour.client(server.url)
        call = client.rooms_v2.create_room.options(idempotency_key="k-1")
        assert flavour.run(call.raw(PARAMS)).attempts == 2
        assert {seen.headers["idempotency-key"] for seen in server.seen} == {"k-1"}
        assert server.seen[0].json == server.seen[1].json == {"region": "Tokyo"}


@pytest.mark.parametrize("body", [b"<html><h1>Welcome</h1></html>", b"", b"\xff\xfe"])
def test_a_success_that_is_not_json_says_so(flavour: Flavour, body: bytes) -> None:
    with Server(Reply(200, body, {"Content-Type": "text/html"})) as server:
        client = flavour.client(server.url)
        error = flavour.fails(AnswerUnreadable, lambda: client.rooms_v2.get_room_info("r-1"))
        assert len(server.seen) == 1
    assert error.body == body
    assert ("it is empty" if not body else "not JSON") in str(error)
    if body.startswith(b"<"):
        assert "<h1>Welcome" in str(error)
        assert "text/html" in str(error)


def test_a_500_with_html_is_a_server_error(flavour: Flavour) -> None:
    with Server(Reply(500, b"<html>oh</html>", {"Content-Type": "text/html"})) as server:
        client = flavour.client(server.url)
        error = flavour.fails(ServerError, lambda: client.rooms_v2.get_room_info("r-1"))
    assert error.message == "Internal Server Error"
    assert error.body == b"<html>oh</html>"


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(404, {"message": "no such room"}), "no such room"),
        (Reply(404, {"message": 3}), "Not Found"),
        (Reply(404, b"no such room here\n", {"Content-Type": "text/plain"}), "no such room here"),
        (Reply(404, b"<html>"), "Not Found"),
        (Reply(404, b"\xff\x00"), "Not Found"),
        (Reply(404, b'{"message": "no su'), "Not Found"),
        (Reply(404, b""), "Not Found"),
        (Reply(404, b"x" * 5000, cut=5), "Not Found"),
    ],
)
def test_a_status_error_is_never_hidden_by_its_body(flavour: Flavour, reply: Reply, message: str) -> None:
    with Server(reply) as server:
        client = flavour.client(server.url)
        error = flavour.fails(NotFound, lambda: client.rooms_v2.get_room_info("r-1"))
        assert len(server.seen) == 1
    assert error.status == 404
    assert error.message in (message, "xxxxx")  # what arrived of a cut body may be kept


def test_a_redirect_is_not_followed(flavour: Flavour) -> None:
    with Server(Reply(302, headers={"Location": "/elsewhere"})) as server:
        client = flavour.client(server.url)
        error = flavour.fails(StatusError, lambda: client.rooms_v2.get_room_info("r-1"))
        assert len(server.seen) == 1
    assert error.status == 302


def test_new_fields_and_words_are_survived(flavour: Flavour) -> None:
    with Server(Reply(200, {**ROOM, "status": "hibernating", "colour": {"of": "door"}})) as server:
        client = flavour.client(server.url)
        room = flavour.run(client.rooms_v2.get_room_info("r-1"))
    assert room.status == "hibernating"
    assert not room.status.known


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"status": 3}, "$.status"),
        ({"allocations": [{"processId": 5}]}, "$.allocations[0]"),
        ({"roomId": ...}, "roomId"),
    ],
)
def test_a_wrong_answer_names_the_field(flavour: Flavour, change: dict[str, Any], where: str) -> None:
    body = {name: value for name, value in {**ROOM, **change}.items() if value is not ...}
    with Server(Reply(200, body)) as server:
        client = flavour.client(server.url)
        error = flavour.fails(AnswerUnreadable, lambda: client.rooms_v2.get_room_info("r-1"))
    assert where in str(error)
    assert b"app-1" in error.body


def test_any_success_status_is_a_success(flavour: Flavour) -> None:
    with Server(Reply(200, STARTED)) as server:  # 201 by the contract
        client = flavour.client(server.url)
        assert flavour.run(client.rooms_v2.create_room(PARAMS)).room_id == "r-1"


def test_an_id_never_leaves_its_segment(flavour: Flavour) -> None:
    with Server(Reply(204)) as server:
        client = flavour.client(server.url + "/base/")
        flavour.run(client.rooms_v2.destroy_room("../admin"))
        flavour.run(client.rooms_v2.destroy_room("a/b?c=d#e %2e ü"))
        assert [seen.target for seen in server.seen] == [
            "/base/rooms/v2/app-1/destroy/..%2Fadmin",
            "/base/rooms/v2/app-1/destroy/a%2Fb%3Fc%3Dd%23e%20%252e%20%C3%BC",
        ]
        for bad in ("", ".", ".."):
            flavour.fails(ValueError, lambda bad=bad: client.rooms_v2.destroy_room(bad))
        assert len(server.seen) == 2


def test_the_deadline_ends_a_call_that_gets_no_answer(flavour: Flavour) -> None:
    never = threading.Event()
    with Server(Reply(200, ROOM, until=never)) as server:
        client = flavour.client(server.url, timeout=0.2, real_time=True)
        error = flavour.fails(DeadlineExceeded, lambda: client.rooms_v2.get_room_info("r-1"))
        never.set()
    assert "0.2 s" in str(error)
    assert error.attempts == 1


def test_the_deadline_ends_an_answer_that_drips(flavour: Flavour) -> None:
    drops: queue.Queue[bytes | None] = queue.Queue()
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(0.02):
            drops.put(b" ")
        drops.put(None)

    thread = threading.Thread(target=drip)
    with Server(Reply(200, feed=drops)) as server:
        thread.start()
        client = flavour.client(server.url, timeout=0.3, real_time=True)
        flavour.fails(DeadlineExceeded, lambda: client.rooms_v2.get_room_info("r-1"))
        ended.set()
        thread.join()


def test_the_deadline_can_be_set_for_one_call(flavour: Flavour) -> None:
    never = threading.Event()
    with Server(Reply(200, ROOM, until=never)) as server:
        client = flavour.client(server.url, timeout=None, real_time=True)
        flavour.fails(DeadlineExceeded, lambda: client.rooms_v2.get_room_info.options(timeout=0.1)("r-1"))
        never.set()
