"""Requests as bytes over a socket, and answers as lines: for tests of what no HTTP library would send or show."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from inns import PATIENCE


@dataclass
class RawAnswer:
    """An answer, with its head as it came."""

    status: int
    lines: list[str]  #: of the head, without the status line, in the letters that they came in
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def value(self, begins: str) -> str | None:
        """What follows in the line of the head that begins with exactly this."""
        found = [line.removeprefix(begins) for line in self.lines if line.startswith(begins)]
        assert len(found) < 2, self.lines
        return found[0] if found else None


class Line:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._socket.sendall(piece)

    def answer(self) -> RawAnswer:
        """The next answer on this connection."""
        first = self._file.readline()
        assert first.startswith(b"HTTP/1.1 "), first
        head: list[str] = []
        while (line := self._file.readline()) != b"\r\n":
            assert line.endswith(b"\r\n"), line
            head.append(line[:-2].decode("latin-1"))
        answer = RawAnswer(int(first.split()[1]), head, b"")
        if answer.status not in (100, 101, 204):
            answer.body = self._chunks() if answer.value("transfer-encoding: ") else self._whole(answer)
        return answer

    def read(self, count: int) -> bytes:
        """So many bytes of what is no HTTP any more."""
        return self._file.read(count)

    def ended(self) -> bool:
        """Whether the other side has closed, with nothing more to say."""
        return self._file.read(1) == b""

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _whole(self, answer: RawAnswer) -> bytes:
        length = answer.value("content-length: ")
        assert length is not None, answer.lines
        return self._file.read(int(length))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._file.readline(), 16):
            body += self._file.read(size)
            assert self._file.read(2) == b"\r\n"
        assert self._file.readline() == b"\r\n"
        return body


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    line = Line(port)
    try:
        yield line
    finally:
        line.close()


def head(port: int, *lines: str) -> bytes:
    """A request's head of these lines; ``{host}`` in them is where the inn answers."""
    return "".join(f"{line.replace('{host}', f'127.0.0.1:{port}')}\r\n" for line in [*lines, ""]).encode()


def exchange(port: int, lines: Sequence[str], body: bytes = b"") -> RawAnswer:
    """One request on a connection of its own. A body's length is announced by its own line, where the client has it."""
    with line_to(port) as line:
        line.send(head(port, *lines) + body)
        return line.answer()
