"""Which API this is, and how the house is. Declared in ``contract/edgegap/monitoring.py``."""

from __future__ import annotations

from urllib.parse import urlsplit

from innkeeper import __version__
from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap import EDGEGAP
from innkeeper.contract.edgegap.monitoring import Monitor, Monitoring

#: Of what ``/healthz`` tells, what is ``ok`` or says what does not work.
_PARTS = ("database", "keeper")


@implements(Monitoring.get_monitor)
async def get_monitor(visit: Visit) -> Monitor:
    url = visit.base_url
    _, told = await visit.wings.health()
    return Monitor(
        name=EDGEGAP.title,
        version=__version__,
        host=urlsplit(url).netloc,
        host_url=url,
        spec_url=f"{url}/swagger.json",
        messages=list(told["warnings"]),
        errors=[f"{part}: {told[part]}" for part in _PARTS if told[part] != "ok"],
    )
