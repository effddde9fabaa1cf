"""The groups of operations that a client of the Hathora Cloud API has. Each is imported when it is first used.

Mixed into the clients of ``hathora.py``; ``hathora_old.py`` has those of the old generations.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic

from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.resource import Caller, M

if TYPE_CHECKING:
    from innkeeper.contract.hathora.apps_v2 import AppsV2
    from innkeeper.contract.hathora.auth_v1 import AuthV1
    from innkeeper.contract.hathora.billing_v1 import BillingV1
    from innkeeper.contract.hathora.builds_v3 import BuildsV3
    from innkeeper.contract.hathora.deployments_v3 import DeploymentsV3
    from innkeeper.contract.hathora.discovery_v2 import DiscoveryV2
    from innkeeper.contract.hathora.fleets_v2 import FleetsV2
    from innkeeper.contract.hathora.lobbies_v3 import LobbiesV3
    from innkeeper.contract.hathora.logs_v1 import LogsV1
    from innkeeper.contract.hathora.management_v1 import ManagementV1
    from innkeeper.contract.hathora.nodes_v1 import NodesV1
    from innkeeper.contract.hathora.organizations_v1 import OrganizationsV1
    from innkeeper.contract.hathora.processes_v3 import ProcessesV3
    from innkeeper.contract.hathora.rooms_v2 import RoomsV2
    from innkeeper.contract.hathora.tokens_v1 import TokensV1


class Groups(Generic[M]):
    """Groups of today."""

    _caller: Caller

    def _group(self, name: str) -> Any:
        return HATHORA.resource(name)(self._caller)

    @cached_property
    def apps_v2(self) -> AppsV2[M]:
        """Apps: a game, or one environment of it."""
        return self._group("apps_v2")  # type: ignore[no-any-return]

    @cached_property
    def auth_v1(self) -> AuthV1[M]:
        """Logins of players."""
        return self._group("auth_v1")  # type: ignore[no-any-return]

    @cached_property
    def billing_v1(self) -> BillingV1[M]:
        """What is used and what it costs."""
        return self._group("billing_v1")  # type: ignore[no-any-return]

    @cached_property
    def builds_v3(self) -> BuildsV3[M]:
        """Builds: what is run."""
        return self._group("builds_v3")  # type: ignore[no-any-return]

    @cached_property
    def deployments_v3(self) -> DeploymentsV3[M]:
        """Deployments: a build and how it is run."""
        return self._group("deployments_v3")  # type: ignore[no-any-return]

    @cached_property
    def discovery_v2(self) -> DiscoveryV2[M]:
        """Where players find the nearest region."""
        return self._group("discovery_v2")  # type: ignore[no-any-return]

    @cached_property
    def fleets_v2(self) -> FleetsV2[M]:
        """Fleets: hosts set aside, and how full they are."""
        return self._group("fleets_v2")  # type: ignore[no-any-return]

    @cached_property
    def lobbies_v3(self) -> LobbiesV3[M]:
        """Lobbies: rooms that players find by a list or a short code."""
        return self._group("lobbies_v3")  # type: ignore[no-any-return]

    @cached_property
    def logs_v1(self) -> LogsV1[M]:
        """What servers print."""
        return self._group("logs_v1")  # type: ignore[no-any-return]

    @cached_property
    def management_v1(self) -> ManagementV1[M]:
        """Proof that an e-mail address is somebody's."""
        return self._group("management_v1")  # type: ignore[no-any-return]

    @cached_property
    def nodes_v1(self) -> NodesV1[M]:
        """Nodes: the hosts that servers run on."""
        return self._group("nodes_v1")  # type: ignore[no-any-return]

    @cached_property
    def organizations_v1(self) -> OrganizationsV1[M]:
        """Organisations, their members and invitations."""
        return self._group("organizations_v1")  # type: ignore[no-any-return]

    @cached_property
    def processes_v3(self) -> ProcessesV3[M]:
        """Processes: the servers that rooms sit on."""
        return self._group("processes_v3")  # type: ignore[no-any-return]

    @cached_property
    def rooms_v2(self) -> RoomsV2[M]:
        """Rooms: create, find, configure, destroy."""
        return self._group("rooms_v2")  # type: ignore[no-any-return]

    @cached_property
    def tokens_v1(self) -> TokensV1[M]:
        """An organisation's tokens."""
        return self._group("tokens_v1")  # type: ignore[no-any-return]
