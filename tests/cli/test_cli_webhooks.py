"""Webhooks and events through the command line, against a real Innkeeper and a receiver on loopback."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from innkeeper.cli.failures import Code
from innkeeper.sdk import verify_webhook
from inns import RunningInn, until

from .conftest import Line


class Hook:
    """A receiver in a thread."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                hook.got.append((dict(self.headers), body))
                self.send_response(hook.status)
                self.send_header("content-length", "5")
                self.end_headers()
                self.wfile.write(b"hello")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()
    yield found
    found.close()


def test_the_life_of_a_webhook(innkeeper: Line, hook: Hook) -> None:
    assert "There is no webhook" in innkeeper("webhooks", "list").stderr
    result = innkeeper("webhooks", "add", hook.url, "--kinds", "build.*,room.ended", "--note", "chat")
    secret = result.stdout.strip()
    [own] = innkeeper.json("webhooks", "list")
    name = own["webhookId"]
    assert secret.startswith("whsec_")
    assert name in result.stderr
    assert (own["kinds"], own["note"], own["enabled"], "secret" in own) == (
        ["build.*", "room.ended"],
        "chat",
        True,
        False,
    )
    assert "hello" in innkeeper("webhooks", "test", name).stdout
    headers, body = hook.got[0]
    assert verify_webhook(secret, headers, body).type == "webhook.test"
    assert "url" in innkeeper("webhooks", "show", name).stdout
    told = innkeeper("webhooks", "change", name, "--disable", "--kinds", "room.*").stdout
    assert "disabled" in told
    rotated = innkeeper.json("webhooks", "rotate", name)
    assert rotated["secret"] != secret
    assert innkeeper("webhooks", "remove", name).stdout == f"Removed {name}\n"
    refused = innkeeper("webhooks", "show", name, code=Code.NOT_FOUND)
    assert f"there is no webhook {name}" in refused.stderr


def test_what_was_delivered_and_once_more(innkeeper: Line, hook: Hook, deployed: dict[str, Any]) -> None:
    made = innkeeper.json(
        "webhooks", "add", hook.url, "--app", "first", "--kinds", "room.opened", "--kinds", "room.ended"
    )
    name = made["webhookId"]
    room = innkeeper.json("rooms", "create", "--app", "first")["roomId"]
    until(lambda: hook.got, what="the event")
    headers, body = hook.got[0]
    event = verify_webhook(made["secret"], headers, body)
    assert (event.type, event.data["room"]) == ("room.opened", room)
    [one] = until(lambda: innkeeper.json("webhooks", "deliveries", name, "--state", "delivered"))
    assert (one["type"], one["attempts"], one["lastStatus"]) == ("room.opened", 1, 200)
    assert innkeeper.lines("webhooks", "deliveries", name)[1][:3] == [
        one["deliveryId"],
        str(event.number),
        "room.opened",
    ]
    assert innkeeper.json("webhooks", "redeliver", name, one["deliveryId"]) == {"redelivered": [one["deliveryId"]]}
    until(lambda: len(hook.got) == 2)
    until(lambda: len(innkeeper.json("webhooks", "deliveries", name, "--state", "delivered")) == 2)
    assert "1 event" in innkeeper("webhooks", "replay", name, "--after", str(event.number - 1)).stdout
    until(lambda: len(hook.got) == 3)
    assert {json.loads(body)["id"] for _, body in hook.got} == {event.id}
    innkeeper("webhooks", "remove", name)


def test_events_are_listed_and_followed(innkeeper: Line, inn: RunningInn, deployed: dict[str, Any]) -> None:
    innkeeper("events")
    following = subprocess.Popen(
        inn.command("events", "--follow", "--kinds", "room.*", "--json"), env=inn.environment(), cwd=inn.folder,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    told: list[dict[str, Any]] = []
    assert following.stdout is not None
    lines = following.stdout
    reading = threading.Thread(target=lambda: told.extend(map(json.loads, lines)))
    reading.start()
    try:
        opened: list[str] = []

        def first() -> bool:  # a follower tells what comes after it has begun to listen: when that is nobody knows
            opened.append(innkeeper.json("rooms", "create", "--app", "first")["roomId"])
            return bool(told)

        until(first)
        assert told[0]["data"]["room"] in opened
        inn.restart()
        late = innkeeper.json("rooms", "create", "--app", "first")["roomId"]
        of_late = until(lambda: [one for one in told if one["data"]["room"] == late])
        assert of_late[0]["type"] == "room.opened"
    finally:
        following.kill()
        following.wait()
        reading.join()
        lines.close()
    listed = innkeeper.json("events", "--kinds", "room.opened", "--app", "first")
    assert [one["data"]["room"] for one in listed][-1] == late
    assert f"room={late}" in innkeeper("events", "--limit", "500").stdout
    assert innkeeper.json("events", "--after", str(listed[0]["number"]), "--limit", "1")[0]["number"] == (
        listed[0]["number"] + 1
    )


def test_what_goes_wrong_is_told(innkeeper: Line, hook: Hook) -> None:
    refused = innkeeper("webhooks", "add", "example.org/hook", code=Code.FAILED)
    assert "url: write the whole one" in refused.stderr
    refused = innkeeper("webhooks", "add", hook.url, "--kinds", "room.closed", code=Code.FAILED)
    assert "there is no event 'room.closed'" in refused.stderr
    refused = innkeeper("events", "--kinds", "romo.*", code=Code.FAILED)
    assert "did you mean room.*?" in refused.stderr
    name = innkeeper.json("webhooks", "add", hook.url)["webhookId"]
    hook.status = 500
    refused = innkeeper("webhooks", "test", name, "--json", code=Code.FAILED)
    assert json.loads(refused.stderr)["error"]["answer"] == 500
    innkeeper("webhooks", "replay", name, code=Code.USAGE)
    innkeeper("webhooks", "change", name, "--app", "first", "--every-app", code=Code.USAGE)
    innkeeper("webhooks", "remove", name)
    unreachable = innkeeper("events", "--follow", "--url", "http://127.0.0.1:9", "--token", "x", code=Code.UNREACHABLE)
    assert "does not answer" in unreachable.stderr
