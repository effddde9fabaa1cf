"""The sync client's own transport, over urllib3: pooled connections, TLS by the system's certificates, proxies.

Called by ``drivers.py`` from any number of threads. A forked child makes a pool of its own.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from innkeeper.contract.errors import CallError, ConnectionFailed, DeadlineExceeded
from innkeeper.sdk.wire import Pieces, Request, Response

from .proxies import proxy_for

if TYPE_CHECKING:
    import ssl

_PIECE = 1 << 16


class Urllib3Transport:
    """Sends over urllib3.

    ``tls`` replaces the system's certificates and settings; ``proxy`` is the URL of an HTTP proxy for everything (None:
    as the environment says; ``""``: none at all); ``connections`` is how many stay open to one server.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, proxy: str | None = None, connections: int = 64) -> None:
        self._tls, self._proxy, self._connections = tls, proxy, connections
        self._lock = threading.Lock()
        self._openers: dict[str, tuple[Any, bool]] = {}
        self._pid = os.getpid()

    def send(self, request: Request) -> Response:
        """Send it. Raises :class:`ConnectionFailed` or :class:`DeadlineExceeded`."""
        from urllib3.exceptions import HTTPError

        url = request.url
        cut = url.find("/", 8)
        opener, whole = self._opener(url[:cut])
        until = None if request.timeout is None else time.monotonic() + request.timeout
        try:
            answer = opener.urlopen(
                request.method,
                url if whole else url[cut:],
                body=request.body,
                headers=request.headers,
                retries=False,
                redirect=False,
                timeout=request.timeout,
                preload_content=False,
            )
        except (HTTPError, OSError) as error:
            raise _failure(error) from error
        if request.stream:
            stream = _Stream(answer)
            return Response(answer.status, answer.headers, stream=Pieces(stream.pieces(), stream.close))
        return Response(answer.status, answer.headers, _body(answer, until))

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            openers, self._openers = self._openers, {}
        for opener, whole in openers.values():
            if whole:
                opener.clear()
            else:
                opener.close()

    def _opener(self, origin: str) -> tuple[Any, bool]:
        """What sends to this server, and whether it wants whole URLs (a proxy does)."""
        if os.getpid() != self._pid:
            # Connections are shared with the parent after a fork: leave them to it, unclosed.
            self._openers, self._pid, self._lock = {}, os.getpid(), threading.Lock()
        found = self._openers.get(origin)
        if found is None:
            with self._lock:
                found = self._openers.get(origin)
                if found is None:
                    found = self._openers[origin] = self._make(origin)
        return found

    def _make(self, origin: str) -> tuple[Any, bool]:
        import urllib3

        settings: dict[str, Any] = {"maxsize": self._connections}
        if self._tls is not None and origin.startswith("https"):
            settings["ssl_context"] = self._tls
        proxy = proxy_for(origin, os.environ) if self._proxy is None else self._proxy
        if not proxy:
            return urllib3.connection_from_url(origin, **settings), False
        headers = urllib3.make_headers(proxy_basic_auth=_user(proxy)) if "@" in proxy else None
        return urllib3.ProxyManager(proxy, proxy_headers=headers, **settings), True


def _user(proxy: str) -> str:
    from urllib.parse import unquote

    return unquote(proxy.partition("://")[2].rpartition("@")[0])


def _body(answer: Any, until: float | None) -> bytes:
    """The whole body, by the deadline: urllib3's own limit is on the wait for each piece only."""
    from urllib3.exceptions import HTTPError

    parts: list[bytes] = []
    try:
        while piece := answer.read1(_PIECE):
            parts.append(piece)
            if until is not None and answer.length_remaining != 0:
                left = until - time.monotonic()
                if left <= 0:
                    raise DeadlineExceeded("the answer did not end in time")
                sock = getattr(answer.connection, "sock", None)
                if sock is not None:
                    sock.settimeout(left)
    except (HTTPError, OSError, CallError) as error:
        answer.close()
        if answer.status >= 400:
            return b"".join(parts)  # the status says more than the lost rest of its text
        if isinstance(error, CallError):
            raise
        raise _failure(error) from error
    return parts[0] if len(parts) == 1 else b"".join(parts)


class _Stream:
    """A body that one thread reads and another may end."""

    def __init__(self, answer: Any) -> None:
        self._answer, self._closed, self._reading = answer, False, threading.Lock()
        sock = getattr(answer.connection, "sock", None)
        if sock is not None:
            sock.settimeout(None)  # a log that is followed may be silent for hours

    def pieces(self) -> Iterator[bytes]:
        from urllib3.exceptions import HTTPError

        while True:
            with self._reading:
                try:
                    piece = b"" if self._closed else self._answer.read1(_PIECE)
                except (HTTPError, OSError) as error:
                    if self._closed:
                        return
                    raise _failure(error) from error
            if not piece:
                return
            yield piece

    def close(self) -> None:
        self._closed = True
        # Wakes the thread that reads; refused where the body is read to its end, or by a urllib3 before 2.3.
        with suppress(AttributeError, ValueError, RuntimeError, OSError):
            self._answer.shutdown()
        with self._reading:
            self._answer.close()


def _failure(error: Exception) -> CallError:
    """urllib3's error in our words."""
    from urllib3 import exceptions as kinds

    # A refused connection is also one of urllib3's timeouts, so this comes first.
    if isinstance(error, kinds.NewConnectionError | kinds.ProxyError | kinds.SSLError | ConnectionRefusedError):
        return ConnectionFailed(f"the connection failed: {error}", sent=False)
    if isinstance(error, kinds.TimeoutError | TimeoutError):
        return DeadlineExceeded(f"no answer in time: {error}")
    return ConnectionFailed(f"the connection broke: {error}", sent=True)
