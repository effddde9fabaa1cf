"""Webhooks and events through the command line, against a real Innkeeper and a receiver on loopback."""

from __future__ import annotations

import contextlib
import json
import sqlite3
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
    shown = innkeeper("webhooks", "show", name).stdout
    assert hook.url in shown
    assert "hold back" not in shown
    assert innkeeper.json("webhooks", "show", name)["waiting"] == 0
    told = innkeeper("webhooks", "change", name, "--disable", "--kinds", "room.*").stdout
    assert "disabled" in told
    refused = innkeeper("webhooks", "change", name, "--kinds", "", code=Code.USAGE)
    assert "--kinds names no event" in refused.stderr
    assert innkeeper.json("webhooks", "show", name)["kinds"] == ["room.*"]
    rotated = innkeeper.json("webhooks", "rotate", name)
    assert rotated["secret"] != secret
    assert "Delivered" in innkeeper("webhooks", "test", name).stdout
    for good in (secret, rotated["secret"]):
        assert verify_webhook(good, *hook.got[-1]).type == "webhook.test"
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
    until(lambda: len(innkeeper.json("webhooks", "deliveries", name, "--state", "delivered")) == 3)
    printed = innkeeper.lines("webhooks", "deliveries", name)[1]
    when = " ".join(printed[6:8])  # as it is printed: 2030-01-31 12:00:00Z
    for time in (when, when.replace(" ", "T"), one["createdAt"]):
        innkeeper("webhooks", "replay", name, "--since", time)
    refused = innkeeper("webhooks", "replay", name, "--since", "yesterday", code=Code.USAGE)
    assert "is no time: write one such as" in refused.stderr
    refused = innkeeper("webhooks", "replay", name, "--since", when, "--after", "0", code=Code.USAGE)
    assert "give one of --after and --since" in refused.stderr
    assert {json.loads(body)["id"] for _, body in hook.got} == {event.id}
    innkeeper("webhooks", "remove", name)


def test_one_that_is_always_refused_is_shown_and_skipped(innkeeper: Line, hook: Hook, deployed: dict[str, Any]) -> None:
    hook.status = 422
    name = innkeeper.json("webhooks", "add", hook.url, "--app", "first", "--kinds", "room.*")["webhookId"]
    room = innkeeper.json("rooms", "create", "--app", "first", "--wait")["roomId"]
    lines = until(lambda: innkeeper.json("webhooks", "show", name)["lines"], what="a line")
    first = lines[0]["first"]
    assert (first["type"], first["subject"], lines[0]["behind"] >= 1) == ("room.opened", room, True)
    shown = innkeeper("webhooks", "show", name)
    assert "Deliveries that hold back others:" in shown.stdout
    assert first["deliveryId"] in shown.stdout
    assert f"innkeeper webhooks skip {name} DELIVERY" in shown.stderr
    assert f"behind {first['deliveryId']}" in innkeeper("webhooks", "deliveries", name).stdout
    hook.status = 200
    assert innkeeper("webhooks", "skip", name, first["deliveryId"]).stdout == f"Skipped {first['deliveryId']}\n"
    [skipped] = innkeeper.json("webhooks", "deliveries", name, "--state", "given_up")
    assert skipped["lastError"].startswith("skipped by ")
    until(lambda: innkeeper.json("webhooks", "show", name)["waiting"] == 0)
    refused = innkeeper("webhooks", "skip", name, first["deliveryId"], code=Code.FAILED)
    assert "was given up already" in refused.stderr
    audited = innkeeper("audit", "--verb", "house.webhooks_v1.skip_delivery").stdout
    assert f"{name}/{first['deliveryId']}" in audited
    innkeeper("webhooks", "remove", name)


def test_who_follows_from_a_number_that_there_is_not_is_told_so(innkeeper: Line, deployed: dict[str, Any]) -> None:
    for words in (["--after", "5000000"], ["--after", "5000000", "--follow"]):
        refused = innkeeper("events", *words, code=Code.FAILED)
        assert "there is no event 5000000 on this Innkeeper, the last one is" in refused.stderr


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


def test_a_follower_lives_through_a_restore(innkeeper: Line, inn: RunningInn, deployed: dict[str, Any]) -> None:
    """The house is put back to when nothing had happened, while somebody follows: it is said, and they go on."""
    innkeeper("events")
    innkeeper("rooms", "create", "--app", "first")
    following = subprocess.Popen(
        inn.command("events", "--follow", "--after", "0", "--json"), env=inn.environment(), cwd=inn.folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    told: list[dict[str, Any]] = []
    said: list[str] = []
    lines, asides = following.stdout, following.stderr
    assert lines is not None
    assert asides is not None
    readers = [
        threading.Thread(target=lambda: told.extend(map(json.loads, lines))),
        threading.Thread(target=lambda: said.extend(asides)),
    ]
    for reader in readers:
        reader.start()
    try:
        until(lambda: told, what="an event")
        inn.stop()
        with contextlib.closing(sqlite3.connect(inn.data / "innkeeper.db")) as db, db:
            for table in ("deliveries", "events", "outbox"):
                db.execute(f"delete from {table}")
        inn.start()
        until(lambda: said, what="the warning")
        assert "on this Innkeeper, the last one is" in said[0] or "is another one on this Innkeeper" in said[0]
        assert "are told from here on" in said[0]
        room = innkeeper.json("rooms", "create", "--app", "first")["roomId"]
        until(lambda: [one for one in told if one["data"].get("room") == room], what="the new room")
    finally:
        following.kill()
        following.wait()
        for reader in readers:
            reader.join()
        lines.close()
        asides.close()
