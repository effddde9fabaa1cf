"""What was measured of deployments. Declared here, answered in ``api/edgegap/metrics.py``."""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType, checked

from . import operation
from .words import NAMED, RequestId

#: Time between two measurements: a whole number and ``s``, ``m`` or ``h``.
Steps = Annotated[str, checked(pattern="^[1-9][0-9]{0,5}[smh]$")]


class MetricsModel(Snake):
    """One value over time: three lists of the same length, the oldest first.

    The vendor's names where whole numbers alone occur: ``MetricsResponseCpuThrottleRate`` and ``...Total``.
    """

    labels: list[str] | UnsetType | None = UNSET  #: times of day for the axis of a chart: ``HH:MM:SS``
    datasets: list[float] | UnsetType | None = UNSET  #: what was measured
    timestamps: list[str] | UnsetType | None = UNSET  #: when, in UTC: ``YYYY-MM-DD HH:MM:SS.fff``


class TotalMetricsModel(Snake):
    """What was counted since the deployment began, in bytes."""

    receive_total: MetricsModel | UnsetType | None = UNSET
    transmit_total: MetricsModel | UnsetType | None = UNSET
    disk_read_total: MetricsModel | UnsetType | None = UNSET
    disk_write_total: MetricsModel | UnsetType | None = UNSET


class NetworkMetricsModel(Snake):
    """What goes over the network."""

    receive: MetricsModel | UnsetType | None = UNSET
    transmit: MetricsModel | UnsetType | None = UNSET


class MetricsResponse(Snake):
    """What was measured of a deployment."""

    total: TotalMetricsModel | UnsetType | None = UNSET
    cpu: MetricsModel | UnsetType | None = UNSET  #: use of its processors
    mem: MetricsModel | UnsetType | None = UNSET  #: use of its memory
    network: NetworkMetricsModel | UnsetType | None = UNSET
    cpu_throttle_rate: MetricsModel | UnsetType | None = UNSET  #: how much it was held back at its processor limit
    cpu_throttle_total: MetricsModel | UnsetType | None = UNSET  #: the same, added up since it began


class Metrics(Resource[M]):
    """What was measured of deployments."""

    @operation("GET", "/v1/metrics/deployment/{request_id}", scope="processes:read", id="deployment-metrics-get",
               errors=(*NAMED, 422))  # fmt: skip
    def get_deployment_metrics(
        self,
        request_id: RequestId,
        *,
        start_time: str | None = None,
        end_time: str | None = None,
        steps: Steps | None = None,
        raw: bool | None = None,
    ) -> MetricsResponse:
        """Read what was measured of a deployment, from its start until now unless told.

        ``start_time`` and ``end_time`` are ``YYYY-MM-DD HH:MM:SS`` in UTC, or RFC 3339. ``steps`` is the time between
        two measurements: ``30s``, ``5m``, ``1h``. Status 422: nothing is measured yet.
        """
        ...
