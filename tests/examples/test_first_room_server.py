"""The first example: its server, run as Innkeeper would run it, and its two players."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from websockets.sync.client import connect

from innkeeper.hosting.archives.procfile import server_command

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-first-room"
PATIENCE = 20


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


play = module("play")


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """The example's server as a program, started by its Procfile's line."""

    def __init__(self) -> None:
        self.udp, self.ws = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOST": "127.0.0.1", "PORT": str(self.udp),
            "PORT_WS": str(self.ws), "HATHORA_INITIAL_ROOM_ID": "r1", "HATHORA_REGION": "Tokyo",
            "HATHORA_PROCESS_ID": "p-1",
        }  # fmt: skip
        command = f"exec {server_command(EXAMPLE)}"
        self.program = subprocess.Popen(
            command, shell=True, cwd=EXAMPLE, env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.program.stdout is not None
        self.first_line = self.program.stdout.readline()  # printed when both ports are bound

    def finish(self) -> list[str]:
        """What else it printed, once it has ended well."""
        out, _ = self.program.communicate(timeout=PATIENCE)
        assert self.program.returncode == 0
        return out.splitlines()


@pytest.fixture
def server() -> Iterator[Running]:
    running = Running()
    yield running
    running.program.kill()
    running.program.communicate()


@pytest.fixture
def players(server: Running) -> Iterator[list[socket.socket]]:
    made = []
    for _ in range(2):
        player = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        player.settimeout(PATIENCE)
        player.connect(("127.0.0.1", server.udp))
        made.append(player)
    yield made
    for player in made:
        player.close()


def test_it_says_where_it_is_and_sigterm_ends_it_well(server: Running) -> None:
    assert server.first_line == f"Room r1 is open in Tokyo, process p-1: udp {server.udp}, websocket {server.ws}\n"
    server.program.send_signal(signal.SIGTERM)
    assert server.finish() == ["The game is over"]


@pytest.mark.parametrize("by_websocket", [False, True])
def test_two_players_meet(server: Running, by_websocket: bool) -> None:
    told: list[str] = []
    lines = play.play("127.0.0.1", server.udp, ("127.0.0.1", server.ws) if by_websocket else None, told.append)
    assert lines == told == [
        "Ada joins room r1 by UDP",
        f"Grace joins by {'WebSocket' if by_websocket else 'UDP'} and finds Ada and Grace",
        "Grace sees Ada move to 3,4",
        'Ada hears Grace say "Well met!"',
        "Ada sees Grace leave",
    ]  # fmt: skip
    server.program.send_signal(signal.SIGTERM)
    printed = server.finish()
    assert printed[:4] == ["Ada joins room r1", "Grace joins room r1", "Ada moves to 3,4", "Grace leaves"]


def test_a_foreign_websocket_client_is_understood(server: Running) -> None:
    with connect(f"ws://127.0.0.1:{server.ws}/r1") as ada, connect(f"ws://127.0.0.1:{server.ws}") as grace:
        ada.send(json.dumps({"type": "join", "name": "Ada", "room": "other"}))
        assert json.loads(ada.recv(PATIENCE)) == {"type": "welcome", "room": "other", "players": ["Ada"]}
        grace.send(json.dumps({"type": "join", "name": "Grace", "room": "other"}))
        assert json.loads(grace.recv(PATIENCE))["players"] == ["Ada", "Grace"]
        assert json.loads(ada.recv(PATIENCE)) == {"type": "joined", "name": "Grace"}
        long = "x" * 300
        grace.send(json.dumps({"type": "say", "text": long}))
        assert json.loads(ada.recv(PATIENCE)) == {"type": "said", "name": "Grace", "text": long}
        assert ada.ping().wait(PATIENCE)
        grace.close()
        assert json.loads(ada.recv(PATIENCE)) == {"type": "left", "name": "Grace"}


def test_rooms_do_not_hear_each_other_and_nonsense_is_answered(server: Running, players: list[socket.socket]) -> None:
    ada, grace = players

    def exchange(player: socket.socket, data: bytes) -> dict[str, object]:
        player.send(data)
        answer: dict[str, object] = json.loads(player.recv(2048))
        return answer

    for data in (b"hello", b"[]", b"{}", b"\xff", b"7", b"[" * 1500):
        assert exchange(ada, data) == {"type": "error", "text": 'send a JSON object with a "type"'}
    assert exchange(ada, b'{"type": "move"}') == {"type": "error", "text": "join first"}
    assert exchange(ada, b'{"type": "join", "name": "Ada"}')["room"] == "r1"
    assert exchange(ada, b'{"type": "fly"}')["text"] == "types: join move say leave quit"
    assert exchange(grace, b'{"type": "join", "name": "Grace", "room": "r2"}')["players"] == ["Grace"]
    ada.send(b'{"type": "say", "text": "anybody?"}')
    assert exchange(ada, b'{"type": "join"}') == {"type": "welcome", "room": "r1", "players": ["Ada"]}
    assert exchange(grace, b'{"type": "join"}') == {"type": "welcome", "room": "r2", "players": ["Grace"]}


def test_a_player_can_end_the_game(server: Running, players: list[socket.socket]) -> None:
    ada, grace = players
    for name, player in (("Ada", ada), ("Grace", grace)):
        player.send(json.dumps({"type": "join", "name": name}).encode())
        assert json.loads(player.recv(2048))["type"] == "welcome"
    ada.recv(2048)  # Grace joined
    ada.send(b'{"type": "quit"}')
    assert json.loads(grace.recv(2048)) == {"type": "bye"}
    assert server.finish()[-2:] == ["Ada ends the game", "The game is over"]


def test_the_players_say_when_nobody_is_there_or_nobody_answers(server: Running) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="refused"):
            play.play("127.0.0.1", deaf.getsockname()[1])
        with pytest.raises(OSError, match="refused"):
            play.play("127.0.0.1", server.udp, deaf.getsockname())


def test_a_strangers_words_stay_on_their_line_of_the_log(server: Running, players: list[socket.socket]) -> None:
    ada, _ = players
    ada.send(json.dumps({"type": "join", "name": "Ada\nError: x", "room": ["r"] * 99}).encode())
    assert json.loads(ada.recv(2048))["players"] == ["AdaError: x"]
    ada.send(json.dumps({"type": "move", "x": "x\ny", "y": 1e300}).encode())
    ada.send(b'{"type": "quit"}')
    assert "AdaError: x moves to 0,0" in server.finish()
