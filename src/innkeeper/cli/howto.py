"""How a build shall be run, as options: for ``deploy`` and ``deployments create``.

Every option can be given in the environment too, under the name that Hathora's own command line uses.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import completing
from .failures import Code, Failure
from .fitting import fitting

if TYPE_CHECKING:
    from innkeeper.contract.hathora.deployments_v3 import ContainerPort, DeploymentConfigV3, DeploymentV3

C = TypeVar("C", bound=Callable[..., Any])

#: What counts where neither an option nor an earlier deployment says otherwise.
DEFAULTS: Mapping[str, Any] = {
    "rooms_per_process": 1,
    "transport_type": "udp",
    "container_port": 7777,
    "requested_cpu": 0.5,
    "requested_memory_mb": 1024,
    "idle_timeout_enabled": True,
}
_PORT = re.compile(r"([^:]+):([0-9]+)/(udp|tcp|tls)", re.IGNORECASE)


def howto_options(command: C) -> C:
    """Give a command the options; it passes them to :func:`config_of`."""
    options = [
        _option("--rooms-per-process", type=int, metavar="N", help="How many rooms a server takes at the same time."),
        _option(
            "--transport-type", type=click.Choice(["udp", "tcp", "tls"], case_sensitive=False),
            help="How packets travel to the default port. With tls Innkeeper ends TLS, and the game speaks plain TCP.",
        ),
        _option(
            "--container-port", type=int, metavar="PORT",
            help="The default port. On a process host it is a name only: a server binds $PORT.",
        ),
        click.option(
            "--additional-container-ports", "--port", "additional", multiple=True, metavar="NAME:PORT/PROTO",
            help="One more port, such as ws:7778/tcp; up to two. A program binds $PORT_WS.",
        ),
        click.option(
            "--env", multiple=True, metavar="NAME=VALUE",
            help="An environment variable for the servers; again for more. Values may have any letters.",
        ),
        _option("--requested-memory-mb", type=float, metavar="MIB", help="Memory of each server."),
        _option("--requested-cpu", type=float, metavar="N", help="Processors of each server; may be a fraction."),
        _option(
            "--idle-timeout-enabled/--no-idle-timeout-enabled",
            help="Whether a server without rooms and players is ended after five minutes.",
        ),
        _option("--deployment-tag", metavar="TEXT", help="A word of your own for this deployment."),
        _option(
            "--fleet-id", metavar="FLEET", shell_complete=completing.fleets,
            help="The fleet whose hosts its servers go to first; '' for none.",
        ),
        click.option(
            "--from-latest", is_flag=True, envvar="HATHORA_FROM_LATEST",
            help="Take everything that is not given from the app's newest deployment.",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _option(name: str, **more: Any) -> Callable[[C], C]:
    plain = name.partition("/")[0].removeprefix("--").replace("-", "_")
    help_text = more.pop("help")
    default = DEFAULTS.get(plain)
    if default is not None:
        help_text += f" [{'on' if default is True else default}]"
    return click.option(name, default=None, envvar=f"HATHORA_{plain.upper()}", help=help_text, **more)


def config_of(
    build_id: str, given: Mapping[str, Any], latest: DeploymentV3 | None, environ: Mapping[str, str] = os.environ
) -> DeploymentConfigV3:
    """The deployment that the options ask for; ``latest`` fills what they leave out, then the defaults do.

    Raises :class:`Failure` for what cannot be read, and for what would be refused: a build is not made in vain.
    """
    from innkeeper.contract.hathora.deployments_v3 import DeploymentConfigV3, EnvVariable
    from innkeeper.contract.hathora.words import TransportType
    from innkeeper.contract.shape import UNSET

    earlier: dict[str, Any] = {}
    if latest is not None:
        earlier = {
            "rooms_per_process": latest.rooms_per_process,
            "transport_type": latest.default_container_port.transport_type,
            "container_port": latest.default_container_port.port,
            "requested_cpu": latest.requested_cpu,
            "requested_memory_mb": latest.requested_memory_mb,
            "idle_timeout_enabled": latest.idle_timeout_enabled,
            "fleet_id": latest.fleet_id,
        }
    chosen = {
        name: given[name] if given[name] is not None else earlier.get(name, default)
        for name, default in DEFAULTS.items()
    }
    env = _variables(given["env"] or _env_lines(environ.get("HATHORA_ENV", "")))
    ports = _ports(
        given["additional"] or environ.get("HATHORA_ADDITIONAL_CONTAINER_PORTS", "").replace(",", " ").split()
    )
    if latest is not None:
        # What is given replaces one by one, so that a changed value needs no repeating of the others.
        env = {variable.name: variable.value for variable in latest.env} | env
        ports = {port.name: port for port in latest.additional_container_ports} | ports
    config = DeploymentConfigV3(
        build_id=build_id,
        requested_cpu=chosen["requested_cpu"],
        requested_memory_mb=chosen["requested_memory_mb"],
        idle_timeout_enabled=chosen["idle_timeout_enabled"],
        deployment_tag=given["deployment_tag"] or UNSET,
        container_port=chosen["container_port"],
        transport_type=TransportType(chosen["transport_type"]),
        additional_container_ports=list(ports.values()),
        rooms_per_process=chosen["rooms_per_process"],
        env=[EnvVariable(name=name, value=value) for name, value in env.items()],
        fleet_id=(given["fleet_id"] or UNSET) if given["fleet_id"] is not None else earlier.get("fleet_id", UNSET),
    )
    _check(config)
    return config


def _check(config: DeploymentConfigV3) -> None:
    """Refuse what every Innkeeper refuses. The limits are the contract's own."""
    from innkeeper.contract.hathora.deployments_v3 import EnvName, PortName, PortNumber
    from innkeeper.contract.shape import UnsetType

    def wrong(text: str) -> Failure:
        return Failure(text, Code.USAGE)

    ports = [] if isinstance(config.additional_container_ports, UnsetType) else config.additional_container_ports
    fitting(config.container_port, PortNumber, "--container-port: write a port from 1 to 65535")
    if not 1 <= config.rooms_per_process <= 10_000:
        raise wrong(f"--rooms-per-process: write a number from 1 to 10,000, not {config.rooms_per_process}")
    for option, amount in (("cpu", config.requested_cpu), ("memory-mb", config.requested_memory_mb)):
        if not (math.isfinite(amount) and amount > 0):
            raise wrong(f"--requested-{option}: write a number above 0, not {amount:g}")
    for port in ports:
        whole = f"--port {port.name}:{port.port}/{port.transport_type}"
        fitting(port.name, PortName, f"{whole}: a name has small letters, digits and `-`, a letter first")
        fitting(port.port, PortNumber, f"{whole}: write a port from 1 to 65535")
        if port.name == "default":
            raise wrong(f"{whole}: `default` is the port of --container-port; choose another name")
    if len(ports) > 2:
        raise wrong(f"--port: a server has up to two ports besides its default one, not {len(ports)}")
    if len(config.env) > 100:
        raise wrong(f"--env: a deployment has up to 100 variables, not {len(config.env)}")
    for variable in config.env:
        fitting(variable.name, EnvName, "--env: a name has up to 100 letters, digits and `_`, and no digit first")
        if len(variable.value) > 5000:  # which may be a secret: it is not shown
            raise wrong(f"--env {variable.name}: a value has up to 5000 characters, not {len(variable.value)}")


