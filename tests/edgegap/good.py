"""A good request for every operation of Edgegap's API: its body and its query. Data, used by ``stage.py``.

``"$request_id"`` stands for the id of a thing that is there. Ids in the path are filled in by the same names.
"""

from __future__ import annotations

import json
from typing import Any

_PLAYER = {"user_type": "ip_address", "user_data": {"ip_address": "192.0.2.7"}}
_DEPLOYMENT = {"application": "$app_name", "version": "$version_name", "users": [_PLAYER]}
_SEATS = {"app_name": "$app_name", "version_name": "seats"}
_PROFILE = {
    "profile_id": "duel", "app": "arena", "version": "v1", "game_port": "gameport", "refresh": 5,
    "match_player_count": 2, "selectors": [], "filters": [],
}  # fmt: skip
RULES = json.dumps({"max_deployment_retry_count": 2, "profiles": [_PROFILE]})
_PARTS = {f"{part}_component_name": "front" for part in ("frontend", "director", "match_function")}
_IMAGE = {"repository": "ghcr.io", "image": "studio/front", "tag": "1"}

BODIES: dict[str, Any] = {
    "application-post": {"name": "chess", "is_active": True, "image": "AAAA"},
    "application-patch": {"is_active": True},
    "app-version-post": {
        "name": "v2", "docker_repository": "build", "docker_image": "$build", "docker_tag": "", "req_cpu": 256,
        "req_memory": 256, "ports": [{"port": 7777, "protocol": "UDP", "name": "gameport"}],
    },
    "app-versions-patch": {"max_duration": 60, "envs": [{"key": "MAP", "value": "dust", "is_hidden": False}]},
    "app-version-whitelist-post": {"cidr": "198.51.100.0/24", "label": "office"},
    "registry-image-tag-bulk-delete": {"tags": ["none"]},
    "context-create-deployment-tag": {"name": "mine"},
    "post-custom-session": {"ip_list": ["192.0.2.8"]},
    "patch-custom-session": {"ip_list": ["192.0.2.9"]},
    "post-custom-sessions": {"sessions": [{"custom_id": "second", "ip_list": ["192.0.2.8"]}]},
    "delete-custom-sessions": {"sessions": ["$custom_id"]},
    "deployments-tags-create": {"name": "green"},
    "deployments-tags-update": {"name": "red"},
    "deploy": {"app_name": "$app_name", "version_name": "$version_name", "ip_list": ["192.0.2.7"], "tags": ["blue"]},
    "deployments-bulk-delete": {"filters": [{"field": "request_id", "values": ["$request_id"], "filter_type": "any"}]},
    "deployment-update": {"is_joinable_by_session": True},
    "deployment-report": {"reason": "it does not answer", "metadata": {"seen": 3}},
    "deployments-available": {"app_name": "$app_name", "app_version": "seats", "minimum_sockets": 1},
    "deployment-create": _DEPLOYMENT,
    "private-fleets-deployment-create": {**_DEPLOYMENT, "private_host_ids": ["fake"]},
    "endpoint-create": {
        "name": "more", "access_key_id": "key", "endpoint": "https://s3.example.com", "bucket": "more",
        "secret_access_key": "secret",
    },
    "endpoint-update": {"bucket": "logs-2"},
    "pull-profile-create": {"name": "maps", "source": "/logs/maps", "source_type": "Folder", "destination": "/maps"},
    "pull-profile-update": {"destination": "/config-2"},
    "fleet-create": {"name": "more", "enabled": False},
    "fleet-update": {"enabled": False},
    "fleet-policies-create": {
        "name": "more", "enabled": False, "type": "Location", "minimum": 1, "maximum": 2, "threshold": 0.5,
        "data": {"filters": [{"field": "city", "values": ["Tokyo"], "filter_type": "any"}]},
    },
    "fleet-policies-update": {"maximum": 3},
    "IPs lookup": {"addresses": ["192.0.2.7", "2001:db8::7"]},
    "post-matchmaker-component": {"name": "more", **_IMAGE},
    "patch-matchmaker-component": {"tag": "2"},
    "post-matchmaker-component-env": {"key": "MORE", "value": "1"},
    "patch-matchmaker-component-env": {"value": "ranked"},
    "post-matchmaker": {"name": "more"},
    "patch-matchmaker": {"name": None},
    "post-matchmaker-release": {"version": "r2", **_PARTS},
    "post-matchmaker-managed-release": {"version": "m2", "release_config_name": "$config_name"},
    "patch-matchmaker-managed-release": {"release_config_name": "$config_name"},
    "patch-matchmaker-release": {"director_component_name": "front"},
    "post-matchmaker-release-config": {"name": "more", "configuration": RULES},
    "patch-matchmaker-release-config": {"configuration": RULES},
    "session-post": {**_SEATS, "ip_list": ["192.0.2.8"]},
    "put-users-session": {"ip_list": ["192.0.2.9"]},
    "delete-users-session": {"ip_list": ["192.0.2.9"]},
    "sessions-bulk-stop": {"filters": [{"field": "session_id", "values": ["$session_id"], "filter_type": "any"}]},
    "active-deployment-telemetry-post": {"deployments": ["$request_id"], "ips": ["192.0.2.7"]},
    "ticket-create": {"edgegap_profile_id": "duel", "player_id": ""},
    "wizard-init-quick-start": {"source": "unity"},
}  # fmt: skip

#: Everything that an operation takes beside its path, once.
QUERIES: dict[str, str] = {
    "deployments-get": "page=1&limit=5",
    "deployment-get-logs": "format=ndjson",
    "locations-get": "app=$app_name&version=$version_name&tags=true",
    "deployment-metrics-get": "steps=30s",
}
