"""From asking for a room to the first packet that its container answers, cold and warm.

    python benchmarks/containers.py                                  # starts a dockerd and a podman of its own (root)
    python benchmarks/containers.py --engine unix:///run/docker.sock # measures with one that runs
    python benchmarks/containers.py --quick

The Innkeeper is a real one, in a process of its own. Beside it, in the same run and in turns with it, so that both see
the same noise: the engine's own create and start of the same image with the same limits, asked for over its API
without any client program; and for warm rooms the same server as a program on this machine. The server is the small one
of the tests, in Perl; its own boot is in all figures. Figures are medians of seconds on the wall: the engine does its
work in processes of its own, whose CPU nobody adds up.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from msgspec import UnsetType

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from contexts import ECHO_PORT, echo_context  # type: ignore[import-not-found]
from daemons import DockerDaemon, PodmanService  # type: ignore[import-not-found]
from e2e import games  # type: ignore[import-not-found]
from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig
from innkeeper.contract.hathora.deployments_v3 import DeploymentConfigV3
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region, TransportType
from inns import RunningInn, running_inn  # type: ignore[import-not-found]

BARE_PORT = 28_999
MEMORY_MB, CPU = 128, 0.5
REST = 0.3  #: seconds between two measurements
#: Seconds between two looks at a room that is not active yet. Real clients wait a second; asking without a pause would
#: take a processor from the engine that is being measured.
POLL = 0.01


def row(name: str, figure: str, beside: str = "", aim: str = "") -> None:
    print(f"{name:46} {figure:>12}   {beside:42} {aim}", flush=True)


def middle(figures: list[float]) -> float:
    return statistics.median(figures)


def first_answer(port: int, seconds: float = 30.0) -> None:
    """Return once a packet is answered. Asked every 2 ms: packets to a port that nobody has yet are lost."""
    end = time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as player:
        player.settimeout(0.002)
        player.connect(("127.0.0.1", port))
        while time.monotonic() < end:
            try:
                player.send(b"who")
                player.recv(200)
                return
            except OSError:
                time.sleep(0.0005)
    raise AssertionError("nobody answered")


class Bare:
    """The engine asked directly."""

    def __init__(self, url: str, image: str) -> None:
        self._path, self._image = url.removeprefix("unix://"), image
        self._podman = "podman" in self._path

    async def quiet(self) -> None:
        """Return when nothing is left of what ran before: engines clear up behind who was told that it is over."""
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(self._path)) as session:
            while True:
                async with session.get("http://e/v1.41/containers/json?all=1") as answer:
                    if not await answer.json():
                        break
                await asyncio.sleep(0.05)
        await asyncio.sleep(REST)

    async def run(self, times: int) -> tuple[list[float], list[float]]:
        """Seconds of create and start, and those until the first answered packet."""
        started: list[float] = []
        answered: list[float] = []
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(self._path)) as session:
            for _ in range(times):
                began = time.perf_counter()
                async with session.post("http://e/v1.41/containers/create", json=self._body()) as answer:
                    made = await answer.json()
                    assert answer.status == 201, made
                one = f"http://e/v1.41/containers/{made['Id']}"
                async with session.post(f"{one}/start") as answer:
                    assert answer.status == 204, await answer.text()
                started.append(time.perf_counter() - began)
                await asyncio.to_thread(first_answer, BARE_PORT)
                answered.append(time.perf_counter() - began)
                async with session.delete(f"{one}?force=true&v=true") as answer:
                    assert answer.status in (200, 204), await answer.text()
        return started, answered

    def _body(self) -> dict[str, Any]:
        port = f"{ECHO_PORT}/udp"
        limits = [{"Name": "nofile", "Soft": 1024, "Hard": 4096}, {"Name": "nproc", "Soft": 4096, "Hard": 16384}]
        return {
            "Image": self._image,
            "Env": ["HATHORA_PROCESS_ID=bare"],
            "ExposedPorts": {port: {}},
            "HostConfig": {
                "Init": True, "Memory": MEMORY_MB << 20, "MemorySwap": MEMORY_MB << 20, "NanoCpus": int(CPU * 1e9),
                "PidsLimit": 1024, "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"],
                "PortBindings": {port: [{"HostIp": "127.0.0.1", "HostPort": str(BARE_PORT)}]},
                **({"Ulimits": limits} if self._podman else {}),
            },
        }  # fmt: skip


class Game:
    """An app on a running Innkeeper."""

    def __init__(self, inn: RunningInn, name: str, packed: bytes, *, seats: int) -> None:
        self._client = inn.client()
        app = self._client.apps_v2.create_app(CreateAppConfig(app_name=name, auth_configuration=AuthConfiguration()))
        self.app_id = app.app_id
        build = self._client.upload_build(packed)
        with self._client.builds_v3.run_build(build.build_id) as log:
            told = log.read().decode()
        assert self._client.builds_v3.get_build(build.build_id).status == "succeeded", told
        self.build_id = build.build_id
        self._client.deployments_v3.create_deployment(
            DeploymentConfigV3(
                build_id=build.build_id, env=[], container_port=ECHO_PORT, transport_type=TransportType.UDP,
                requested_cpu=CPU, requested_memory_mb=MEMORY_MB, rooms_per_process=seats, idle_timeout_enabled=False,
            ),
            self.app_id,
        )  # fmt: skip

    def room(self) -> tuple[float, str]:
        """Seconds from asking for a room until its server answers a player, as a client sees it; the server's id."""
        began = time.perf_counter()
        room = self._client.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), self.app_id)
        info = self._client.rooms_v2.get_connection_info(room.room_id, self.app_id)
        while isinstance(info.exposed_port, UnsetType):
            time.sleep(POLL)
            info = self._client.rooms_v2.get_connection_info(room.room_id, self.app_id)
        first_answer(info.exposed_port.port)
        return time.perf_counter() - began, room.process_id

    def stop(self, server_id: str) -> None:
        """End a server and wait until it has."""
        self._client.processes_v3.stop_process(server_id, self.app_id)
        while self._client.processes_v3.get_process(server_id, self.app_id).terminated_at is None:
            time.sleep(0.01)


