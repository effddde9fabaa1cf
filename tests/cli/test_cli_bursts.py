"""Servers by the dozen, and one that never binds its port, through the command line."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from innkeeper.contract.hathora.apps_v2 import (
    PartialAppConfigWithServiceConfig,
    ServiceConfigWrite,
    StaticProcessAllocationConfigWrite,
)
from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region
from innkeeper.sdk import HathoraCloud
from inns import RunningInn, until

from .conftest import EXAMPLE, Line

MANY = 24


@pytest.fixture(scope="module")
def app_id(innkeeper: Line) -> str:
    """An app with one room to a server, each of which takes little."""
    little = ("--requested-cpu", "0.1", "--requested-memory-mb", "32")
    innkeeper("deploy", EXAMPLE, "--app", "many", "--create-app", *little)
    return str(innkeeper.json("apps", "info", "many")["appId"])


def test_rooms_that_came_at_once_are_all_listed_and_all_ended(innkeeper: Line, inn: RunningInn, app_id: str) -> None:
    with HathoraCloud(inn.token, server=inn.url) as client, ThreadPoolExecutor(MANY) as threads:
        wish = CreateRoomParams(region=Region.TOKYO)
        made = [threads.submit(client.rooms_v2.create_room, wish, app_id) for _ in range(MANY)]
        rooms = {one.result().room_id: one.result().process_id for one in made}
        alive = [ProcessStatus.STARTING, ProcessStatus.RUNNING, ProcessStatus.DRAINING]
        counted = client.processes_v3.get_processes_count_experimental(app_id, status=alive)
        assert counted.count == len(set(rooms.values())) == MANY
        assert {one["processId"] for one in innkeeper.json("processes", "list", "--app", "many")} == {*rooms.values()}
        assert {one["roomId"] for one in innkeeper.json("rooms", "list", "--app", "many")} == {*rooms}
        stopped = innkeeper("processes", "stop", "--all", "--app", "many").stdout.splitlines()
        assert stopped[-1] == f"{MANY} servers told to end."
        assert {line.split()[1] for line in stopped[:-1]} == {*rooms.values()}
        assert client.processes_v3.get_processes_count_experimental(app_id, status=alive).count == 0
    assert innkeeper("processes", "stop", "--all", "--app", "many").stdout == "No server runs.\n"
    assert innkeeper.json("processes", "stop", "--all") == {"stopped": []}


def test_a_room_is_told_with_its_address_and_its_end(innkeeper: Line, app_id: str) -> None:
    made = innkeeper.json("rooms", "create", "--wait", "--room-id", "addressed", "--app", app_id)
    told = innkeeper.json("rooms", "info", "addressed", "--app", app_id)
    assert told["exposedPort"] == made["exposedPort"]
    assert told["exposedPort"]["port"] > 0
    assert told["additionalExposedPorts"] == []
    assert (told["roomId"], told["status"], told["allocations"][0]["unscheduledAt"]) == ("addressed", "active", None)
    innkeeper("rooms", "destroy", "addressed", "--app", app_id)
    told = innkeeper.json("rooms", "info", "addressed", "--app", app_id)
    assert (told["exposedPort"], told["status"]) == (None, "destroyed")
    assert "destroyed by" in told["endedReason"]


@pytest.fixture(scope="module")
def deaf(innkeeper: Line, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An app whose program never binds a port."""
    folder: Path = tmp_path_factory.mktemp("deaf")
    (folder / "Procfile").write_text("server: sleep 600\n")
    innkeeper("deploy", folder, "--app", "deaf", "--create-app", "--transport-type", "tcp", "--port", "ws:7778/tcp")
    return "deaf"


def test_a_game_that_binds_nothing_is_told_what_is_waited_for(innkeeper: Line, deaf: str) -> None:
    late = innkeeper("rooms", "create", "--wait", "--timeout", "3", "--room-id", "r", "--app", deaf, code=1).stderr
    assert re.search(
        r"its server waits: its program has not bound its ports: tcp \d+ \(default\), tcp \d+ \(ws\)\n", late
    )  # which ones, for the operator
    assert "room r is not open after 3 s: the program of its server " in late
    assert "has not bound its ports. Players can connect once it listens on $PORT (tcp) and $PORT_WS (tcp)" in late
    assert "To see what it prints: innkeeper logs " in late
    assert late.endswith("To go on looking: innkeeper rooms watch r --app deaf\n")
    failed = json.loads(
        innkeeper("rooms", "create", "--wait", "--timeout", "0", "--json", "--app", deaf, code=1).stderr
    )["error"]
    assert failed["processStatus"] == "starting"
    assert failed["process"]
    watched = innkeeper("rooms", "watch", "r", "--until", "active", "--timeout", "0", "--app", deaf, code=1).stderr
    assert "listens on $PORT (tcp) and $PORT_WS (tcp)" in watched
    # A token that may open rooms and see nothing else is told what it may know.
    token = innkeeper("tokens", "create", "opens", "--scope", "processes:read-write").stdout.strip()
    app_id = innkeeper.json("apps", "info", deaf)["appId"]
    narrow = innkeeper(
        "rooms", "watch", "r", "--until", "active", "--timeout", "0", "--app", app_id, "--token", token, code=1
    ).stderr
    assert "its port. Players can connect once it listens on $PORT: " in narrow
    assert innkeeper("processes", "stop", "--all", "--app", deaf).stdout.endswith("2 servers told to end.\n")
    until(lambda: innkeeper.json("processes", "list", "--app", deaf) == [], what="the end")


def test_an_app_that_keeps_servers_has_each_ended_once(innkeeper: Line, inn: RunningInn, app_id: str) -> None:
    order = StaticProcessAllocationConfigWrite(
        region=Region.TOKYO, min_processes=0, target_processes=2, max_processes=4
    )
    with HathoraCloud(inn.token, server=inn.url, app_id=app_id) as client:
        config = ServiceConfigWrite(static_process_allocation=[order])
        client.apps_v2.patch_app(PartialAppConfigWithServiceConfig(service_config=config))

        def run() -> set[str]:
            page = client.processes_v3.get_latest_processes(status=[ProcessStatus.STARTING, ProcessStatus.RUNNING])
            return {one.process_id for one in page}

        first = until(lambda: len(run()) >= 2 and run(), what="the order")
        assert {*innkeeper.json("processes", "stop", "--all", "--app", app_id)["stopped"]} == first
        until(lambda: len(run()) >= 2 and not run() & first, what="the order again")
