"""Answers that arrive bit by bit, while the server still sends, and lines cut out of them."""

from __future__ import annotations

import queue
import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.sdk import ConnectionFailed, Gone
from innkeeper.sdk.streams import Lines

from .conftest import Flavour
from .scripted import Reply, Server

TEXT = {"Content-Type": "text/plain"}


def opened(flavour: Flavour, client: Any, **more: Any) -> Any:
    return flavour.run(client.logs_v1.get_logs_for_process("p-1", **more))


def test_lines_come_while_the_server_still_sends(flavour: Flavour) -> None:
    feed: queue.Queue[bytes | None] = queue.Queue()
    with Server(Reply(200, feed=feed, headers=TEXT)) as server:
        client = flavour.client(server.url, timeout=5, real_time=True)
        feed.put(b"one\ntw")
        stream = opened(flavour, client, follow=True, tail_lines=5)
        assert (stream.status, stream.headers["content-type"]) == (200, "text/plain")
        lines = stream.lines()

        def following() -> str:
            if not flavour.is_async:
                return str(next(lines))

            async def one() -> str:
                return str(await anext(lines))

            return str(flavour.run(one()))

        assert following() == "one"  # the answer has not ended: nothing more was sent yet
        feed.put(b"o\r\n")
        assert following() == "two"
        feed.put(b"three")
        feed.put(None)
        assert following() == "three"
        with pytest.raises((StopIteration, StopAsyncIteration)):
            following()
        flavour.run(stream.close())
        flavour.run(stream.close())
        assert server.seen[0].target == "/logs/v1/app-1/process/p-1?follow=true&tailLines=5"


def test_a_stream_can_be_read_whole(flavour: Flavour) -> None:
    feed: queue.Queue[bytes | None] = queue.Queue()
    for piece in (b"abc", b"\xff", b"def", None):
        feed.put(piece)
    with Server(Reply(200, feed=feed, headers=TEXT)) as server:
        stream = opened(flavour, flavour.client(server.url))
        assert flavour.run(stream.read()) == b"abc\xffdef"


def test_a_stream_that_is_left_lets_the_server_know(flavour: Flavour) -> None:
    feed: queue.Queue[bytes | None] = queue.Queue()
    gone = threading.Event()

    with Server(Reply(200, feed=feed, headers=TEXT)) as server:
        feed.put(b"first\n")
        stream = opened(flavour, flavour.client(server.url), follow=True)

        def pour() -> None:
            while not (server.left.is_set() or gone.wait(0.01)):
                feed.put(b"x" * 65536)

        if flavour.is_async:

            async def leave() -> None:
                async with stream:
                    async for _ in stream:
                        break

            flavour.run(leave())
        else:
            with stream:
                next(iter(stream))
        thread = threading.Thread(target=pour)
        thread.start()
        assert server.left.wait(5)
        gone.set()
        thread.join()


def test_another_thread_can_end_a_stream_that_is_silent() -> None:
    from innkeeper.sdk import HathoraCloud

    feed: queue.Queue[bytes | None] = queue.Queue()
    with (
        Server(Reply(200, feed=feed, headers=TEXT)) as server,
        HathoraCloud("t", app_id="a", server=server.url) as client,
    ):
        feed.put(b"one\n")
        stream = client.logs_v1.get_logs_for_process("p-1", follow=True)
        got_one, ended = threading.Event(), threading.Event()

        def read() -> None:
            try:
                for _ in stream.lines():
                    got_one.set()
            except ConnectionFailed:
                pass
            ended.set()

        thread = threading.Thread(target=read)
        thread.start()
        assert got_one.wait(5)
        stream.close()
        assert ended.wait(5)
        thread.join()
        feed.put(None)


def test_a_stream_that_breaks_off_is_an_error(flavour: Flavour) -> None:
    feed: queue.Queue[bytes | None] = queue.Queue()
    feed.put(b"one\n")
    feed.put(None)
    with Server(Reply(200, feed=feed, headers=TEXT, cut=0)) as server:
        stream = opened(flavour, flavour.client(server.url))
        flavour.fails(ConnectionFailed, stream.read)


def test_a_stream_that_is_refused_is_the_error_of_its_status(flavour: Flavour) -> None:
    with Server(Reply(410, {"message": "kept for 72 hours"})) as server:
        client = flavour.client(server.url)
        error = flavour.fails(Gone, lambda: opened(flavour, client))
    assert error.message == "kept for 72 hours"


def test_opening_a_stream_is_tried_again(flavour: Flavour) -> None:
    with Server([Reply(503), Reply(200, b"log", TEXT)]) as server:
        stream = opened(flavour, flavour.client(server.url))
        assert flavour.run(stream.read()) == b"log"


@given(st.lists(st.text(alphabet="ab\né\r"), max_size=8), st.lists(st.integers(0, 40), max_size=6))
def test_lines_do_not_depend_on_where_pieces_end(lines: list[str], cuts: list[int]) -> None:
    whole = "\n".join(lines).encode()
    places = sorted({0, len(whole), *(cut for cut in cuts if cut <= len(whole))})
    cutter = Lines()
    found = [line for a, b in pairwise(places) for line in cutter.feed(whole[a:b])]
    found += cutter.end()
    expected = whole.decode().split("\n")
    last = expected.pop()
    assert found == [line.removesuffix("\r") for line in expected] + ([last] if last else [])
