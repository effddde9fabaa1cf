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
    """Requests by API, operation and status, and how long they took. A prometheus-client collector.

    Two APIs may each have an operation of the same id, so an id alone is none.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, int], int] = {}
        self._times: dict[tuple[str, str], list[int]] = {}
        self._sums: dict[tuple[str, str], float] = {}

    def add(self, api: str, operation: str, status: int, seconds: float) -> None:
        """One request was answered."""
        key = (api, operation, status)
        self._counts[key] = self._counts.get(key, 0) + 1
        asked = (api, operation)
        buckets = self._times.get(asked)
        if buckets is None:
            buckets = self._times[asked] = [0] * (len(BOUNDS) + 1)
            self._sums[asked] = 0.0
        buckets[bisect_left(BOUNDS, seconds)] += 1
        self._sums[asked] += seconds

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        requests: Any = CounterMetricFamily(
            "innkeeper_requests", "Requests answered.", labels=["api", "operation", "status"]
        )
        for (api, operation, status), count in sorted(self._counts.items()):
            requests.add_metric([api, operation, str(status)], count)
        yield requests
        seconds: Any = HistogramMetricFamily(
            "innkeeper_request_seconds", "Time from a request's head to its answer.", labels=["api", "operation"]
        )
        for asked, buckets in sorted(self._times.items()):
            total, rows = 0, []
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), buckets, strict=True):
                total += count
                rows.append((bound, total))
            seconds.add_metric(list(asked), rows, self._sums[asked])
        yield seconds
