"""One thing for each event loop, let go of when its loop ends. Used by the async transports for their sessions."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from innkeeper.sdk.wire import Content

T = TypeVar("T")

#: What each loop has, and the generator that closes it.
Kept = dict[asyncio.AbstractEventLoop, tuple[T, AsyncGenerator[None, None]]]

#: What a forked child inherited. It must not be closed there: its descriptors are the parent's too.
_inherited: list[Any] = []


class PerLoop(Generic[T]):
    """Makes a thing when a loop first asks for it, and closes it when that loop shuts down or ``close`` is called.

    The end of a loop is noticed by an asynchronous generator that waits in it: ``asyncio.run`` and every other runner
    close those before the loop. What nobody holds any more is closed too.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[object]]) -> None:
        self._make, self._close = make, close
        self._start()

    def _start(self) -> None:
        self._pid = os.getpid()
        self._kept: Kept[T] = {}
        # Holds the things, so that they are not taken for garbage together with us before they are closed.
        self._end = weakref.finalize(self, _drop, self._kept)
        self._end.atexit = False

    def get(self) -> T:
        """The running loop's own."""
        if os.getpid() != self._pid:
            self._end.detach()
            _inherited.append(self._kept)
            self._start()
        loop = asyncio.get_running_loop()
        found = self._kept.get(loop)
        if found is not None:
            return found[0]
        for other in list(self._kept):
            if other.is_closed():
                self._kept.pop(other, None)
        thing = self._make()
        keeper = _keep(self._kept, loop, thing, self._close)
        self._kept[loop] = (thing, keeper)
        with suppress(StopIteration):
            # Runs up to the ``yield`` without waiting, and makes the generator known to the loop.
            keeper.__anext__().send(None)
        return thing

    async def close(self) -> None:
        """Close the running loop's now, and have every other living loop close its own."""
        here = self._kept.get(asyncio.get_running_loop())
        if here is not None:
            await here[1].aclose()
        _drop(self._kept)


async def _keep(
    kept: Kept[T], loop: asyncio.AbstractEventLoop, thing: T, close: Callable[[T], Awaitable[object]]
) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        kept.pop(loop, None)
        await close(thing)


def _drop(kept: Kept[Any]) -> None:
    """Have each loop close its own."""
    for loop, (_, keeper) in list(kept.items()):
        with suppress(RuntimeError):  # closed already
            loop.call_soon_threadsafe(_close_soon, loop, keeper)


def _close_soon(loop: asyncio.AbstractEventLoop, keeper: AsyncGenerator[None, None]) -> None:
    task = loop.create_task(_closed(keeper))
    _closing.add(task)
    task.add_done_callback(_closing.discard)


async def _closed(keeper: AsyncGenerator[None, None]) -> None:
    await keeper.aclose()


#: A loop holds its tasks weakly.
_closing: set[asyncio.Task[None]] = set()


async def sent(content: Content) -> AsyncIterator[bytes]:
    """Pieces of a body that comes from a disk, read beside the loop."""
    pieces = iter(content)
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
