"""Hands each changed report to everybody who listens. Used by every engine's ``changes()``."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import AsyncIterator

from .base import Report


class _Listener:
    """One listener's queue. It is dropped with its last reference, so nobody has to sign off."""

    def __init__(self) -> None:
        self._waiting: deque[Report] = deque()
        self._event = asyncio.Event()

    def put(self, report: Report) -> None:
        self._waiting.append(report)
        self._event.set()

    def __aiter__(self) -> AsyncIterator[Report]:
        return self

    async def __anext__(self) -> Report:
        while not self._waiting:
            self._event.clear()
            await self._event.wait()
        return self._waiting.popleft()


class Listeners:
    """All listeners of one engine. Used from the event loop's thread."""

    def __init__(self) -> None:
        self._all: weakref.WeakSet[_Listener] = weakref.WeakSet()

    def listen(self) -> AsyncIterator[Report]:
        """Everything told from this call on, in order, without an end."""
        listener = _Listener()
        self._all.add(listener)
        return listener

    def tell(self, report: Report) -> None:
        """Hand it to all who listen now."""
        for listener in tuple(self._all):
            listener.put(report)
