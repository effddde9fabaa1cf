"""Whether a build may be run in some way, asked before there is one. Answered in ``api/house/releases_v1.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import Camel

from . import operation


class ReleaseCheck(Camel):
    """What stands in the way of running a build so."""

    refusals: list[str]  #: a sentence for each thing, as making the deployment would tell it; empty: nothing


class ReleasesV1(Resource[M]):
    """Releases, before they are made. Hathora calls one a deployment."""

    @operation("GET", "/house/v1/releases/check", scope="deployments:read-write", errors=(401, 404, 422))
    def check_release(self, *, cpu: float, memory_mb: float, fleet_id: str | None = None) -> ReleaseCheck:
        """Tell what the house would refuse of a deployment, apart from its build: so that none is made in vain."""
        ...
