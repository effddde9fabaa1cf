"""Measurements of servers under their old names. ``processes_v3.py`` took over.

Declared here, answered in ``api/hathora/metrics_v1.py``.
"""

from __future__ import annotations

from msgspec import field

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, UnsetType
from innkeeper.contract.words import Word

from . import operation
from .processes_v3 import MetricValue, Step, UnixTime
from .words import WRITE, AppId, ProcessId


class DeprecatedProcessMetricName(Word):
    """What is measured of a server, by its old name."""

    CPU = "cpu"  #: processors in use
    MEMORY = "memory"  #: bytes in use
    RATE_EGRESS = "rate_egress"  #: bytes sent each second
    TOTAL_EGRESS = "total_egress"  #: bytes sent since it started
    ACTIVE_CONNECTIONS = "active_connections"


class DeprecatedProcessMetricsData(Camel):
    """Measurements of a server, the oldest first. A metric that was not asked for, or is not known, is left out."""

    cpu: list[MetricValue] | UnsetType = UNSET  #: processors in use
    memory: list[MetricValue] | UnsetType = UNSET  #: bytes in use
    rate_egress: list[MetricValue] | UnsetType = field(default=UNSET, name="rate_egress")  #: bytes sent each second
    total_egress: list[MetricValue] | UnsetType = field(
        default=UNSET, name="total_egress"
    )  #: bytes sent since it started
    active_connections: list[MetricValue] | UnsetType = field(default=UNSET, name="active_connections")


class MetricsV1(Resource[M]):
    """Measurements of servers under their old names."""

    @operation(
        "GET", "/metrics/v1/{appId}/process/{processId}", scope="processes:read", errors=WRITE,
        id="GetMetricsDeprecated", replaced_by="processes_v3.get_process_metrics",
    )  # fmt: skip
    def get_metrics(
        self,
        process_id: ProcessId,
        app_id: AppId = GLOBAL,
        *,
        metrics: list[DeprecatedProcessMetricName] | None = None,
        start: UnixTime | None = None,
        end: UnixTime | None = None,
        step: Step | None = None,
    ) -> DeprecatedProcessMetricsData:
        """Read what was measured of a server, in its last 72 hours.

        ``start`` and ``end`` are Unix times in seconds, the last hour unless told; ``step`` is the seconds between two
        measurements, 60 unless told.
        """
        ...
