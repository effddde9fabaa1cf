"""Points in time as Hathora's queries name them. Used by the modules beside this one."""

from __future__ import annotations

from innkeeper.api.visits import Visit
from innkeeper.kit.clock import HOUR, SECOND
from innkeeper.kit.errors import Invalid

_LONGEST = 31 * 24 * HOUR


def micros(seconds: float, name: str) -> int:
    """A Unix time in seconds, as the vendor's clients send it; in milliseconds where it cannot be anything else."""
    if not 0 <= seconds <= 1e14:  # NaN fails both comparisons
        raise Invalid(f"{name}: must be a Unix time in seconds")
    return round(seconds * 1000 if seconds > 1e11 else seconds * SECOND)


def span(visit: Visit, start: float | None, end: float | None) -> tuple[int, int]:
    """First and last moment of measurements, in microseconds: the last hour unless told. Raises Invalid."""
    last = visit.wings.clock.now() if end is None else micros(end, "end")
    first = last - HOUR if start is None else micros(start, "start")
    if not 0 <= last - first <= _LONGEST:
        raise Invalid("start: must come before end, by 31 days at most")
    return first, last
