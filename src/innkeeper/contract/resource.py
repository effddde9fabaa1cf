"""How a declared operation looks to a user of a client: a method, sync or async, with further faces.

``Resource`` is the base of every group of operations; ``Bound`` is what ``client.rooms_v2.create_room`` is at run time.
The type checkers see ``Call`` or ``AsyncCall`` instead, with the operation's own parameters.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypedDict, TypeVar, Unpack

if TYPE_CHECKING:
    from innkeeper.kit.retry import Backoff

    from .operation import Declared

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Sync:
    """Calls return the answer."""


class Async:
    """Calls return an awaitable of the answer."""


M = TypeVar("M", Sync, Async)


class Options(TypedDict, total=False):
    """What any single call can set otherwise than its client."""

    timeout: float | None  #: seconds for the whole call, all attempts and waits together; None is no deadline
    retry: Backoff  #: when to try again
    server: str | int  #: another base URL, or the number of one of the vendor's servers
    headers: Mapping[str, str]  #: more headers, or other values for those the client sends
    token: str | None  #: another credential for this call; None sends none
    idempotency_key: str  #: sent as ``Idempotency-Key``; makes a POST safe to send again


class Raw(Generic[R_co]):
    """An answer with what the wire said around it."""

    __slots__ = ("attempts", "body", "headers", "status", "value")

    def __init__(self, value: R_co, status: int, headers: Mapping[str, str], body: bytes, attempts: int) -> None:
        self.value = value  #: the typed answer
        self.status = status  #: the HTTP status
        self.headers = headers  #: names in lower case
        self.body = body  #: the body's bytes
        self.attempts = attempts  #: how many requests it took


class ByteStream(Protocol):
    """An answer that arrives bit by bit. Iterate it, or read it, inside ``with``; leaving closes the connection."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    def __enter__(self) -> ByteStream: ...
    def __exit__(self, *exc: object) -> None: ...
    def __iter__(self) -> Iterator[bytes]:
        """Pieces as they come, of any size."""
        ...

    def lines(self) -> Iterator[str]:
        """Whole lines, without their ends; bytes that are not UTF-8 are replaced."""
        ...

    def read(self) -> bytes:
        """All that is left."""
        ...

    def close(self) -> None:
        """Let go of the connection. Harmless when done twice."""
        ...


class AsyncByteStream(Protocol):
    """The same, awaited: use ``async with`` and ``async for``."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    async def __aenter__(self) -> AsyncByteStream: ...
    async def __aexit__(self, *exc: object) -> None: ...
    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def lines(self) -> AsyncIterator[str]: ...
    async def read(self) -> bytes: ...
    async def close(self) -> None: ...


class Call(Protocol[P, R_co]):
    """An operation of a sync client."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    def raw(self, *args: P.args, **kwargs: P.kwargs) -> Raw[R_co]:
        """The answer together with its status, headers and bytes."""
        ...

    def pages(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[R_co]:
        """This answer and the pages after it, asked for one by one as they are used."""
        ...

    def options(self, **options: Unpack[Options]) -> Call[P, R_co]:
        """The same operation with other options."""
        ...


class AsyncCall(Protocol[P, R_co]):
    """An operation of an async client."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R_co]: ...
    def raw(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, Raw[R_co]]: ...
    def pages(self, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[R_co]: ...
    def options(self, **options: Unpack[Options]) -> AsyncCall[P, R_co]: ...


class StreamCall(Protocol[P]):
    """An operation of a sync client whose answer arrives bit by bit."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> ByteStream: ...
    def options(self, **options: Unpack[Options]) -> StreamCall[P]: ...


class AsyncStreamCall(Protocol[P]):
    """An operation of an async client whose answer arrives bit by bit: ``async with await call(...) as stream``."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, AsyncByteStream]: ...
    def options(self, **options: Unpack[Options]) -> AsyncStreamCall[P]: ...


class Caller(Protocol):
    """What a resource needs of its client. The sync client returns values, the async one awaitables of them."""

    def call(self, operation: Declared, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options) -> Any: ...
    def raw(self, operation: Declared, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options) -> Any: ...
    def pages(self, operation: Declared, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options) -> Any: ...
    def stream(self, operation: Declared, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options) -> Any: ...


class Resource(Generic[M]):
    """A group of operations, bound to a client."""

    __slots__ = ("_caller",)

    def __init__(self, caller: Caller) -> None:
        self._caller = caller


_NO_OPTIONS: Options = {}


class Bound:
    """An operation together with the client it is called on."""

    __slots__ = ("_caller", "_options", "operation")

    def __init__(self, operation: Declared, caller: Caller, options: Options = _NO_OPTIONS) -> None:
        self.operation = operation
        self._caller = caller
        self._options = options

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._warn()
        if self.operation.streams:
            return self._caller.stream(self.operation, args, kwargs, self._options)
        return self._caller.call(self.operation, args, kwargs, self._options)

    def raw(self, *args: Any, **kwargs: Any) -> Any:
        self._warn()
        return self._caller.raw(self.operation, args, kwargs, self._options)

    def pages(self, *args: Any, **kwargs: Any) -> Any:
        self._warn()
        return self._caller.pages(self.operation, args, kwargs, self._options)

    def _warn(self) -> None:
        """Tell who calls what is deprecated what to call instead. Python shows it once for each place in a program."""
        old = self.operation
        if old.replaced_by is not None:
            text = f"{old.id} is deprecated: use {old.replacement} instead"
            warnings.warn(text, DeprecationWarning, stacklevel=3)

    def options(self, **options: Unpack[Options]) -> Bound:
        merged: Options = {**self._options, **options}
        return Bound(self.operation, self._caller, merged)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.operation.__doc__

    def __repr__(self) -> str:
        return f"<{self.operation.id} of {self._caller!r}>"
