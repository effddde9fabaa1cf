"""Telemetry: which running deployment suits players best. Declared here, answered in ``api/edgegap/telemetry.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType

from . import operation
from .words import NAMED, Ip, RequestId, Stamp, WebhookUrl

#: The id of a measurement, made up by the platform.
RetrievalKey = str


class ActiveDeploymentTelemetryRequest(Snake):
    """Which deployments are to be compared, and for whom."""

    deployments: list[RequestId]  #: deployments that are ready
    ips: list[Ip]  #: the players
    webhook_url: WebhookUrl | UnsetType | None = UNSET  #: gets the result; sent again until it answers with 2xx


class ActiveDeploymentTelemetryResponse(Snake):
    """A measurement that has begun."""

    retrieval_key: RetrievalKey  #: asks for the result
    expire: Stamp  #: until when the result is kept


class ActiveDeploymentTelemetryScore(Snake):
    """One deployment in the order of merit."""

    request_id: RequestId


class ActiveDeploymentTelemetryGetResult(Snake):
    """A measurement's result, as far as it is known."""

    retrieval_key: RetrievalKey
    scores: list[ActiveDeploymentTelemetryScore]  #: the best deployment first
    partial_result: bool  #: deployments are missing that have not been measured yet


class Telemetry(Resource[M]):
    """Telemetry: which running deployment suits players best."""

    @operation(
        "POST", "/v1/telemetry/active-deployments", recorded=False, scope="processes:read",
        id="active-deployment-telemetry-post", errors=(400, 401, 403, 404, 422, 429),
    )  # fmt: skip
    def measure_deployments(self, params: ActiveDeploymentTelemetryRequest) -> ActiveDeploymentTelemetryResponse:
        """Begin to compare running deployments for some players who are to join one of them.

        Ask ``get_measurement`` for the result until it is whole, or have it sent to ``webhook_url``.
        """
        ...

    @operation(
        "GET", "/v1/telemetry/active-deployments/{retrieval_key}", scope="processes:read",
        id="active-deployment-telemetry-get", errors=NAMED,
    )  # fmt: skip
    def get_measurement(self, retrieval_key: RetrievalKey) -> ActiveDeploymentTelemetryGetResult:
        """Tell a measurement's result, the best deployment first. It is gone (404) once it has expired."""
        ...
