"""Edgegap's API, V1 and what its clients call of V2. One module per tag of the vendor's documents; facts in
``docs/reference/edgegap.md``.
"""

from __future__ import annotations

from typing import Any

from innkeeper.contract.operation import Api, Credential
from innkeeper.contract.shape import UNSET, Snake, UnsetType
from innkeeper.contract.spelling import snake


class Fault(Snake):
    """Why there is no other answer."""

    message: str  #: for people
    errors: dict[str, str] | UnsetType = UNSET  #: what is wrong with each field of the body that was refused
    details: dict[str, Any] | UnsetType = UNSET  #: of V2: more about it, for programs
    request_id: str | UnsetType = UNSET  #: of V2: the deployment that stands although there is no space for it


_LATER = "relays, lobbies, the server browser and the newer ticket matchmaker come together, after V1"

EDGEGAP = Api(
    "edgegap",
    title="Edgegap API, served by Innkeeper",
    version="1",
    package="innkeeper.contract.edgegap",
    servers=["https://api.edgegap.com"],
    resources={
        "applications": "applications:Applications",
        "container_registry": "container_registry:ContainerRegistry",
        "context": "context:Context",
        "custom_sessions": "custom_sessions:CustomSessions",
        "deployment_tags": "deployment_tags:DeploymentTags",
        "deployments": "deployments:Deployments",
        "deployments_v2": "deployments_v2:DeploymentsV2",
        "endpoint_storage": "endpoint_storage:EndpointStorage",
        "fleets": "fleets:Fleets",
        "ip_lookup": "ip_lookup:IpLookup",
        "locations": "locations:Locations",
        "matchmaker": "matchmaker:Matchmaker",
        "matchmaker_releases": "matchmaker_releases:MatchmakerReleases",
        "metrics": "metrics:Metrics",
        "monitoring": "monitoring:Monitoring",
        "sessions": "sessions:Sessions",
        "statics": "statics:Statics",
        "telemetry": "telemetry:Telemetry",
        "tickets": "tickets:Tickets",  # ours: in the documents of the vendor each matchmaker has a host of its own
        "wizard": "wizard:Wizard",
    },
    not_yet={
        "lobby-list": _LATER,
        "lobby-create": _LATER,
        "lobby-delete": _LATER,
        "lobby-Get": _LATER,
        "lobby-deploy": _LATER,
        "lobby-terminate": _LATER,
        "relay-session-list": _LATER,
        "relay-session-create": _LATER,
        "relay-session-delete": _LATER,
        "relay-session-get": _LATER,
        "relay-user-authorize": _LATER,
        "relay-user-revoke": _LATER,
    },
    error=Fault,
    credentials={
        "org": Credential("apiKey", "A token of the organisation: `token TOKEN`, or the token alone.", "token"),
        "server": Credential("serverKey", "The secret that a game server was given for this, and nothing else.", ""),
    },
    spelling=snake,
)

operation = EDGEGAP.operation
