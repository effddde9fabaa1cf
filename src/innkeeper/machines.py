"""Makes hosts: of this machine, as the settings say, and of others, as an operator describes them. Used by ``inn.py``.

This machine can be two hosts at once, one that runs programs and one with a container engine. They share its ports,
its processors and its memory.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from innkeeper.db.connect import path_of
from innkeeper.engines.ports import PortTable, can_bind, default_range, ephemeral_range, lowest_open_port
from innkeeper.engines.process.engine import ProcessEngine
from innkeeper.hosting.hosts import Host, TlsDoor
from innkeeper.hostspecs import LOCAL, LOCAL_CONTAINERS, HostSpec
from innkeeper.kit.clock import Clock
from innkeeper.settings import Settings

if TYPE_CHECKING:
    from innkeeper.engines.docker.endpoint import Endpoint
    from innkeeper.engines.docker.spec import Network

log = logging.getLogger(__name__)

#: Seconds that a socket of this machine has to say that an engine is behind it.
_PING_SECONDS = 2.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Machines:
    """Makes the hosts of one house. ``house`` is the name that containers and images of ours carry."""

    def __init__(self, settings: Settings, clock: Clock, house: str) -> None:
        self._settings, self._clock, self._house = settings, clock, house
        self._ports: PortTable | None = None
        self.known: Iterable[Host] | None = None  #: the hosts of the house, once they are put together

    @property
    def ports(self) -> PortTable:
        """The ports of this machine, for all its hosts together."""
        if self._ports is None:
            first, last = usual_ports(self._settings)
            self._ports = PortTable(first, last, self._settings.port_quarantine, can_bind)
        return self._ports

    async def here(self, servers: Mapping[str, int]) -> list[Host]:
        """This machine's hosts. ``servers`` counts, by host, those that are on record as being there.

        A host that the settings do not ask for any more is still one while servers are there: it takes no others. An
        engine that was found before and does not answer now is silent, as any other would be.
        """
        found: list[Host] = []
        if self._settings.programs or servers.get(LOCAL):
            found.append(self.programs())
            found[0].draining = not self._settings.programs
        engine, known = await engine_of(self._settings), hosts_folder(self._settings) / LOCAL_CONTAINERS / "engine"
        wanted = engine is not None
        if engine is None and servers.get(LOCAL_CONTAINERS):
            engine = await asyncio.to_thread(_read, known)
            wanted = self._settings.container_engine != "none"
        if engine is not None:
            host = self.containers(HostSpec(name=LOCAL_CONTAINERS, engine=engine))
            host.draining = not wanted
            found.append(host)
            await asyncio.to_thread(_write, known, engine)
        return found

    def programs(self) -> Host:
        """This machine, running servers as programs."""
        settings = self._settings
        engine = ProcessEngine(settings.folder, self._clock, run_as=settings.run_as_ids)
        return Host(
            LOCAL,
            engine,
            self.ports,
            settings.server_address,
            settings.locations,
            *self._limits(settings.host_cpu, settings.host_memory_mb),
            machine=LOCAL,
        )

    def containers(self, spec: HostSpec) -> Host:
        """A machine with a container engine. Raises ``Invalid`` where it cannot be spoken to as described."""
        from innkeeper.engines.docker.engine import DockerEngine  # loaded by those who have one
        from innkeeper.engines.docker.images import DockerImages

        settings = self._settings
        address = spec.address_or(settings.server_address)
        endpoint = _endpoint(spec)
        engine = DockerEngine(
            spec.name,
            endpoint,
            hosts_folder(settings) / spec.name,
            self._clock,
            house=self._house,
            bind="127.0.0.1" if address in _LOOPBACK else "",
            network=network_of(spec),
            read_only=spec.read_only,
            known=self._names,
        )
        named = spec.name == LOCAL_CONTAINERS
        first, last = spec.port_range_or()
        return Host(
            spec.name,
            engine,
            self.ports if spec.shares_ports else PortTable(first, last, settings.port_quarantine, engine.port_is_free),
            address,
            settings.locations if named else frozenset(spec.locations),
            *self._limits(*((settings.host_cpu, settings.host_memory_mb) if named else (spec.cpu, spec.memory_mb))),
            images=DockerImages(endpoint, house=self._house),
            machine=LOCAL if spec.is_here else spec.name,
            published=spec.network != "host",
            spec=spec,
            tls=None if spec.is_here else TlsDoor(self.ports, settings.server_address),
        )

    def _names(self) -> frozenset[str]:
        assert self.known is not None  # engines are opened when all hosts are known
        return frozenset(host.id for host in self.known)

    @staticmethod
    def _limits(cpu: float | None, memory_mb: float | None) -> tuple[float, float]:
        return float("inf") if cpu is None else cpu, float("inf") if memory_mb is None else memory_mb


def disks_of(settings: Settings) -> dict[str, Path]:
    """The folders whose disks must have room for the house to work, by what people call them."""
    folders = {"data folder": settings.folder}
    file = path_of(settings.database_url)
    if file is not None and file.absolute().parent != settings.folder.absolute():
        folders["database"] = file.parent
    return folders


def hosts_folder(settings: Settings) -> Path:
    """Where each host with a container engine has a folder of its own, which stays when the host goes."""
    return settings.folder / "hosts"


def network_of(spec: HostSpec) -> Network:
    """How containers of a host reach the world, in the engine's words."""
    return cast("Network", spec.network)  # which is one of hostspecs.NETWORKS


