"""A good request for every operation: its body, its query, and what must be there before. Data, used by ``wire.py``.

``"$buildId"`` stands for the id of a thing that is there. Ids in the path are filled in the same way.
"""

from __future__ import annotations

from typing import Any

_APP = {"appName": "chess", "authConfiguration": {"anonymous": {}}}
_LOBBY = {"region": "Tokyo", "initialConfig": {"map": "ctf", "bots": [1, 2.5, None]}}
_PORTS = {"containerPort": 7777, "transportType": "udp", "roomsPerProcess": 2}
_ENV = [{"name": "WORDS", "value": "a=b, c"}]
_SIZE = {"requestedCPU": 0.5, "requestedMemoryMB": 512, "idleTimeoutEnabled": True}
_SCALE = {"scaleUpThreshold": 80}
_FRIEND = {"userEmail": "a@example.com", "scopes": "viewer"}

BODIES: dict[str, Any] = {
    "CreateApp": _APP,
    "CreateAppV1Deprecated": _APP,
    "UpdateApp": {"appName": "chess-2", "authConfiguration": {}},
    "UpdateAppV1Deprecated": {"appName": "chess-2", "authConfiguration": {"nickname": {}}},
    "PatchApp": {"appName": "chess-3"},
    "LoginNickname": {"nickname": "ann"},
    "LoginGoogle": {"idToken": "$idToken"},
    "CreateBuild": {"buildSizeInBytes": 10, "buildTag": "1.0"},
    "CreateBuildRegistry": {"buildTag": "1.0"},
    "RunBuildRegistry": {"image": "game:1"},
    "CreateBuildDeprecated": {"buildTag": "1.0"},
    "CreateBuildV2Deprecated": {"buildTag": "1.0"},
    "CreateBuildWithUploadUrlV2Deprecated": {},
    "CreateWithMultipartUploadsV2Deprecated": {"buildSizeInBytes": 10},
    "CreateDeployment": {**_PORTS, **_SIZE, "env": _ENV, "buildId": "$buildId", "deploymentTag": "first"},
    "CreateDeploymentV1Deprecated": {**_PORTS, "env": _ENV, "planName": "small"},
    "CreateDeploymentV2Deprecated": {**_PORTS, **_SIZE, "env": _ENV},
    "CreateLobby": {"visibility": "public", "region": "Tokyo", "roomConfig": "x"},
    "CreateLobbyDeprecated": {**_LOBBY, "visibility": "private"},
    "CreateLocalLobby": _LOBBY,
    "CreatePrivateLobby": _LOBBY,
    "CreatePublicLobby": _LOBBY,
    "SetLobbyState": {"state": {"players": ["ann"], "open": True}},
    "CreateRoom": {"region": "Tokyo", "roomConfig": "x", "clientIPs": ["192.0.2.7"]},
    "CreateRoomDeprecated": {"region": "Tokyo"},
    "UpdateRoomConfig": {"roomConfig": "x"},
    "InviteUser": _FRIEND,
    "UpdateUserInvite": {"userEmail": "a@example.com", "scopes": ["builds:read"]},
    "RescindInvite": {"userEmail": "a@example.com"},
    "CreateOrgToken": {"name": "ci", "scopes": []},
    "CreateFleet": {"name": "arena", "nodeShapeId": "shape-amd64-4-8", "autoscalerConfig": _SCALE},
    "UpdateFleet": {"name": "arena-2", "autoscalerConfig": {"scaleUpThreshold": 75}},
    "UpdateFleetRegion": {"nodeBaseline": 1},
    "DeprecatedUpdateFleetRegionV2": {"cloudMinVcpus": 4},
    "CreateFleetDeprecated": {"name": "arena", "nodeShape": "cpu-4-8", "autoscalerConfig": _SCALE},
    "UpdateFleetDeprecated": {"autoscalerConfig": {"scaleUpThreshold": 75}},
    "UpdateFleetRegionDeprecated": {"cloudMinVcpus": 4},
    "InitStripeCustomerPortalUrl": {"returnUrl": "https://studio.example/billing?a=b"},
    "SendVerificationEmail": {"userId": "owner@localhost"},
}

