"""What the tests of containers stand on: an engine of ours, on a real Docker or Podman that other tests use too."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from daemons import IMAGE, Daemon
from innkeeper.engines.base import Abilities, EndedBy, Launch, Port, Report, Transport
from innkeeper.engines.docker.client import Endpoint
from innkeeper.engines.docker.engine import DockerEngine
from innkeeper.engines.ports import PortTable, can_bind
from innkeeper.kit.clock import SystemClock

from .conftest import until

_houses = itertools.count()
#: Where the program listens in a container of its own network.
INSIDE = 7000


class ContainerGround:
    """A container engine of ours, for a house that nobody else has. ``more`` goes to the engine."""

    def __init__(self, daemon: Daemon, *, endpoint: Endpoint | None = None, **more: Any) -> None:
        self.daemon, self._more = daemon, more
        self.endpoint = endpoint or Endpoint(daemon.url)
        self.house = f"h{os.getpid()}n{next(_houses)}"
        self.folder = Path(tempfile.mkdtemp(prefix="containers-"))
        self.ports = PortTable(21_000 + 500 * (os.getpid() % 15), 28_999, 0, can_bind)
        self.abilities = Abilities("", "")
        self.engine = self.make()

    program = "python3 -I -S /program.py"  #: runs ``program.py``

    @property
    def own_network(self) -> bool:
        return self._more.get("network") != "host"

    def make(self, host_id: str = "far") -> DockerEngine:
        options: dict[str, Any] = {"house": self.house, "bind": "127.0.0.1", **self._more}
        return DockerEngine(host_id, self.endpoint, self.folder, SystemClock(), **options)

    async def open(self) -> None:
        self.abilities = await self.engine.open()

    async def restart(self) -> None:
        await self.restart_as("far")

    async def restart_as(self, host_id: str) -> None:
        """Close the engine of ours, and open one of that name."""
        await self.engine.close()
        self.engine = self.make(host_id)
        await self.open()

    def launch(
        self,
        server_id: str,
        orders: str,
        transports: Sequence[Transport | tuple[Transport, ...]] = (),
        *,
        memory_mb: int = 128,
        image: str = IMAGE,
        env: dict[str, str] | None = None,
        bind_to: str = "0.0.0.0",
    ) -> Launch:
        numbers = self.ports.take(len(transports), transports, 0)
        ports = [
            Port(f"p{number}", transport, number, INSIDE + at if self.own_network else 0)
            for at, (number, wanted) in enumerate(zip(numbers, transports, strict=True))
            for transport in ([wanted] if isinstance(wanted, Transport) else wanted)
        ]
        binds = " ".join(f"{port.transport}:{port.inside or port.number}" for port in ports)
        words = [binds if word == "bind" else word for word in orders.split()]
        told = {"ORDERS": " ".join(words), "BIND_TO": bind_to, **(env or {})}
        return Launch(server_id, Path("/"), "", told, ports, 1, memory_mb, image=image)

    async def until(self, condition: Callable[[], object]) -> None:
        await until(condition, 40.0)

    def containers(self) -> list[dict[str, Any]]:
        """The house's, as the engine tells others."""
        return [one for one in self.daemon.containers() if one["Labels"].get("innkeeper.house") == self.house]

    def inspect(self, server_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.daemon.get(f"/containers/innkeeper-{server_id}/json")
        return found

    async def over(self) -> None:
        """End everything; nothing is left on the engine."""
        if self.engine.silent_since is not None:
            await until(lambda: self.engine.silent_since is None)
        for server_id, report in self.engine.reports().items():
            if report.alive:
                await self.engine.stop(server_id, 0)
        await self.until(lambda: not any(report.alive for report in self.engine.reports().values()))
        for server_id in list(self.engine.reports()):
            await self.engine.forget(server_id)
            await self.engine.discard(server_id)
        await self.engine.settled()
        for path in (self.folder / "logs").iterdir():  # of those that a test forgot and did not discard
            await self.engine.discard(path.stem)
        await self.engine.close()
        assert self.containers() == []
        left = [str(path.relative_to(self.folder)) for path in self.folder.rglob("*")]
        shutil.rmtree(self.folder, ignore_errors=True)
        assert left == [], f"left behind: {left}"


@asynccontextmanager
async def opened(daemon: Daemon, **more: Any) -> AsyncGenerator[ContainerGround]:
    """An engine of ours on a real one; nothing of it is left."""
    ground = ContainerGround(daemon, **more)
    await ground.open()
    try:
        yield ground
    finally:
        await ground.over()


async def end_of(ground: ContainerGround, server_id: str = "s-1") -> tuple[EndedBy, int | None, str]:
    """How it ended, once it has."""
    await ground.until(lambda: not ground.engine.reports()[server_id].alive)
    ended = ground.engine.reports()[server_id].ended
    assert ended is not None
    return ended.by, ended.code, ended.detail


async def ready(ground: ContainerGround, server_id: str = "s-1") -> Report:
    """Its report, once it is ready."""
    await ground.until(lambda: ground.engine.reports()[server_id].ready_at is not None)
    return ground.engine.reports()[server_id]
