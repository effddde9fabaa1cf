# ruff: noqa: ASYNC240
"""As whom programs run, and whom they can reach."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from innkeeper.engines.process.engine import OWN_USERS

from .conftest import ProcessGround, alive, ended, until, words


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up privileges")
async def test_as_root_programs_are_users_of_their_own_and_can_gain_nothing(open_air: ProcessGround) -> None:
    build = open_air.directory / "build"
    build.mkdir()
    (build / "data").write_text("of the build\n")
    script = (
        "id -u; id -G; cat data; grep -E 'NoNewPrivs|CapPrm|^Uid' /proc/self/status; ulimit -c; umask; "
        "touch $HOME/mine && echo home"
    )
    await open_air.engine.start(open_air.shell("s-1", script, build=build))
    await ended(open_air)
    first = str(OWN_USERS.start)
    assert (await words(open_air)).split("\n") == [
        first,
        first,
        "of the build",
        "\t".join(["Uid:", first, first, first, first]),
        "CapPrm:\t0000000000000000",
        "NoNewPrivs:\t1",
        "0",
        "0022",
        "home",
        "",
    ]
    home = open_air.directory / "home" / "s-1"
    assert home.stat().st_uid == OWN_USERS.start
    await open_air.engine.discard("s-1")
    await until(lambda: not home.exists())


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up privileges")
async def test_as_root_no_server_reaches_another(open_air: ProcessGround) -> None:
    await open_air.engine.start(open_air.shell("s-1", "echo secret > $HOME/file; exec sleep 1000", env={"KEY": "k"}))
    pid, home = open_air.pid("s-1"), open_air.directory / "home" / "s-1"
    await until(lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n")
    reach = f"kill -9 {pid}; cat /proc/{pid}/environ; cat {home}/file; kill -9 {open_air.engine.spawner_pid}; id -u"
    await open_air.engine.start(open_air.shell("s-2", reach))
    await ended(open_air, "s-2")
    told = await words(open_air, "s-2")
    assert told.splitlines()[-1] == str(OWN_USERS.start + 1)
    assert told.count("ermi") == 4  # four times no permission
    assert "secret" not in told
    assert alive(pid)
    await open_air.kill_spawner()
    await open_air.engine.start(open_air.shell("s-3", "id -u"))
    await ended(open_air, "s-3")
    assert int(await words(open_air, "s-3")) > OWN_USERS.start + 1  # the folders tell who is taken, after a restart too


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up privileges")
async def test_a_directory_that_nobody_may_enter_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    ground = ProcessGround(tmp_path / "engine", run_as=(65534, 65534))
    await ground.open()
    assert any("cannot enter" in note for note in ground.abilities.notes)
    build = tmp_path / "build"
    build.mkdir()
    (build / "run.sh").write_text("#!/bin/sh\necho started && touch $HOME/mine && echo home\n")
    (build / "run.sh").chmod(0o755)
    await ground.engine.start(ground.shell("s-1", "./run.sh", build=build))
    await ended(ground)
    assert await words(ground) == "started\nhome\n"
    await ground.over()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up privileges")
async def test_as_root_a_further_run_is_the_same_user_with_the_same_folder(open_air: ProcessGround) -> None:
    await open_air.engine.start(open_air.shell("s-0", "true"))
    await ended(open_air, "s-0")
    told: list[str] = []
    for _ in range(2):
        await open_air.engine.start(open_air.shell("s-1", "id -u; echo more >> $HOME/file; wc -l < $HOME/file"))
        await ended(open_air)
        told += (await words(open_air)).split()
        await open_air.engine.forget("s-1")
    user = str(OWN_USERS.start + 1)
    assert told == [user, "1", user, "2"]
