# ruff: noqa: ASYNC240
"""What the tests of the process engine stand on: a directory of its own, an engine, small programs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from daemons import IMAGE, IMAGE_SAYS, Daemon, DockerDaemon, PodmanService, python_image
from innkeeper.engines.base import Abilities, EndedBy, Launch, Port, Transport
from innkeeper.engines.ports import PortTable, can_bind
from innkeeper.engines.process.engine import ProcessEngine
from innkeeper.kit.clock import SystemClock

from .promise import collect

PROGRAM = Path(__file__).with_name("program.py")
DEADLINE = 20.0


async def until(condition: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Wait for a condition; fail when it has not come true by the deadline."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        await asyncio.sleep(0.002)


def alive(pid: int) -> bool:
    """Whether a process runs (zombies do not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class ProcessGround:
    """A process engine in a directory of its own."""

    def __init__(self, directory: Path, *, cgroups: bool = True, run_as: tuple[int, int] | None = None) -> None:
        self.directory, self.cgroups = directory, cgroups
        self.program = shlex.join([sys.executable, "-I", "-S", str(PROGRAM)])  #: runs ``program.py``
        self.run_as = run_as or (os.getuid(), os.getgid())
        self.ports = PortTable(21_000 + 500 * (os.getpid() % 15), 28_999, 0, can_bind)
        self.abilities = Abilities("", "")
        self.spawners: set[int] = set()
        self.engine = self._engine()

    def _engine(self) -> ProcessEngine:
        return ProcessEngine(self.directory, SystemClock(), run_as=self.run_as, cgroups=self.cgroups, linger=2.0)

    async def open(self) -> None:
        self.abilities = await self.engine.open()
        self.spawners.add(self.engine.spawner_pid)

    async def restart(self) -> None:
        await self.engine.close()
        self.engine = self._engine()
        await self.open()

    def launch(
        self,
        server_id: str,
        orders: str,
        transports: Sequence[Transport | tuple[Transport, ...]] = (),
        *,
        memory_mb: int = 256,
        log_limit: int = 1 << 28,
    ) -> Launch:
        numbers = self.ports.take(len(transports), transports, 0)
        ports = [
            Port(f"p{number}", transport, number)
            for number, wanted in zip(numbers, transports, strict=True)
            for transport in ([wanted] if isinstance(wanted, Transport) else wanted)
        ]
        binds = " ".join(f"{port.transport}:{port.number}" for port in ports)
        words = [f"{word}" for word in orders.replace("bind ", binds + " ").split()]
        if orders.split()[-1:] == ["bind"]:
            words[-1:] = binds.split()
        command = shlex.join([sys.executable, "-I", "-S", str(PROGRAM), *words])
        return Launch(server_id, Path("/"), command, {}, ports, 1, memory_mb, log_limit)

    def shell(
        self, server_id: str, command: str, *, build: Path = Path("/"), env: dict[str, str] | None = None
    ) -> Launch:
        return Launch(server_id, build, command, env or {}, (), 1, 256)

    async def until(self, condition: Callable[[], object]) -> None:
        await until(condition)

    def pid(self, server_id: str) -> int:
        return int(self.engine.reports()[server_id].handle.split(":")[0])

    async def kill_spawner(self) -> int:
        """Kill it as nothing can be prepared for, and wait until another has taken over."""
        old = self.engine.spawner_pid
        os.kill(old, signal.SIGKILL)
        await until(lambda: self.engine.spawner_pid != old)
        self.spawners.add(self.engine.spawner_pid)
        return self.engine.spawner_pid

    async def over(self) -> None:
        """End everything, the spawner too."""
        for server_id, report in self.engine.reports().items():
            if report.alive:
                await self.engine.stop(server_id, 0)
        await until(lambda: not any(report.alive for report in self.engine.reports().values()))
        for server_id in list(self.engine.reports()):
            await self.engine.forget(server_id)
            await self.engine.discard(server_id)
        await self.engine.close()
        for spawner in self.spawners:
            with contextlib.suppress(ProcessLookupError):
                os.kill(spawner, signal.SIGTERM)
        await until(lambda: not any(alive(spawner) for spawner in self.spawners))


@pytest.fixture(scope="session")
def docker_daemon() -> Iterator[DockerDaemon]:
    """A dockerd with the image of the tests, for all tests of this worker that leave it running."""
    with DockerDaemon() as daemon:
        daemon.take_image(python_image(), IMAGE, *IMAGE_SAYS)
        yield daemon


@pytest.fixture(scope="session")
def podman_service() -> Iterator[PodmanService]:
    """A Podman likewise."""
    with PodmanService() as daemon:
        daemon.take_image(python_image(), IMAGE, *IMAGE_SAYS)
        yield daemon


@pytest.fixture(params=["docker", "podman"])
def engine_daemon(request: pytest.FixtureRequest) -> Daemon:
    """A container engine, once of each kind."""
    found: Daemon = request.getfixturevalue({"docker": "docker_daemon", "podman": "podman_service"}[request.param])
    return found


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "engine"


@pytest.fixture(params=["cgroups", "no cgroups"])
async def both(request: pytest.FixtureRequest, directory: Path) -> AsyncIterator[ProcessGround]:
    """A process engine, once with control groups (if there are any here) and once without."""
    ground = ProcessGround(directory, cgroups=request.param == "cgroups")
    await ground.open()
    yield ground
    await ground.over()


@pytest.fixture
async def plain(directory: Path) -> AsyncIterator[ProcessGround]:
    """A process engine as this machine gives it."""
    ground = ProcessGround(directory)
    await ground.open()
    yield ground
    await ground.over()


@pytest.fixture
async def open_air() -> AsyncIterator[ProcessGround]:
    """An engine as an operator has it: programs run as users of their own if we are root, where everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        Path(folder).chmod(0o755)
        ground = ProcessGround(Path(folder))
        ground.engine = ProcessEngine(Path(folder), SystemClock(), linger=2.0)
        await ground.open()
        yield ground
        await ground.over()


async def ended(ground: ProcessGround, server_id: str = "s-1") -> tuple[EndedBy, int | None, str]:
    await until(lambda: not ground.engine.reports()[server_id].alive)
    end = ground.engine.reports()[server_id].ended
    assert end is not None
    return end.by, end.code, end.detail


async def ready(ground: ProcessGround, server_id: str = "s-1") -> None:
    await until(lambda: ground.engine.reports()[server_id].ready_at is not None)


async def words(ground: ProcessGround, server_id: str = "s-1") -> str:
    return (await collect(ground.engine.log(server_id, tail=None, follow=False))).decode()
