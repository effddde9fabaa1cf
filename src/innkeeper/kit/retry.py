"""Whether to try again, and after how long: a pure decision. The SDK and the keepers use it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling waits with full jitter, for failures that time may mend.

    ``tries`` counts all attempts, the first one too. ``first`` and ``most`` bound the wait in seconds.
    ``connection_errors`` switches retries of failed connections. ``retry_after_most`` is the longest ``Retry-After``
    that is waited for, in seconds: a longer one is an error at once.
    """

    tries: int = 3
    first: float = 0.5
    most: float = 8.0
    connection_errors: bool = True
    retry_after_most: float = 60.0

    def delay(self, attempt: int, chance: float) -> float:
        """Seconds to wait after attempt number ``attempt`` (from 1), ``chance`` being in [0, 1)."""
        ceiling = min(self.first * (1 << min(attempt - 1, 30)), self.most)
        return ceiling * chance


#: Never try again.
NO_RETRY = Backoff(tries=1)
_FOR_EVER = Backoff(tries=1 << 30, first=0.05, most=5.0)


def for_ever(failures: int, chance: float) -> float:
    """Seconds until what must not be given up is tried again, after so many failures, ``chance`` being in [0, 1).

    At least half of the doubling wait: chance spreads the tries, and never makes them a spin.
    """
    return _FOR_EVER.delay(failures, 0.5 + chance / 2)
