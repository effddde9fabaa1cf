"""The groups of operations of the Hathora Cloud API's old generations: what programs that are not moved yet call.

Mixed into the clients of ``hathora.py``; each call of a deprecated operation warns and names what took over.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic

from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.resource import Caller, M

if TYPE_CHECKING:
    from innkeeper.contract.hathora.apps_v1 import AppsV1
    from innkeeper.contract.hathora.builds_v1 import BuildsV1
    from innkeeper.contract.hathora.builds_v2 import BuildsV2
    from innkeeper.contract.hathora.deployments_v1 import DeploymentsV1
    from innkeeper.contract.hathora.deployments_v2 import DeploymentsV2
    from innkeeper.contract.hathora.discovery_v1 import DiscoveryV1
    from innkeeper.contract.hathora.fleets_v1 import FleetsV1
    from innkeeper.contract.hathora.lobbies_v1 import LobbiesV1
    from innkeeper.contract.hathora.lobbies_v2 import LobbiesV2
    from innkeeper.contract.hathora.logs_v1_removed import LogV1
    from innkeeper.contract.hathora.metrics_v1 import MetricsV1
    from innkeeper.contract.hathora.processes_v1 import ProcessesV1
    from innkeeper.contract.hathora.processes_v2 import ProcessesV2
    from innkeeper.contract.hathora.rooms_v1 import RoomsV1


class OldGroups(Generic[M]):
    """Groups of old generations."""

    _caller: Caller

    def _group(self, name: str) -> Any:
        return HATHORA.resource(name)(self._caller)

    @cached_property
    def apps_v1(self) -> AppsV1[M]:
        """Applications as the first SDKs know them; ``apps_v2`` took over."""
        return self._group("apps_v1")  # type: ignore[no-any-return]

    @cached_property
    def builds_v1(self) -> BuildsV1[M]:
        """Builds as the oldest pipelines know them; ``builds_v3`` took over."""
        return self._group("builds_v1")  # type: ignore[no-any-return]

    @cached_property
    def builds_v2(self) -> BuildsV2[M]:
        """Builds as old pipelines know them; ``builds_v3`` took over."""
        return self._group("builds_v2")  # type: ignore[no-any-return]

    @cached_property
    def deployments_v1(self) -> DeploymentsV1[M]:
        """Deployments with plans for sizes; ``deployments_v3`` took over."""
        return self._group("deployments_v1")  # type: ignore[no-any-return]

    @cached_property
    def deployments_v2(self) -> DeploymentsV2[M]:
        """Deployments with whole numbers for ids; ``deployments_v3`` took over."""
        return self._group("deployments_v2")  # type: ignore[no-any-return]

    @cached_property
    def discovery_v1(self) -> DiscoveryV1[M]:
        """Where players find the nearest of the first regions; ``discovery_v2`` took over."""
        return self._group("discovery_v1")  # type: ignore[no-any-return]

    @cached_property
    def fleets_v1(self) -> FleetsV1[M]:
        """Fleets, their sizes told in processors; ``fleets_v2`` took over."""
        return self._group("fleets_v1")  # type: ignore[no-any-return]

    @cached_property
    def lobbies_v1(self) -> LobbiesV1[M]:
        """Lobbies that are only a room's id; ``lobbies_v3`` took over."""
        return self._group("lobbies_v1")  # type: ignore[no-any-return]

    @cached_property
    def lobbies_v2(self) -> LobbiesV2[M]:
        """Lobbies with a state; ``lobbies_v3`` took over."""
        return self._group("lobbies_v2")  # type: ignore[no-any-return]

    @cached_property
    def log_v1(self) -> LogV1[M]:
        """What all servers of an app print; ``logs_v1`` took over."""
        return self._group("log_v1")  # type: ignore[no-any-return]

    @cached_property
    def metrics_v1(self) -> MetricsV1[M]:
        """What servers use; ``processes_v3`` took over."""
        return self._group("metrics_v1")  # type: ignore[no-any-return]

    @cached_property
    def processes_v1(self) -> ProcessesV1[M]:
        """Running and stopped servers as the first SDKs know them; ``processes_v3`` took over."""
        return self._group("processes_v1")  # type: ignore[no-any-return]

    @cached_property
    def processes_v2(self) -> ProcessesV2[M]:
        """Processes with whole numbers for deployments; ``processes_v3`` took over."""
        return self._group("processes_v2")  # type: ignore[no-any-return]

    @cached_property
    def rooms_v1(self) -> RoomsV1[M]:
        """Rooms as the first SDKs know them; ``rooms_v2`` took over."""
        return self._group("rooms_v1")  # type: ignore[no-any-return]
