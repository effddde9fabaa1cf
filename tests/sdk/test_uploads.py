"""Uploading a build: from every kind of source, with progress, with parts that fail."""

from __future__ import annotations

import io
import logging
import re
import threading
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from innkeeper.sdk import AnswerUnreadable, ConnectionFailed, ServerError

from .conftest import Flavour
from .scripted import Drop, Reply, Seen, Server

CHUNK = 300_000
DATA = bytes(range(256)) * 4000  # 1,024,000 bytes: four parts, the last one shorter


class Store:
    """Takes builds in parts, as an object store behind the API does."""

    def __init__(self, *, fail: dict[int, list[Reply | Drop]] | None = None, complete: Reply | None = None) -> None:
        self.parts: dict[int, bytes] = {}
        self.completed = ""
        self._fail, self._complete = fail or {}, complete or Reply(200, b"<Done/>")
        self._lock = threading.Lock()
        self.server = Server(self._answer)
        self.at_once = self.most_at_once = 0

    def _answer(self, seen: Seen) -> Reply | Drop:
        if seen.target.startswith("/builds/v3/builds"):
            size = seen.json["buildSizeInBytes"]
            parts = [
                {"partNumber": n + 1, "putRequestUrl": f"{self.server.url}/store/{n + 1}?sig=a%2Fb"}
                for n in range(-(-size // CHUNK))
            ]
            build = {
                "buildId": seen.json.get("buildId", "bld-1"), "status": "created", "imageSize": 0, "orgId": "org-1",
                "createdAt": "2026-01-01T00:00:00Z", "createdBy": "me", "startedAt": None, "finishedAt": None,
                "deletedAt": None, "uploadParts": parts, "maxChunkSize": CHUNK,
                "completeUploadPostRequestUrl": f"{self.server.url}/store/complete",
            }  # fmt: skip
            return Reply(201, build)
        assert "authorization" not in seen.headers
        if seen.method == "POST":
            self.completed = seen.body.decode()
            return self._complete
        number = int(seen.target.split("/")[2].partition("?")[0])
        assert seen.target.endswith("?sig=a%2Fb")
        with self._lock:
            if self._fail.get(number):
                return self._fail[number].pop(0)
            self.parts[number] = seen.body
        return Reply(200, b"", {"ETag": f'"<{number}>"'})


def _bytes(folder: Path) -> bytes:
    return DATA


def _path(folder: Path) -> Path:
    path = folder / "build.tgz"
    path.write_bytes(DATA)
    return path


def _file(folder: Path) -> BinaryIO:
    file = io.BytesIO(b"before" + DATA)
    file.seek(6)
    return file


def _pipe(folder: Path) -> BinaryIO:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    return Pipe(DATA)


@pytest.mark.parametrize("source", [_bytes, _path, _file, _pipe])
def test_a_build_arrives_whole(flavour: Flavour, source: Any, tmp_path: Path) -> None:
    store = Store()
    told: list[tuple[int, int]] = []
    with store.server:
        client = flavour.client(store.server.url, real_time=True)
        build = flavour.run(
            client.upload_build(
                source(tmp_path), build_tag="v1", build_id="b-7", org_id="org-1", progress=lambda *n: told.append(n)
            )
        )
        first = store.server.seen[0]
    assert build.build_id == "b-7"
    assert first.target == "/builds/v3/builds?orgId=org-1"
    assert first.json == {"buildSizeInBytes": len(DATA), "buildTag": "v1", "buildId": "b-7"}
    assert b"".join(store.parts[n] for n in sorted(store.parts)) == DATA
    assert re.findall("<PartNumber>(.)</PartNumber><ETag>(.*?)</ETag>", store.completed) == [
        (str(n), f'"&lt;{n}&gt;"') for n in (1, 2, 3, 4)
    ]
    assert told == sorted(told)
    assert told[-1] == (len(DATA), len(DATA))
    assert len(told) >= 4


def test_a_part_that_fails_is_sent_again(flavour: Flavour) -> None:
    store = Store(fail={2: [Reply(500)], 3: [Drop(), Reply(503)]})
    told: list[int] = []
    with store.server:
        client = flavour.client(store.server.url)
        flavour.run(client.upload_build(DATA, progress=lambda sent, _: told.append(sent), parallel=1))
    assert b"".join(store.parts[n] for n in sorted(store.parts)) == DATA
    assert told == sorted(set(told))
    assert told[-1] == len(DATA)


def test_a_part_that_fails_for_ever_ends_the_upload(flavour: Flavour) -> None:
    store = Store(fail={1: [Reply(500)] * 9})
    with store.server:
        client = flavour.client(store.server.url)
        error = flavour.fails(ServerError, lambda: client.upload_build(DATA, parallel=2))
    assert error.operation == "UploadPart 1"
    assert not store.completed


def test_a_signed_link_is_not_told(flavour: Flavour, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(fail={1: [Drop()] * 9})
    with store.server, caplog.at_level(logging.DEBUG, "innkeeper.sdk"):
        client = flavour.client(store.server.url)
        error = flavour.fails(ConnectionFailed, lambda: client.upload_build(DATA))
    assert "UploadPart 1" in caplog.text
    assert "sig=" not in caplog.text + str(error) + repr(error)


def test_a_store_that_takes_its_success_back(default_flavour: Flavour) -> None:
    store = Store(complete=Reply(200, b"<?xml?><Error><Code>InternalError</Code></Error>"))
    with store.server:
        client = default_flavour.client(store.server.url)
        error = default_flavour.fails(AnswerUnreadable, lambda: client.upload_build(DATA))
    assert b"InternalError" in error.body


def test_a_part_without_an_etag(default_flavour: Flavour) -> None:
    store = Store(fail={2: [Reply(200)]})
    with store.server:
        client = default_flavour.client(store.server.url)
        assert "ETag" in str(default_flavour.fails(AnswerUnreadable, lambda: client.upload_build(DATA)))


def test_a_source_that_shrinks_meanwhile(default_flavour: Flavour) -> None:
    class Shrinking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return b""

    store = Store()
    with store.server:
        client = default_flavour.client(store.server.url)
        error = default_flavour.fails(ValueError, lambda: client.upload_build(Shrinking(DATA)))
    assert "changed while it was sent" in str(error)
