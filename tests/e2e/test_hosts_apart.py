"""Hosts that come and go: network namespaces with a dockerd in each, reached over TCP with TLS as real ones are.

What is on record is held against what the engines really run, asked by their own sockets, which no cut cable concerns.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from certificates import Authority
from contexts import ECHO_PORT, echo_context
from daemons import DockerDaemon
from innkeeper.contract.hathora.apps_v2 import (
    AppConfigWithServiceConfig,
    AuthConfiguration,
    ServiceConfigWrite,
    StaticProcessAllocationConfigWrite,
)
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region
from innkeeper.sdk import HathoraCloud
from inns import RunningInn, needs_root, running_inn, until
from networks import Network, NetworkHost

from .games import ask_tiny, deploy
from .programs import rooms, rows, servers

pytestmark = pytest.mark.slow
#: Seconds of silence after which a host is lost.
LOST = 10
#: How long that may take to be seen and answered, on a machine with much to do.
PATIENCE = 60.0
NAMES = ("ada", "ben", "cas")


class Machine:
    """A host of the network with a dockerd that asks for certificates."""

    def __init__(self, name: str, place: NetworkHost, authority: Authority) -> None:
        self.name, self.place = name, place
        own = authority.identity(name, place.address)
        self.daemon = DockerDaemon(
            "-H", f"tcp://{place.address}:2376", "--tlsverify", f"--tlscacert={authority.ca}",
            f"--tlscert={own.certificate}", f"--tlskey={own.key}", inside=place.inside,
        )  # fmt: skip

    def running(self) -> list[str]:
        """The servers whose containers run there now, by the labels that Innkeeper gives them."""
        found = self.daemon.get("/containers/json")
        return [one["Labels"]["innkeeper.server"] for one in found if "innkeeper.server" in one["Labels"]]


class Apart:
    """The whole scene."""

    def __init__(self, inn: RunningInn, network: Network, machines: dict[str, Machine]) -> None:
        self.inn, self.network, self.machines = inn, network, machines
        self.client: HathoraCloud = inn.client()

    def states(self) -> dict[str, str]:
        """How Innkeeper sees its hosts."""
        return {host.name: str(host.state) for host in self.client.house.hosts_v1.get_hosts().hosts}

    def running(self) -> Counter[str]:
        """How many containers there really are of each server."""
        return Counter(server for machine in self.machines.values() for server in machine.running())

    def host_of(self, server_id: str) -> str:
        """Where a server is on record."""
        return str(rows(self.inn, f"select host_id from servers where id = '{server_id}'")[0][0])

    def is_at_rest(self) -> bool:
        """Whether what runs is exactly what is on record as alive, each once and where it is said to be."""
        on_record = {
            str(row[0]): str(row[1])
            for row in rows(self.inn, "select id, host_id from servers where state in ('running', 'draining')")
        }
        moving = rows(self.inn, "select 1 from servers where state in ('wanted', 'starting', 'stopping')")
        there = {server: machine.name for machine in self.machines.values() for server in machine.running()}
        return not moving and there == on_record and set(self.running().values()) <= {1}


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """An Innkeeper on this machine, without an engine of its own, and three machines at the end of a cable each."""
    needs_root("make network namespaces")
    folder = tmp_path_factory.mktemp("apart")
    authority = Authority(folder / "certificates")
    ours = authority.identity("innkeeper")
    with Network() as network:
        machines = {name: Machine(name, network.host(), authority) for name in NAMES}
        started: list[Machine] = []
        try:
            for machine in machines.values():
                started.append(machine)
                machine.daemon.start()
            settings = folder / "innkeeper.toml"
            settings.write_text(
                "programs = false\n"
                + "\n".join(
                    f'[[hosts]]\nname = "{name}"\nengine = "tcp://{machine.place.address}:2376"\n'
                    f'tls_ca = "{authority.ca}"\ntls_certificate = "{ours.certificate}"\ntls_key = "{ours.key}"\n'
                    f'ports = "20000-20099"\ncpu = 1.0\n'
                    for name, machine in machines.items()
                )
            )
            with running_inn(
                config=str(settings), lost_seconds=LOST, placing_seconds=20,
                host=network.address, log_level="info",
            ) as inn:  # fmt: skip
                yield Apart(inn, network, machines)
        finally:
            for machine in started:
                machine.daemon.remove()


def open_room(apart: Apart, app_id: str) -> tuple[str, str]:
    """Ask for a room; its id and its server's."""
    room = apart.client.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), app_id)
    return room.room_id, room.process_id


