"""Whether the API is well. Declared here, answered in ``api/edgegap/monitoring.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType

from . import operation


class Monitor(Snake):
    """Which API this is, and how it is."""

    name: str
    version: str
    host: str  #: the name it is called by
    host_url: str  #: the same with its scheme
    spec_url: str  #: where its document is
    messages: list[str] | UnsetType | None = UNSET  #: what users should know
    errors: list[str] | UnsetType | None = UNSET  #: what does not work now; empty when all is well


class Monitoring(Resource[M]):
    """Whether the API is well."""

    @operation("GET", "/monitor", key="none", id="monitoring")
    def get_monitor(self) -> Monitor:
        """Tell which API this is, and whether anything does not work now."""
        ...
