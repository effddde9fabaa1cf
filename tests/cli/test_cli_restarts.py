"""Who waits at the command line while Innkeeper is restarted goes on: rooms, logs and builds outlive it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from inns import RunningInn, until

from .conftest import EXAMPLE


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_who_watches_goes_on_over_a_restart(house: RunningInn, end: str) -> None:
    house.start()
    house.run("deploy", EXAMPLE, "--app", "first", "--create-app", "--port", "ws:7778/tcp")
    house.run("rooms", "create", "--wait", "--room-id", "watched")
    told = house.folder / "told"
    with (
        told.open("w") as errors,
        subprocess.Popen(
            house.command("rooms", "watch", "watched"), env=house.environment(), stdout=subprocess.PIPE, stderr=errors
        ) as watching,
        subprocess.Popen(
            house.command("logs", "-f", "watched"), env=house.environment(), stdout=subprocess.PIPE, stderr=errors
        ) as following,
    ):
        assert watching.stdout is not None
        assert following.stdout is not None
        assert b" active at " in watching.stdout.readline()
        assert following.stdout.readline().startswith(b"Room watched is open")
        house.stop() if end == "stop" else house.kill()
        until(lambda: told.read_text().count(f"{house.url} does not answer; asking again for 30 s") == 2)
        house.start()
        until(lambda: told.read_text().count("innkeeper: it answers again\n") == 2)
        house.run("rooms", "destroy", "watched")
        assert b"Z destroyed room watched is over" in watching.stdout.readline()
        house.run("processes", "stop", "--all")
        assert following.stdout.read() == b"The game is over\n"
    assert (watching.returncode, following.returncode) == (0, 0)
    assert told.read_text().count("\n") == 4


def test_who_waits_for_a_build_goes_on_over_restarts(house: RunningInn, tmp_path: Path) -> None:
    # A Dockerfile alone waits for an engine for a while. The last start is told that there is none.
    house.settings["container_engine"] = f"unix://{house.folder}/none.sock"
    house.start()
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    told = house.folder / "told"
    away, back = f"innkeeper: {house.url} does not answer; asking again for 30 s\n", "innkeeper: it answers again\n"
    with (
        told.open("w") as errors,
        subprocess.Popen(
            house.command("builds", "create", tmp_path, "--build-id", "cut", "--json"), env=house.environment(),
            stdout=subprocess.PIPE, stderr=errors,
        ) as building,
    ):  # fmt: skip
        until(lambda: "No host with a container engine answers; waiting" in told.read_text())
        house.kill()
        until(lambda: away in told.read_text())
        house.start()
        until(lambda: f"{back}  The house was restarted; this build is run again.\n" in told.read_text())
        house.stop()
        until(lambda: told.read_text().count(away) == 2)
        house.settings["container_engine"] = "none"
        house.start()
    assert building.returncode == 1
    text = told.read_text()
    assert (text.count(back), text.count("  Build cut\n")) == (2, 1)
    error = json.loads(text.splitlines()[-1])["error"]
    assert error["build"] == "cut"
    assert error["message"].startswith("build cut has failed; ")
