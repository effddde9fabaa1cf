"""``innkeeper demo``: a whole life in a few seconds, all of it real, in a folder of its own that is removed again."""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .failures import Failure, told
from .patience import Patience
from .telling import aside, document
from .uploading import build_directory

if TYPE_CHECKING:
    from innkeeper.contract.hathora.deployments_v3 import DeploymentV3
    from innkeeper.contract.hathora.rooms_v2 import ConnectionInfoV2
    from innkeeper.sdk import HathoraCloud

#: The example, as a wheel carries it and as a checkout has it.
_PLACES = (Path(__file__).parent / "first_room", Path(__file__).parents[3] / "examples" / "01-first-room")
#: What servers find programs by; the same as the process engine's own.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@click.command()
@click.option("--once", is_flag=True, help="End by itself when all has been shown.")
@click.option("--json", "as_json", is_flag=True, help="Tell what happened as JSON.")
def demo(once: bool, as_json: bool) -> None:
    """Show a whole life: start an Innkeeper, deploy a small game, open a room, and play in it as two players.

    All of it is real and on this machine, on loopback, in a temporary folder. It stays open for you to look around
    until Ctrl-C, which ends and removes everything.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    with told(as_json=as_json):
        example = example_folder()
        folder = Path(tempfile.mkdtemp(prefix="innkeeper-demo-"))
        folder.chmod(0o755)  # servers may run as another user, and live in here
        try:
            with _innkeeper(folder) as house:
                _show(house, example, Teller(as_json), once=once)
        finally:
            servers = _end(folder)
            if not as_json:
                what = "game server" if servers == 1 else "game servers"
                aside(f"\nOver: Innkeeper and {servers} {what} have ended, {folder} is removed.")


def example_folder() -> Path:
    """Where the first example is. Raises :class:`Failure` where it was not installed."""
    for place in _PLACES:
        if (place / "Procfile").is_file():
            return place
    raise Failure("the example game is not installed; run this from a checkout with scripts/demo")


class Teller:
    """Tells people the steps as they happen, and programs all of them at the end."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.facts: dict[str, Any] = {}
        self._steps = 0

    @contextmanager
    def step(self, text: str, name: str, before: float = 0.0) -> Generator[Callable[[str], None]]:
        """One step, timed; what it yields takes lines about it. ``before`` is seconds that it took until now."""
        self._steps += 1
        if not self.as_json:
            click.echo(f"\n{self._steps}. {text}")
        began = time.monotonic()
        yield self.line
        seconds = before + time.monotonic() - began
        self.facts.setdefault("seconds", {})[name] = round(seconds, 3)
        self.line(f"{seconds:.2f} s")

    def line(self, text: str) -> None:
        """Something about the step."""
        if not self.as_json:
            click.echo(f"   {text}")


class House:
    """The Innkeeper of this demo: a program of its own, as `innkeeper up` starts it."""

    def __init__(self, program: subprocess.Popen[str], folder: Path, said: dict[str, Any], seconds: float) -> None:
        self.program, self.folder, self.seconds = program, folder, seconds
        self.url: str = said["url"]
        self.data = folder / "data"
        self.token: str = json.loads((self.data / "credentials.json").read_text())["token"]

    def client(self) -> HathoraCloud:
        """A client with the admin's token."""
        from innkeeper.sdk import HathoraCloud

        return HathoraCloud(self.token, server=self.url)


@contextmanager
def _innkeeper(folder: Path) -> Generator[House]:
    """Start it, and end it: its servers run on then."""
    began = time.monotonic()
    log = folder / "innkeeper.log"
    env = {name: value for name, value in os.environ.items() if not name.startswith("INNKEEPER_")}
    command = [sys.executable, "-m", "innkeeper", "up", "--data", str(folder / "data"), "--port", "0", "--json"]
    with log.open("w") as errors:
        # In a session of its own: a Ctrl-C here is for this program, which then ends it in good order.
        program = subprocess.Popen(  # noqa: S603  # ourselves
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=env, text=True,
            start_new_session=True,
        )  # fmt: skip
    try:
        assert program.stdout is not None
        said = program.stdout.readline()  # comes when requests are taken
        if not said:
            raise Failure(f"the demo's Innkeeper did not start:\n{log.read_text().strip()}")
        yield House(program, folder, json.loads(said), time.monotonic() - began)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # what is left to do has to be done
        program.terminate()
        program.wait()


