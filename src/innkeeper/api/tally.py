"""Counts what the doors answer, for ``GET /metrics``. A few list increments per request; made readable when asked.

Used by ``app.py`` and by ``pages.py``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client.core import Metric

#: Upper bounds of the latency buckets, in seconds.
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Tally:
    """Requests by operation and status, and how long they took. A prometheus-client collector."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], int] = {}
        self._times: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def add(self, operation: str, status: int, seconds: float) -> None:
        """One request was answered."""
        key = (operation, status)
        self._counts[key] = self._counts.get(key, 0) + 1
        buckets = self._times.get(operation)
        if buckets is None:
            buckets = self._times[operation] = [0] * (len(BOUNDS) + 1)
            self._sums[operation] = 0.0
        buckets[bisect_left(BOUNDS, seconds)] += 1
        self._sums[operation] += seconds

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        requests: Any = CounterMetricFamily("innkeeper_requests", "Requests answered.", labels=["operation", "status"])
        for (operation, status), count in sorted(self._counts.items()):
            requests.add_metric([operation, str(status)], count)
        yield requests
        seconds: Any = HistogramMetricFamily(
            "innkeeper_request_seconds", "Time from a request's head to its answer.", labels=["operation"]
        )
        for operation, buckets in sorted(self._times.items()):
            total, rows = 0, []
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), buckets, strict=True):
                total += count
                rows.append((bound, total))
            seconds.add_metric([operation], rows, self._sums[operation])
        yield seconds
