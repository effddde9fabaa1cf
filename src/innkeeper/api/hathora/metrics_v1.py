"""Measurements under their old names. Declared in ``contract/hathora/metrics_v1.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.metrics_v1 import (
    DeprecatedProcessMetricName,
    DeprecatedProcessMetricsData,
    MetricsV1,
)
from innkeeper.contract.hathora.processes_v3 import ProcessMetricName
from innkeeper.contract.shape import GLOBAL

from .processes_v3 import get_process_metrics

_NEW_NAMES = {
    DeprecatedProcessMetricName.CPU: ProcessMetricName.CPU,
    DeprecatedProcessMetricName.MEMORY: ProcessMetricName.MEMORY,
    DeprecatedProcessMetricName.RATE_EGRESS: ProcessMetricName.RATE_EGRESS,
    DeprecatedProcessMetricName.TOTAL_EGRESS: ProcessMetricName.TOTAL_EGRESS,
    DeprecatedProcessMetricName.ACTIVE_CONNECTIONS: ProcessMetricName.ACTIVE_CONNECTIONS,
}


@implements(MetricsV1.get_metrics)
async def get_metrics(
    visit: Visit,
    process_id: str,
    app_id: str = GLOBAL,
    *,
    metrics: list[DeprecatedProcessMetricName] | None = None,
    start: float | None = None,
    end: float | None = None,
    step: int | None = None,
) -> DeprecatedProcessMetricsData:
    names = None if metrics is None else [_NEW_NAMES[name] for name in metrics]
    told = await get_process_metrics(visit, process_id, app_id, metrics=names, start=start, end=end, step=step)
    return DeprecatedProcessMetricsData(
        cpu=told.cpu,
        memory=told.memory,
        rate_egress=told.rate_egress,
        total_egress=told.total_egress,
        active_connections=told.active_connections,
    )