def _show(house: House, example: Path, teller: Teller, *, once: bool) -> None:
    teller.facts["url"] = house.url
    teller.line("Everything here is real, on this machine, and over when you end it.")
    with teller.step("An Innkeeper opens, in an empty folder", "start", house.seconds) as tell:
        tell(f"{house.url} (data in {house.data})")
    with house.client() as client:
        with teller.step(f"The game in {example} is packed, uploaded, built and deployed", "deploy") as tell:
            deployment = _deploy(client, example, Patience(house.url))
            tell(f"build {deployment.build_id}, deployment {deployment.deployment_id}")
        with teller.step("A room is opened; a server starts for it and binds its ports", "room") as tell:
            process_id, info = _open_room(client, deployment.app_id)
            udp, ws = info.exposed_port, info.additional_exposed_ports[0]
            assert udp
            tell(f"room {info.room_id} at {udp.host}:{udp.port} (UDP) and ws://{ws.host}:{ws.port}")
            tell(f"process {process_id}")
        with teller.step("Two players meet in it", "play") as tell:
            play = runpy.run_path(str(example / "play.py"))["play"]
            try:
                teller.facts["played"] = play(udp.host, udp.port, (ws.host, ws.port), tell)
            except Exception as error:
                raise Failure(f"the players did not get through: {error}") from error
        with teller.step("What the server printed", "log") as tell:
            with client.logs_v1.get_logs_for_process(process_id, deployment.app_id) as log:
                teller.facts["log"] = list(log.lines())
            for text in teller.facts["log"]:
                tell(text)
    teller.facts |= {"appId": deployment.app_id, "roomId": info.room_id, "processId": process_id}
    teller.facts |= {"address": f"{udp.host}:{udp.port}", "data": str(house.data)}
    if teller.as_json:
        document(teller.facts)
    if once:
        return
    _stay(house, "" if teller.as_json else _go_on(house, deployment.app_id, info, example))


def _deploy(client: HathoraCloud, example: Path, patience: Patience) -> DeploymentV3:
    from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig, RecordStringNever
    from innkeeper.contract.hathora.deployments_v3 import ContainerPort, DeploymentConfigV3, EnvVariable
    from innkeeper.contract.hathora.words import TransportType

    yes = RecordStringNever()
    logins = AuthConfiguration(anonymous=yes, nickname=yes)
    app = client.apps_v2.create_app(CreateAppConfig(app_name="first-room", auth_configuration=logins))
    build = build_directory(client, example, patience, build_tag="demo")
    # The game needs Python 3.11, which this program runs on and the machine's own python3 may not be. Where we are
    # root the server is somebody else, who may not enter the folder of our Python.
    mine = [] if os.geteuid() == 0 else [EnvVariable(name="PATH", value=f"{Path(sys.executable).parent}:{_PATH}")]
    config = DeploymentConfigV3(
        build_id=build.build_id,
        requested_cpu=0.5,
        requested_memory_mb=512,
        idle_timeout_enabled=False,
        container_port=7777,
        transport_type=TransportType.UDP,
        additional_container_ports=[ContainerPort(name="ws", port=7778, transport_type=TransportType.TCP)],
        rooms_per_process=10,
        env=mine,
    )
    return client.deployments_v3.create_deployment(config, app.app_id)


def _open_room(client: HathoraCloud, app_id: str) -> tuple[str, ConnectionInfoV2]:
    from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
    from innkeeper.contract.hathora.words import Region
    from innkeeper.sdk import CallError

    room = client.rooms_v2.create_room(CreateRoomParams(region=Region.FRANKFURT), app_id)
    try:
        return room.process_id, client.wait_until_active(room.room_id, app_id, timeout=60, every=0.02)
    except CallError as error:
        server = client.processes_v3.get_process(room.process_id, app_id)
        raise Failure(f"the room did not open: {server.summary_exit_reason or error.message}") from error


def _go_on(house: House, app_id: str, info: ConnectionInfoV2, example: Path) -> str:
    program = Path(sys.executable).parent / "innkeeper"
    port = info.exposed_port
    assert port
    return f"""
Look around, in a second terminal:

  export INNKEEPER_DATA={house.data}
  {program} rooms list
  {program} rooms create --wait
  {program} logs -f {info.room_id}
  {sys.executable} {example / "play.py"} {port.host} {port.port}

  curl {house.url}/rooms/v2/{app_id}/connectioninfo/{info.room_id}

From Python:      HathoraCloud(TOKEN, server="{house.url}", app_id="{app_id}")
From TypeScript:  new HathoraCloud({{ serverURL: "{house.url}", hathoraDevToken: TOKEN, appId: "{app_id}" }})
TOKEN is in {house.data / "credentials.json"}; the API is described at {house.url}/docs

Ctrl-C ends and removes everything."""


def _stay(house: House, advice: str) -> None:
    """Leave it open until Ctrl-C, which is the good end of it from the moment on that the advice says so."""
    try:
        if advice:
            click.echo(advice)
        house.program.wait()
    except KeyboardInterrupt:
        return
    raise Failure(f"the demo's Innkeeper has ended:\n{(house.folder / 'innkeeper.log').read_text()[-2000:].strip()}")


def _end(folder: Path) -> int:
    """End what runs on, and remove the folder; how many servers there were."""
    from .ending import end_all

    servers = asyncio.run(end_all(folder / "data", grace=2.0))
    shutil.rmtree(folder)
    return servers


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
