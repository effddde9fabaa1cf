"""Answers to Edgegap's API: one module per tag, named as in ``contract/edgegap``. Importing it registers all.

The vendor's words (deployment, session, version) end here: ``words.py`` and its neighbours translate.
"""

from __future__ import annotations

from . import (
    access,
    applications,
    container_registry,
    context,
    custom_sessions,
    deployment_tags,
    deployments,
    deployments_v2,
    endpoint_storage,
    fleets,
    ip_lookup,
    locations,
    matchmaker,
    matchmaker_releases,
    metrics,
    monitoring,
    sessions,
    statics,
    telemetry,
    tickets,
    versions,
    wizard,
)

__all__ = [
    "access", "applications", "container_registry", "context", "custom_sessions", "deployment_tags", "deployments",
    "deployments_v2", "endpoint_storage", "fleets", "ip_lookup", "locations", "matchmaker", "matchmaker_releases",
    "metrics", "monitoring", "sessions", "statics", "telemetry", "tickets", "versions", "wizard",
]  # fmt: skip
