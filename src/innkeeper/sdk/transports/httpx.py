"""Sending over httpx or httpx2, with a client of the user's own or one made here. Called by ``drivers.py``.

The two libraries have the same words, so one text serves both: a class names the module it stands for.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from innkeeper.contract.errors import CallError, ConnectionFailed, DeadlineExceeded
from innkeeper.sdk.wire import AsyncPieces, Pieces, Request, Response

from .perloop import PerLoop, sent

if TYPE_CHECKING:
    import httpx
    import httpx2


class _Library:
    """What the sync and the async transport share: the module, and how its errors are called here."""

    module: ClassVar[str]

    def __init__(self, client: Any) -> None:
        self._given = client
        self._words: Any = import_module(self.module)

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """Of the clients made here. Loading the certificates takes 35 ms, so all of them share one context."""
        limits = self._words.Limits(max_connections=None, max_keepalive_connections=64)
        return {"follow_redirects": False, "limits": limits, "verify": self._words.create_ssl_context()}

    def _errors(self) -> tuple[type[Exception], ...]:
        return (self._words.RequestError, self._words.StreamError, OSError)

    def _failure(self, error: Exception) -> CallError:
        """The library's error in our words."""
        words = self._words
        if isinstance(error, words.TimeoutException | TimeoutError):
            return DeadlineExceeded(f"no answer in time: {error or type(error).__name__}")
        unseen = (words.ConnectError, words.ProxyError, words.UnsupportedProtocol)
        return ConnectionFailed(
            f"the connection failed: {error or type(error).__name__}", sent=not isinstance(error, unseen)
        )


class _Sync(_Library):
    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._own: Any = None
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def _client(self) -> Any:
        if self._given is not None:
            return self._given
        if self._own is None or os.getpid() != self._pid:
            with self._lock:
                if self._own is None or os.getpid() != self._pid:
                    self._own, self._pid = self._words.Client(**self._settings), os.getpid()
        return self._own

    def send(self, request: Request) -> Response:
        """Send it. Raises :class:`ConnectionFailed` or :class:`DeadlineExceeded`."""
        client = self._client()
        until = None if request.timeout is None else time.monotonic() + request.timeout
        timeout = self._words.Timeout(request.timeout, read=None) if request.stream else request.timeout
        ask = client.build_request(
            request.method, request.url, headers=request.headers, content=request.body, timeout=timeout
        )
        try:
            answer = client.send(ask, stream=True, follow_redirects=False)
        except self._errors() as error:
            raise self._failure(error) from error
        if request.stream:
            return Response(answer.status_code, answer.headers, stream=Pieces(self._pieces(answer), answer.close))
        return Response(answer.status_code, answer.headers, self._body(answer, until))

    def _body(self, answer: Any, until: float | None) -> bytes:
        parts: list[bytes] = []
        try:
            for piece in answer.iter_bytes():
                parts.append(piece)
                if until is not None and time.monotonic() >= until:
                    raise DeadlineExceeded("the answer did not end in time")
        except DeadlineExceeded:
            if answer.status_code < 400:
                raise
        except self._errors() as error:
            if answer.status_code < 400:
                raise self._failure(error) from error
        finally:
            answer.close()
        return b"".join(parts)

    def _pieces(self, answer: Any) -> Iterator[bytes]:
        try:
            yield from answer.iter_bytes()
        except self._errors() as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the client that was made here; a given one stays open."""
        if self._own is not None:
            self._own.close()
            self._own = None


class _Async(_Library):
    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._clients = PerLoop(lambda: self._words.AsyncClient(**self._settings), lambda own: own.aclose())

    async def send(self, request: Request) -> Response:
        """Send it. Raises :class:`ConnectionFailed` or :class:`DeadlineExceeded`."""
        client: Any = self._given if self._given is not None else self._clients.get()
        body = request.body
        ask = client.build_request(
            request.method,
            request.url,
            headers=request.headers,
            content=body if body is None or isinstance(body, bytes) else sent(body),
            timeout=None,
        )
        answer: Any = None
        try:
            async with asyncio.timeout(request.timeout):
                answer = await client.send(ask, stream=True, follow_redirects=False)
                if not request.stream:
                    return Response(answer.status_code, answer.headers, await answer.aread())
        except self._errors() as error:
            if answer is not None:
                await answer.aclose()
                if answer.status_code >= 400:
                    return Response(answer.status_code, answer.headers)
            raise self._failure(error) from error
        return Response(answer.status_code, answer.headers, stream=AsyncPieces(self._pieces(answer), answer.aclose))

    async def _pieces(self, answer: Any) -> AsyncIterator[bytes]:
        try:
            async for piece in answer.aiter_bytes():
                yield piece
        except self._errors() as error:
            raise self._failure(error) from error

    async def close(self) -> None:
        """Close the clients that were made here; a given one stays open."""
        await self._clients.close()


class HttpxTransport(_Sync):
    """For the sync client, over httpx: ``HathoraCloud(transport=HttpxTransport(httpx.Client(...)))``."""

    module = "httpx"

    def __init__(self, client: httpx.Client | None = None) -> None:
        super().__init__(client)


class AsyncHttpxTransport(_Async):
    """For the async client, over httpx. Without a client of yours it makes one for each event loop."""

    module = "httpx"

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        super().__init__(client)


class Httpx2Transport(_Sync):
    """For the sync client, over httpx2."""

    module = "httpx2"

    def __init__(self, client: httpx2.Client | None = None) -> None:
        super().__init__(client)


class AsyncHttpx2Transport(_Async):
    """For the async client, over httpx2. Without a client of yours it makes one for each event loop."""

    module = "httpx2"

    def __init__(self, client: httpx2.AsyncClient | None = None) -> None:
        super().__init__(client)
