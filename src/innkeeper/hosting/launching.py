"""What a server is told when it starts. Called by ``passes/placing.py``; pure but for opening secrets.

Which environment variables a server gets is a vendor's matter: ``inn.py`` hands in a function that makes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from innkeeper.engines.base import Launch, Port

from .addresses import given_ports
from .apps import Apps
from .hosts import TLS, transports_of
from .model import GivenPort
from .plans import read_plan
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

    def launch(self, facts: LaunchFacts, files: Path | None = None) -> Launch:
        """The launch of a placed server, which gets these files.

        The owner's own variables win over the platform's, but not over ``PORT``.
        """
        ports = given_ports(facts.server.ports)
        starting = Starting(facts, self._apps.secret_of(facts.app))
        image = facts.build.image or ""
        env = {
            **self._environment(starting),
            **self._releases.env_of(facts.release),
            **({} if facts.order is None else self._releases.env_asked_for(facts.order)),
            **({"PORT": str(_ports(ports[0])[0].bound)} if ports else {}),
            **{bound_by(port.name): str(_ports(port)[0].bound) for port in ports},
        }
        order, release = facts.order, facts.release
        plan = read_plan(None if order is None else order.plan)
        return Launch(
            server_id=facts.server.id,
            build=self._builds / facts.build.key,
            command=facts.build.command or "",
            env=env,
            ports=[one for port in ports for one in _ports(port)],
            cpu=release.cpu if order is None or order.cpu is None else order.cpu,
            memory_mb=max(1, round(release.memory_mb if order is None or order.memory_mb is None else order.memory_mb)),
            log_limit=self._log_limit,
            image=image,
            entrypoint=plan.command,
            arguments=plan.arguments,
            files=files,
        )


def bound_by(name: str) -> str:
    """The variable that tells a program which number to bind for a port: ``PORT``, and ``PORT_WS`` for one called ws.

    What a vendor's own variables tell is the number that players dial, which differs where TLS is ended for the game.
    """
    return "PORT" if name == "default" else f"PORT_{re.sub('[^A-Z0-9]', '_', name.upper())}"


def _ports(port: GivenPort) -> list[Port]:
    """For the engine: what the program binds, by each transport that it is reached by."""
    number = port.behind if port.transport == TLS else port.number
    return [Port(port.name, by, number, port.inside, port.awaited) for by in transports_of(port.transport)]