def keep(apart: Apart, app_id: str, least: int, target: int, most: int) -> None:
    """A standing order: so many servers are kept ready."""
    order = StaticProcessAllocationConfigWrite(
        region=Region.TOKYO, min_processes=least, target_processes=target, max_processes=most
    )
    app = apart.client.apps_v2.get_app(app_id)
    apart.client.apps_v2.update_app(
        AppConfigWithServiceConfig(
            app_name=app.app_name,
            auth_configuration=AuthConfiguration(),
            service_config=ServiceConfigWrite(static_process_allocation=[order] if target else []),
        ),
        app_id,
    )


def answers(apart: Apart, app_id: str, room_id: str) -> str:
    """Wait until a room is active and play in it; the server that answered."""
    port = apart.client.wait_until_active(room_id, app_id, timeout=PATIENCE).exposed_port
    return ask_tiny(port.host, port.port)


def is_settled(apart: Apart, room_id: str) -> bool:
    """Whether a room is either on a running server or over with a reason."""
    room = rooms(apart.inn)[room_id]
    if room.state == "destroyed":
        return bool(room.why)
    return servers(apart.inn)[room.server_id or ""].state == "running"


def test_a_cut_cable_while_rooms_are_opened(apart: Apart) -> None:
    app_id = deploy(apart.inn, "cut", echo_context(), requested_cpu=0.5, container_port=ECHO_PORT)
    until(lambda: set(apart.states().values()) == {"up"}, PATIENCE, "that all hosts are up")
    first = dict(open_room(apart, app_id) for _ in range(3))
    for room_id, server_id in first.items():
        assert answers(apart, app_id, room_id) == server_id
    assert len({apart.host_of(server_id) for server_id in first.values()}) == 2  # two to a host

    half_full = next(name for name, count in Counter(map(apart.host_of, first.values())).items() if count == 1)
    on_it = [room_id for room_id, server_id in first.items() if apart.host_of(server_id) == half_full]
    victim = apart.machines[half_full]
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(open_room, apart, app_id) for _ in range(3)]  # the first of them goes to the half full one
        until(lambda: len(servers(apart.inn)) > len(first), what="that the first is asked for")
        apart.network.cut(victim.place)
        second = dict(one.result() for one in asked)
    until(lambda: apart.states()[half_full] == "lost", PATIENCE, "that it is lost")
    until(lambda: all(is_settled(apart, room_id) for room_id in (*first, *second)), PATIENCE, "that all are settled")
    for room_id in on_it:
        room = rooms(apart.inn)[room_id]
        assert room.state == "destroyed"
        assert f"host {half_full} has been silent for {LOST} s" in (room.why or "")
        told = apart.client.processes_v3.get_process(room.server_id or "", app_id)
        assert "silent" in str(told.summary_exit_reason)
    lively = [room_id for room_id in (*first, *second) if rooms(apart.inn)[room_id].state == "seated"]
    assert len(lively) == 4  # what two hosts hold; whoever found no place waits for one or was told why
    for room_id in lively:
        assert answers(apart, app_id, room_id) == rooms(apart.inn)[room_id].server_id

    apart.network.mend(victim.place)
    until(lambda: apart.states()[half_full] == "up", PATIENCE, "that it is back")
    until(apart.is_at_rest, PATIENCE, "that nothing runs twice, or unknown to the record")
    for room_id in lively:
        assert answers(apart, app_id, room_id) == rooms(apart.inn)[room_id].server_id
    for server_id in {room.server_id for room in rooms(apart.inn).values() if room.state == "seated"}:
        apart.client.processes_v3.stop_process(server_id or "", app_id)
    until(lambda: apart.is_at_rest() and not apart.running(), PATIENCE, "that all have ended")


