"""Object stores through the guard: a real one on loopback, and one that leads elsewhere."""

from __future__ import annotations

import asyncio
import base64
import random
import re
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from innkeeper.hosting.storing.bucket import Buckets, Missing, Trouble, Where
from innkeeper.hosting.storing.guard import Guard
from innkeeper.kit.ids import Chance
from objectstores import ObjectStore, object_store


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as opened:
        yield opened


@pytest.fixture
async def guard() -> AsyncIterator[Guard]:
    opened = Guard(Chance(random.Random(1)))
    yield opened
    await opened.close()


def where_of(store: ObjectStore, *, anywhere: bool = True) -> Where:
    return Where(store.endpoint, store.bucket, store.key_id, store.secret, anywhere)


async def pieces(*texts: bytes) -> AsyncIterator[bytes]:
    for text in texts:
        yield text


async def trouble(call: object) -> str:
    with pytest.raises(Trouble) as caught:
        await call  # type: ignore[misc]
    return str(caught.value)


async def test_what_is_put_is_listed_fetched_and_linked(guard: Guard, store: ObjectStore, tmp_path: Path) -> None:
    buckets, where = Buckets(guard), where_of(store)
    assert await buckets.put(where, "a/one.log", pieces(b"hello ", b"world")) == 11
    assert await buckets.put(where, "a/one.log", pieces(b"again")) == 5
    assert await buckets.put(where, "a/none.log", pieces()) == 0
    assert await buckets.put(where, "b.log", pieces(b"b")) == 1
    assert [(one.path, one.size) for one in await buckets.list(where, "a", 10)] == [("a/one.log", 5)]
    assert len(await buckets.list(where, "", 10)) == 2
    assert len(await buckets.list(where, "", 0)) == 1  # one more than asked for
    taken: list[int] = []
    await buckets.fetch(where, "a/one.log", tmp_path / "one", taken.append)
    assert ((tmp_path / "one").read_bytes(), sum(taken)) == (b"again", 5)
    link = await buckets.link(where, "a/one.log")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert await asyncio.to_thread(lambda: opener.open(link).read()) == b"again"
    assert "X-Amz-Expires=3600" in link


async def test_a_fetch_that_is_refused_room_leaves_nothing(guard: Guard, store: ObjectStore, tmp_path: Path) -> None:
    store.put("big", b"x" * 5000)

    def take(size: int) -> None:
        raise Trouble("no room")

    assert await trouble(Buckets(guard).fetch(where_of(store), "big", tmp_path / "big", take)) == "no room"
    assert not (tmp_path / "big").exists()


async def test_what_goes_wrong_in_reading_a_stream_is_no_fault_of_the_bucket(guard: Guard, store: ObjectStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield b"x" * (1 << 20)
        raise KeyError("its host went away")

    with pytest.raises(KeyError):
        await Buckets(guard).put(where_of(store), "broken.log", broken())
    assert "broken.log" not in set(store.keys())


async def test_a_store_that_cannot_be_reached_is_told_so(guard: Guard, store: ObjectStore) -> None:
    buckets, where = Buckets(guard), where_of(store)
    gone = replace(where, endpoint="http://127.0.0.1:1")
    assert "cannot be reached: Connection refused" in await trouble(buckets.list(gone, "", 1))
    assert "there is no bucket" in await trouble(buckets.list(replace(where, bucket="nowhere"), "", 1))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_who_may_reach_public_addresses_alone_reaches_no_other(
    guard: Guard, store: ObjectStore, host: str
) -> None:
    where = replace(where_of(store, anywhere=False), endpoint=store.endpoint.replace("127.0.0.1", host))
    text = await trouble(Buckets(guard).put(where, "x", pieces(b"x")))
    assert "is not a public address" in text
    assert "x" not in set(store.keys())


async def test_a_redirect_leads_to_no_private_address_either(guard: Guard) -> None:
    """The guard looks at every connection, so one to a store that it allows gives no right to another."""
    asked: list[bytes] = []

    async def inner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    hidden = await asyncio.start_server(inner, "127.0.0.1", 0)
    proxy = await guard.url(anywhere=False)
    found = re.fullmatch(r"http://public:[0-9a-f]{32}@127\.0\.0\.1:(\d+)", proxy)
    assert found is not None
    port = hidden.sockets[0].getsockname()[1]

    def ask() -> int:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy}))
        try:
            opener.open(f"http://127.0.0.1:{port}/latest/meta-data", timeout=10)
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    assert await asyncio.to_thread(ask) == 502
    assert asked == []
    hidden.close()


class Silent:
    """A store that takes connections, and never answers."""

    def __init__(self) -> None:
        self.asked, self.left = asyncio.Event(), asyncio.Event()

    async def open(self) -> str:
        self.server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        await reader.read()
        self.left.set()
        writer.close()


@pytest.fixture
async def silent() -> AsyncIterator[Silent]:
    found = Silent()
    yield found
    found.server.close()


async def test_a_store_that_never_answers_is_left_when_nobody_waits_for_it_any_more(
    guard: Guard, silent: Silent
) -> None:
    url = await silent.open()
    proxy = urlsplit(await guard.url(anywhere=True))
    word = base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
    _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(f"GET {url}/a HTTP/1.1\r\nproxy-authorization: Basic {word}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        await silent.asked.wait()
        writer.close()
        await silent.left.wait()


async def test_a_store_that_is_slow_to_tell_its_region_holds_up_no_link(
    guard: Guard, store: ObjectStore, silent: Silent
) -> None:
    where = replace(where_of(store), endpoint=await silent.open())
    async with asyncio.timeout(10):
        link = await Buckets(guard, patience=0.05).link(where, "a")
    assert "us-east-1" in link


async def test_an_object_that_is_not_there_is_missing(guard: Guard, store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(Missing, match="there is no object none in bucket"):
        await Buckets(guard).fetch(where_of(store), "none", tmp_path / "none", lambda size: None)


async def test_nobody_else_may_use_the_guard(guard: Guard, store: ObjectStore) -> None:
    proxy = await guard.url(anywhere=True)
    for wrong in (re.sub("anywhere:[0-9a-f]+", "anywhere:guess", proxy), re.sub("anywhere:[^@]+@", "", proxy)):

        def ask(wrong: str = wrong) -> int:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": wrong}))
            try:
                opener.open(store.endpoint, timeout=10)
            except urllib.error.HTTPError as error:
                return error.code
            return 200

        assert await asyncio.to_thread(ask) == 407


async def test_nothing_of_the_environment_is_used_for_a_strangers_bucket(
    guard: Guard, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("AWS_SESSION_TOKEN", "the-machines-own"), ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
        ("AWS_SKIP_SIGNATURE", "true"), ("AWS_REQUEST_PAYER", "true"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    link = await Buckets(guard).link(where_of(store), "a")
    assert link.startswith(f"{store.endpoint}/{store.bucket}/a?")
    assert "the-machines-own" not in link
    assert "payer" not in link
    assert "X-Amz-Signature" in link
