"""How a launch is said to an engine: names, labels and the container's configuration. Pure; called by ``engine.py``."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from innkeeper.engines.base import Launch, NotStarted, Port, ServerId, Transport
from innkeeper.engines.commandline import words

from .client import Kind

#: ``published``: ports of the host lead to a network of the container's own. ``isolated``: the same, and containers of
#: the house cannot reach each other (Docker alone can do that). ``host``: the host's own network, for trusted servers.
Network = Literal["published", "isolated", "host"]

HOUSE, HOST, SERVER, PORTS = "innkeeper.house", "innkeeper.host", "innkeeper.server", "innkeeper.ports"

#: What root may still do in its container. Images often begin as root to give files away (CHOWN, FOWNER,
#: DAC_OVERRIDE) and then step down (SETUID, SETGID); their init must reach who stepped down (KILL).
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")
#: A port below 1024 is harmless in a network of its own, and not on the host's.
OWN_NETWORK_CAPABILITIES = (*CAPABILITIES, "NET_BIND_SERVICE")
PIDS = 1024
_UNAWAITED = ":unawaited"
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_VARIABLE = re.compile(r"[^=\0]+")
#: Podman hands on its own limits, which may be higher than what it may give.
_PODMAN_LIMITS = [{"Name": "nofile", "Soft": 1024, "Hard": 4096}, {"Name": "nproc", "Soft": 4096, "Hard": 16384}]
_LEAST_LOG = 64 << 10
_TMPFS = "rw,nosuid,nodev,mode=1777,size=64m"


@dataclass(frozen=True, slots=True)
class Ground:
    """What is the same for all containers of one host."""

    house: str
    host_id: str
    kind: Kind = "docker"
    network: Network = "published"
    bind: str = ""  #: the address of the host whose ports are published; empty is all
    read_only: bool = False
    known: Callable[[], Collection[str]] | None = None  #: the house's hosts, where that is told

    @property
    def labels(self) -> dict[str, str]:
        """What marks a container as this host's, and as nobody else's."""
        return {**self.house_label, HOST: self.host_id}

    @property
    def house_label(self) -> dict[str, str]:
        """What marks a container as one of the house's."""
        return {HOUSE: self.house}

    def owns(self, labels: Mapping[str, str]) -> bool:
        """Whether a container with these labels is this host's, or one's that the house has no more.

        A host that went while its engine was silent left its containers behind: whoever finds them there has them.
        """
        if labels.get(HOUSE) != self.house:
            return False
        host_id = labels.get(HOST)
        return host_id == self.host_id or (self.known is not None and host_id not in self.known())

    @property
    def own_network(self) -> str:
        """The network for ``isolated``."""
        return f"innkeeper-{self.house}"


def name_of(server_id: ServerId) -> str:
    """What a server's container is called."""
    return f"innkeeper-{server_id}"


def safe_id(server_id: ServerId) -> bool:
    """Whether the id is one that may be a container's name and a file's."""
    return _SAFE.fullmatch(server_id) is not None


def check(launch: Launch) -> None:
    """Raises :class:`NotStarted` for what no engine would start."""
    if not safe_id(launch.server_id):
        raise NotStarted(f"{launch.server_id!r} is no id of a server")
    if not launch.image:
        raise NotStarted(f"its build at {launch.build} is a program and no image: this host runs containers alone")
    for name, value in launch.env.items():
        if not _VARIABLE.fullmatch(name) or "\0" in value:
            raise NotStarted(f"{name!r} cannot be a variable of the environment, or its value cannot be one's")
    said = (*words(launch.entrypoint, "command"), *words(launch.arguments, "arguments"))
    if any("\0" in word for word in said):
        raise NotStarted("its command or its arguments hold a character that none may hold")
    try:
        "".join((launch.image, *launch.env, *launch.env.values(), *said)).encode()
    except UnicodeEncodeError as error:
        raise NotStarted(f"its environment or its command is no text: {error.reason}") from None


def configuration(launch: Launch, ground: Ground) -> dict[str, Any]:
    """The body of the request that creates the container."""
    limit = max(launch.log_limit, _LEAST_LOG)
    if ground.kind == "podman":
        log = {"Type": "k8s-file", "Config": {"max-size": str(limit)}}  # its one file is emptied at its ceiling
    else:
        log = {"Type": "json-file", "Config": {"max-size": str(limit // 2), "max-file": "2"}}
    own_network = ground.network != "host"
    kept = OWN_NETWORK_CAPABILITIES if own_network else CAPABILITIES
    host: dict[str, Any] = {
        "Init": True,  # a game that knows nothing of being process 1 hears SIGTERM, and leaves no zombies
        "Memory": launch.memory_mb << 20,
        "MemorySwap": launch.memory_mb << 20,
        "NanoCpus": max(10_000_000, round(launch.cpu * 1e9)),
        "PidsLimit": PIDS,
        "CapDrop": ["ALL"],
        "CapAdd": list(kept),
        "SecurityOpt": ["no-new-privileges"],
        "RestartPolicy": {"Name": "no"},
        "LogConfig": log,
        "NetworkMode": {"published": "bridge", "isolated": ground.own_network, "host": "host"}[ground.network],
    }
    if ground.kind == "podman":
        host["Ulimits"] = _PODMAN_LIMITS
    if ground.read_only:
        host["ReadonlyRootfs"] = True
        host["Tmpfs"] = {"/tmp": _TMPFS}  # noqa: S108  the container's own
    body: dict[str, Any] = {
        "Image": launch.image,
        "Env": [f"{name}={value}" for name, value in launch.env.items()],
        "Labels": {**ground.labels, SERVER: launch.server_id, PORTS: write_ports(launch.ports)},
        "HostConfig": host,
    }
    # An engine that is told of an entrypoint leaves out the image's own arguments too.
    if entrypoint := words(launch.entrypoint, "command"):
        body["Entrypoint"] = entrypoint
    if arguments := words(launch.arguments, "arguments"):
        body["Cmd"] = arguments
    if own_network:
        body["ExposedPorts"] = {_inside(port): {} for port in launch.ports}
        bindings: dict[str, list[dict[str, str]]] = {}
        for port in launch.ports:
            bindings.setdefault(_inside(port), []).append({"HostIp": ground.bind, "HostPort": str(port.number)})
        host["PortBindings"] = bindings
    return body


def _inside(port: Port) -> str:
    return f"{port.bound}/{port.transport.value}"


def write_ports(ports: Sequence[Port]) -> str:
    """Ports as one label: ``udp:7777:20001,tcp:...``, inside before outside; a word more for one nobody waits for."""
    return ",".join(
        f"{port.transport.value}:{port.bound}:{port.number}{'' if port.awaited else _UNAWAITED}" for port in ports
    )


def read_ports(label: str) -> tuple[Port, ...]:
    """The ports that :func:`write_ports` wrote; none when somebody else wrote it."""
    ports: list[Port] = []
    try:
        for word in label.split(",") if label else ():
            awaited = not word.endswith(_UNAWAITED)
            transport, inside, number = word.removesuffix(_UNAWAITED).split(":")
            ports.append(Port("", Transport(transport), int(number), int(inside), awaited))
    except ValueError:
        return ()
    return tuple(ports)


def without_values(text: str, launch: Launch) -> str:
    """An engine's words without the values of the environment, some of which are secrets. The image's name stays."""
    told = text.split(launch.image) if launch.image else [text]
    for value in sorted(launch.env.values(), key=len, reverse=True):
        if len(value) > 3:
            told = [words.replace(value, "***") for words in told]
    return launch.image.join(told)
