"""Pings of the first years. Declared here, answered in ``api/hathora/discovery_v1.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource

from . import operation
from .discovery_v2 import PingEndpoints


class DiscoveryV1(Resource[M]):
    """Where players of old clients measure their distance to each region."""

    @operation(
        "GET", "/discovery/v1/ping", key="none", id="GetPingServiceEndpointsDeprecated",
        replaced_by="discovery_v2.get_ping_service_endpoints",
    )  # fmt: skip
    def get_ping_service_endpoints(self) -> list[PingEndpoints]:
        """List the regions that the first clients know, each with a host to ping.

        Those that came later (Dallas, Johannesburg, Dubai) are left out: a client that meets a word it does not know
        may give up.
        """
        ...
