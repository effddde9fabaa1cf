"""Answers to Hathora Cloud's API: one module per tag, named as in ``contract/hathora``. Importing it registers all.

The vendor's words (deployment, process, region) end here: ``words.py`` translates.
"""

from __future__ import annotations

from . import (
    apps_v2,
    auth_v1,
    builds_v3,
    deployments_v3,
    discovery_v2,
    lobbies_v3,
    logs_v1,
    organizations_v1,
    processes_v3,
    rooms_v2,
    tokens_v1,
    uploads,
)

__all__ = [
    "apps_v2", "auth_v1", "builds_v3", "deployments_v3", "discovery_v2", "lobbies_v3", "logs_v1", "organizations_v1",
    "processes_v3", "rooms_v2", "tokens_v1", "uploads",
]  # fmt: skip
