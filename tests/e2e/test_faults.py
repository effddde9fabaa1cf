"""What goes wrong around a running Innkeeper: hostile programs, a full disk, a database that goes away.

In each the API keeps answering, says what is wrong in words that help, and recovers by itself.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from innkeeper.contract.hathora.apps_v2 import AuthConfiguration, CreateAppConfig
from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.words import Region, RoomStatus
from innkeeper.sdk import NO_RETRY, HathoraCloud, ServerError, StatusError
from inns import RunningInn, running_inn, until
from postgres import PostgresServer

from .games import PERL, archive, ask_tiny, deploy, tiny
from .programs import running

LOG_MEGABYTES = 1
ROOM = CreateRoomParams(region=Region.TOKYO)
#: Binds its port in a child and lets the parent end, as programs do that "run in the background".
FORKS = f"""server: exec {PERL} -MSocket -e 'exit 0 if fork; setpgrp; select(undef,undef,undef,0.5);\
 socket(S,AF_INET,SOCK_DGRAM,0);\
 bind(S,pack_sockaddr_in($ENV{{PORT}},INADDR_LOOPBACK)); sleep 1000'
"""
DEAF = f"""server: exec {PERL} -MSocket -e '$SIG{{TERM}}="IGNORE"; socket(S,AF_INET,SOCK_DGRAM,0);\
 bind(S,pack_sockaddr_in($ENV{{PORT}},INADDR_LOOPBACK)); sleep 1000 while 1'
"""
FLOOD = f"""server: exec {PERL} -MSocket -e 'socket(S,AF_INET,SOCK_DGRAM,0);\
 bind(S,pack_sockaddr_in($ENV{{PORT}},INADDR_LOOPBACK)); while (1) {{ print "x" x 99, "\\n" for 1..1000; }}'
"""


@pytest.fixture(scope="module")
def inn() -> Iterator[RunningInn]:
    with running_inn(ready_seconds=1.0, grace_seconds=0.5, log_megabytes=LOG_MEGABYTES) as inn:
        yield inn
        assert "Traceback" not in inn.log, inn.log


@pytest.fixture(scope="module")
def neighbour(inn: RunningInn) -> str:
    """An app that does no harm, whose rooms must keep coming."""
    return deploy(inn, "neighbour", tiny(), rooms_per_process=10_000)


def ended(client: HathoraCloud, app_id: str, server_id: str) -> Any:
    """Wait for the end of a server; the process as the API tells it."""
    over = (ProcessStatus.STOPPED, ProcessStatus.FAILED)

    def look() -> Any:
        process = client.processes_v3.get_process(server_id, app_id)
        return process if process.status in over else None

    return until(look, what="the end of the server")


def a_room_works(client: HathoraCloud, app_id: str) -> None:
    """A new room of an app of :func:`games.tiny` answers a player."""
    room = client.rooms_v2.create_room(ROOM, app_id)
    info = client.wait_until_active(room.room_id, app_id, every=0.02)
    assert ask_tiny(info.exposed_port.host, info.exposed_port.port) == room.process_id


@pytest.mark.parametrize(
    ("name", "procfile", "words"),
    [
        ("never-binds", "server: exec sleep 1000\n", ["did not bind", "1 s"]),
        ("forks-away", FORKS, ["code 0 before it had bound", "in the foreground"]),
        ("exits-at-once", "server: echo 'no map given'; exit 3\n", ["code 3", "no map given"]),
        ("is-not-there", "server: ./no-such-server\n", ["127", "no-such-server"]),
    ],
)
def test_a_program_that_does_not_become_ready(
    inn: RunningInn, neighbour: str, name: str, procfile: str, words: list[str]
) -> None:
    app_id = deploy(inn, name, {"Procfile": procfile})
    with inn.client() as client:
        room = client.rooms_v2.create_room(ROOM, app_id)
        a_room_works(client, neighbour)
        process = ended(client, app_id, room.process_id)
        assert process.status == ProcessStatus.FAILED
        assert not [word for word in words if word not in process.summary_exit_reason], process.summary_exit_reason
        assert client.rooms_v2.get_room_info(room.room_id, app_id).status == RoomStatus.DESTROYED
        with pytest.raises(StatusError, match=f"room {room.room_id} is over: ") as refusal:
            client.rooms_v2.get_connection_info(room.room_id, app_id)
        assert refusal.value.status == 404
    until(lambda: room.process_id not in running(inn), what="that nothing of it is left")


def test_a_program_that_ignores_sigterm(inn: RunningInn, neighbour: str) -> None:
    app_id = deploy(inn, "deaf", {"Procfile": DEAF})
    with inn.client() as client:
        room = client.rooms_v2.create_room(ROOM, app_id)
        client.wait_until_active(room.room_id, app_id, every=0.02)
        client.processes_v3.stop_process(room.process_id, app_id)
        a_room_works(client, neighbour)
        process = ended(client, app_id, room.process_id)
        assert process.status == ProcessStatus.STOPPED
        assert "did not end within its grace and was killed" in process.summary_exit_reason
    until(lambda: room.process_id not in running(inn), what="that nothing of it is left")


def test_a_program_that_floods_its_log(inn: RunningInn, neighbour: str) -> None:
    app_id = deploy(inn, "flood", {"Procfile": FLOOD}, requested_cpu=0.5)
    with inn.client() as client:
        room = client.rooms_v2.create_room(ROOM, app_id)
        client.wait_until_active(room.room_id, app_id, every=0.02)
        output = inn.data / "logs" / f"{room.process_id}.log"

        def trimmed() -> bool:
            # What was thrown away is a hole at the file's beginning: it counts in the size and takes no room.
            seen = output.stat()
            return seen.st_size > 30 * LOG_MEGABYTES << 20 and seen.st_blocks * 512 < seen.st_size // 2

        until(trimmed, what="that most of thirty times what is kept was thrown away")
        begun = time.monotonic()
        a_room_works(client, neighbour)
        took = time.monotonic() - begun
        with client.logs_v1.get_logs_for_process(room.process_id, app_id, tail_lines=5) as log:
            lines = log.read().decode().splitlines()
        client.processes_v3.stop_process(room.process_id, app_id)
        assert ended(client, app_id, room.process_id).status == ProcessStatus.STOPPED
    assert [line for line in lines if line.strip("x")] == []
    assert len(lines) == 5
    assert took < 5
    until(lambda: output.stat().st_blocks * 512 <= 3 * LOG_MEGABYTES << 20, what="that the rest was thrown away")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0755", "innkeeper-test", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root and the right to mount a disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(place: Path) -> Path:
    """A file that takes all there is."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return filler


