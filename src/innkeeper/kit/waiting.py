"""Waiting with a time limit that costs nothing where there is nothing to wait for. Used by ``api/app.py``.

``asyncio.timeout`` sets and clears a timer, 8 us each time. A request's body is nearly always there already when it is
asked for, so the coroutine is begun by hand, and the timer is set only when it comes to a wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from types import CoroutineType
from typing import Any, TypeVar

R = TypeVar("R")


async def within(seconds: float, awaitable: Awaitable[R]) -> R:
    """Await it for so long. Raises ``TimeoutError``, and then has cancelled it."""
    if type(awaitable) is not CoroutineType and not isinstance(awaitable, Coroutine):  # asking the ABC takes a while
        async with asyncio.timeout(seconds):
            return await awaitable
    try:
        waits_for = awaitable.send(None)
    except StopIteration as done:
        value: R = done.value
        return value
    async with asyncio.timeout(seconds):
        return await _Rest(awaitable, waits_for)


class _Rest(Awaitable[R]):
    """What is left of a coroutine that was begun by hand and now waits for ``waits_for``."""

    def __init__(self, coroutine: Coroutine[Any, Any, R], waits_for: Any) -> None:
        self._coroutine, self._waits_for = coroutine, waits_for

    def __await__(self) -> Generator[Any, Any, R]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    sent = yield waits_for
                except BaseException as error:
                    waits_for = self._coroutine.throw(error)
                else:
                    waits_for = self._coroutine.send(sent)
        except StopIteration as done:
            value: R = done.value
            return value
