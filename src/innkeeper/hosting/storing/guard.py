"""The one way out to object stores and registries whose addresses strangers have chosen. Used by ``bucket.py``, and by
``registrytalk.py`` for registries that nobody but their caller vouches for.

The library that speaks to object stores looks names up and follows redirects by itself. So it is given a proxy: this
one, on loopback, which looks at every address before it connects to it, and connects to that very address. Who asks
for no more than public addresses gets no others, whatever a name stands for by then. TLS goes through it unread.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from innkeeper.kit.destinations import is_forbidden, not_public
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import same

#: Seconds for the head of a request, and for a connection to one address.
_HEAD, _CONNECT = 10.0, 5.0
_MOST_HEAD = 1 << 16
_CHUNK = 1 << 17
#: Hosts whose last trouble is remembered.
_REMEMBERED = 1000
#: Said by those who may be sent anywhere, and by those who may not.
_ANYWHERE, _PUBLIC = "anywhere", "public"


class Ask(NamedTuple):
    """What the head of a request asks a proxy for."""

    host: str
    port: int
    tunnel: bool  #: what follows is not for us to read
    head: bytes  #: for the server itself; empty for a tunnel
    length: int  #: of the body that follows the head
    said: str  #: by which the asker says who it is


class Unreadable(Exception):
    """The head is none that the library writes."""


def read_head(head: bytes) -> Ask:
    """What is asked for. Raises Unreadable. Pure.

    The head for the server names its path alone, and asks it to close the connection after the one answer.
    """
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    try:
        method, target, version = first.split(" ")
        fields = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        known = {name.lower(): value for name, value in fields}
        said = base64.b64decode(known.get("proxy-authorization", "").removeprefix("Basic ")).decode()
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host, port = parts.hostname, parts.port
        length = int(known.get("content-length", "0"))
    except (ValueError, UnicodeDecodeError):
        raise Unreadable from None
    if not host or length < 0 or "transfer-encoding" in known or not (method == "CONNECT" or parts.scheme == "http"):
        raise Unreadable
    if method == "CONNECT":
        return Ask(host, port or 443, True, b"", 0, said)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = [f"{name}: {value}" for name, value in fields if not _between_us(name)]
    plain = "\r\n".join([f"{method} {path} {version}", *kept, "connection: close", "", ""])
    return Ask(host, port or 80, False, plain.encode("latin-1"), length, said)


def _between_us(name: str) -> bool:
    return name.lower() in ("connection", "keep-alive") or name.lower().startswith("proxy-")


class Guard:
    """The proxy. It listens once it is asked for its address."""

    def __init__(self, chance: Chance) -> None:
        self._words = {_ANYWHERE: chance.hex(32), _PUBLIC: chance.hex(32)}
        self._server: asyncio.Server | None = None
        self._opening = asyncio.Lock()
        self._under_way: set[asyncio.Task[None]] = set()
        self._troubles: OrderedDict[str, str] = OrderedDict()

    async def url(self, *, anywhere: bool) -> str:
        """For the library: the proxy's address, with the word by which it knows what this asker may."""
        async with self._opening:
            if self._server is None:
                self._server = await asyncio.start_server(self._take, "127.0.0.1", 0, limit=_MOST_HEAD)
        port = self._server.sockets[0].getsockname()[1]
        who = _ANYWHERE if anywhere else _PUBLIC
        return f"http://{who}:{self._words[who]}@127.0.0.1:{port}"

    def trouble(self, host: str) -> str | None:
        """Why the last connection to a host did not come about; None where it did."""
        return self._troubles.get(host)

    async def close(self) -> None:
        """Listen no more, and let go of all connections."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD):
                ask = read_head(await reader.readuntil(b"\r\n\r\n"))
            who, _, word = ask.said.partition(":")
            if not same(word, self._words.get(who, self._words[_PUBLIC])):
                writer.write(_refusal(407, "this is for the house alone"))
                return
            try:
                up_reader, up_writer = await _connect(ask, anywhere=who == _ANYWHERE)
            except OSError as error:
                self._note(ask.host, _why(error))
                writer.write(_refusal(502, _why(error)))
                return
            self._note(ask.host, None)
            try:
                await _relay(ask, reader, writer, up_reader, up_writer)
            finally:
                up_writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, Unreadable):
            return  # who asked sees that there is no answer
        finally:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT):
                    await writer.drain()
            writer.close()

    def _note(self, host: str, trouble: str | None) -> None:
        self._troubles.pop(host, None)
        if trouble is not None:
            self._troubles[host] = trouble
            while len(self._troubles) > _REMEMBERED:
                self._troubles.popitem(last=False)


async def _connect(ask: Ask, *, anywhere: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first of its addresses that takes one. All of them have to be allowed. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(ask.host, ask.port, type=socket.SOCK_STREAM)
    addresses: Sequence[str] = list(dict.fromkeys(str(one[4][0]) for one in found))
    for address in addresses:
        if not anywhere and await is_forbidden(address.partition("%")[0]):
            raise NotPublic(not_public(address))
    last: OSError = OSError("it has no address")
    for address in addresses:
        try:
            async with asyncio.timeout(_CONNECT):
                return await asyncio.open_connection(address, ask.port, limit=_MOST_HEAD)
        except TimeoutError:
            last = OSError(f"no connection to {address} within {_CONNECT:g} s")
        except OSError as error:
            last = error
    raise last


class NotPublic(OSError):
    """A name stands for an address that may not be sent to."""


def _why(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "there is no host of that name"
    return os.strerror(error.errno) if error.errno else str(error)


def _refusal(status: int, text: str) -> bytes:
    body = text.encode()
    return f"HTTP/1.1 {status} Refused\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body


async def _relay(
    ask: Ask,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    up_reader: asyncio.StreamReader,
    up_writer: asyncio.StreamWriter,
) -> None:
    """Both ways until the server has said all, or who asked has gone."""
    if ask.tunnel:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        sending = asyncio.create_task(_pump(reader, up_writer, None))
    else:
        up_writer.write(ask.head)
        sending = asyncio.create_task(_ask(reader, up_writer, ask.length))
    answering = asyncio.create_task(_pump(up_reader, writer, None))
    try:
        await asyncio.wait({answering, sending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, answering):
            task.cancel()
        await asyncio.gather(sending, answering, return_exceptions=True)


async def _ask(source: asyncio.StreamReader, into: asyncio.StreamWriter, length: int) -> None:
    """The body of one request. Who asked stays for the answer, which may be long in coming: back when nobody does."""
    with contextlib.suppress(OSError):  # a server that takes no more of it may have said why
        await _pump(source, into, length)
    while await source.read(_CHUNK):
        pass


async def _pump(source: asyncio.StreamReader, into: asyncio.StreamWriter, most: int | None) -> None:
    left = most
    while left is None or left > 0:
        text = await source.read(_CHUNK if left is None else min(_CHUNK, left))
        if not text:
            return
        left = None if left is None else left - len(text)
        into.write(text)
        await into.drain()
