"""Verbs on what servers use: measurements, taken by ``passes/metering.py``, made into series for the doors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from innkeeper.db.database import Database
from innkeeper.kit.clock import SECOND

from .queries import retiring, servers

#: A measurement: time, CPU seconds since the start, bytes of memory, connections, bytes sent since the start.
Sample = Sequence[float | int | None]
#: Points on one series, at most: a longer span gets a longer step.
MOST_POINTS = 5000


class Metric(StrEnum):
    """What is measured of a server."""

    CPU = "cpu"  #: processors in use, on average over the step
    MEMORY = "memory"  #: bytes resident
    CONNECTIONS = "connections"  #: open TCP connections on its ports
    EGRESS_RATE = "egress rate"  #: bytes sent per second, on average over the step
    EGRESS_TOTAL = "egress total"  #: bytes sent since the start


class Metrics:
    """Reads measurements."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def series(
        self, org_id: str, app_id: str, server_id: str, metrics: Sequence[Metric], *, start: int, end: int, step: int
    ) -> Mapping[Metric, list[tuple[int, float]]]:
        """For each metric its points ``(time, value)``, times in microseconds, one for every ``step`` seconds that has
        a measurement. A metric that the host cannot measure has no points. Raises NotFound.
        """
        await self._db.read(servers.server, app_id, org_id, server_id)
        width = max(step, -(-(end - start) // (MOST_POINTS * SECOND)), 1) * SECOND
        # One step earlier, so that the first point of a rate has something to be counted from.
        samples = await self._db.read(retiring.samples, server_id, start - width, end)
        return {metric: points(metric, samples, start, width) for metric in metrics}


def points(metric: Metric, samples: Sequence[Sample], start: int, width: int) -> list[tuple[int, float]]:
    """The series of one metric: for each span of ``width`` microseconds its last measurement, or the rate over it."""
    column, is_rate = _COLUMNS[metric]
    found: dict[int, tuple[int, float]] = {}
    before: tuple[int, float] | None = None
    last: dict[int, tuple[int, float]] = {}
    for sample in samples:
        value, at = sample[column], int(sample[0] or 0)
        if value is None:
            continue
        if at < start:
            before = at, float(value)
        else:
            last[(at - start) // width] = at, float(value)
    for span, (at, value) in last.items():
        if not is_rate:
            found[span] = at, value
        elif before is not None and at > before[0]:
            found[span] = at, max(0.0, value - before[1]) / ((at - before[0]) / SECOND)
        before = at, value
    return list(found.values())


#: Where each is found in a measurement, and whether it is a count of which the growth is told.
_COLUMNS: dict[Metric, tuple[int, bool]] = {
    Metric.CPU: (1, True),
    Metric.MEMORY: (2, False),
    Metric.CONNECTIONS: (3, False),
    Metric.EGRESS_RATE: (4, True),
    Metric.EGRESS_TOTAL: (4, False),
}
