"""A real house moves to another folder by the real program, which is killed on the way, and its game goes on."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from innkeeper.db.sqlite_connections import Opener
from inns import REPOSITORY, RunningInn, deploy, running_inn

EXAMPLE = REPOSITORY / "examples" / "01-first-room"
WORD = {"INNKEEPER_PASSPHRASE": "correct horse battery"}
#: Seconds after which an import is killed: all of it takes about two.
DELAYS = [0.5 + 0.1 * number for number in range(12)]


def apps_in(data: Path) -> int:
    """How many apps a house that is not running has, if it has come so far as to have a table of them."""
    if not (data / "innkeeper.db").exists():
        return 0
    line = Opener(data / "innkeeper.db", 5, None).reader()
    try:
        if not line.execute("select 1 from sqlite_master where name = 'apps'").fetchall():
            return 0
        found: int = line.execute("select count(*) from apps").fetchone()[0]
        return found
    finally:
        line.close()


@pytest.mark.slow
def test_a_house_moves(tmp_path: Path) -> None:
    game = tmp_path / "game"
    game.mkdir()
    for file in EXAMPLE.iterdir():
        if file.is_file():
            (game / file.name).write_bytes(file.read_bytes())
    (game / "assets.bin").write_bytes(os.urandom(48 << 20))
    parcel, target = tmp_path / "house.inn", RunningInn()
    with running_inn() as first:
        app_id = deploy(first, game, "chess", env=["API_KEY=sesame"])
        room = first.json("rooms", "create", "--wait", "--app", "chess")
        told = first.json("export", parcel, env=WORD)
        assert told["notMoved"] == {"living server": 1, "open room": 1}
        refused = first.run("import", parcel, code=1, env=WORD)
        assert "another Innkeeper runs on" in refused.stderr
        first.run("import", parcel, code=1, env={"INNKEEPER_PASSPHRASE": "wrong, wrong, wrong"})
        first.run("import", parcel, code=2)
        assert "correct horse" not in first.log
        credentials = (first.data / "credentials.json").read_bytes()
    try:
        arrive = [*target.command("import", parcel, "--data", target.data), "--json"]
        killed = 0
        for delay in itertools.cycle(DELAYS):
            program = subprocess.Popen(
                arrive, env=target.environment() | WORD, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            time.sleep(delay)
            program.send_signal(signal.SIGKILL)
            out, _ = program.communicate()
            assert apps_in(target.data) in (0, 1)
            killed += program.returncode == -signal.SIGKILL
            if program.returncode == 0:
                assert json.loads(out)["imported"]
                break
            if delay == DELAYS[-1]:
                break
        assert killed > 3
        target.run("import", parcel, "--data", target.data, env=WORD)
        assert not (target.data / "importing").exists()
        (target.data / "credentials.json").write_bytes(credentials)  # as one does who moves
        target.start()
        assert target.token == first.token
        made = target.json("rooms", "create", "--wait", "--app", "chess")
        assert made["status"] == "active"
        assert made["roomId"] != room["roomId"]
        apps = target.client().apps_v2.get_apps().applications
        assert [app.app_id for app in apps] == [app_id]
    finally:
        target.end()
