"""What is given to the HTTP parser of what came in: the same, but for one blank in a head, however it was cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from innkeeper.api.tolerance import LINE_FEED, RIGHT, UNFINISHED, WRONG, AsSpelled, Mender


class Reader:
    """The real parser behind a mender, used as the server uses it, and all that it read."""

    def __init__(self, *, mends: bool = True) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.given = b""
        self.refused = False
        self.events: list[Any] = []
        self._mends, self._open = mends, False
        self._mender: Mender | None = None
        self._last = LINE_FEED

    def read(self, pieces: Sequence[bytes]) -> Reader:
        for piece in pieces:
            if self.refused or not piece:
                continue
            if self._mends and (self._mender or piece[-1] in UNFINISHED or WRONG in piece):
                mender = self._mender or Mender(self._feed, lambda: self._open, self._last == LINE_FEED)
                self._mender = mender if mender.take(piece) else None
            else:
                self._feed(piece)
            self._last = piece[-1]
        return self

    def acted_on(self) -> list[Any]:
        """All but what was read of a head that did not end: nobody acts on it, and the parser tells it by the piece."""
        acted = [at for at, event in enumerate(self.events) if event in ("head", "end") or event[0] == "body"]
        return self.events[: acted[-1] + 1] if acted else []

    def _feed(self, piece: bytes) -> bool:
        self.given += piece
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserError:
            self.refused = True
        return not self.refused

    def on_message_begin(self) -> None:
        self._open = True
        self.events.append("begin")

    def on_url(self, url: bytes) -> None:
        self._add("url", url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.events.append((name, value))

    def on_headers_complete(self) -> None:
        self._open = False
        self.events.append("head")

    def on_body(self, body: bytes) -> None:
        self._add("body", body)

    def on_message_complete(self) -> None:
        self.events.append("end")

    def _add(self, kind: str, data: bytes) -> None:
        if self.events[-1][0] == kind:
            data = self.events.pop()[1] + data
        self.events.append((kind, data))


def cuts(data: bytes, at: Sequence[int]) -> list[bytes]:
    places = [0, *sorted({place % (len(data) + 1) for place in at}), len(data)]
    return [data[first:last] for first, last in pairwise(places)]


PLACES = st.lists(st.integers(0, 2000), max_size=12)
#: What looks like a head where none is.
LURES = st.sampled_from([
    WRONG, RIGHT, b"\n" + WRONG, b"\r\n" + WRONG + b" x\r\n", b"Content-Type", b"\nContent-Typ", b"\nC", b" :",
    b"\r\n\r\n", b"POST / HTTP/1.1\r\n", b"0\r\n\r\n",
])  # fmt: skip
LINES = st.sampled_from([b"POST / HTTP/1.1\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n"])
BODIES = st.lists(LURES | st.binary(max_size=9), max_size=6).map(b"".join)
VALUES = st.lists(st.sampled_from([WRONG, b" : ", b"Content-Type", b"a", b"text/plain"]), max_size=3).map(b" ".join)
NAMES = st.sampled_from([b"X-Content-Type", b"content-type", b"Content-Types", b"C", b"Content-Type-Options", b"Host"])


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A request as it comes in, and as the parser shall have it."""
    lines = [name + b":" + draw(st.sampled_from([b"", b" "])) + value for name, value in draw(
        st.lists(st.tuples(NAMES, VALUES.map(bytes.strip)), max_size=4))]  # fmt: skip
    if draw(st.booleans()):
        lines.insert(draw(st.integers(0, len(lines))), WRONG + b" text/plain")
    body = draw(BODIES)
    if draw(st.booleans()):
        lines.append(b"Transfer-Encoding: chunked")
        pieces = [piece for piece in cuts(body, draw(PLACES)) if piece]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    else:
        lines.append(b"Content-Length: %d" % len(body))

    def head(lines: list[bytes]) -> bytes:
        return b"\r\n".join([b"POST /a:b/ HTTP/1.1", *lines, b"", b""])

    mended = [RIGHT + line[len(WRONG) :] if line.startswith(WRONG) else line for line in lines]
    return head(lines) + body, head(mended) + body


