"""What every client is, whichever vendor it speaks to: a caller for its resources, and a connection to let go of.

``hathora.py`` and its like add the vendor's constructor and resources. The two callers implement
``contract.resource.Caller``; what they do is in ``engine.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from innkeeper.contract.resource import AsyncByteStream, ByteStream, Options, Raw

from .drivers import adrive, drive
from .encoding import arguments
from .streams import AsyncStream, SyncStream
from .wire import AsyncTransport, Steps, Transport

if TYPE_CHECKING:
    from typing import Self

    from innkeeper.contract.operation import Declared

    from .engine import Engine

T = TypeVar("T")
R = TypeVar("R")


def following(operation: Declared, values: dict[str, Any], answer: Any) -> dict[str, Any] | None:
    """The arguments that bring the page after ``answer``, or None when it was the last.

    A server that would send us to the same page again has no more pages.
    """
    change = None if operation.paging is None else operation.paging(answer)
    if change is None:
        return None
    new = {**values, **change}
    return None if new == values else new


class SyncCaller:
    """Calls over a :class:`Transport`. May be used from many threads at once."""

    def __init__(self, engine: Engine, transport: Transport) -> None:
        self.engine, self.transport = engine, transport

    def run(self, steps: Steps[R]) -> R:
        """Carry out one of the engine's dialogues."""
        return drive(steps, self.transport, self.engine.world)

    def call(self, operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options) -> Any:
        return drive(self.engine.call(operation, args, kwargs, options), self.transport, self.engine.world)

    def raw(self, operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options) -> Raw[Any]:
        return self.run(self.engine.raw(operation, args, kwargs, options))

    def pages(
        self, operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options
    ) -> Iterator[Any]:
        values: dict[str, Any] | None = arguments(operation, args, kwargs)
        while values is not None:
            answer = self.call(operation, (), values, options)
            yield answer
            values = following(operation, values, answer)

    def stream(
        self, operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options
    ) -> ByteStream:
        return SyncStream(self.run(self.engine.open(operation, args, kwargs, options)))


class AsyncCaller:
    """Calls over an :class:`AsyncTransport`. Belongs to no event loop: each call uses the one that runs."""

    def __init__(self, engine: Engine, transport: AsyncTransport) -> None:
        self.engine, self.transport = engine, transport

    def run(self, steps: Steps[R]) -> Coroutine[Any, Any, R]:
        """Carry out one of the engine's dialogues."""
        return adrive(steps, self.transport, self.engine.world)

    def call(
        self, operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options
    ) -> Coroutine[Any, Any, Any]:
        return adrive(self.engine.call(operation, args, kwargs, options), self.transport, self.engine.world)

    def raw(
        self, operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options
    ) -> Coroutine[Any, Any, Raw[Any]]:
        return self.run(self.engine.raw(operation, args, kwargs, options))

    async def pages(
        self, operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options
    ) -> AsyncIterator[Any]:
        values: dict[str, Any] | None = arguments(operation, args, kwargs)
        while values is not None:
            answer = await self.call(operation, (), values, options)
            yield answer
            values = following(operation, values, answer)

    async def stream(
        self, operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options
    ) -> AsyncByteStream:
        return AsyncStream(await self.run(self.engine.open(operation, args, kwargs, options)))


class Client(Generic[T]):
    """What the clients of all vendors share; ``T`` is the kind of transport."""

    _caller: Any

    def __init__(self, engine: Engine, transport: T | None) -> None:
        self._engine = engine

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._engine.base}>"


class SyncClient(Client[Transport]):
    """A client whose calls return the answer. Use it with ``with``, or ``close`` it when done."""

    def __init__(self, engine: Engine, transport: Transport | None) -> None:
        super().__init__(engine, transport)
        if transport is None:
            from .transports.urllib3 import Urllib3Transport

            transport = Urllib3Transport()
        self._caller = SyncCaller(engine, transport)

    def _run(self, steps: Steps[R]) -> R:
        return self._caller.run(steps)  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let go of all connections, also of a transport that was given. A later call opens new ones."""
        self._caller.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class AsyncClient(Client[AsyncTransport]):
    """A client whose calls are awaited. Use it with ``async with``, or ``close`` it when done."""

    def __init__(self, engine: Engine, transport: AsyncTransport | None) -> None:
        super().__init__(engine, transport)
        if transport is None:
            from .transports.aiohttp import AiohttpTransport

            transport = AiohttpTransport()
        self._caller = AsyncCaller(engine, transport)

    async def _run(self, steps: Steps[R]) -> R:
        return await self._caller.run(steps)  # type: ignore[no-any-return]

    async def close(self) -> None:
        """Let go of all connections, also of a transport that was given. A later call opens new ones."""
        await self._caller.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