def as_program() -> bytes:
    """The same server with a Procfile: on this machine it binds the port that it is told."""
    from contexts import ECHO

    own = ECHO.replace("7777", "$ENV{PORT}")
    packed: bytes = games.archive({"Procfile": f"server: {games.PERL} echo.pl\n", "echo.pl": own})
    return packed


def measure(name: str, url: str, colds: int, warms: int) -> None:
    """One engine."""
    with running_inn(container_engine=url, log_level="warning") as inn:
        game = Game(inn, "cold", echo_context(), seats=1)
        image = _image_of(url, inn, game)
        bare = Bare(url, image)
        ours: list[float] = []
        created: list[float] = []
        answered: list[float] = []
        for at in range(colds + 1):
            asyncio.run(bare.quiet())
            took, server = game.room()
            game.stop(server)
            asyncio.run(bare.quiet())
            started, first = asyncio.run(bare.run(1))
            if at:  # the first of each pays for caches
                ours.append(took)
                created += started
                answered += first
        ratio = middle(ours) / middle(answered)
        row(
            f"{name}: cold room to first packet",
            f"{middle(ours) * 1e3:.0f} ms",
            f"bare create+start to first packet {middle(answered) * 1e3:.0f} ms",
            f"x {ratio:.2f} (aim 1.15)",
        )
        row("", "", f"of that, create+start {middle(created) * 1e3:.0f} ms")
        warm = Game(inn, "warm", echo_context(), seats=10_000)
        program = Game(inn, "program", as_program(), seats=10_000)
        warm.room()
        program.room()
        contained: list[float] = []
        plain: list[float] = []
        for _ in range(warms):
            contained.append(warm.room()[0])
            plain.append(program.room()[0])
        ratio = middle(contained) / middle(plain)
        row(
            f"{name}: warm room to first packet",
            f"{middle(contained) * 1e3:.2f} ms",
            f"on the process engine {middle(plain) * 1e3:.2f} ms",
            f"x {ratio:.2f} (aim 1)",
        )


def _image_of(url: str, inn: RunningInn, game: Game) -> str:
    """The name under which the engine knows the image of a build."""

    async def ask() -> str:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(url.removeprefix("unix://"))) as session,
            session.get("http://e/v1.41/images/json") as answer,
        ):
            names = [name for image in await answer.json() for name in image["RepoTags"] or ()]
        found: str = next(name for name in names if "innkeeper" in name and "test" not in name)
        return found

    return asyncio.run(ask())


@contextmanager
def engines(given: str | None) -> Generator[dict[str, str]]:
    """Those to measure, by name."""
    if given is not None:
        yield {given.rpartition("/")[2].partition(".")[0]: given}
        return
    if os.geteuid() != 0:
        sys.exit("starting engines of its own needs root; name one that runs with --engine unix:///...")
    with ExitStack() as stack:
        starts: dict[str, Callable[[], Any]] = {"docker": DockerDaemon, "podman": PodmanService}
        yield {name: stack.enter_context(start()).url for name, start in starts.items()}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--engine", metavar="URL", help="unix:///PATH of an engine that runs")
    options.add_argument("--quick", action="store_true")
    given = options.parse_args()
    colds, warms = (3, 30) if given.quick else (25, 500)
    with engines(given.engine) as found:
        for name, url in found.items():
            measure(name, url, colds, warms)


main()
