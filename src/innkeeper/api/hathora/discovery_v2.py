"""Where players measure their distance. Declared in ``contract/hathora/discovery_v2.py``.

The host and port answer WebSocket messages at ``/`` and ``/ws`` (``pages.py``) and UDP packets (``hosting/echo.py``).
"""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.discovery_v2 import DiscoveryV2, PingEndpoints
from innkeeper.contract.hathora.words import Region

from .words import location_of


def served_regions(visit: Visit) -> list[Region]:
    """The regions that the house has hosts for, in the vendor's order."""
    locations = visit.wings.host_book.locations()
    return [region for region in Region if not locations or location_of(region) in locations]


@implements(DiscoveryV2.get_ping_service_endpoints)
async def get_ping_service_endpoints(visit: Visit) -> list[PingEndpoints]:
    host, port = visit.wings.ping_address
    return [PingEndpoints(region=region, host=host, port=port) for region in served_regions(visit)]
