"""Hathora Cloud's API. One module per tag of the vendor's document; facts in ``docs/reference/hathora.md``."""

from __future__ import annotations

from innkeeper.contract.operation import Api, Credential
from innkeeper.contract.shape import Camel


class ApiError(Camel):
    """Why there is no other answer."""

    message: str  #: for people


HATHORA = Api(
    "hathora",
    title="Hathora Cloud API, served by Innkeeper",
    version="2.25.6",
    package="innkeeper.contract.hathora",
    servers=["https://api.hathora.dev"],
    resources={
        "apps_v1": "apps_v1:AppsV1",
        "apps_v2": "apps_v2:AppsV2",
        "auth_v1": "auth_v1:AuthV1",
        "billing_v1": "billing_v1:BillingV1",
        "builds_v1": "builds_v1:BuildsV1",
        "builds_v2": "builds_v2:BuildsV2",
        "builds_v3": "builds_v3:BuildsV3",
        "deployments_v1": "deployments_v1:DeploymentsV1",
        "deployments_v2": "deployments_v2:DeploymentsV2",
        "deployments_v3": "deployments_v3:DeploymentsV3",
        "discovery_v1": "discovery_v1:DiscoveryV1",
        "discovery_v2": "discovery_v2:DiscoveryV2",
        "fleets_v1": "fleets_v1:FleetsV1",
        "fleets_v2": "fleets_v2:FleetsV2",
        "lobbies_v1": "lobbies_v1:LobbiesV1",
        "lobbies_v2": "lobbies_v2:LobbiesV2",
        "lobbies_v3": "lobbies_v3:LobbiesV3",
        "log_v1": "logs_v1_removed:LogV1",
        "logs_v1": "logs_v1:LogsV1",
        "management_v1": "management_v1:ManagementV1",
        "metrics_v1": "metrics_v1:MetricsV1",
        "nodes_v1": "nodes_v1:NodesV1",
        "organizations_v1": "organizations_v1:OrganizationsV1",
        "processes_v1": "processes_v1:ProcessesV1",
        "processes_v2": "processes_v2:ProcessesV2",
        "processes_v3": "processes_v3:ProcessesV3",
        "rooms_v1": "rooms_v1:RoomsV1",
        "rooms_v2": "rooms_v2:RoomsV2",
        "tokens_v1": "tokens_v1:TokensV1",
        "uploads": "uploads:Uploads",  # ours: links, which clients of the SDK do not call by name
    },
    not_yet={},
    error=ApiError,
    credentials={
        "org": Credential("hathoraDevToken", "A token of the organisation, with the scope that the operation names."),
        "player": Credential("playerAuth", "A player's token: a JWT (HS256) signed with the application's secret."),
    },
)

operation = HATHORA.operation
stream = HATHORA.stream
