"""Whole lines out of pieces, and one server's output as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innkeeper.engines.base import HostUnavailable
from innkeeper.hosting.following import LONGEST_LINE, Follower, Lines, Missing
from innkeeper.hosting.model import Cause
from innkeeper.hosting.queries.rooms import wanted_server

SERVER = wanted_server("s", "app", "dep", "tokyo", 1, 0, Cause.ASKED, None, 1, 2)


@given(st.lists(st.text(alphabet="ab\n", max_size=9).map(str.encode)))
def test_nothing_is_lost_and_only_whole_lines_come_out(pieces: list[bytes]) -> None:
    lines, out, text = Lines(), b"", b""
    for piece in pieces:
        told = lines.feed(piece)
        assert told == b"" or told.endswith(b"\n")
        out, text = out + told, text + piece
        assert lines.begun == len(text.splitlines())
    assert out == text[: text.rfind(b"\n") + 1]
    assert out + lines.end() == text + (b"" if text.endswith(b"\n") or not text else b"\n")
    assert lines.end() == b""


def test_a_line_without_end_is_ended_where_it_is_too_long() -> None:
    lines = Lines()
    assert lines.feed(b"x" * LONGEST_LINE) == b""
    assert lines.feed(b"y") == b"x" * LONGEST_LINE + b"y\n"
    assert lines.feed(b"z\n") == b"z\n"
    assert lines.feed(b"whole\n" + b"x" * (LONGEST_LINE + 1)) == b"whole\n" + b"x" * (LONGEST_LINE + 1) + b"\n"


async def followed(*pieces: bytes | Exception) -> tuple[Follower, list[bytes]]:
    closed = asyncio.Event()

    async def come() -> AsyncGenerator[bytes]:
        try:
            for piece in pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            closed.set()

    news = asyncio.Event()
    follower, told = Follower(SERVER, come(), news), []
    while not follower.over:
        news.clear()
        if text := follower.take():
            told.append(text)
        else:
            await asyncio.wait_for(news.wait(), 5)
            await asyncio.sleep(0)
    assert closed.is_set()
    await follower.close()
    return follower, told


async def test_a_follower_tells_whole_lines_to_the_end() -> None:
    follower, told = await followed(b"a\nb", b"", b"c\n", b"d")
    assert (told, follower.broken) == ([b"a\n", b"bc\n", b"d\n"], False)


async def test_more_than_waits_at_a_time_is_told_all_the_same() -> None:
    _, told = await followed(*(b"%d\n" % number for number in range(100)))
    assert b"".join(told).split() == [b"%d" % number for number in range(100)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Missing("host far does not answer"), b"[host far does not answer]\n"),
        (HostUnavailable("?"), b"[the output of server s could not be read further]\n"),
    ],
)
async def test_what_breaks_off_is_told_in_a_line_of_its_own(error: Exception, said: bytes) -> None:
    follower, told = await followed(b"a\nhalf", error)
    assert b"".join(told) == b"a\nhalf\n" + said
    assert follower.broken


async def test_a_follower_that_is_closed_reads_no_further() -> None:
    ended = asyncio.Event()

    async def come() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"more\n"
        finally:
            ended.set()

    follower = Follower(SERVER, come(), asyncio.Event())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await follower.close()
    assert ended.is_set()
    assert follower.take() == b"more\n"  # what had come may be told still