def lost(config: DeploymentConfigV3) -> list[str]:
    """A sentence for each variable that has no effect, for the person who asked for it."""
    if not any(variable.name == "PORT" for variable in config.env):
        return []
    return ["--env PORT has no effect: PORT tells a server which port to bind, and is set for each anew"]


def masked(deployment: DeploymentV3) -> DeploymentV3:
    """The deployment without the values of its variables, which may be secrets: results of pipelines are kept."""
    from msgspec.structs import replace

    return replace(deployment, env=[replace(variable, value="***") for variable in deployment.env])


def _variables(pairs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise Failure(f"--env: write NAME=VALUE, not {pair!r}", Code.USAGE)
        found[name] = value
    return found


def _env_lines(text: str) -> list[str]:
    """``HATHORA_ENV``: a JSON object, or ``NAME=VALUE`` on lines of their own."""
    if text.lstrip().startswith("{"):
        try:
            return [f"{name}={value}" for name, value in json.loads(text).items()]
        except ValueError as error:
            raise Failure(f"HATHORA_ENV is not a JSON object: {error}", Code.USAGE) from None
    return [line for line in text.splitlines() if line.strip()]


def _ports(words: Sequence[str]) -> dict[str, ContainerPort]:
    from innkeeper.contract.hathora.deployments_v3 import ContainerPort
    from innkeeper.contract.hathora.words import TransportType

    found: dict[str, ContainerPort] = {}
    for word in words:
        parts = _PORT.fullmatch(word)
        if parts is None:
            raise Failure(f"--port: write NAME:PORT/udp, /tcp or /tls, such as ws:7778/tcp, not {word!r}", Code.USAGE)
        name, port, transport = parts.groups()
        found[name] = ContainerPort(name=name, port=int(port), transport_type=TransportType(transport.lower()))
    return found