def test_a_killed_engine_and_its_return(apart: Apart) -> None:
    app_id = deploy(apart.inn, "killed", echo_context(), requested_cpu=0.5, container_port=ECHO_PORT)
    until(lambda: set(apart.states().values()) == {"up"}, PATIENCE, "that all hosts are up")
    keep(apart, app_id, 2, 3, 6)

    def ready() -> list[str]:
        return [row.id for row in servers(apart.inn).values() if row.state == "running"]

    until(lambda: len(ready()) == 3, PATIENCE, "that the pool is filled")
    name = Counter(map(apart.host_of, ready())).most_common(1)[0][0]
    room_id, server_id = open_room(apart, app_id)  # one row away: a server is ready
    assert server_id in ready()
    assert answers(apart, app_id, room_id) == server_id

    victim = apart.machines[name]
    lost = [one for one in ready() if apart.host_of(one) == name]
    victim.daemon.kill()
    until(lambda: apart.states()[name] == "lost", PATIENCE, "that it is lost")
    until(lambda: len(ready()) == 3 and not set(ready()) & set(lost), PATIENCE, "that the pool is filled elsewhere")
    for one in lost:
        assert f"host {name} has been silent for {LOST} s" in (servers(apart.inn)[one].why or "")
    room = rooms(apart.inn)[room_id]
    assert (room.state == "seated") == (room.server_id not in lost)

    victim.daemon.start()
    until(lambda: apart.states()[name] == "up", PATIENCE, "that it is back")
    until(apart.is_at_rest, PATIENCE, "that nothing runs twice, or unknown to the record")
    assert len(ready()) == 3
    keep(apart, app_id, 0, 0, 0)
    apart.client.processes_v3.stop_process(room.server_id or "", app_id)
    until(lambda: apart.is_at_rest() and not apart.running(), PATIENCE, "that all have ended")


def test_a_drained_host_gives_its_servers_away(apart: Apart) -> None:
    app_id = deploy(apart.inn, "drained", echo_context(), requested_cpu=0.5, container_port=ECHO_PORT)
    until(lambda: set(apart.states().values()) == {"up"}, PATIENCE, "that all hosts are up")
    keep(apart, app_id, 1, 2, 3)
    until(lambda: apart.is_at_rest() and len(apart.running()) == 2, PATIENCE, "that the pool is filled")
    name = next(one for one, machine in apart.machines.items() if machine.running())
    apart.inn.run("hosts", "drain", name)
    assert apart.states()[name] == "draining"
    until(lambda: not apart.machines[name].running(), PATIENCE, "that it is empty")
    until(lambda: apart.is_at_rest() and len(apart.running()) == 2, PATIENCE, "that the pool is filled elsewhere")
    listed = {host["name"]: host for host in apart.inn.json("hosts", "list")}
    assert listed[name]["servers"] == 0
    apart.inn.restart()
    apart.client = apart.inn.client()
    until(lambda: apart.states()[name] == "draining", PATIENCE, "that it is drained still")
    apart.inn.run("hosts", "resume", name)
    until(lambda: set(apart.states().values()) == {"up"}, PATIENCE, "that all hosts are up")


def test_no_secret_is_in_the_log(apart: Apart) -> None:
    credentials = json.loads(Path(apart.inn.data / "credentials.json").read_text())
    assert credentials["token"] not in apart.inn.log
    assert "Traceback" not in apart.inn.log, apart.inn.log[-5000:]
