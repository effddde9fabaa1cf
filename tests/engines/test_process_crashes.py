"""Whoever is killed, and whenever: no server is lost, none is started twice, no end goes unreported."""

from __future__ import annotations

import asyncio
import os
import random
import shlex
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from innkeeper.engines.base import EndedBy, HostUnavailable, NotStarted
from innkeeper.engines.process import native

from .conftest import PROGRAM, ProcessGround, alive, until
from .promise import UDP, collect

#: Linux 6.15 tells how a process ended that is not our child.
LOST = (EndedBy.LOST, None)
KERNEL_TELLS = tuple(int(part) for part in os.uname().release.split(".")[:2]) >= (6, 15)
#: On older ones it is known unless the machine's first process was quicker than we.
ADOPTED_ENDS = {end: {end} if KERNEL_TELLS else {end, LOST} for end in [(EndedBy.STOPPED, 0), (EndedBy.SIGNAL, 9)]}


def marked(mark: str) -> set[int]:
    """All living processes that carry this mark of a server in their environment."""
    found: set[int] = set()
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and b"INNKEEPER_MARK=" + mark.encode() in (folder / "environ").read_bytes():
                found.add(int(folder.name))
        except OSError:
            continue
    return {pid for pid in found if alive(pid)}


def mark(ground: ProcessGround) -> str:
    return (ground.directory / "run" / "mark").read_text()


async def test_a_killed_owner_takes_nothing_with_it(directory: Path) -> None:
    ground = ProcessGround(directory)
    stays = ground.launch("stays", "say:up slow:0 bind", (UDP,))
    word = shlex.join([sys.executable, "-I", "-S", str(PROGRAM), "slow:0"])
    gate = directory.parent / "gate"
    os.mkfifo(gate)
    ends = f"read line < {gate}; exit 7"
    owner = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("owner.py")),
        str(directory),
        str(stays.ports[0].number),
        stays.command,
        ends,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )
    assert owner.stdout is not None
    spawner, handle, ending = (await owner.stdout.readline()).decode().split()
    owner.send_signal(signal.SIGKILL)
    await owner.wait()
    gate.write_text("now\n")  # it ends while nobody listens
    await until(lambda: not alive(int(ending.split(":")[0])))

    await ground.open()
    assert ground.engine.spawner_pid == int(spawner)
    reports = ground.engine.reports()
    assert reports["stays"].handle == handle
    assert alive(int(handle.split(":")[0]))
    await until(lambda: not ground.engine.reports()["ends"].alive)
    ended = ground.engine.reports()["ends"].ended
    assert ended is not None
    assert (ended.by, ended.code) == (EndedBy.EXIT, 7)
    assert (await ground.engine.start(stays)).handle == handle
    assert word  # the shell that waits at the gate is the only one of its kind
    await ground.over()
    assert marked(mark(ground)) == set()


async def test_a_killed_spawner_is_followed_by_one_that_knows_its_servers(both: ProcessGround) -> None:
    launch = both.launch("s-1", "say:up slow:0 bind", (UDP,))
    await both.engine.start(launch)
    await until(lambda: both.engine.reports()["s-1"].ready_at is not None)
    await both.engine.start(both.launch("s-2", "exit:5"))
    await until(lambda: not both.engine.reports()["s-2"].alive)
    before = both.engine.reports()
    await both.kill_spawner()
    assert both.engine.reports() == before
    assert await both.engine.start(launch) == before["s-1"]
    assert marked(f"{mark(both)}.s-1") == {both.pid("s-1")}
    usage = await both.engine.usage(["s-1"])
    assert usage["s-1"].memory_bytes > 0
    await both.engine.stop("s-1", 30)
    await until(lambda: not both.engine.reports()["s-1"].alive)
    assert await collect(both.engine.log("s-1", tail=None, follow=True)) == b"up\nsaving\nsaved\n"
    ended = both.engine.reports()["s-1"].ended
    assert ended is not None
    assert (ended.by, ended.code) in ADOPTED_ENDS[EndedBy.STOPPED, 0]


async def test_the_end_of_an_adopted_server_is_seen(both: ProcessGround) -> None:
    await both.engine.start(both.launch("s-1", "bind", (UDP,)))
    await until(lambda: both.engine.reports()["s-1"].ready_at is not None)
    await both.kill_spawner()
    os.kill(both.pid("s-1"), signal.SIGKILL)
    await until(lambda: not both.engine.reports()["s-1"].alive)
    ended = both.engine.reports()["s-1"].ended
    assert ended is not None
    assert (ended.by, ended.code) in ADOPTED_ENDS[EndedBy.SIGNAL, 9]


async def test_an_end_that_nobody_could_see_is_lost_and_what_it_left_is_ended(both: ProcessGround) -> None:
    await both.engine.start(both.launch("s-1", "escape:child bind", (UDP,)))
    await until(lambda: both.engine.reports()["s-1"].ready_at is not None)
    child = int((await collect(both.engine.log("s-1", tail=1, follow=False))).split()[1])
    main = both.pid("s-1")
    await both.engine.close()
    spawner = both.engine.spawner_pid
    os.kill(spawner, signal.SIGKILL)
    await until(lambda: not alive(spawner))
    os.kill(main, signal.SIGKILL)
    await until(lambda: not Path(f"/proc/{main}").exists())
    assert alive(child)
    await both.restart()
    await until(lambda: not both.engine.reports()["s-1"].alive)
    ended = both.engine.reports()["s-1"].ended
    assert ended is not None
    assert (ended.by, ended.code) == (EndedBy.LOST, None)
    assert not alive(child)


