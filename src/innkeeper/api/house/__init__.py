"""Answers to the house's own API: one module per group, named as in ``contract/house``. Importing it registers all."""

from __future__ import annotations

from . import hosts_v1, servers_v1

__all__ = ["hosts_v1", "servers_v1"]
