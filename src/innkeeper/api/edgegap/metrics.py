"""Answers to ``contract/edgegap/metrics.py``: what was measured of a server, over time.

What the hosts of this house do not measure (what is received, disks, how often a processor limit was met) is left out:
an empty series would say that nothing happened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.metrics import (
    Metrics,
    MetricsModel,
    MetricsResponse,
    NetworkMetricsModel,
    TotalMetricsModel,
)
from innkeeper.hosting.metrics import Metric
from innkeeper.kit.clock import HOUR, MINUTE, SECOND
from innkeeper.kit.errors import Invalid, LimitReached
from innkeeper.kit.stamps import moment

from .absent import or_nothing
from .times import micros_of

_SECONDS = {"s": 1, "m": 60, "h": 3600}
#: From how long a span on a step is so many seconds, where none is asked for.
_USUAL = ((24 * HOUR, 600), (6 * HOUR, 300), (HOUR, 60), (0, 30))
_SPOKEN = re.compile(r"([0-9]+)([smh])")
#: Bytes of a mebibyte: memory is told in them.
_MIB = 1 << 20


def step_of(steps: str | None, span: int) -> int:
    """Seconds between two measurements. Raises Invalid."""
    if steps is None:
        return next(seconds for least, seconds in _USUAL if span >= least)
    found = _SPOKEN.fullmatch(steps)
    if found is None:
        raise Invalid("steps: is a number and s, m or h, such as 30s")
    return int(found[1]) * _SECONDS[found[2]]


def time_of(text: str, field: str) -> int:
    """As the vendor writes times, or as RFC 3339 does. Raises Invalid."""
    if "T" not in text:
        return micros_of(text, field)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return micros_of(text, field)
    if found.tzinfo is None:
        raise Invalid(f"{field}: {text!r} has no zone; write Z at its end for UTC")
    return round(found.timestamp() * SECOND)


def model(points: Sequence[tuple[int, float]], scale: float = 1.0) -> MetricsModel:
    """A series as it is told."""
    times = [moment(at) for at, _ in points]
    return MetricsModel(
        labels=[time.strftime("%H:%M:%S") for time in times],
        datasets=[value * scale for _, value in points],
        timestamps=[time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] for time in times],
    )


@implements(Metrics.get_deployment_metrics)
async def get_deployment_metrics(
    visit: Visit,
    request_id: str,
    *,
    start_time: str | None = None,
    end_time: str | None = None,
    steps: str | None = None,
    raw: bool | None = None,
) -> MetricsResponse:
    """Processors in percent of those that it was given, memory in MiB, what it sent in bytes."""
    told = await visit.wings.orders.get(visit.org, request_id)
    server, now = told.ordered.server, visit.wings.clock.now()
    start = server.created_at if start_time is None else time_of(start_time, "start_time")
    end = (server.ended_at or now) + MINUTE if end_time is None else time_of(end_time, "end_time")
    if end < start:
        raise Invalid("end_time: is before start_time")
    step = 1 if raw else step_of(steps, end - start)
    wanted = [Metric.CPU, Metric.MEMORY, Metric.EGRESS_RATE, Metric.EGRESS_TOTAL]
    found = await visit.wings.metrics.series(
        visit.org, server.app_id, server.id, wanted, start=start, end=end, step=step
    )
    if not any(found.values()):
        raise LimitReached("nothing was measured of it in that time: a running server is measured every few seconds")
    sent, rate = found[Metric.EGRESS_TOTAL], found[Metric.EGRESS_RATE]
    return MetricsResponse(
        total=or_nothing(TotalMetricsModel(transmit_total=model(sent)) if sent else None),
        cpu=model(found[Metric.CPU], 100 / told.ordered.cpu if told.ordered.cpu else 100.0),
        mem=model(found[Metric.MEMORY], 1 / _MIB),
        network=or_nothing(NetworkMetricsModel(transmit=model(rate)) if rate else None),
    )
