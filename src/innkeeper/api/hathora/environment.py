"""The environment variables that Hathora promises to a game server. Handed to hosting by ``inn.py``.

Facts: the vendor's Unreal plugin and samples read them. Empty, not missing, where there is no room: old samples read
them without a default.
"""

from __future__ import annotations

from collections.abc import Mapping

from innkeeper.hosting.addresses import dialled_ports
from innkeeper.hosting.launching import Starting

from .words import region_of


def environment(starting: Starting) -> Mapping[str, str]:
    """The variables of one server."""
    server, release, room = starting.facts.server, starting.facts.release, starting.facts.room
    ports = dialled_ports(server)  # none where its release was made through another API, and has none
    first = ports[0] if ports else None
    cpu = release.cpu
    return {
        "HATHORA_APP_ID": server.app_id,
        "HATHORA_APP_SECRET": starting.app_secret,
        "HATHORA_PROCESS_ID": server.id,
        "HATHORA_DEPLOYMENT_ID": release.id,
        "HATHORA_BUILD_TAG": release.build_tag or "",
        "HATHORA_REGION": region_of(server.location).value,
        "HATHORA_ROOMS_PER_PROCESS": str(release.seats),
        "HATHORA_INITIAL_ROOM_ID": room.id if room is not None else "",
        "HATHORA_INITIAL_ROOM_CONFIG": (room.config or "") if room is not None else "",
        "HATHORA_HOSTNAME": first.host if first is not None else server.address or "",
        "HATHORA_DEFAULT_PORT": str(first.number) if first is not None else "",
        "HATHORA_ALLOCATED_CPU": f"{cpu:g}",
        "HATHORA_ALLOCATED_MEMORY_MB": f"{release.memory_mb:g}",
        "HATHORA_PRIVATE_IP": server.address or "",
        **{f"HATHORA_{port.name.upper().replace('-', '_')}_PORT": str(port.number) for port in ports[1:]},
    }
