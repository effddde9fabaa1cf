"""The spawner's event loop: descriptors and timers. Called by ``spawner.py`` and ``servers.py``."""

from __future__ import annotations

import heapq
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
_FAULTS_TOLD = 1000


class Loop:
    """Calls back. A callback that fails is told in the spawner's log and harms no other."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._faults = 0
        self.running = True

    @staticmethod
    def now() -> float:
        """Seconds by the monotonic clock, which is one and the same for all processes of a boot."""
        return time.monotonic()

    @staticmethod
    def wall() -> int:
        """Microseconds since the epoch."""
        return time.time_ns() // 1000

    def watch(self, fd: int, callback: Callable[[int], None], events: int = READ) -> None:
        """Call back with the events of the descriptor; again to change what is waited for."""
        if fd in self._callbacks:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._callbacks[fd] = callback

    def unwatch(self, fd: int) -> None:
        """Call before the descriptor is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def at(self, when: float, callback: Callable[[], None]) -> None:
        """Call back at this time of :meth:`now`, once."""
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, callback))

    def run(self, settle: Callable[[], None]) -> None:
        """Run until ``running`` is False. ``settle`` is called after each round of callbacks."""
        while self.running:
            wait = -1.0 if not self._timers else max(0.0, self._timers[0][0] - self.now())
            round_ = [(fd, events, self._callbacks.get(fd)) for fd, events in self._epoll.poll(wait)]
            for fd, events, callback in round_:
                # An earlier callback of this round may have closed it; its number may be another's by now.
                if callback is not None and self._callbacks.get(fd) is callback:
                    self._safely(lambda callback=callback, events=events: callback(events))  # type: ignore[misc]
            while self._timers and self._timers[0][0] <= self.now():
                self._safely(heapq.heappop(self._timers)[2])
            self._safely(settle)

    def _safely(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            self._faults += 1
            if self._faults < _FAULTS_TOLD:
                sys.excepthook(type(error), error, error.__traceback__)
