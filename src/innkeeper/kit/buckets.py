"""How often somebody may do a thing: a bucket of tokens for each of many callers. Pure; the clock is handed in.

Used by ``api/rates.py``. A bucket is one number, the time at which it is full again, so that filling it costs nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from .clock import MINUTE, SECOND


class Buckets:
    """A bucket of ``burst`` tokens for each key, which fills at ``burst`` a minute. At most ``most`` are remembered.

    When there are more, the one that was asked longest ago is forgotten: it is then full.
    """

    __slots__ = ("_depth", "_full_at", "_most", "_step")

    def __init__(self, a_minute: float, *, most: int = 10_000) -> None:
        self._step = round(MINUTE / a_minute)
        self._depth = MINUTE - self._step
        self._most = most
        self._full_at: OrderedDict[Hashable, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: Hashable, now: int) -> float:
        """Take a token: 0 where there was one, else the seconds until there will be one, and nothing is taken.

        ``now`` is in microseconds.
        """
        full_at = self._full_at.get(key, now)
        if full_at < now:
            full_at = now
        late = full_at - now - self._depth
        if late > 0:
            self._full_at.move_to_end(key)
            return late / SECOND
        self._full_at[key] = full_at + self._step
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return 0.0
