"""Answers to the house's own API: one module per group, named as in ``contract/house``. Importing it registers all."""

from __future__ import annotations

from . import (
    apps_v1,
    audit_v1,
    billing_v1,
    callbacks_v1,
    events_v1,
    hosts_v1,
    orgs_v1,
    releases_v1,
    servers_v1,
    tokens_v1,
    webhooks_v1,
)

__all__ = [
    "apps_v1", "audit_v1", "billing_v1", "callbacks_v1", "events_v1", "hosts_v1", "orgs_v1", "releases_v1",
    "servers_v1", "tokens_v1", "webhooks_v1",
]  # fmt: skip
