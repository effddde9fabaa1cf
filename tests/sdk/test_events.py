"""Following events over every HTTP library, and what a receiver of webhooks believes."""

from __future__ import annotations

import asyncio
import base64
import queue
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.kit.clock import SECOND
from innkeeper.kit.ids import Chance
from innkeeper.notices.model import Event as Told
from innkeeper.notices.signing import make_secret, signed_headers
from innkeeper.sdk import (
    AnswerUnreadable,
    Gone,
    Invalid,
    Unauthorized,
    WebhookRejected,
    verify_callback,
    verify_webhook,
)
from innkeeper.sdk.events import Frames, afollow, follow
from innkeeper.sdk.streams import Lines

from .conftest import Flavour
from .scripted import Drop, Reply, Server

SSE = {"Content-Type": "text/event-stream"}


def told(number: int, kind: str = "room.ended") -> Told:
    return Told(f"evt-{number}", "o", number, "app-1", kind, "r1", 1_800_000_000 * SECOND, '{"room":"r1"}')


def block(number: int) -> bytes:
    return b"id: %d\nevent: room.ended\ndata: %s\n\n" % (number, told(number).body())


def taken(flavour: Flavour, events: Any, count: int) -> list[int]:
    """The numbers of the first events; then the reader leaves."""
    if flavour.is_async:

        async def take() -> list[int]:
            async with asyncio.timeout(20):
                found: list[int] = []
                async for event in events:
                    found.append(event.number)
                    if len(found) == count:
                        break
                await events.aclose()
                return found

        return list(flavour.run(take()))
    found = [event.number for event in islice(events, count)]
    events.close()
    return found


def test_it_goes_on_where_it_was(flavour: Flavour) -> None:
    parts: list[Reply | Drop] = [
        Reply(200, b": listening\nid: 4\n\n" + block(5) + block(6), SSE),
        Drop(),
        Reply(503, {"message": "not now"}),
        Reply(200, b"id: 9\n\n", SSE),  # 7 to 9 were left out by the server
        Reply(200, b": listening\nid: 9\n\n" + block(10) + b"id: 11\nevent: room.en", SSE),
        Reply(200, block(11), SSE),
        Reply(200, b"", SSE, feed=queue.Queue()),
    ]
    with Server(parts) as server:
        client = flavour.client(server.url)
        assert taken(flavour, client.house.follow_events(kinds=["room.*", "host.up"], app_id="a"), 4) == [5, 6, 10, 11]
        targets = [seen.target for seen in server.seen]
        query = "kinds=room.%2A&kinds=host.up&appId=a"
        assert targets[0] == f"/house/v1/events/stream?{query}"
        asked = [target.partition("after=")[2].partition("&")[0] for target in targets]
        # A call that breaks is tried again by the client itself first.
        assert list(dict.fromkeys(asked)) == ["", "6", "9", "10"]
        assert server.seen[0].headers["accept"] == "text/event-stream"
    assert flavour.time.waits, "it was not in a hurry"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(401, {"message": "the token is not known here"}), Unauthorized),
        (Reply(422, {"message": "kinds: there is no event 'x'"}), Invalid),
        (Reply(200, b"id: 1\ndata: {broken\n\n", SSE), AnswerUnreadable),
        (Reply(200, b'id: 1\ndata: {"id":7}\n\n', SSE), AnswerUnreadable),
    ],
    ids=["token", "kind", "json", "shape"],
)
def test_what_time_does_not_mend_is_raised(flavour: Flavour, reply: Reply, error: type[Exception]) -> None:
    with Server([reply]) as server, pytest.raises(error):
        taken(flavour, flavour.client(server.url).house.follow_events(), 1)


def test_the_last_event_is_shown_when_it_goes_on(flavour: Flavour) -> None:
    gone = Reply(410, {"message": "seen: event 6 is another one on this Innkeeper"})
    parts = [Reply(200, block(5) + block(6) + b"id: 9\n\n", SSE), gone]
    with Server(parts) as server:
        events = flavour.client(server.url).house.follow_events(after=4, seen="4:evt-4")
        with pytest.raises(Gone, match="another one on this Innkeeper"):
            taken(flavour, events, 3)
        first, second = (seen.target.partition("?")[2] for seen in server.seen)
    assert first == "after=4&seen=4%3Aevt-4"
    assert second == "after=9&seen=6%3Aevt-6"


def test_a_connection_that_is_dead_is_left(default_flavour: Flavour) -> None:
    flavour = default_flavour
    feed: queue.Queue[bytes | None] = queue.Queue()
    feed.put(b": listening\nid: 4\n\n" + block(5))
    with Server([Reply(200, feed=feed, headers=SSE), Reply(200, block(6), SSE)]) as server:
        client = flavour.client(server.url, real_time=True)
        caller = client.house._caller
        events: Any = (afollow if flavour.is_async else follow)(caller, None, None, None, None, 0.3)
        assert taken(flavour, events, 2) == [5, 6]
        feed.put(None)


def test_a_stream_that_is_left_closes_its_connection(default_flavour: Flavour) -> None:
    feed: queue.Queue[bytes | None] = queue.Queue()
    feed.put(block(5))
    with Server([Reply(200, feed=feed, headers=SSE)]) as server:
        events = default_flavour.client(server.url, real_time=True).house.follow_events()
        assert taken(default_flavour, events, 1) == [5]
        while not server.left.is_set():
            feed.put(b": alive\n" * 10_000)
            server.left.wait(0.01)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 99)), max_size=8), st.randoms())
