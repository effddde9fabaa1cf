"""Pings of the first years. Declared in ``contract/hathora/discovery_v1.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.discovery_v1 import DiscoveryV1
from innkeeper.contract.hathora.discovery_v2 import PingEndpoints
from innkeeper.contract.hathora.words import Region

from . import discovery_v2

#: Regions that came after the first clients, whose enums are closed.
_LATER = frozenset({Region.DALLAS, Region.JOHANNESBURG, Region.DUBAI})


@implements(DiscoveryV1.get_ping_service_endpoints)
async def get_ping_service_endpoints(visit: Visit) -> list[PingEndpoints]:
    return [each for each in await discovery_v2.get_ping_service_endpoints(visit) if each.region not in _LATER]