async def test_a_deadline_is_kept_though_the_spawner_dies(both: ProcessGround) -> None:
    await both.engine.start(both.launch("s-1", "deaf bind", (UDP,)))
    await until(lambda: both.engine.reports()["s-1"].ready_at is not None)
    await both.engine.stop("s-1", 0.6)
    await both.kill_spawner()
    await until(lambda: not both.engine.reports()["s-1"].alive)
    ended = both.engine.reports()["s-1"].ended
    assert ended is not None
    assert ended.by is EndedBy.KILLED


async def test_a_spawner_killed_while_it_starts_servers_starts_none_twice(both: ProcessGround) -> None:
    chance = random.Random(7)
    launches = {f"s-{number}": both.launch(f"s-{number}", "bind", (UDP,)) for number in range(24)}
    for batch in range(4):
        ids = [f"s-{number}" for number in range(batch * 6, batch * 6 + 6)]
        spawner = both.engine.spawner_pid
        starting = [asyncio.create_task(both.engine.start(launches[server_id])) for server_id in ids]
        await asyncio.wait(starting, timeout=chance.random() * 0.03)
        os.kill(spawner, signal.SIGKILL)
        await asyncio.gather(*starting, return_exceptions=True)
        await until(lambda spawner=spawner: both.engine.spawner_pid != spawner)  # type: ignore[misc]
        both.spawners.add(both.engine.spawner_pid)
        for server_id in ids:
            try:
                await both.engine.start(launches[server_id])
            except HostUnavailable:
                await both.engine.start(launches[server_id])
    reports = both.engine.reports()
    assert set(reports) == set(launches)
    await until(lambda: all(one.ready_at or not one.alive for one in both.engine.reports().values()))
    living = {server_id: both.pid(server_id) for server_id, one in both.engine.reports().items() if one.alive}
    assert marked(mark(both)) == set(living.values())


async def test_two_that_open_at_once_share_one_spawner(directory: Path) -> None:
    grounds = [ProcessGround(directory) for _ in range(3)]
    await asyncio.gather(*(ground.open() for ground in grounds))
    assert len({ground.engine.spawner_pid for ground in grounds}) == 1
    await grounds[0].engine.start(grounds[0].launch("s-1", "bind", (UDP,)))
    await until(lambda: "s-1" in grounds[2].engine.reports())
    for ground in grounds[1:]:
        await ground.engine.close()
    await grounds[0].over()


async def test_a_spawner_without_work_leaves(plain: ProcessGround) -> None:
    await plain.engine.start(plain.launch("s-1", "exit:0"))
    await until(lambda: not plain.engine.reports()["s-1"].alive)
    await plain.engine.forget("s-1")
    spawner = plain.engine.spawner_pid
    await plain.engine.close()
    await until(lambda: not alive(spawner))
    await plain.restart()
    assert plain.engine.spawner_pid != spawner
    assert plain.engine.reports() == {}


@pytest.mark.skipif(not KERNEL_TELLS, reason="Linux 6.15 tells how a process ended that is not our child")
def test_how_a_child_ended_can_be_asked_of_its_descriptor() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(42)
    pidfd = os.pidfd_open(pid)
    status = os.waitpid(pid, 0)[1]
    assert native.exit_status(pidfd) == status
    os.close(pidfd)


async def test_between_two_runs_of_a_server_the_spawner_may_die(both: ProcessGround) -> None:
    last = both.launch("s-1", "say:two bind", (UDP,))
    await both.engine.start(replace(both.launch("s-1", "say:one exit:3"), ports=last.ports))
    await until(lambda: not both.engine.reports()["s-1"].alive)
    await both.kill_spawner()
    await both.engine.forget("s-1")
    await both.kill_spawner()
    assert both.engine.reports() == {}
    await both.engine.start(last)
    await both.kill_spawner()
    await until(lambda: both.engine.reports()["s-1"].ready_at is not None)
    assert await both.engine.before("s-1") == b"one\n"
    assert await collect(both.engine.log("s-1", tail=None, follow=False)) == b"two\n"


async def test_a_further_run_that_cannot_be_started_takes_nothing_with_it(both: ProcessGround) -> None:
    launch = both.shell("s-1", "echo one; echo kept > $HOME/file")
    await both.engine.start(launch)
    await until(lambda: not both.engine.reports()["s-1"].alive)
    await both.engine.forget("s-1")
    with pytest.raises(NotStarted):
        await both.engine.start(replace(launch, build=Path("/nonexistent")))
    await both.engine.start(both.shell("s-1", "cat $HOME/file"))
    await until(lambda: not both.engine.reports()["s-1"].alive)
    assert await collect(both.engine.log("s-1", tail=None, follow=False)) == b"kept\n"
    assert await both.engine.before("s-1") == b"one\n"