def test_frames_come_whole_however_they_are_cut(blocks: list[tuple[bool, int]], dice: Any) -> None:
    text = b": hello\r\n\r\nretry: 5\n\n" + b"".join(
        b"id:%d\ndata: a\ndata:  b\n\n" % number if has_data else b": x\nid: %d\n\n" % number
        for has_data, number in blocks
    )
    lines, frames, found = Lines(), Frames(), []
    while text:
        size = dice.randint(1, len(text))
        for line in lines.feed(text[:size]):
            if (frame := frames.feed(line)) is not None:
                found.append(tuple(frame))
        text = text[size:]
    assert found == [(str(number), "a\n b" if has_data else None) for has_data, number in blocks]


# Receiving

SECRET, OTHER = make_secret(Chance()), make_secret(Chance())
NOW = 1_800_000_000
BODY = told(7).body()
HEADERS = signed_headers([SECRET], "evt-7", NOW * SECOND, BODY)


def test_a_right_signature() -> None:
    event = verify_webhook(SECRET, HEADERS, BODY, now=NOW + 299)
    assert (event.number, event.type, event.data, event.app) == (7, "room.ended", {"room": "r1"}, "app-1")
    shouted = {name.upper(): value for name, value in HEADERS.items()}
    assert verify_webhook(SECRET, {**shouted, "Host": "x"}, BODY, now=NOW - 299) == event
    assert verify_webhook([OTHER, SECRET], HEADERS, BODY, now=NOW) == event
    both = signed_headers([OTHER, SECRET], "evt-7", NOW * SECOND, BODY)
    assert verify_webhook(SECRET, both, BODY, now=NOW) == verify_webhook(OTHER, both, BODY, now=NOW) == event
    assert verify_webhook(SECRET, HEADERS, BODY, tolerance=1e9) == event


@pytest.mark.parametrize(
    ("headers", "body", "now", "says"),
    [
        ({}, BODY, NOW, "webhook-id is missing"),
        ({**HEADERS, "webhook-timestamp": ""}, BODY, NOW, "no time"),
        ({**HEADERS, "webhook-timestamp": "-5"}, BODY, NOW, "no time"),
        ({**HEADERS, "webhook-timestamp": "9" * 400}, BODY, NOW, "no time"),
        ({**HEADERS, "webhook-timestamp": str(NOW + 1)}, BODY, NOW, "not one of this secret"),
        (HEADERS, BODY, NOW + 301, "too far from now"),
        (HEADERS, BODY, NOW - 301, "too far from now"),
        (HEADERS, BODY + b" ", NOW, "not one of this secret"),
        ({**HEADERS, "webhook-id": "evt-8"}, BODY, NOW, "not one of this secret"),
        ({**HEADERS, "webhook-signature": ""}, BODY, NOW, "not one of this secret"),
        ({**HEADERS, "webhook-signature": "v1,"}, BODY, NOW, "not one of this secret"),
        ({**HEADERS, "webhook-signature": HEADERS["webhook-signature"].replace("v1,", "v0,")}, BODY, NOW, "not one of"),
        ({**HEADERS, "webhook-signature": "v1,ü"}, BODY, NOW, "not one of this secret"),
        (signed_headers([OTHER], "evt-7", NOW * SECOND, BODY), BODY, NOW, "not one of this secret"),
        (signed_headers([SECRET], "evt-7", NOW * SECOND, b"[]"), b"[]", NOW, "the body is no event"),
    ],
)
def test_what_is_not_believed(headers: dict[str, str], body: bytes, now: float, says: str) -> None:
    with pytest.raises(WebhookRejected, match=says):
        verify_webhook(SECRET, headers, body, now=now)


def test_a_callback_is_believed_by_the_same_rules_whatever_it_says() -> None:
    for body in (b'{"request_id":"93924761ccde"}', b"[]", b"", b"\xff"):
        headers = signed_headers([SECRET], "cbk-7", NOW * SECOND, body)
        assert verify_callback([OTHER, SECRET], headers, body, now=NOW + 299) == body
        for more in (b" ", b"\x00"):
            with pytest.raises(WebhookRejected, match="not one of this secret"):
                verify_callback(SECRET, headers, body + more, now=NOW)
        with pytest.raises(WebhookRejected, match="too far from now"):
            verify_callback(SECRET, headers, body, tolerance=10, now=NOW + 11)
        with pytest.raises(WebhookRejected, match="not one of this secret"):
            verify_callback(OTHER, headers, body, now=NOW)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, by: int) -> None:
    changed = bytearray(BODY)
    changed[at] ^= by
    with pytest.raises(WebhookRejected):
        verify_webhook(SECRET, HEADERS, bytes(changed), now=NOW)


def test_a_secret_that_is_none_is_the_receivers_own_mistake() -> None:
    with pytest.raises(ValueError, match="the secret is not one of a webhook") as caught:
        verify_webhook("whsec_!", HEADERS, BODY, now=NOW)
    assert not isinstance(caught.value, WebhookRejected)
    assert base64.b64decode(SECRET.removeprefix("whsec_"))