def test_a_full_disk(small_disk: Path) -> None:
    with running_inn(small_disk, log_level="error") as inn:
        app_id = deploy(inn, "tiny", tiny(), rooms_per_process=10_000)
        with inn.client(retry=NO_RETRY) as client:
            a_room_works(client, app_id)
            (server_id,) = running(inn)
            filler = fill(small_disk)
            refusals: list[StatusError] = []

            def refused() -> bool:
                # A few rooms may fit into what is reserved already.
                try:
                    client.rooms_v2.create_room(ROOM, app_id)
                except StatusError as error:
                    refusals.append(error)
                return len(refusals) >= 5

            until(refused, what="that rooms are refused")
            assert {error.status for error in refusals} == {503}
            assert "disk" in refusals[0].message, refusals[0].message
            with pytest.raises(ServerError, match="disk"):
                client.upload_build(archive({"Procfile": "server: x\n", "ballast": os.urandom(1 << 20)}))
            # What needs no room on the disk goes on.
            info = client.processes_v3.get_process(server_id, app_id)
            assert info.status == ProcessStatus.RUNNING
            assert ask_tiny(info.exposed_port.host, info.exposed_port.port) == server_id
            # A program that ends meanwhile is not forgotten.
            ask_exit(info.exposed_port.host, info.exposed_port.port)
            until(lambda: not running(inn), what="the end of the program")
            client.apps_v2.get_app(app_id)
            filler.unlink()
            until(lambda: inn.is_healthy(), what="that it is well again")
            process = ended(client, app_id, server_id)
            assert "exited by itself with code 0" in process.summary_exit_reason
            a_room_works(client, app_id)


def ask_exit(host: str, port: int) -> None:
    """Tell a tiny server to end by itself; it sends no answer."""
    with pytest.raises((TimeoutError, ConnectionRefusedError)):
        ask_tiny(host, port, b"exit 0", seconds=0.3)


def test_postgresql_goes_away_and_comes_back() -> None:
    server = PostgresServer()
    try:
        server.start()
        with running_inn(database=asyncio.run(server.fresh()), log_level="error") as inn:
            app_id = deploy(inn, "tiny", tiny(), rooms_per_process=10_000)
            with inn.client(retry=NO_RETRY, timeout=30) as client:
                a_room_works(client, app_id)
                before = running(inn)
                server.stop()
                with pytest.raises(ServerError) as refusal:
                    client.rooms_v2.create_room(ROOM, app_id)
                assert refusal.value.status == 503
                assert "database" in refusal.value.message.lower(), refusal.value.message
                assert not inn.is_healthy()
                with pytest.raises(ServerError):
                    client.apps_v2.create_app(CreateAppConfig(app_name="no", auth_configuration=AuthConfiguration()))
                assert running(inn) == before
                server.start()
                until(inn.is_healthy, what="that it is well again")
                a_room_works(client, app_id)
                assert running(inn) == before, "the servers were touched"
    finally:
        server.remove()
