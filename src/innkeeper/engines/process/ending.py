"""Sees to it that nothing is left of a server that ends. Called by ``servers.py``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .kin import Kin
    from .loop import Loop
    from .records import Record

_FIRST, _MOST, _GROWTH = 0.001, 0.02, 1.5  # seconds between looks


class Ending:
    """``over`` is called once for each server of which nothing is left."""

    def __init__(self, loop: Loop, kin: Kin, over: Callable[[Record], None]) -> None:
        self._loop, self._kin, self._over = loop, kin, over
        self._ending: dict[str, Record] = {}
        self._looking = False

    def main_gone(self, record: Record) -> None:
        """Its main program ended. The rest has what remains of the grace if it was asked to end, and none otherwise."""
        record.gone = True
        left = self._kin.left(record)
        record.left = len(left)
        if not left:
            self._forget(record)
            self._over(record)
            return
        if self._due(record):
            self._kin.kill(record)
        self._see_to(record)

    def deadline(self, record: Record) -> None:
        """Its grace is over: kill what there is."""
        if record.ended is None and record.stop_at is not None and self._due(record):
            record.killed = True
            self._kin.kill(record)
            self._see_to(record)

    def _due(self, record: Record) -> bool:
        return record.stop_at is None or record.stop_at <= self._loop.now()

    def _forget(self, record: Record) -> None:
        self._ending.pop(record.id, None)

    def _see_to(self, record: Record) -> None:
        self._ending[record.id] = record
        if not self._looking:
            self._looking = True
            self._loop.at(self._loop.now() + _FIRST, lambda: self._look(_FIRST))

    def _look(self, pause: float) -> None:
        before = len(self._ending)
        for record in list(self._ending.values()):
            if record.gone and not self._kin.left(record):
                self._forget(record)
                self._over(record)
            elif self._due(record):
                self._kin.kill(record)  # and whoever was born meanwhile
        self._looking = bool(self._ending)
        if self._looking:
            pause = _FIRST if len(self._ending) < before else min(pause * _GROWTH, _MOST)
            self._loop.at(self._loop.now() + pause, lambda: self._look(pause))
