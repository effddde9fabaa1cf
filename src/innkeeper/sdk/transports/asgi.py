"""Calling an ASGI application in this process, without a socket: for tests, and programs that hold an inn themselves.

``AsgiTransport`` serves the async client and calls the application on the running loop; ``SyncAsgiTransport`` serves
the sync one over a loop in a thread of its own, or over the loop the application lives in. The application's start and
shut-down (its ``lifespan``) stay with whoever made it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from innkeeper.contract.errors import ConnectionFailed, DeadlineExceeded
from innkeeper.sdk.wire import AsyncPieces, Pieces, Request, Response

Message = MutableMapping[str, Any]
App = Callable[[Any, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


class _Exchange:
    """One request inside the application: what it receives, and what it has sent."""

    def __init__(self, request: Request) -> None:
        self.began: asyncio.Future[tuple[int, dict[str, str]]] = asyncio.get_running_loop().create_future()
        self.pieces: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(16)
        self.left = asyncio.Event()  #: the caller is gone
        self._body = iter((request.body or b"",)) if isinstance(request.body, bytes | None) else iter(request.body)
        self._head: tuple[int, dict[str, str]] = (500, {})

    async def receive(self) -> Message:
        piece = next(self._body, None)
        if piece is not None:
            return {"type": "http.request", "body": piece, "more_body": True}
        if not self.left.is_set() and self._body is not _DONE:
            self._body = _DONE
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in message.get("headers", ())}
            self.began.set_result((message["status"], headers))
        elif message["type"] == "http.response.body":
            if body := message.get("body", b""):
                await self.pieces.put(body)
            if not message.get("more_body", False):
                await self.pieces.put(None)

    async def run(self, app: App, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self.receive, self.send)
            ended: Exception | None = None
        except Exception as error:
            ended = ConnectionFailed(f"the application failed: {error!r}")
            ended.__cause__ = error
        if not self.began.done():
            self.began.set_exception(ended or ConnectionFailed("the application ended without an answer"))
        await self.pieces.put(ended)


_DONE: Iterator[bytes] = iter(())


class AsgiTransport:
    """Sends to an ASGI application on the running event loop. ``client`` is the address it is told the caller has."""

    def __init__(self, app: App, *, client: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self._app, self._client = app, client
        self._after: set[asyncio.Task[None]] = set()

    async def send(self, request: Request) -> Response:
        """Call the application. A failure of it is a :class:`ConnectionFailed` with its error as the cause."""
        exchange = _Exchange(request)
        task = asyncio.ensure_future(exchange.run(self._app, self._scope(request)))
        try:
            async with asyncio.timeout(request.timeout):
                status, headers = await exchange.began
                if not request.stream:
                    body = b"".join([piece async for piece in _pieces(exchange)])
                    # What the application does after its answer, it may do to the end.
                    self._after.add(task)
                    task.add_done_callback(self._after.discard)
                    exchange.left.set()
                    return Response(status, headers, body)
        except TimeoutError as error:
            await _leave(exchange, task)
            raise DeadlineExceeded("no answer in time") from error
        except BaseException:
            await _leave(exchange, task)
            raise
        return Response(status, headers, stream=AsyncPieces(_pieces(exchange), lambda: _leave(exchange, task)))

    def _scope(self, request: Request) -> dict[str, Any]:
        url = urlsplit(request.url)
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": url.scheme,
            "path": unquote(url.path),
            "raw_path": url.path.encode(),
            "root_path": "",
            "query_string": url.query.encode(),
            "headers": [
                (b"host", url.netloc.encode()),
                *((name.encode(), value.encode("latin-1")) for name, value in _whole(request)),
            ],
            "client": self._client,
            "server": (url.hostname, url.port or (443 if url.scheme == "https" else 80)),
        }

    async def close(self) -> None:
        """Wait for what the application still does after its answers."""
        here = asyncio.get_running_loop()
        if mine := [task for task in self._after if task.get_loop() is here]:
            await asyncio.wait(mine)


def _whole(request: Request) -> list[tuple[str, str]]:
    """The headers, with the length that an HTTP library would add."""
    headers = list(request.headers.items())
    if isinstance(request.body, bytes):
        headers.append(("content-length", str(len(request.body))))
    return headers


async def _pieces(exchange: _Exchange) -> AsyncIterator[bytes]:
    while (piece := await exchange.pieces.get()) is not None:
        if isinstance(piece, Exception):
            raise piece
        yield piece


async def _leave(exchange: _Exchange, task: asyncio.Task[None]) -> None:
    """Tell the application that its caller is gone, and end it where it does not hear."""
    exchange.left.set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class SyncAsgiTransport:
    """Sends to an ASGI application from any thread.

    ``loop`` is the loop the application lives in, running in another thread; without it the application is called on
    a loop of this transport's own.
    """

    def __init__(self, app: App, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._inner = AsgiTransport(app)
        self._lock = threading.Lock()
        self._given = loop
        self._own: tuple[asyncio.AbstractEventLoop, threading.Thread] | None = None

    def _loop(self) -> asyncio.AbstractEventLoop:
        if self._given is not None:
            return self._given
        with self._lock:
            if self._own is None:
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=loop.run_forever, name="innkeeper-sdk-asgi", daemon=True)
                thread.start()
                self._own = loop, thread
            return self._own[0]

    def send(self, request: Request) -> Response:
        """Call the application and wait for its answer."""
        loop = self._loop()
        answer = asyncio.run_coroutine_threadsafe(self._inner.send(request), loop).result()
        source = answer.stream
        if not isinstance(source, AsyncPieces):
            return answer

        def pieces() -> Iterator[bytes]:
            async def following() -> bytes | None:
                return await anext(aiter(source), None)

            while (piece := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
                yield piece

        async def close() -> None:
            await source.close()

        return Response(
            answer.status,
            answer.headers,
            stream=Pieces(pieces(), lambda: asyncio.run_coroutine_threadsafe(close(), loop).result()),
        )

    def close(self) -> None:
        """End the loop of its own."""
        with self._lock:
            own, self._own = self._own, None
        if own is not None:
            loop, thread = own
            asyncio.run_coroutine_threadsafe(self._inner.close(), loop).result()
            asyncio.run_coroutine_threadsafe(loop.shutdown_asyncgens(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
