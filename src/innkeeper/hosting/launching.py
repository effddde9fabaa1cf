"""What a server is told when it starts. Called by ``passes/placing.py``; pure but for opening secrets.

Which environment variables a server gets is a vendor's matter: ``inn.py`` hands in a function that makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from innkeeper.engines.base import Launch, Port, Transport

from .addresses import given_ports
from .apps import Apps
from .hosts import TLS
from .model import GivenPort
from .queries.placing import LaunchFacts
from .releases import Releases


@dataclass(frozen=True, slots=True)
class Starting:
    """A server that is about to start, for those who make its environment."""

    facts: LaunchFacts
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
        starting = Starting(facts, self._apps.secret_of(facts.app))
        image = facts.build.image or ""
        env = {
            **self._environment(starting),
            **self._releases.env_of(facts.release),
            **{bound_by(port.name): str(_port(port).bound) for port in ports},
        }
        return Launch(
            server_id=facts.server.id,
            build=self._builds / facts.build.key,
            command=facts.build.command or "",
            env=env,
            ports=[_port(port) for port in ports],
            cpu=facts.release.cpu,
            memory_mb=max(1, round(facts.release.memory_mb)),
            log_limit=self._log_limit,
            image=image,
        )


def bound_by(name: str) -> str:
    """The variable that tells a program which number to bind for a port: ``PORT``, and ``PORT_WS`` for one called ws.

    What a vendor's own variables tell is the number that players dial, which differs where TLS is ended for the game.
    """
    return "PORT" if name == "default" else f"PORT_{name.upper().replace('-', '_')}"


def _port(port: GivenPort) -> Port:
    """For the engine: what the program binds. Whoever ends TLS speaks plain TCP to it."""
    if port.transport == TLS:
        return Port(port.name, Transport.TCP, port.behind, port.inside)
    return Port(port.name, Transport(port.transport), port.number, port.inside)
