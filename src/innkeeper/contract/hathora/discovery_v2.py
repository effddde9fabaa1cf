"""Where players measure their distance to each region. Declared here, answered in ``api/hathora/discovery_v2.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import Camel

from . import operation
from .words import Region


class PingEndpoints(Camel):
    """A region, and a host in it that sends back what it is sent, over a WebSocket or in UDP packets."""

    region: Region
    host: str
    port: int


class DiscoveryV2(Resource[M]):
    """Where players measure their distance to each region."""

    @operation("GET", "/discovery/v2/ping", key="none")
    def get_ping_service_endpoints(self) -> list[PingEndpoints]:
        """List all regions, each with a host to ping.

        Open a WebSocket to it, send a message and time its return, a few times over.
        """
        ...
