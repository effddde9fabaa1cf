"""What is measured of attempts, and how Prometheus reads it. Used by ``keeper.py`` and ``calling.py``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class Figures:
    """Of attempts of one kind. ``one`` and ``many`` are its words in the names of metrics; ``waiting``, ``attempts``
    and ``lost`` say of each metric what it counts.
    """

    def __init__(self, one: str, many: str, *, waiting: str, attempts: str, lost: str) -> None:
        self._one, self._many = one, many
        self._waiting, self._tried, self._lost = waiting, attempts, lost
        self.pending = 0  #: on their way, when that was last counted
        self._attempts: Counter[str] = Counter({"delivered": 0, "failed": 0})
        self._given_up = 0

    def attempted(self, *, delivered: bool, given_up: bool) -> None:
        """An attempt came to its end; with ``given_up`` there is none after it."""
        self._attempts["delivered" if delivered else "failed"] += 1
        self._given_up += given_up

    def collect(self) -> Iterator[Metric]:
        """What Prometheus reads."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        yield GaugeMetricFamily(f"innkeeper_{self._many}_pending", self._waiting, self.pending)
        attempts: Any = CounterMetricFamily(f"innkeeper_{self._one}_attempts", self._tried, labels=["outcome"])
        for outcome, count in self._attempts.items():
            attempts.add_metric([outcome], count)
        yield attempts
        yield CounterMetricFamily(f"innkeeper_{self._many}_given_up", self._lost, self._given_up)
