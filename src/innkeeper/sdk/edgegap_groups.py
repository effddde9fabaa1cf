"""The groups of operations that a client of the Edgegap API has. Each is imported when it is first used.

Mixed into the clients of ``edgegap.py``.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic

from innkeeper.contract.edgegap import EDGEGAP
from innkeeper.contract.resource import Caller, M

if TYPE_CHECKING:
    from innkeeper.contract.edgegap.applications import Applications
    from innkeeper.contract.edgegap.container_registry import ContainerRegistry
    from innkeeper.contract.edgegap.context import Context
    from innkeeper.contract.edgegap.custom_sessions import CustomSessions
    from innkeeper.contract.edgegap.deployment_tags import DeploymentTags
    from innkeeper.contract.edgegap.deployments import Deployments
    from innkeeper.contract.edgegap.deployments_v2 import DeploymentsV2
    from innkeeper.contract.edgegap.endpoint_storage import EndpointStorage
    from innkeeper.contract.edgegap.fleets import Fleets
    from innkeeper.contract.edgegap.ip_lookup import IpLookup
    from innkeeper.contract.edgegap.locations import Locations
    from innkeeper.contract.edgegap.matchmaker import Matchmaker
    from innkeeper.contract.edgegap.matchmaker_releases import MatchmakerReleases
    from innkeeper.contract.edgegap.metrics import Metrics
    from innkeeper.contract.edgegap.monitoring import Monitoring
    from innkeeper.contract.edgegap.sessions import Sessions
    from innkeeper.contract.edgegap.statics import Statics
    from innkeeper.contract.edgegap.telemetry import Telemetry
    from innkeeper.contract.edgegap.tickets import Tickets
    from innkeeper.contract.edgegap.wizard import Wizard


class Groups(Generic[M]):
    """All groups, V1 and V2."""

    _caller: Caller

    def _group(self, name: str) -> Any:
        return EDGEGAP.resource(name)(self._caller)

    @cached_property
    def applications(self) -> Applications[M]:
        """Apps, their versions, and who may reach a version's deployments."""
        return self._group("applications")  # type: ignore[no-any-return]

    @cached_property
    def container_registry(self) -> ContainerRegistry[M]:
        """Images of the container registry and their tags."""
        return self._group("container_registry")  # type: ignore[no-any-return]

    @cached_property
    def context(self) -> Context[M]:
        """What a deployment asks about itself; ``Edgegap.inside`` is made for it."""
        return self._group("context")  # type: ignore[no-any-return]

    @cached_property
    def custom_sessions(self) -> CustomSessions[M]:
        """Sessions that the caller names, on a deployment that the caller chose."""
        return self._group("custom_sessions")  # type: ignore[no-any-return]

    @cached_property
    def deployment_tags(self) -> DeploymentTags[M]:
        """Tags of deployments, to find them by."""
        return self._group("deployment_tags")  # type: ignore[no-any-return]

    @cached_property
    def deployments(self) -> Deployments[M]:
        """Deployments: start, watch, list, stop."""
        return self._group("deployments")  # type: ignore[no-any-return]

    @cached_property
    def deployments_v2(self) -> DeploymentsV2[M]:
        """Deployments as current clients ask for them, and the hosts of private fleets."""
        return self._group("deployments_v2")  # type: ignore[no-any-return]

    @cached_property
    def endpoint_storage(self) -> EndpointStorage[M]:
        """Buckets for what deployments print, and for files they start with."""
        return self._group("endpoint_storage")  # type: ignore[no-any-return]

    @cached_property
    def fleets(self) -> Fleets[M]:
        """Fleets: deployments that are kept ready, by policies."""
        return self._group("fleets")  # type: ignore[no-any-return]

    @cached_property
    def ip_lookup(self) -> IpLookup[M]:
        """Where addresses are."""
        return self._group("ip_lookup")  # type: ignore[no-any-return]

    @cached_property
    def locations(self) -> Locations[M]:
        """Where deployments can run, and beacons to measure how far that is."""
        return self._group("locations")  # type: ignore[no-any-return]

    @cached_property
    def matchmaker(self) -> Matchmaker[M]:
        """Matchmakers of the first kind, and the components they are made of."""
        return self._group("matchmaker")  # type: ignore[no-any-return]

    @cached_property
    def matchmaker_releases(self) -> MatchmakerReleases[M]:
        """Releases of such matchmakers, and their configurations."""
        return self._group("matchmaker_releases")  # type: ignore[no-any-return]

    @cached_property
    def metrics(self) -> Metrics[M]:
        """What a deployment uses."""
        return self._group("metrics")  # type: ignore[no-any-return]

    @cached_property
    def monitoring(self) -> Monitoring[M]:
        """Whether the API is up."""
        return self._group("monitoring")  # type: ignore[no-any-return]

    @cached_property
    def sessions(self) -> Sessions[M]:
        """Sessions: players who get sockets of a deployment."""
        return self._group("sessions")  # type: ignore[no-any-return]

    @cached_property
    def statics(self) -> Statics[M]:
        """Sites, as the oldest clients list them."""
        return self._group("statics")  # type: ignore[no-any-return]

    @cached_property
    def telemetry(self) -> Telemetry[M]:
        """Which running deployments are nearest to players, as measured."""
        return self._group("telemetry")  # type: ignore[no-any-return]

    @cached_property
    def tickets(self) -> Tickets[M]:
        """Tickets of a managed matchmaker, for players."""
        return self._group("tickets")  # type: ignore[no-any-return]

    @cached_property
    def wizard(self) -> Wizard[M]:
        """What the engines' plugins ask when they are set up."""
        return self._group("wizard")  # type: ignore[no-any-return]
