"""The environment variables that Edgegap promises to a game server. Handed to hosting by ``inn.py``.

Facts: section 3.4 of the vendor's documents, and what its SDKs read. What is not known is an empty text, never missing:
programs read them without a default. Each server gets them, whichever API asked for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from innkeeper.hosting.addresses import dialled_ports
from innkeeper.hosting.geography import Atlas
from innkeeper.hosting.launching import Starting
from innkeeper.hosting.model import PortSpec
from innkeeper.hosting.plans import short_id
from innkeeper.hosting.serversecrets import ASK, STOP, ServerSecrets

_specs = msgspec.json.Decoder(list[PortSpec]).decode
#: What stands for the fleet of a server that runs on none of its owner's hosts.
_NO_FLEET = "PUBLIC_CLOUD"


class Surroundings:
    """Makes the variables. ``base_url`` is where servers reach the house; ``beacon_of`` tells host and port of what
    players of a location measure their distance with, if there is such a thing.
    """

    def __init__(
        self, atlas: Atlas, secrets: ServerSecrets, base_url: str, beacon_of: Callable[[str], tuple[str, int] | None]
    ) -> None:
        self._atlas, self._secrets, self._base, self._beacon_of = atlas, secrets, base_url.rstrip("/"), beacon_of

    def __call__(self, starting: Starting) -> Mapping[str, str]:
        """The variables of one server."""
        facts = starting.facts
        server, release, order = facts.server, facts.release, facts.order
        short, secrets = short_id(server.id), self._secrets
        cpu = release.cpu if order is None or order.cpu is None else order.cpu
        memory = release.memory_mb if order is None or order.memory_mb is None else order.memory_mb
        beacon = self._beacon_of(server.location)
        return {
            "ARBITRIUM_REQUEST_ID": short,
            "ARBITRIUM_PUBLIC_IP": server.address or "",
            "ARBITRIUM_DELETE_URL": f"{self._base}/v1/self/stop/{short}/{secrets.number(server.id, STOP)}",
            "ARBITRIUM_DELETE_TOKEN": secrets.secret(server.id, STOP),
            "ARBITRIUM_CONTEXT_URL": f"{self._base}/v1/context/{short}/{secrets.number(server.id, ASK)}",
            "ARBITRIUM_CONTEXT_TOKEN": secrets.secret(server.id, ASK),
            "ARBITRIUM_DEPLOYMENT_TAGS": ",".join(facts.tags),
            "ARBITRIUM_DEPLOYMENT_LOCATION": json.dumps(self._location(server.location)),
            "ARBITRIUM_DEPLOYMENT_VCPU_UNITS": str(round(cpu * 1024)),
            "ARBITRIUM_DEPLOYMENT_MEMORY_MB": str(round(memory)),
            "ARBITRIUM_HOST_ID": server.host_id or "",
            "ARBITRIUM_HOST_BASE_CLOCK_FREQUENCY": "",
            "ARBITRIUM_HOST_IN_PRIVATE_FLEET": "true" if release.fleet_id else "false",
            "ARBITRIUM_PRIVATE_FLEET_ID": release.fleet_id or _NO_FLEET,
            "ARBITRIUM_BEACON_ENABLED": "true" if beacon else "false",
            "ARBITRIUM_HOST_BEACON_ENABLED": "true" if beacon else "false",
            "ARBITRIUM_HOST_BEACON_PUBLIC_IP": beacon[0] if beacon else "",
            "ARBITRIUM_HOST_BEACON_PORT_UDP_EXTERNAL": str(beacon[1]) if beacon else "",
            "ARBITRIUM_HOST_BEACON_PORT_TCP_EXTERNAL": str(beacon[1]) if beacon else "",
            **self._ports(starting),
        }

    def _location(self, name: str) -> dict[str, Any]:
        place = self._atlas.places.get(name)
        return {
            "city": place.city or name if place else name,
            "country": place.country if place else "",
            "continent": place.continent if place else "",
            "administrative_division": place.administrative_division if place else "",
            "timezone": place.timezone if place else "",
            "latitude": place.latitude if place else 0.0,
            "longitude": place.longitude if place else 0.0,
        }

    def _ports(self, starting: Starting) -> dict[str, str]:
        specs = {spec.name: spec for spec in _specs(starting.facts.release.ports)}
        told: dict[str, str] = {}
        mapping: dict[str, dict[str, Any]] = {}
        for port in dialled_ports(starting.facts.server):
            spec = specs.get(port.name)
            protocol = (
                spec.speaks if spec and spec.speaks else "TCP" if port.transport == "tls" else port.transport.upper()
            )
            # What the program binds: in a container its own number, else the one that it was given.
            internal = port.inside or port.behind or port.number
            mapping[port.name] = {
                "name": port.name, "internal": internal, "external": port.number, "protocol": protocol,
            }  # fmt: skip
            word = re.sub(r"[^A-Z0-9]", "_", port.name.upper())
            told[f"ARBITRIUM_PORT_{word}_INTERNAL"] = str(internal)
            told[f"ARBITRIUM_PORT_{word}_EXTERNAL"] = str(port.number)
            told[f"ARBITRIUM_PORT_{word}_PROTOCOL"] = protocol
        return {"ARBITRIUM_PORTS_MAPPING": json.dumps({"ports": mapping}), **told}
