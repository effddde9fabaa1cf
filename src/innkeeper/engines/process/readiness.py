"""Sees when starting servers have bound their ports. Called by ``servers.py``.

One look serves all of them: often while one is young, seldom when all are old, and never so often that looking is what
the spawner mostly does.
"""

from __future__ import annotations

from . import proc
from .sockets import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .kin import Kin
    from .loop import Loop
    from .records import Record

#: (age in seconds up to which, seconds between two looks)
_LOOKS = ((0.2, 0.0015), (2.0, 0.005), (20.0, 0.025), (float("inf"), 0.1))
_SHARE = 3  # pauses are at least so many times as long as a look takes


class Readiness:
    """``ready`` is called once for each server that has bound all its ports itself, ``partly`` when it binds some."""

    def __init__(
        self,
        loop: Loop,
        table: Table,
        kin: Kin,
        ready: Callable[[Record], None],
        partly: Callable[[Record], None],
    ) -> None:
        self._loop, self._table, self._kin, self._ready, self._partly = loop, table, kin, ready, partly
        self._starting: dict[str, Record] = {}
        self._seen: dict[str, list[set[int]]] = {}  # what was bound of those at the last look
        self._looking = False

    def expect(self, record: Record) -> None:
        """It was started and has ports to bind."""
        self._starting[record.id] = record
        if not self._looking:
            self._looking = True
            self._loop.at(self._loop.now(), self._look)

    def give_up(self, record: Record) -> None:
        """It will not be ready any more."""
        self._starting.pop(record.id, None)
        self._seen.pop(record.id, None)

    def _look(self) -> None:
        began = self._loop.now()
        bound: dict[str, dict[int, set[int]]] = {}
        for transport in ("udp", "tcp"):
            numbers = [number for one in self._starting.values() for kind, number in one.ports if kind == transport]
            bound[transport] = self._table.bound(transport, min(numbers), max(numbers)) if numbers else {}
        for record in list(self._starting.values()):
            found = [bound[transport].get(number, set[int]()) for transport, number in record.ports]
            if all(found) and self._owns(record, found):
                self.give_up(record)
                record.bound = []
                self._ready(record)
                continue
            if found != self._seen.get(record.id):
                self._seen[record.id] = found
                self._tell_bound(record, found)
        self._looking = bool(self._starting)
        if self._looking:
            now = self._loop.now()
            youngest = now - max(record.since for record in self._starting.values())
            pause = next(pause for age, pause in _LOOKS if youngest < age)
            self._loop.at(now + max(pause, _SHARE * (now - began)), self._look)

    def _tell_bound(self, record: Record, found: list[set[int]]) -> None:
        """Some of its ports may be bound by itself now. Asked only when something changed, for asking takes a while."""
        held = list(zip(record.ports, found, strict=True))
        bare = {number for (_, number), inodes in held if not inodes or not self._owns(record, [inodes])}
        # A number that is reached by both transports is bound when it is by both.
        numbers = list(dict.fromkeys(number for (_, number), _ in held if number not in bare))
        if numbers != record.bound:
            record.bound = numbers
            self._partly(record)

    def _owns(self, record: Record, ports: list[set[int]]) -> bool:
        """Whether it has a socket for each port; if we may not see whose they are, they are its."""
        own = proc.sockets_of(record.pid)
        if own is None or all(inodes & own for inodes in ports):
            return True
        for one in self._kin.all(record):
            own |= proc.sockets_of(one.pid) or set()
        return all(inodes & own for inodes in ports)