#: Everything that an operation takes beside its path, once.
QUERIES: dict[str, str] = {
    "GetApps": "orgId=$orgId",
    "GetBuilds": "orgId=$orgId",
    "GetUsageLimits": "orgId=$orgId",
    "CreateRoom": "roomId=a-room-of-ours",
    "CreateRoomDeprecated": "roomId=a-room-of-ours",
    "CreateLobby": "roomId=a-room-of-ours&shortCode=CODE",
    "CreateLobbyDeprecated": "roomId=a-room-of-ours",
    "CreateLocalLobby": "roomId=a-room-of-ours",
    "CreatePrivateLobby": "roomId=a-room-of-ours",
    "CreatePublicLobby": "roomId=a-room-of-ours",
    "CreatePrivateLobbyDeprecated": "local=false&region=Tokyo",
    "CreatePublicLobbyDeprecated": "region=Tokyo",
    "ListActivePublicLobbies": "region=Tokyo",
    "ListActivePublicLobbiesDeprecatedV1": "local=false&region=Tokyo",
    "ListActivePublicLobbiesDeprecatedV2": "region=Tokyo",
    "GetLogsForProcess": "tailLines=5&follow=false",
    "GetLogsForApp": "tailLines=5&follow=false&region=Tokyo",
    "GetLogsForDeployment": "tailLines=5&follow=false",
    "GetLatestProcesses": "status=running&status=starting&region=Tokyo&region=London&before=4000000000",
    "GetLatestProcessesV2Deprecated": "status=running&region=Tokyo&region=London",
    "GetProcessesCountExperimental": "status=running&region=Tokyo&before=4000000000",
    "GetProcessesCountExperimentalV2Deprecated": "status=running&region=Tokyo",
    "GetRunningProcesses": "region=Tokyo",
    "GetStoppedProcesses": "region=Tokyo",
    "GetProcessMetrics": "metrics=cpu&metrics=memory&metrics=rateEgress&metrics=totalEgress&metrics=activeConnections"
    "&metrics=gpuMemory&metrics=gpuUtilization&step=1",
    "GetMetricsDeprecated": "metrics=cpu&metrics=memory&metrics=rate_egress&metrics=total_egress"
    "&metrics=active_connections&step=1",
    "GetFleetMetrics": "metrics=provisionedTotal&metrics=utilized&step=60",
    "GetFleetRegionMetrics": "metrics=provisionedBareMetal&metrics=systemOverhead&step=60",
    "GetFleetMetricsDeprecated": "metrics=provisionedTotal&metrics=utilized&step=60",
    "GetFleetRegionMetricsDeprecated": "metrics=utilized&step=60",
    "ListProvisionedNodes": "region=Tokyo",
}

#: The scene of ``stage.py`` that an operation needs besides a game with a room.
SCENES: dict[str, str] = {
    "LoginGoogle": "google",
    "RunBuild": "sent",
    "RunBuildV2Deprecated": "announced",
    "RunBuildDeprecated": "announced",
    "RunBuildRegistry": "registry",
    "GetConnectionInfo": "ready",
    "ResumeRoom": "suspended",
    "GetInactiveRoomsForProcess": "left",
    "GetInactiveRoomsForProcessDeprecated": "left",
    "GetStoppedProcesses": "stopped",
    "DownloadLogForProcess": "stopped",
    "GetLobbyInfoByRoomId": "lobby",
    "GetLobbyInfoByShortCode": "lobby",
    "ListActivePublicLobbies": "lobby",
    "ListActivePublicLobbiesDeprecatedV1": "lobby",
    "ListActivePublicLobbiesDeprecatedV2": "lobby",
    "GetLobbyInfo": "lobby",
    "SetLobbyState": "lobby",
    "UpdateUserInvite": "invited",
    "RescindInvite": "invited",
    "GetOrgPendingInvites": "invited",
    "AcceptInvite": "guest",
    "RejectInvite": "guest",
    "GetUserPendingInvites": "guest",
    "GetInvoices": "billed",
    "GetUpcomingInvoiceItems": "billed",
}
SCENES |= dict.fromkeys(
    ["GetFleetMetrics", "GetFleetRegionMetrics", "GetFleetMetricsDeprecated", "GetFleetRegionMetricsDeprecated"],
    "watched",
)