def _read(file: Path) -> str | None:
    try:
        return file.read_text() or None
    except FileNotFoundError:
        return None


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(text)


def usual_ports(settings: Settings) -> tuple[int, int]:
    """The range that this machine's servers get ports from; what is odd about it is told in the log."""
    ephemeral = ephemeral_range()
    first, last = settings.port_range(default_range(ephemeral))
    if ephemeral is not None and first <= ephemeral[1] and ephemeral[0] <= last:
        log.warning(
            "ports %d-%d overlap the range %d-%d that outgoing connections use: some will be taken now and then",
            first, last, *ephemeral,
        )  # fmt: skip
    lowest = lowest_open_port()
    if first < lowest:
        log.warning("ports %d-%d: servers may bind none below %d; choose a range above it", first, last, lowest)
    return first, last


async def engine_of(settings: Settings, environ: Mapping[str, str] = os.environ) -> str | None:
    """The URL of this machine's container engine, if it is to be used and there is one."""
    if settings.container_engine == "none":
        return None
    if settings.container_engine != "auto":
        return settings.container_engine
    named = {spec.engine for spec in settings.hosts}
    told = environ.get("DOCKER_HOST", "")
    for path in sockets_of(environ):
        if f"unix://{path}" not in named and await answers(path):
            if told and told != f"unix://{path}":
                log.warning("DOCKER_HOST names %s, which is not taken: no engine of this machine answers there", told)
            return f"unix://{path}"
    if told:
        log.warning("DOCKER_HOST names %s, where no engine of this machine answers", told)
    return None


def sockets_of(environ: Mapping[str, str]) -> Iterable[Path]:
    """Where container engines of this machine listen, in the order of preference."""
    given = environ.get("DOCKER_HOST", "")
    if given.startswith("unix://"):
        yield Path(given.removeprefix("unix://"))
    own = environ.get("XDG_RUNTIME_DIR", "")
    yield Path("/var/run/docker.sock")
    if own:
        yield Path(own) / "docker.sock"
    yield Path("/run/podman/podman.sock")
    if own:
        yield Path(own) / "podman" / "podman.sock"


async def answers(path: Path) -> bool:
    """Whether a container engine answers at a socket of this machine."""
    try:
        async with asyncio.timeout(_PING_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(b"GET /_ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


def _endpoint(spec: HostSpec) -> Endpoint:
    from innkeeper.engines.docker.endpoint import Endpoint
    from innkeeper.kit.errors import Invalid

    def file(name: str) -> Path | None:
        return Path(name) if name else None

    try:
        return Endpoint(
            spec.engine,
            tls_ca=file(spec.tls_ca),
            tls_certificate=file(spec.tls_certificate),
            tls_key=file(spec.tls_key),
        )
    except ValueError as error:
        raise Invalid(f"host {spec.name}: engine: {error}") from None