@settings(max_examples=400, deadline=None)
@given(sent=st.lists(messages(), min_size=1, max_size=3), at=PLACES)
def test_heads_are_mended_and_bodies_are_not(sent: list[tuple[bytes, bytes]], at: list[int]) -> None:
    came, wanted = (b"".join(side) for side in zip(*sent, strict=True))
    reader = Reader().read(cuts(came, at))
    assert reader.given == wanted
    assert not reader.refused
    assert reader.events == Reader(mends=False).read([wanted]).events
    assert reader.events.count("end") == len(sent)


@settings(max_examples=400, deadline=None)
@given(came=st.lists(LURES | LINES, max_size=12).map(b"".join), at=PLACES)
@example(came=b"POST / HTTP/1.1\r\nX: a\n" + WRONG + b" b\r\n\r\n", at=[])
@example(came=b"POST / HTTP/1.1\nContent-Type : b\r\n\r\n", at=[])
@example(came=b"POST / HTTP/1.1\r\n" + WRONG, at=[18, 30])
def test_what_is_read_does_not_depend_on_the_cuts(came: bytes, at: list[int]) -> None:
    plain, whole, cut = Reader(mends=False).read([came]), Reader().read([came]), Reader().read(cuts(came, at))
    assert cut.acted_on() == whole.acted_on()
    if not plain.refused:  # what needs no tolerance is as it was, but for what waits for the rest of a head
        assert came.startswith(cut.given)
        assert WRONG.startswith(came[len(cut.given) :])
    assert came.replace(b" ", b"").startswith(cut.given.replace(b" ", b""))  # nothing else is ever left out


def test_a_head_in_single_bytes() -> None:
    head = b"PUT / HTTP/1.1\r\nHost: inn\r\nContent-Type : a\r\nContent-Length: 15\r\n\r\n"
    came = head + b"\n" + WRONG
    reader = Reader().read([came[at : at + 1] for at in range(len(came))])
    assert reader.given == head.replace(WRONG, RIGHT) + b"\n" + WRONG
    assert reader.events[-3:] == ["head", ("body", b"\nContent-Type :"), "end"]


@pytest.mark.parametrize("body", [b"\nC", b"\nContent-Type", b"\nContent-Type ", b"C"])
def test_a_body_is_never_held_back(body: bytes) -> None:
    head = b"PUT / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    for pieces in ([head + body], [head, body], [head + body[:1], body[1:]]):
        assert Reader().read(pieces).events[-2:] == [("body", body), "end"]


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length : 3", b"Transfer-Encoding : chunked", b"Content-Type  : a", b"Content-Type\t: a",
        b" Content-Type : a", b"\tContent-Type : a", b"content-type : a", b"CONTENT-TYPE : a", b"Host : a",
        b"Cookie : a", b"Authorization : a", b"Content-Type : a\r\n b", b"Content-Type : a\nX: b",
        b"Content-Type : a\rX: b", b"Content-Type :\x00", b"Content-Type :: a\r\nContent-Length : 3",
        b"X\r\nContent-Type : a", b" : a", b"X-Content-Type : a",
    ],
)  # fmt: skip
def test_what_stays_refused(line: bytes) -> None:
    came = b"POST / HTTP/1.1\r\nHost: inn\r\n" + line + b"\r\n\r\n"
    for pieces in ([came], [came[at : at + 1] for at in range(len(came))], cuts(came, [len(came) - 5])):
        reader = Reader().read(pieces)
        assert reader.refused
        assert "head" not in reader.events


@pytest.mark.parametrize("trailer", [WRONG + b" a\r\n", b"X: b\r\n" + WRONG + b" a\r\n"])
def test_trailers_are_not_mended(trailer: bytes) -> None:
    came = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + trailer + b"\r\n"
    reader = Reader().read([came])
    assert reader.refused
    assert reader.events[-1] == "head"
    assert came.startswith(reader.given)


def test_a_name_keeps_its_letters() -> None:
    name = AsSpelled(b"ETag")
    assert (name.lower(), name.decode().lower(), name) == (b"ETag", "etag", b"ETag")
