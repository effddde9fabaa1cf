"""What a server is told when it starts. Called by ``passes/placing.py``; pure but for opening secrets.

Which environment variables a server gets is a vendor's matter: ``inn.py`` hands in a function that makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from innkeeper.engines.base import Launch, Port, Transport

from .apps import Apps
from .model import GivenPort
from .queries.placing import LaunchFacts
from .releases import Releases
from .servers import given_ports


@dataclass(frozen=True, slots=True)
class Starting:
    """A server that is about to start, for those who make its environment."""

    facts: LaunchFacts
    ports: list[GivenPort]
    app_secret: str


#: Makes the variables a vendor promises to a server.
Environment = Callable[[Starting], Mapping[str, str]]


class Launches:
    """Makes launches."""

    def __init__(self, apps: Apps, releases: Releases, builds: Path, environment: Environment, log_limit: int) -> None:
        self._apps, self._releases, self._builds = apps, releases, builds
        self._environment, self._log_limit = environment, log_limit

    def launch(self, facts: LaunchFacts) -> Launch:
        """The launch of a placed server. The owner's own variables win over the platform's, but not over ``PORT``."""
        ports = given_ports(facts.server.ports)
        starting = Starting(facts, ports, self._apps.secret_of(facts.app))
        env = {
            **self._environment(starting),
            **self._releases.env_of(facts.release),
            "PORT": str(ports[0].number),
        }
        return Launch(
            server_id=facts.server.id,
            build=self._builds / facts.build.key,
            command=facts.build.command or "",
            env=env,
            ports=[Port(port.name, Transport(port.transport), port.number) for port in ports],
            cpu=facts.release.cpu,
            memory_mb=max(1, round(facts.release.memory_mb)),
            log_limit=self._log_limit,
        )
