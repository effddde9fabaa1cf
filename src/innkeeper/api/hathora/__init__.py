"""Answers to Hathora Cloud's API: one module per tag, named as in ``contract/hathora``. Importing it registers all.

The vendor's words (deployment, process, region) end here: ``words.py`` translates.
"""

from __future__ import annotations

from . import (
    apps_v1,
    apps_v2,
    auth_v1,
    billing_v1,
    builds_v1,
    builds_v2,
    builds_v3,
    deployments_v1,
    deployments_v2,
    deployments_v3,
    discovery_v1,
    discovery_v2,
    fleets_v1,
    fleets_v2,
    lobbies_v1,
    lobbies_v2,
    lobbies_v3,
    logs_v1,
    logs_v1_removed,
    management_v1,
    metrics_v1,
    nodes_v1,
    organizations_v1,
    processes_v1,
    processes_v2,
    processes_v3,
    rooms_v1,
    rooms_v2,
    tokens_v1,
    uploads,
)

__all__ = [
    "apps_v1", "apps_v2", "auth_v1", "billing_v1", "builds_v1", "builds_v2", "builds_v3", "deployments_v1",
    "deployments_v2", "deployments_v3", "discovery_v1", "discovery_v2", "fleets_v1", "fleets_v2", "lobbies_v1",
    "lobbies_v2", "lobbies_v3", "logs_v1", "logs_v1_removed", "management_v1", "metrics_v1", "nodes_v1",
    "organizations_v1", "processes_v1", "processes_v2", "processes_v3", "rooms_v1", "rooms_v2", "tokens_v1",
    "uploads",
]  # fmt: skip
