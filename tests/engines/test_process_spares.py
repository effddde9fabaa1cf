"""The spare: a shell that waits for the next server. It may make a start quicker and nothing else different."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from innkeeper.engines.base import EndedBy

from .conftest import ProcessGround, alive, until
from .promise import collect


def spares(ground: ProcessGround) -> list[str]:
    return [path.name for path in (ground.directory / "home").glob(".spare-*")]


def spare_pid(ground: ProcessGround) -> int:
    """The child of the spawner that is no server."""
    children = Path(f"/proc/{ground.engine.spawner_pid}/task/{ground.engine.spawner_pid}/children").read_text().split()
    mains = {ground.pid(server_id) for server_id, report in ground.engine.reports().items() if report.alive}
    return next((int(pid) for pid in children if int(pid) not in mains), 0)


async def with_spare(ground: ProcessGround) -> None:
    """A server runs and a spare like it waits."""
    await ground.engine.start(ground.shell("s-1", "exec sleep 1000"))
    await until(lambda: spares(ground) and spare_pid(ground))


async def over(ground: ProcessGround, server_id: str) -> tuple[EndedBy, int | None, str]:
    await until(lambda: not ground.engine.reports()[server_id].alive)
    ended = ground.engine.reports()[server_id].ended
    assert ended is not None
    return ended.by, ended.code, (await collect(ground.engine.log(server_id, tail=None, follow=False))).decode()


async def test_the_next_server_gets_the_spare_and_sees_no_difference(both: ProcessGround) -> None:
    script = "env | sort\necho \"it's\" '$X'; pwd; ulimit -c; umask; ls /proc/self/fd | wc -l\nexit 7"
    env = {"X": "a 'b' \"c\" $d\n`e`", "EMPTY": "", "LD_LIBRARY_PATH": "/nowhere"}
    await both.engine.start(both.shell("s-0", script, env=env))  # the first: no spare yet
    first = await over(both, "s-0")
    await until(lambda: spares(both) and spare_pid(both))
    pid = spare_pid(both)
    report = await both.engine.start(both.shell("s-2", script, env=env))
    assert int(report.handle.split(":")[0]) == pid
    second = await over(both, "s-2")
    assert first[:2] == second[:2] == (EndedBy.EXIT, 7)
    assert second[2].replace("s-2", "s-0") == first[2]


async def test_what_is_of_another_kind_gets_another_shell(both: ProcessGround, tmp_path: Path) -> None:
    await with_spare(both)
    pid = spare_pid(both)
    report = await both.engine.start(both.shell("s-2", "pwd; echo $IFS", build=tmp_path))
    assert int(report.handle.split(":")[0]) != pid
    assert (await over(both, "s-2"))[2].startswith(f"{tmp_path}\n")
    await until(lambda: not alive(pid))  # the next spare is of the newer kind


async def test_what_a_shell_would_take_for_its_own_is_left_to_a_fresh_one(both: ProcessGround) -> None:
    await with_spare(both)
    pid = spare_pid(both)
    report = await both.engine.start(both.shell("s-2", "printf %s. a:b", env={"IFS": ":", "no-name": "1"}))
    assert int(report.handle.split(":")[0]) != pid
    assert (await over(both, "s-2"))[2] == "a:b."


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_is_left_of_a_spare_when_the_spawner_goes(both: ProcessGround, number: signal.Signals) -> None:
    await with_spare(both)
    pid, name, old = spare_pid(both), spares(both)[0], both.engine.spawner_pid
    os.kill(old, number)
    await until(lambda: both.engine.spawner_pid != old)
    both.spawners.add(both.engine.spawner_pid)
    await until(lambda: not alive(pid))
    await until(lambda: name not in spares(both))
    await until(lambda: not list((both.directory / "logs").glob(".spare-*")))
    await until(lambda: not list(Path("/sys/fs/cgroup").glob(f"*/innkeeper-*/{name}")))


async def test_a_spare_that_is_killed_is_nobodys_loss(both: ProcessGround) -> None:
    await with_spare(both)
    pid, name = spare_pid(both), spares(both)[0]
    os.kill(pid, signal.SIGKILL)
    await until(lambda: name not in spares(both))
    await both.engine.start(both.shell("s-2", "exit 3"))
    assert (await over(both, "s-2"))[:2] == (EndedBy.EXIT, 3)
