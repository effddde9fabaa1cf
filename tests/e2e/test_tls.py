"""TLS ended for a real game: web players dial ``wss://``, and stay while Innkeeper is replaced."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from innkeeper.contract.hathora.deployments_v3 import ContainerPort
from innkeeper.contract.hathora.rooms_v2 import ConnectionInfoV2, CreateRoomParams
from innkeeper.contract.hathora.words import Region, TransportType
from innkeeper.engines.tls.identity import OWN_PUBLIC, self_signed
from innkeeper.engines.tls.wire import FOLDER
from inns import RunningInn, running_inn, until

from .games import PERL, deploy
from .programs import kill

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-first-room"
TCP_GAME = r"""
use strict; use IO::Socket::INET;
my $door = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ENV{PORT}, Listen => 9) or die $!;
while (my $player = $door->accept) {
    next if fork;
    while (my $line = <$player>) { print $player "$ENV{HATHORA_PROCESS_ID} $line"; $player->flush }
    exit;
}
"""


@pytest.fixture(scope="module")
def inn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningInn]:
    with running_inn() as inn:
        yield inn


def opened(inn: RunningInn, app_id: str) -> ConnectionInfoV2:
    with inn.client() as client:
        room = client.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), app_id)
        return client.wait_until_active(room.room_id, app_id)


def trusting(inn: RunningInn) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(inn.data / FOLDER / OWN_PUBLIC))


def terminators(inn: RunningInn) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == inn.data.resolve() / FOLDER:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def join(player: ClientConnection, name: str) -> list[str]:
    player.send(json.dumps({"type": "join", "name": name, "room": "r1"}))
    players: list[str] = json.loads(player.recv(20))["players"]
    return players


def test_web_players_dial_wss_and_stay_while_innkeeper_is_replaced(inn: RunningInn) -> None:
    files: dict[str, bytes | str] = {name: (EXAMPLE / name).read_bytes() for name in ("Procfile", "server.py")}
    ws = ContainerPort(name="ws", port=7778, transport_type=TransportType.TLS)
    app_id = deploy(inn, "web", files, additional_container_ports=[ws])
    connection = opened(inn, app_id)
    [port] = connection.additional_exposed_ports
    assert (port.transport_type, port.host) == ("tls", "127.0.0.1")
    url, trust = f"wss://{port.host}:{port.port}/r1", trusting(inn)
    with connect(url, ssl=trust) as ada:
        assert join(ada, "Ada") == ["Ada"]
        before = terminators(inn)
        for end in (inn.stop, inn.kill):
            end()
            inn.start()
            assert ada.ping().wait(10)
        with connect(url, ssl=trust) as grace:
            assert join(grace, "Grace") == ["Ada", "Grace"]
            assert json.loads(ada.recv(20)) == {"type": "joined", "name": "Grace"}
        assert terminators(inn) == before
    with pytest.raises(ssl.SSLCertVerificationError):  # one that was not told to trust it
        connect(url)


def test_a_game_whose_only_port_is_tls(inn: RunningInn) -> None:
    app_id = deploy(
        inn, "cards", {"Procfile": f"server: {PERL} server.pl\n", "server.pl": TCP_GAME},
        transport_type=TransportType.TLS,
    )  # fmt: skip
    connection = opened(inn, app_id)
    assert connection.exposed_port
    where = connection.exposed_port.host, connection.exposed_port.port
    assert said(inn, where).endswith(" hello")

    kill(terminators(inn))
    until(lambda: terminators(inn), what="a new terminator")
    until(lambda: answers(inn, where), what="the route")

    with inn.client() as client:
        process_id = said(inn, where).split()[0]
        client.processes_v3.stop_process(process_id, app_id)
    until(lambda: not listens(where), what="that nobody listens")


def said(inn: RunningInn, where: tuple[str, int]) -> str:
    with (
        socket.create_connection(where, timeout=10) as plain,
        trusting(inn).wrap_socket(plain, server_hostname=where[0]) as player,
    ):
        player.sendall(b"hello\n")
        return player.recv(200).decode().strip()


def answers(inn: RunningInn, where: tuple[str, int]) -> bool:
    try:
        return "hello" in said(inn, where)
    except OSError:
        return False


def listens(where: tuple[str, int]) -> bool:
    try:
        socket.create_connection(where, timeout=10).close()
    except OSError:
        return False
    return True


def test_the_operators_certificate_is_shown_and_its_secrets_are_nowhere(tmp_path: Path) -> None:
    made = self_signed("127.0.0.1", time.time_ns() // 1000)
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_text(made.chain)
    key.write_text(made.key)
    with running_inn(server_tls_certificate=str(chain), server_tls_key=str(key), log_level="debug") as inn:
        app_id = deploy(
            inn, "cards", {"Procfile": f"server: {PERL} server.pl\n", "server.pl": TCP_GAME},
            transport_type=TransportType.TLS,
        )  # fmt: skip
        connection = opened(inn, app_id)
        assert connection.exposed_port
        where = connection.exposed_port.host, connection.exposed_port.port
        with (
            socket.create_connection(where, timeout=10) as plain,
            ssl.create_default_context(cafile=str(chain)).wrap_socket(plain, server_hostname=where[0]) as player,
        ):
            player.sendall(b"hello\n")
            assert player.recv(200).endswith(b" hello\n")
        folder = inn.data / FOLDER
        assert not (folder / OWN_PUBLIC).exists()
        secrets = [line.encode() for line in made.key.splitlines() if "---" not in line]
        told = inn.log.encode() + (folder / "terminator.log").read_bytes()
        assert not [secret for secret in secrets if secret in told]
