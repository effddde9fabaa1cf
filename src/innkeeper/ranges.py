"""From where to where each setting that is a number may be. Read by ``settings.py`` and by the page that lists them.

A number outside is refused before the house opens: infinity or a minus sign would come out much later, as a pass that
fails each time, a processor that does nothing else, or a thing that is over as soon as it begins. The upper ends are
far above what anybody needs, and low enough that no sum of times leaves 64 bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

_DAY, _YEAR = 86_400, 366 * 86_400


class Range(NamedTuple):
    """Both ends belong to it."""

    least: float
    most: float
    what: str = "a number"  #: what is to be written, before the ends

    def __str__(self) -> str:
        return f"{self.what} {self.ends}"

    @property
    def ends(self) -> str:
        """For people."""
        return f"from {_plain(self.least)} to {_plain(self.most)}"

    def has(self, value: float | Decimal) -> bool:
        """Whether this can be the value. What is no number is in no range."""
        return _is_finite(value) and self.least <= value <= self.most


_HOW_MANY = Range(0, 1_000_000, "how many, or 0 for no limit,")
_PRICE = Range(0, 1_000_000, "an amount such as 0.08,")
_MEGABYTES = Range(1, 10_000_000)

RANGES: Mapping[str, Range] = {
    "port": Range(0, 65_535, "a port, or 0 for a free one,"),
    "port_quarantine": Range(0, _DAY),
    "host_cpu": Range(0.01, 1_000_000),
    "host_memory_mb": Range(1, 1_000_000_000),
    "beacon_port": Range(0, 65_535, "a port, or 0 for none,"),
    "lost_seconds": Range(1, _DAY),  # an engine may be busy for a moment
    "placing_seconds": Range(1, _DAY),
    "ready_seconds": Range(1, _DAY),
    "idle_seconds": Range(1, _YEAR),
    "grace_seconds": Range(0, _DAY),
    "draining_seconds": Range(0, _YEAR),
    "keep_hours": Range(0.01, 100_000),
    "measure_seconds": Range(0.5, 3_600),
    "log_megabytes": _MEGABYTES,
    "build_megabytes": _MEGABYTES,
    "unpacked_megabytes": _MEGABYTES,
    "cpu_hour_price": _PRICE,
    "egress_gb_price": _PRICE,
    "monthly_credit": _PRICE,
    "invoice_due_days": Range(0, 3_650),
    "lobbies_a_minute": _HOW_MANY,
    "logins_a_minute": _HOW_MANY,
    "requests_a_minute": _HOW_MANY,
    "events_hours": Range(0.01, 100_000),
    "webhook_retry_seconds": Range(0.001, 60),
}


def _is_finite(value: float | Decimal) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int) or math.isfinite(value)


def _plain(end: float) -> str:
    return f"{end:.10g}"
