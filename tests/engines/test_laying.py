"""Files that are laid over a server's root before its program starts: of a program, and of a container."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from daemons import Daemon
from engines.conftest import ProcessGround
from engines.containers import end_of, opened
from engines.promise import collect
from innkeeper.engines.base import EndedBy, NotStarted
from innkeeper.engines.process.laying import SENT, lay, within_reach

SHOWN = b"walls\n"


def prepared(folder: Path) -> Path:
    """What a bucket might have held."""
    for path, content in (("app/maps/arena.map", SHOWN), ("app/game.cfg", b"speed=2\n")):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


async def test_a_program_finds_them_in_its_own_folder(open_air: ProcessGround, tmp_path: Path) -> None:
    show = (
        'cat "$HOME/app/maps/arena.map"; echo more >> "$HOME/app/game.cfg" && cat "$HOME/app/game.cfg"; ls -a "$HOME"'
    )
    for run in range(2):  # the second time over what the first left behind
        launch = replace(open_air.shell("s-1", show), files=prepared(tmp_path / f"files-{run}"))
        await open_air.engine.start(launch)
        await open_air.until(lambda: not open_air.engine.reports()["s-1"].alive)
        printed = (await collect(open_air.engine.log("s-1", tail=None, follow=False))).split()
        assert printed == [b"walls", b"speed=2", b"more", b".", b"..", b"app"]
        await open_air.engine.forget("s-1")
    await open_air.engine.discard("s-1")
    assert not list((open_air.directory / "home").glob(f"{SENT}*"))


async def test_a_link_that_a_program_left_leads_nowhere(open_air: ProcessGround, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o777)
    elsewhere.chmod(0o777)
    await open_air.engine.start(open_air.shell("s-1", f'ln -s {elsewhere} "$HOME/app"'))
    await open_air.until(lambda: not open_air.engine.reports()["s-1"].alive)
    await open_air.engine.forget("s-1")
    with pytest.raises(NotStarted, match="could not be laid into its folder"):
        await open_air.engine.start(replace(open_air.shell("s-1", "true"), files=prepared(tmp_path / "files")))
    assert list(elsewhere.iterdir()) == []
    assert "s-1" not in open_air.engine.reports()
    await open_air.engine.discard("s-1")


def test_what_is_there_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    home, files = tmp_path / "home", prepared(tmp_path / "files")
    (home / "app" / "maps").mkdir(parents=True)
    (home / "app" / "kept").write_bytes(b"kept")
    (home / "app" / "game.cfg").symlink_to(tmp_path / "outside")
    lay(str(files), str(home))
    assert (home / "app" / "game.cfg").read_bytes() == b"speed=2\n"
    assert not (home / "app" / "game.cfg").is_symlink()
    assert (home / "app" / "kept").read_bytes() == b"kept"
    assert not (tmp_path / "outside").exists()
    assert list(files.rglob("*")) == []


def test_files_of_another_disk_are_copied_first(tmp_path: Path) -> None:
    files = prepared(tmp_path / "s-1")
    assert within_reach(files, tmp_path) == files
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        homes = Path(folder)
        if homes.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("this machine has its shared memory and its temporary files on one disk")
        copy = within_reach(files, homes)
        assert copy == homes / f"{SENT}s-1"
        (homes / "s-1").mkdir()
        lay(str(copy), str(homes / "s-1"))
        assert (homes / "s-1" / "app" / "game.cfg").read_bytes() == b"speed=2\n"


def test_nothing_is_left_of_a_copy_that_was_not_made_whole(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        homes = Path(folder)
        if homes.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("this machine has its shared memory and its temporary files on one disk")
        files = prepared(tmp_path / "s-1")
        (files / "app" / "gone").symlink_to("nowhere")
        with pytest.raises(OSError, match="gone"):
            within_reach(files, homes)
        assert not list(homes.glob(f"{SENT}*"))


async def test_a_container_finds_them_below_its_root(engine_daemon: Daemon, tmp_path: Path) -> None:
    async with opened(engine_daemon) as ground:
        launch = ground.launch("s-1", "show:/app/maps/arena.map show:/app/game.cfg exit:0")
        await ground.engine.start(replace(launch, files=prepared(tmp_path / "files")))
        assert await end_of(ground) == (EndedBy.EXIT, 0, "")
        assert await collect(ground.engine.log("s-1", tail=None, follow=False)) == SHOWN + b"speed=2\n"


async def test_a_copy_goes_though_the_start_is_refused(open_air: ProcessGround, tmp_path: Path) -> None:
    homes = open_air.directory / "home"
    await open_air.engine.start(open_air.shell("s-1", f'ln -s {tmp_path} "$HOME/app"'))
    await open_air.until(lambda: not open_air.engine.reports()["s-1"].alive)
    await open_air.engine.forget("s-1")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        if os.stat(homes).st_dev == os.stat(folder).st_dev:
            pytest.skip("this machine has its shared memory and its temporary files on one disk")
        with pytest.raises(NotStarted, match="could not be laid into its folder"):
            await open_air.engine.start(replace(open_air.shell("s-1", "true"), files=prepared(Path(folder) / "files")))
    assert not list(homes.glob(f"{SENT}*"))
    await open_air.engine.discard("s-1")
