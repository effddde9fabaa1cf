"""The ASGI application: finds the endpoint, reads the body, lets it answer, and turns refusals into vendor faults.

Made by ``inn.py`` and run by uvicorn; tests call it without a socket. Whatever goes wrong inside one request is logged
and answered with 500 (a stream that is under way is broken off), and the next request is served.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from innkeeper.contract.operation import Api
from innkeeper.kit.errors import HouseError, TimedOut, TooLarge
from innkeeper.kit.waiting import within

from .faults import fault_body, retry_after, said_in, status_for
from .pages import Pages
from .router import Router
from .serve import Endpoint, handler_of
from .tally import Tally
from .visits import Visit, Wings

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_JSON = (b"content-type", b"application/json")
_CORS = (b"access-control-allow-origin", b"*")
_PREFLIGHT: Headers = [
    _CORS,
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    # Some browsers do not read `*` as every name, and it never stands for the first. None sends cookies by it.
    (b"access-control-allow-headers", b"authorization, content-type, idempotency-key, user-agent, *"),
    (b"access-control-max-age", b"86400"),
]


class ClientGone(Exception):
    """The client closed the connection before it was answered."""


@cache
def _routes(apis: tuple[Api, ...]) -> Router[Endpoint]:
    """Where each operation is answered: the same for every house of a process."""
    router: Router[Endpoint] = Router()
    for api in apis:
        for operation in api.operations():
            handler = handler_of(operation)
            if handler is not None:
                router.add(operation.method, operation.path, Endpoint(operation, handler), operation.slashed)
            elif operation.id not in api.not_yet:
                raise LookupError(f"{operation!r} has no handler and no row in NOT_YET")
    return router


class App:
    """Answers APIs at their own paths, and the house's own pages beside it."""

    def __init__(
        self,
        apis: Sequence[Api],
        wings: Wings,
        pages: Pages,
        tally: Tally,
        *,
        max_body: int = 4 << 20,
        body_seconds: float = 30.0,
    ) -> None:
        self._wings = wings
        self._pages = pages
        self._tally = tally
        self._max_body = max_body
        self._body_seconds = body_seconds
        self._closing = asyncio.Event()
        self._serial = time.time_ns() & 0xFFFFFFFF
        #: Where a proxy hands paths on as they came, what stands before ours: ``/cloud``, or nothing.
        self._prefix = urlsplit(wings.settings.public_url).path.rstrip("/")
        self._router = _routes(tuple(apis))

    def close(self) -> None:
        """Streams end from now on, so that nobody waits for those that follow a log."""
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._pages.websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        path = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
        endpoint, values, methods = self._router.find(method, path)
        if endpoint is None and self._prefix and path.startswith(f"{self._prefix}/"):
            path = path.removeprefix(self._prefix)
            endpoint, values, methods = self._router.find(method, path)
        if endpoint is None and (plain := _without_slips(path)) != path:
            endpoint, values, methods = self._router.find(method, plain)
        if endpoint is None:
            await self._elsewhere(scope, receive, send, method, path, methods)
            return
        begun = time.perf_counter()
        status = 500
        try:
            status = await self._answer(endpoint, values, scope, receive, send)
        except ClientGone:
            status = 499
        finally:
            operation = endpoint.operation
            self._tally.add(operation.api.name, operation.id, status, time.perf_counter() - begun)

    async def _answer(self, endpoint: Endpoint, values: list[str], scope: Scope, receive: Receive, send: Send) -> int:
        operation = endpoint.operation
        headers = dict(scope["headers"])
        self._serial += 1
        common: Headers = [(b"x-request-id", b"%08x" % self._serial)]
        if b"origin" in headers:
            common.append(_CORS)
        try:
            client = scope.get("client")
            visit = Visit(self._wings, headers, client[0] if client else "", scope.get("scheme", "http"))
            await endpoint.authorize(visit, values)
            body: bytes | AsyncIterator[bytes] = b""
            if endpoint.uploads:
                body = self._pieces(receive)
            elif b"content-length" in headers or b"transfer-encoding" in headers:
                body = await self._read(headers, receive)
            arguments = endpoint.arguments(values, scope["query_string"], body)
            if "org_id" in arguments:
                await endpoint.enter(visit, arguments["org_id"])
            answer = await endpoint.perform(visit, values, arguments)
            if operation.streams:
                head = [*common, (b"content-type", operation.media.encode()), *visit.answer_headers]
                return await self._stream(answer, operation.status, head, receive, send)
            whole = endpoint.encode(answer)
            status = visit.status or operation.status
            common += visit.answer_headers
            if status == 204:
                whole = b""
            else:
                common.append(_JSON)
        except HouseError as error:
            status = status_for(error, operation.errors, operation.api.name)
            whole = fault_body(said_in(operation.api.name, str(error)))
            common.append(_JSON)
            wait = retry_after(error)
            if wait is not None:
                common.append((b"retry-after", b"%d" % max(1, round(wait))))
        except ClientGone:
            raise
        except Exception:
            log.exception("answering %s failed (request %08x)", operation.id, self._serial)
            status, whole = 500, fault_body(f"something broke inside; the log tells more (request {self._serial:08x})")
            common.append(_JSON)
        if status != 204:
            common.append((b"content-length", b"%d" % len(whole)))
        await send({"type": "http.response.start", "status": status, "headers": common})
        await send({"type": "http.response.body", "body": whole})
        return status

    async def _stream(
        self, pieces: AsyncIterator[bytes], status: int, headers: Headers, receive: Receive, send: Send
    ) -> int:
        """Send pieces as they come, until they end, the client goes, or the house closes."""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        ends: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(_disconnected(receive)),
            asyncio.ensure_future(self._closing.wait()),
        }
        piece: asyncio.Future[bytes | None] | None = None
        try:
            while True:
                piece = asyncio.ensure_future(_next(pieces))
                await asyncio.wait({piece, *ends}, return_when=asyncio.FIRST_COMPLETED)
                if not piece.done():
                    break
                data = piece.result()  # what goes wrong here breaks the connection off: the status is out already
                if data is None:
                    break
                await send({"type": "http.response.body", "body": data, "more_body": True})
        finally:
            waiting = {*ends, *([] if piece is None else [piece])}
            for one in waiting:
                one.cancel()
            await asyncio.wait(waiting)  # pieces can be closed only when nobody waits for the next one
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()
        await send({"type": "http.response.body", "body": b""})
        return status

    async def _read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        length = headers.get(b"content-length")
        if length is not None and length.isdigit() and int(length) > self._max_body:
            raise TooLarge(f"the body has {int(length)} bytes; at most {self._max_body} are taken")
        message = await self._receive(receive)
        body: bytes = message.get("body", b"")
        while message.get("more_body"):
            message = await self._receive(receive)
            body += message.get("body", b"")
            if len(body) > self._max_body:
                raise TooLarge(f"the body is longer than the {self._max_body} bytes that are taken")
        return body

    async def _receive(self, receive: Receive) -> MutableMapping[str, Any]:
        try:
            message = await within(self._body_seconds, receive())
        except TimeoutError:
            raise TimedOut(f"the body did not come within {self._body_seconds:g} s") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        return message

    async def _pieces(self, receive: Receive) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._receive(receive)
            yield message.get("body", b"")
            more = message.get("more_body", False)

    async def _elsewhere(
        self, scope: Scope, receive: Receive, send: Send, method: str, path: str, methods: tuple[str, ...] | Any
    ) -> None:
        """Preflights, the house's own pages, and what is not there."""
        if method == "OPTIONS":
            await _send_whole(send, 204, _PREFLIGHT, b"")
        elif methods:
            allow = (b"allow", ", ".join(sorted(methods)).encode())
            text = fault_body(f"{path} does not take {method}; it takes {', '.join(sorted(methods))}")
            await _send_whole(send, 405, [_JSON, allow, _CORS], text)
        else:
            try:
                if not await self._pages.answer(method, path, scope, send):
                    await _send_whole(send, 404, [_JSON, _CORS], fault_body(f"there is nothing at {path}"))
            except HouseError as error:  # nothing was sent yet: a page is made before its head goes out
                await _send_whole(send, status_for(error, ()), [_JSON, _CORS], fault_body(str(error)))


def _without_slips(path: str) -> str:
    """A path without slashes that came of a base URL with one at its end, and without those at its own."""
    return "/" + path.strip("/")


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_whole(send: Send, status: int, headers: Headers, body: bytes) -> None:
    length = [] if status == 204 else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body})
