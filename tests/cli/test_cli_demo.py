"""``innkeeper demo``: it shows a whole life, and leaves nothing behind, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from inns import PATIENCE, clean_environment

COMMAND = [sys.executable, "-m", "innkeeper", "demo"]


def leftovers(folder: Path) -> list[str]:
    """Processes that name the folder in their command line, environment or working directory; and its files."""
    found = [str(path) for path in folder.iterdir()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            words += os.fsencode((process / "cwd").readlink())
        except OSError:
            continue
        if os.fsencode(f"{folder}/innkeeper-demo") in words:
            found.append(f"{process.name}: {words!r}")
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place for temporary files that any user may enter, as /tmp is: servers may run as nobody."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_once_as_json(folder: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--once", "--json"],
        env=clean_environment({"TMPDIR": str(folder)}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["played"][-1] == "Ada sees Grace leave"
    assert told["log"][0].startswith(f"Room {told['roomId']} is open in Frankfurt, process {told['processId']}")
    assert set(told["seconds"]) == {"start", "deploy", "room", "play", "log"}
    assert leftovers(folder) == []


def test_it_stays_until_it_is_told_to_end(folder: Path) -> None:
    with subprocess.Popen(
        COMMAND,
        env=clean_environment({"TMPDIR": str(folder)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        curl = ""
        while line := demo.stdout.readline():
            if line.strip().startswith("curl "):
                curl = line.split()[1]
            if "Ctrl-C ends" in line:
                break
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(curl, timeout=PATIENCE) as answer:
            assert json.load(answer)["status"] == "active"
        demo.send_signal(signal.SIGTERM)
        assert "Over: Innkeeper and 1 game server have ended" in demo.stderr.read()
    assert demo.returncode == 0
    assert leftovers(folder) == []
