"""Which running deployment suits players best. Declared in ``contract/edgegap/telemetry.py``.

Nothing is measured: players' places are looked up by their addresses, and locations are compared by distance. So a
result is there at once.
"""

from __future__ import annotations

import json

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit, Wings
from innkeeper.contract.edgegap.telemetry import (
    ActiveDeploymentTelemetryGetResult,
    ActiveDeploymentTelemetryRequest,
    ActiveDeploymentTelemetryResponse,
    ActiveDeploymentTelemetryScore,
    Telemetry,
)
from innkeeper.hosting.comparing import ranked_of

from .callbacks import TELEMETRY, composes
from .times import stamp


@implements(Telemetry.measure_deployments)
async def measure_deployments(
    visit: Visit, params: ActiveDeploymentTelemetryRequest
) -> ActiveDeploymentTelemetryResponse:
    wings = visit.wings
    url = None if not params.webhook_url else wings.callbacks.check(visit.org, params.webhook_url)
    players = [wings.whereabouts(address) for address in params.ips]
    made = await wings.comparisons.compare(visit.org, params.deployments, players, url=url, kind=TELEMETRY)
    return ActiveDeploymentTelemetryResponse(retrieval_key=made.id, expire=stamp(made.until))


@implements(Telemetry.get_measurement)
async def get_measurement(visit: Visit, retrieval_key: str) -> ActiveDeploymentTelemetryGetResult:
    found = await visit.wings.comparisons.get(visit.org, retrieval_key)
    return ActiveDeploymentTelemetryGetResult(
        retrieval_key=found.id,
        scores=[ActiveDeploymentTelemetryScore(request_id=short) for short in ranked_of(found)],
        partial_result=bool(found.partial),
    )


@composes(TELEMETRY)
async def compose(wings: Wings, comparison_id: str) -> bytes | None:
    """What a webhook is sent: the result, as long as it is kept."""
    found = await wings.comparisons.kept(comparison_id)
    if found is None:
        return None
    scores = [{"request_id": short} for short in ranked_of(found)]
    return json.dumps({"retrieval_key": found.id, "scores": scores, "is_partial": bool(found.partial)}).encode()
