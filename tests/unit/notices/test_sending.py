"""The sender, against receivers that no one should have to do with: real ones, on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from innkeeper.kit.clock import ManualClock
from innkeeper.kit.destinations import is_own
from innkeeper.notices.schedule import Answer
from innkeeper.notices.sending import Sender
from receivers import Receiver, receiver

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw(handle: Handle) -> AsyncIterator[str]:
    """A server that says what it wants; its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def sent(url: str, *, seconds: float = 5, anywhere: bool = True, times: int = 1) -> Answer:
    sender = Sender(ManualClock(), seconds=seconds)
    try:
        for _ in range(times):
            answer = await sender.send(url, {"webhook-id": "evt-1"}, b"{}", anywhere=anywhere)
        return answer
    finally:
        await sender.close()


def saying(text: bytes) -> Handle:
    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return handle


async def test_a_receiver_that_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw(handle) as url:
        assert await sent(url, seconds=0.1) == Answer(None, "no answer within 0.1 s")


async def test_a_head_that_came_in_time_counts() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        await writer.drain()
        await reader.read()

    async with raw(handle) as url:
        assert (await sent(url, seconds=0.2)).status == 200


async def test_an_endless_answer_is_left_after_four_kibibytes() -> None:
    written = 0

    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 500 No\r\n\r\n")
        while written < 1 << 30:
            writer.write(b"x" * 65536)
            written += 65536
            await writer.drain()

    async with raw(handle) as url:
        assert await sent(url) == Answer(500, "x" * 500)
    assert written < 64 << 20  # what the kernel took, and no more


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (b"HTTP/1.1 404 No\r\ncontent-length: 9\r\n\r\na\x00\x1b[1mb\r\n", Answer(404, "a [1mb")),
        (b"HTTP/1.1 429 No\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", Answer(429, "", 7.0)),
        (b"HTTP/1.1 302 No\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n", Answer(302, "")),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc", Answer(200, "abc")),
        (b"", Answer(None, "the receiver closed the connection without an answer")),
    ],
)  # fmt: skip
async def test_odd_answers(text: bytes, answer: Answer) -> None:
    async with raw(saying(text)) as url:
        assert await sent(url) == answer


async def test_what_is_no_http() -> None:
    async with raw(saying(b"220 smtp ready\r\n")) as url:
        answer = await sent(url)
        assert (answer.status, answer.told.startswith("the connection failed")) == (None, True)
    async with raw(saying(b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 100_000 + b"\r\n\r\n")) as url:
        assert not (await sent(url)).delivered


async def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert await sent(f"http://127.0.0.1:{port}/") == Answer(None, "the connection failed: Connection refused")
    assert (await sent("http://no-such-name.invalid/")).told == "there is no host of that name"
    answer = await sent(f"https://127.0.0.1:{port}/")
    assert (answer.status, "Connection refused" in answer.told) == (None, True)


async def test_private_addresses_are_refused_before_a_byte_is_sent() -> None:
    async with receiver() as hook:
        port = hook.url.split(":")[2]
        for host in ("127.0.0.1", "localhost", "0x7f000001", "[::ffff:127.0.0.1]"):
            answer = await sent(f"http://{host}:{port}", anywhere=False)
            assert answer.status is None
            assert "is not a public address" in answer.told, host
        for host in ("127.1", "2130706433", "127.0.0.1."):
            assert "is no address" in (await sent(f"http://{host}:{port}", anywhere=False)).told
        assert hook.got == []
        await _same(hook)


async def _same(hook: Receiver) -> None:
    """Who may send anywhere leaves no connection behind that others would use."""
    sender = Sender(ManualClock())
    try:
        assert (await sender.send(hook.url, {}, b"{}", anywhere=True)).delivered
        assert not (await sender.send(hook.url, {}, b"{}", anywhere=False)).delivered
    finally:
        await sender.close()


def test_addresses_of_this_machine_are_known() -> None:
    assert is_own("127.0.0.1")
    assert not is_own("192.0.2.1")


async def test_headers() -> None:
    async with receiver() as hook:
        assert (await sent(hook.url, times=2)).delivered
        [first, _] = hook.got
        assert first.headers["user-agent"].startswith("innkeeper/")
        assert first.headers["webhook-id"] == "evt-1"
        assert "accept-encoding" not in first.headers
        assert "cookie" not in first.headers
