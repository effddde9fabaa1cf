"""How ``innkeeper edgegap`` tells a deployment. Called by ``edgegap.py`` and by what completes its ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .telling import document, facts

if TYPE_CHECKING:
    from msgspec import UnsetType

    from innkeeper.contract.edgegap.deployments import Status
    from innkeeper.contract.edgegap.words import PortMapping

    from .talk import Talk


def state_of(state: object) -> str:
    """A deployment's state as people say it: ``READY``."""
    return str(state).removeprefix("Status.") if isinstance(state, str) else "-"


def tell(talk: Talk, one: Status) -> None:
    """All that is known of it."""
    if talk.as_json:
        document(one)
        return
    ports: Mapping[str, PortMapping] = one.ports or {}
    place = one.location or None
    facts(
        [
            ("request id", one.request_id),
            ("status", state_of(one.current_status)),
            ("what went wrong", one.error_detail or None),
            ("app", one.app_name),
            ("version", one.app_version),
            ("location", ", ".join(word for word in (place.city, place.country) if word) if place else None),
            ("address", one.public_ip or None),
            ("name", one.fqdn or None),
            *((f"port {name}", f"{port.link or port.external} {port.protocol or ''}") for name, port in ports.items()),
            ("sockets", sockets(one.sockets_usage, one.sockets)),
            ("tags", ", ".join(one.tags or ()) or None),
            ("since", one.start_time[:19]),
            ("ended", one.removal_time[:19] if one.removal_time else None),
        ]
    )


def sockets(taken: object, room: object) -> str | None:
    """How many are taken of how many there are, where there are any."""
    return f"{taken or 0}/{room}" if isinstance(room, int) else None


def first_link(ports: Mapping[str, PortMapping] | UnsetType | None) -> str | None:
    """Where to dial the first port."""
    first = next(iter((ports or {}).values()), None)
    return (first.link or None) if first else None
