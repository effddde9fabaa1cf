"""The second example, and a third game beside it: servers that nobody here wrote answer a player's packet."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from inns import PATIENCE, REPOSITORY, RunningInn, deploy, needed, until

EXAMPLE = REPOSITORY / "examples" / "02-teeworlds"


def ask(port: int) -> subprocess.CompletedProcess[str]:
    """Run the example's own program for asking."""
    command = [sys.executable, EXAMPLE / "ask.py", "127.0.0.1", str(port)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_teeworlds_answers_in_its_room(inn: RunningInn) -> None:
    needed("/usr/games/teeworlds-server", "teeworlds-server")
    app_id = deploy(inn, EXAMPLE, "teeworlds", env=["BIND=127.0.0.1"])
    room = inn.json("rooms", "create", "--app", "teeworlds", "--wait", "--room-id", "duel")
    asked = ask(room["exposedPort"]["port"])
    assert asked.returncode == 0, asked.stderr
    told = dict(line.split(maxsplit=1) for line in asked.stdout.splitlines())
    assert told["name"] == "Room duel"
    assert told["players"] == "0 of 8"
    assert told["version"].startswith("0.7")
    assert "dm1" in inn.run("logs", "duel", "--app", "teeworlds").stdout

    process_id = inn.json("rooms", "info", "duel", "--app", "teeworlds")["currentAllocation"]["processId"]
    with inn.client(app_id) as client:
        client.processes_v3.stop_process(process_id)
        ended = until(lambda: (one := client.processes_v3.get_process(process_id)).terminated_at and one)
    assert ended.status == "stopped"
    assert ended.summary_exit_reason
    assert inn.json("rooms", "info", "duel", "--app", "teeworlds")["status"] == "destroyed"


def test_a_server_that_is_not_there_is_no_hang() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    asked = ask(port)
    assert asked.returncode == 1
    assert asked.stderr.startswith("ask.py: ")


def test_bzflag_greets_a_player(inn: RunningInn, tmp_path: Path) -> None:
    bzfs = needed("/usr/games/bzfs", "bzflag-server")
    (tmp_path / "Procfile").write_text(f"server: {bzfs} -i 127.0.0.1 -p $PORT -q -j\n")
    deploy(inn, tmp_path, "bzflag", transport="tcp")
    where = inn.json("rooms", "create", "--app", "bzflag", "--wait")["exposedPort"]
    with socket.create_connection((where["host"], where["port"]), timeout=PATIENCE) as player:
        player.sendall(b"BZFLAG\r\n\r\n")
        assert player.recv(8, socket.MSG_WAITALL) == b"BZFS0221"
