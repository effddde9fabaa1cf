"""Since when a host has been silent, apart from time in which we stood still ourselves. Called by ``link.py``.

A machine that is too busy, or was suspended, reads answers late. That must not look like a host that does not answer.
"""

from __future__ import annotations

from innkeeper.kit.clock import SECOND, Clock

#: Seconds between two beats, and how late one may come before it counts as standing still.
BEAT, _SLACK = 0.5, 0.5


class Silence:
    """One host's. :meth:`beat` is called every :data:`BEAT` seconds, as well as that can be done."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: int | None = clock.now()
        self._beat_at = clock.now()
        self.stalls = 0  #: how often we stood still

    @property
    def since(self) -> int | None:
        """Microseconds since the epoch; None while the host answers."""
        return None if self._since is None else self._since + self.late

    @property
    def late(self) -> int:
        """Microseconds for which we have stood still since the last beat."""
        return max(0, self._clock.now() - self._beat_at - round((BEAT + _SLACK) * SECOND))

    def fell(self, since: int) -> bool:
        """The host did not answer then; whether that is news."""
        if self._since is not None:
            return False
        self._since = since
        return True

    def ended(self) -> float:
        """It answers; the seconds for which it did not."""
        seconds = 0.0 if self._since is None else (self._clock.now() - self._since) / SECOND
        self._since = None
        return seconds

    def beat(self) -> None:
        """Notice whether we stood still since the last beat."""
        late = self.late
        if late > 0:
            self.stalls += 1
            if self._since is not None:
                self._since += late
        self._beat_at = self._clock.now()
