"""What passes between the protocol and the world: requests out, responses in, waits, and time and chance themselves.

``engine.py`` yields :class:`Request`, :class:`Delay` and :class:`Together`; ``drivers.py`` carries them out over a
transport (``transports/``), which knows these types and nothing else of the SDK.
"""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

T = TypeVar("T")

#: Header names whose values are credentials: never shown in a log or a ``repr``.
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})


class Content(Protocol):
    """A body that is read while it is sent, and can be read again when it must be sent again."""

    @property
    def length(self) -> int:
        """Bytes in all."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """Pieces from the beginning."""
        ...


class Request:
    """One HTTP request as it goes to a transport.

    ``url`` is absolute and encoded already: send it as it stands. ``headers`` have lower-case names; ``timeout`` is
    the seconds left for this attempt, or None. With ``stream`` the transport leaves the answer's body unread.
    """

    __slots__ = ("body", "headers", "method", "operation", "stream", "timeout", "url")

    def __init__(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | Content | None = None,
        *,
        timeout: float | None = None,
        stream: bool = False,
        operation: str = "",
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.stream = stream
        self.operation = operation  #: the operation's id, for logs and hooks

    def __repr__(self) -> str:
        return f"<{self.method} {self.url.partition('?')[0]} {masked(self.headers)}>"


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, fit to be shown: the values of credentials are replaced."""
    return {name: "***" if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}


class Pieces:
    """A body that arrives bit by bit. ``close`` lets go of the connection, read to the end or not."""

    def __init__(self, source: Iterator[bytes], close: Callable[[], object]) -> None:
        self._source, self.close = source, close

    def __iter__(self) -> Iterator[bytes]:
        return self._source


class AsyncPieces:
    """The same, awaited."""

    def __init__(self, source: AsyncIterator[bytes], close: Callable[[], Awaitable[object]]) -> None:
        self._source, self.close = source, close

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._source


class Response:
    """One HTTP answer as it comes from a transport.

    ``headers`` is any mapping that finds a name however it is spelt, or has lower-case names. ``stream`` is set where
    the request asked for it, and then ``body`` is empty.
    """

    __slots__ = ("body", "headers", "status", "stream")

    def __init__(
        self, status: int, headers: Mapping[str, str], body: bytes = b"", stream: Pieces | AsyncPieces | None = None
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.stream = stream

    def __repr__(self) -> str:
        return f"<{self.status}, {'streamed' if self.stream else len(self.body)}>"


class Transport(Protocol):
    """Sends requests for the sync client. Write your own by these two methods; it may be called from many threads.

    Raise ``ConnectionFailed`` (``sent=False`` when the server cannot have seen the request) or ``DeadlineExceeded``;
    an ``OSError`` is taken as a broken connection. Do not follow redirects, do not try again.
    """

    def send(self, request: Request) -> Response: ...
    def close(self) -> None: ...


class AsyncTransport(Protocol):
    """The same for the async client. It may be called from several event loops, one after the other."""

    async def send(self, request: Request) -> Response: ...
    async def close(self) -> None: ...


class Delay(NamedTuple):
    """A wait between two requests."""

    seconds: float


class Together(NamedTuple):
    """Several dialogues carried out at the same time, at most ``limit`` of them; answered with their results in order.

    The first failure stops what has not begun and is the answer.
    """

    parts: Sequence[Steps[Any]]
    limit: int


Step: TypeAlias = "Request | Delay | Together"
#: A dialogue: yields steps, is sent each one's outcome (or thrown its error), returns the result.
Steps: TypeAlias = Generator[Step, Any, T]


class World(NamedTuple):
    """Time and chance, handed to a client. The default is the machine's; tests hand in their own."""

    now: Callable[[], float] = time.monotonic  #: seconds that only go forward
    date: Callable[[], float] = time.time  #: Unix time, for ``Retry-After`` with a date
    chance: Callable[[], float] = random.random  #: in [0, 1)
    sleep: Callable[[float], None] = time.sleep  #: how the sync client waits
    pause: Callable[[float], Awaitable[None]] | None = None  #: how the async client waits; asyncio's sleep if None
