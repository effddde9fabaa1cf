"""A thread that does what would block the event loop. Used by ``sqlite.py`` for commits and for checkpoints.

When the loop is busy without a pause, a thread whose blocking call has ended may wait for seconds before the
interpreter lets it say so: the loop gives the interpreter's lock away for an instant at every system call and has it
back before the thread has woken. Who waits for a thread here therefore gives way, some microseconds every millisecond.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_GIVE_WAY_EVERY = 0.001
_GIVE_WAY_FOR = 0.000_05


class Helper:
    """One thread, started with the first call, that carries out calls in order.

    ``urgent`` is one whose end somebody waits for: the loop gives way to it.
    """

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop, *, urgent: bool) -> None:
        self._name, self._loop, self._urgent = name, loop, urgent
        self._calls: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pending = 0

    def call(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Have the thread do it; the future has its outcome, and nobody else waits for it when that is cancelled."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        answer: asyncio.Future[T] = self._loop.create_future()
        self._pending += 1
        self._calls.put((work, answer))
        if self._urgent and self._timer is None:
            self._timer = self._loop.call_later(_GIVE_WAY_EVERY, self._give_way)
        return answer

    async def close(self) -> None:
        """End the thread after what it has been given."""
        if self._thread is not None:
            last = self.call(lambda: None)
            self._calls.put(None)
            await last
            thread, self._thread = self._thread, None
            thread.join()

    def _give_way(self) -> None:
        time.sleep(_GIVE_WAY_FOR)
        self._timer = self._loop.call_later(_GIVE_WAY_EVERY, self._give_way) if self._pending else None

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            work, answer = call
            error: BaseException | None = None
            result: Any = None
            try:
                result = work()
            except BaseException as raised:
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._done, answer, result, error)
            del call, work, answer, result, error

    def _done(self, answer: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self._pending -= 1
        if not self._pending and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if answer.done():
            return
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)
