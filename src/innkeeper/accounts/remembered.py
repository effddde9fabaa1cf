"""A small memory of what was found out a moment ago. Used for tokens (``callers.py``) and logins (``players.py``)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Keeps at most ``most`` values, each until its time is over; the oldest goes first.

    Times are microseconds, as the clock tells them.
    """

    def __init__(self, most: int, now: Callable[[], int]) -> None:
        self._most, self._now = most, now
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """What was kept under this key, or None when nothing is, or its time is over."""
        found = self._kept.get(key)
        if found is None:
            return None
        if self._now() < found[1]:
            return found[0]
        del self._kept[key]
        return None

    def keep(self, key: K, value: V, until: int) -> None:
        """Keep a value until this time, unless newer ones push it out."""
        self._kept.pop(key, None)
        self._kept[key] = (value, until)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def drop(self, key: K) -> None:
        """Keep it no longer."""
        self._kept.pop(key, None)

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()
