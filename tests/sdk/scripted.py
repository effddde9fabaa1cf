"""A small HTTP server of the tests' own, on loopback, that does what it is told: also what no real server should do."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int  #: which connection it came on, from 0

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What is answered. ``cut`` sends so many bytes of the body and breaks the connection; ``until`` waits before."""

    status: int = 200
    body: Any = None  #: bytes as they are, anything else as JSON
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    until: threading.Event | None = None
    feed: queue.Queue[bytes | None] | None = None  #: pieces of a chunked body, as they are put; None ends it

    def whole(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Drop:
    """Breaks the connection once the request is read."""


Script = Callable[[Seen], "Reply | Drop"]


class Server:
    """Answers by a function of the request, or by a list of replies of which the last is repeated."""

    def __init__(self, script: Script | list[Reply | Drop] | Reply, *, tls: ssl.SSLContext | None = None) -> None:
        if isinstance(script, Reply):
            script = [script]
        self.seen: list[Seen] = []
        self.accepted = 0
        self.left = threading.Event()  #: set when a caller went away while it was answered
        self._script, self._lock, self._tls = script, threading.Lock(), tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(None)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._stopped = False
        self._start(self._accept)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopped = True
        for sock in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(sock)
            self.accepted += 1
            self._start(self._serve, sock, self.accepted - 1)

    def _serve(self, sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ssl.SSLError), contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.closing(sock))
            if self._tls is not None:
                sock = stack.enter_context(self._tls.wrap_socket(sock, server_side=True))
                self._open.add(sock)
            file = stack.enter_context(sock.makefile("rb"))
            while (seen := _read(file, number)) is not None:
                with self._lock:
                    at = len(self.seen)
                    self.seen.append(seen)
                reply = self._script(seen) if callable(self._script) else self._script[min(at, len(self._script) - 1)]
                if isinstance(reply, Drop) or not self._answer(sock, reply):
                    # Reset, so that the caller sees a broken connection and not an orderly end.
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return

    def _answer(self, sock: socket.socket, reply: Reply) -> bool:
        if reply.until is not None:
            reply.until.wait(10)
        body = reply.whole()
        headers = {"content-type": "application/json", **{k.lower(): v for k, v in reply.headers.items()}}
        if reply.feed is not None:
            headers["transfer-encoding"] = "chunked"
        elif reply.status != 204:
            headers["content-length"] = str(len(body))
        head = f"HTTP/1.1 {reply.status} Whatever\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        try:
            if reply.feed is None:
                sock.sendall(head.encode() + (body if reply.cut is None else body[: reply.cut]))
                return reply.cut is None
            sock.sendall(head.encode())
            while (piece := reply.feed.get(timeout=10)) is not None:
                sock.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            if reply.cut is None:
                sock.sendall(b"0\r\n\r\n")
        except OSError:
            self.left.set()
            return False
        return reply.cut is None


def _read(file: Any, number: int) -> Seen | None:
    line = file.readline().decode("latin-1").split()
    if len(line) < 3:
        return None
    headers: dict[str, str] = {}
    while header := file.readline().decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(_chunks(file))
    else:
        body = file.read(int(headers.get("content-length", 0)))
    return Seen(line[0], line[1], headers, body, number)


def _chunks(file: Any) -> Iterator[bytes]:
    while size := int(file.readline(), 16):
        yield file.read(size)
        file.readline()
    file.readline()


ROOM = {
    "appId": "app-1",
    "roomId": "r-1",
    "status": "active",
    "currentAllocation": None,
    "allocations": [],
}

STARTED = {"roomId": "r-1", "processId": "p-1", "status": "starting", "additionalExposedPorts": []}
