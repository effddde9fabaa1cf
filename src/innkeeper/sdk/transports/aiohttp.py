"""The async client's own transport, over aiohttp: one session for each event loop, closed with it.

Called by ``drivers.py``. A session dies with its loop and is not taken over by a forked child.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from innkeeper.contract.errors import CallError, ConnectionFailed, DeadlineExceeded
from innkeeper.sdk.wire import AsyncPieces, Request, Response

from .perloop import PerLoop, sent
from .proxies import proxy_for

if TYPE_CHECKING:
    import ssl

_ERRORS = (aiohttp.ClientError, OSError, asyncio.TimeoutError)


class AiohttpTransport:
    """Sends over aiohttp.

    ``tls`` replaces the system's certificates and settings; ``proxy`` is the URL of an HTTP proxy for everything (None:
    as the environment says; ``""``: none at all); ``connections`` is how many are open at once at most.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, proxy: str | None = None, connections: int = 100) -> None:
        self._tls, self._proxy, self._connections = tls, proxy, connections
        self._proxies: dict[str, URL | None] = {}
        self._sessions = PerLoop(self._make, aiohttp.ClientSession.close)

    def _make(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, ssl=True if self._tls is None else self._tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("accept", "accept-encoding", "content-type", "user-agent"),
        )
        # aiohttp would repeat a GET or PUT by itself, unseen by the engine and with a body that is read already.
        session._retry_connection = False  # pyright: ignore[reportPrivateUsage]
        return session

    async def send(self, request: Request) -> Response:
        """Send it. Raises :class:`ConnectionFailed` or :class:`DeadlineExceeded`."""
        session, url = self._sessions.get(), URL(request.url, encoded=True)
        body = request.body
        try:
            # A streamed answer's deadline ends when it begins, which aiohttp's own total does not.
            async with asyncio.timeout(request.timeout if request.stream else None):
                answer = await session.request(
                    request.method,
                    url,
                    headers=request.headers,
                    data=body if body is None or isinstance(body, bytes) else sent(body),
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None if request.stream else request.timeout),
                    proxy=self._proxy_of(url),
                )
        except _ERRORS as error:
            raise _failure(error) from error
        if request.stream:
            return Response(answer.status, answer.headers, stream=AsyncPieces(_pieces(answer), lambda: _end(answer)))
        try:
            return Response(answer.status, answer.headers, await answer.read())
        except _ERRORS as error:
            answer.close()
            if answer.status >= 400:
                return Response(answer.status, answer.headers)  # the status says more than its lost text
            raise _failure(error) from error
        except BaseException:
            answer.close()  # cancelled
            raise

    async def close(self) -> None:
        """Close all sessions."""
        await self._sessions.close()

    def _proxy_of(self, url: URL) -> URL | None:
        origin = f"{url.scheme}://{url.raw_authority}"
        if origin not in self._proxies:
            proxy = proxy_for(origin, os.environ) if self._proxy is None else self._proxy
            self._proxies[origin] = URL(proxy) if proxy else None
        return self._proxies[origin]


async def _pieces(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.content.iter_any():
            yield piece
    except _ERRORS as error:
        raise _failure(error) from error


async def _end(answer: aiohttp.ClientResponse) -> None:
    answer.close()


def _failure(error: BaseException) -> CallError:
    """aiohttp's error in our words."""
    if isinstance(error, aiohttp.ClientConnectorError):
        # Its own text speaks of "ssl:default", for plain HTTP too.
        where = f"[{error.host}]" if ":" in error.host else error.host
        return ConnectionFailed(f"the connection to {where}:{error.port} failed: {_why(error)}", sent=False)
    if isinstance(error, aiohttp.ClientHttpProxyError | ConnectionRefusedError):
        return ConnectionFailed(f"the connection failed: {error}", sent=False)
    if isinstance(error, asyncio.TimeoutError):
        return DeadlineExceeded("no answer in time")
    return ConnectionFailed(f"the connection broke: {error or type(error).__name__}", sent=True)


def _why(error: aiohttp.ClientConnectorError) -> object:
    """Why there is no connection, without the address."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return error.certificate_error
    problem = error.os_error
    told = problem.strerror or str(problem)
    # asyncio puts the address in the place of the reason.
    return os.strerror(problem.errno) if problem.errno and told.startswith("Connect call failed") else told
