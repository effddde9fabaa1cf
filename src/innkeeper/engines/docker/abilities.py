"""What an engine can do, from what it says of itself. Pure; called by ``engine.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from innkeeper.engines.base import Abilities

from .client import Client
from .spec import Ground

_MIB = 1 << 20


def abilities(client: Client, info: Mapping[str, Any], ground: Ground) -> Abilities:
    """How limits are held there, and what the operator should know."""
    version = str(info.get("CgroupVersion") or "")
    held = f"cgroup v{version}" if version in ("1", "2") else "unknown"
    name = "Podman" if client.kind == "podman" else "Docker"
    notes = [f"{name} {client.version} for {client.architecture} at {client.endpoint.url}"]
    if info.get("MemoryLimit") is False:
        notes.append("this engine cannot hold memory limits: its machine has no memory control group")
    if info.get("CpuCfsQuota") is False:
        notes.append("this engine cannot hold CPU limits: its machine has no CPU quotas")
    if ground.network == "host":
        notes.append(
            "servers share the network of their machine: they reach what listens on its loopback, and may bind the "
            "ports of others; run only servers there that you trust"
        )
    elif client.kind == "podman":
        notes.append("servers can reach each other by their containers' addresses: Podman cannot keep them apart")
    elif ground.network == "published":
        notes.append("servers can reach each other by their containers' addresses; the network 'isolated' forbids it")
    return Abilities(
        memory="none" if info.get("MemoryLimit") is False else held,
        cpu="none" if info.get("CpuCfsQuota") is False else held,
        notes=tuple(notes),
        machine_cpu=float(info["NCPU"]) if info.get("NCPU") else None,
        machine_memory_mb=float(info["MemTotal"] // _MIB) if info.get("MemTotal") else None,
    )
