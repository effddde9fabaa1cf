# ruff: noqa: ASYNC240
"""What programs do, and what becomes of it: real game servers, hostile ones, large logs, limits."""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
import sys
from pathlib import Path

import pytest

from innkeeper.engines.base import EndedBy, Launch, Port

from .conftest import PROGRAM, ProcessGround, alive, ended, ready, until, words
from .promise import TCP, UDP, collect

BZFS, TEEWORLDS = Path("/usr/games/bzfs"), Path("/usr/games/teeworlds-server")


@pytest.mark.skipif(not BZFS.exists(), reason="needs the package bzflag-server")
async def test_a_real_game_server_over_tcp(open_air: ProcessGround) -> None:
    (port,) = open_air.ports.take(1, [TCP], 0)
    launch = Launch(
        "s-1",
        Path("/"),
        f"{BZFS} -i 127.0.0.1 -p $PORT -q -j",
        {"PORT": str(port)},
        [Port("default", TCP, port)],
        1,
        256,
    )
    await open_air.engine.start(launch)
    await ready(open_air)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"BZFLAG\r\n\r\n")
    assert (await reader.readexactly(8)).startswith(b"BZFS")
    assert (await open_air.engine.usage(["s-1"]))["s-1"].connections == 1
    writer.close()
    await writer.wait_closed()
    await open_air.engine.stop("s-1", 10)
    assert (await ended(open_air))[:2] == (EndedBy.STOPPED, 0)


@pytest.mark.skipif(not TEEWORLDS.exists(), reason="needs the package teeworlds-server")
async def test_a_real_game_server_over_udp(open_air: ProcessGround) -> None:
    (port,) = open_air.ports.take(1, [UDP], 0)
    command = f'{TEEWORLDS} "sv_port $PORT" "bindaddr 127.0.0.1" "sv_register 0"'
    launch = Launch("s-1", Path("/"), command, {"PORT": str(port)}, [Port("default", UDP, port)], 1, 256)
    await open_air.engine.start(launch)
    await ready(open_air)
    await open_air.engine.stop("s-1", 10)
    assert (await ended(open_air))[:2] == (EndedBy.STOPPED, 15)


async def test_a_port_that_does_not_listen_is_not_served(plain: ProcessGround) -> None:
    (port,) = plain.ports.take(1, [TCP], 0)
    launch = plain.launch("s-1", f"bind-tcp:{port} say:bound")
    await plain.engine.start(Launch("s-1", launch.build, launch.command, {}, [Port("p", TCP, port)], 1, 256))
    await until(lambda: (plain.directory / "logs" / "s-1.log").read_bytes() == b"bound\n")
    await plain.engine.start(plain.launch("s-2", "bind", (TCP,)))
    await ready(plain, "s-2")
    assert plain.engine.reports()["s-1"].ready_at is None


async def test_a_strangers_socket_does_not_make_a_server_ready(both: ProcessGround) -> None:
    (port,) = both.ports.take(1, [UDP], 0)
    launch = both.launch("s-1", "say:up")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", port))
        await both.engine.start(Launch("s-1", launch.build, launch.command, {}, [Port("p", UDP, port)], 1, 256))
        await both.engine.start(both.launch("s-2", "bind", (UDP,)))
        await ready(both, "s-2")
        assert both.engine.reports()["s-1"].ready_at is None


async def test_ports_that_are_bound_already_are_told(plain: ProcessGround) -> None:
    launch = plain.launch("s-1", "bind", (UDP, TCP, UDP))
    first, second, third = (port.number for port in launch.ports)
    command = launch.command.replace(f"tcp:{second}", "").replace(f"udp:{third}", "")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", third))
        await plain.engine.start(Launch("s-1", launch.build, command, {}, launch.ports, 1, 256))
        await until(lambda: plain.engine.reports()["s-1"].bound)
        assert list(plain.engine.reports()["s-1"].bound) == [first]
    assert plain.engine.reports()["s-1"].ready_at is None


async def test_a_server_below_a_shell_is_ready_and_has_its_grace(both: ProcessGround) -> None:
    launch = both.launch("s-1", "slow:0.2 bind", (UDP,))
    wrapped = Launch("s-1", launch.build, f"{launch.command} | cat", {}, launch.ports, 1, 256)
    await both.engine.start(wrapped)
    await ready(both)
    await both.engine.stop("s-1", 30)
    assert (await ended(both))[0] is EndedBy.STOPPED
    # cat died at once by the signal, and what the server saved after that it saved to a broken pipe: but it could.


async def test_more_memory_than_it_was_given(plain: ProcessGround) -> None:
    if not plain.abilities.memory.startswith("cgroup"):
        pytest.skip("needs writable control groups")
    await plain.engine.start(plain.launch("s-1", "eat:200", memory_mb=64))
    assert (await ended(plain))[:2] == (EndedBy.MEMORY, 9)
    await plain.engine.start(plain.launch("s-2", "eat:200 exit:0", memory_mb=512))
    assert (await ended(plain, "s-2"))[:2] == (EndedBy.EXIT, 0)


async def test_without_control_groups_memory_is_held_by_a_resource_limit(directory: Path) -> None:
    ground = ProcessGround(directory, cgroups=False)
    await ground.open()
    assert ground.abilities.memory == "rlimit"
    assert ground.abilities.machine_cpu == os.cpu_count()
    assert (ground.abilities.machine_memory_mb or 0) > 64
    assert any("cannot be told" in note for note in ground.abilities.notes)
    await ground.engine.start(ground.launch("s-1", "eat:200", memory_mb=64))
    by, code, detail = await ended(ground)
    assert (by, code) == (EndedBy.EXIT, 1)
    await ground.over()
    assert detail == "" or "MemoryError" in detail


async def test_cpu_is_held(plain: ProcessGround) -> None:
    if not plain.abilities.cpu.startswith("cgroup"):
        pytest.skip("needs writable control groups")
    spin = shlex.join([sys.executable, "-I", "-S", "-c", "while True: pass"])
    await plain.engine.start(Launch("s-1", Path("/"), spin, {}, (), cpu=0.1, memory_mb=64))
    mark = (plain.directory / "run" / "mark").read_text()
    stat = next(Path("/sys/fs/cgroup").glob(f"**/innkeeper-{mark}/s-1/cpu.stat"))
    await until(lambda: "nr_throttled 0" not in stat.read_text())


async def test_a_server_that_goes_to_the_background_is_ended_and_told_so(both: ProcessGround) -> None:
    await both.engine.start(both.launch("s-1", "background say:child bind", (UDP,)))
    by, code, detail = await ended(both)
    assert (by, code) == (EndedBy.EXIT, 0)
    assert "left 1 process behind" in detail
    assert "foreground" in detail


@pytest.mark.parametrize("end", ["stop", "exit"])
async def test_whoever_leaves_the_session_is_found(both: ProcessGround, end: str) -> None:
    await both.engine.start(both.launch("s-1", "escape:child say:up bind", (UDP,)))
    await ready(both)
    lines = (await words(both)).split("\n")
    child = next(int(line.split()[1]) for line in lines if line.startswith("child"))
    assert os.getsid(child) == child
    if end == "stop":
        await both.engine.stop("s-1", 0.1)
    else:
        os.kill(both.pid("s-1"), 9)
    await ended(both)
    assert not alive(child)


async def test_a_program_gets_its_environment_and_nothing_of_ours(
    plain: ProcessGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INNKEEPER_SECRET", "do not tell")
    await plain.restart()
    await plain.engine.start(plain.shell("s-1", "env", env={"PORT": "7", "HATHORA_REGION": "Seattle"}))
    await ended(plain)
    lines = dict(line.split("=", 1) for line in (await words(plain)).splitlines())
    assert lines.pop("INNKEEPER_MARK").endswith(".s-1")
    assert lines.pop("HOME") == lines.pop("TMPDIR") == str(plain.directory / "home" / "s-1")
    lines.pop("PWD", None)
    lines.pop("_", None)
    lines.pop("SHLVL", None)
    assert lines.pop("PATH").endswith("/bin")
    assert lines == {
        "LANG": "C.UTF-8",
        "INNKEEPER_SERVER_ID": "s-1",
        "PORT": "7",
        "HATHORA_REGION": "Seattle",
    }
    assert b"do not tell" not in Path(f"/proc/{plain.engine.spawner_pid}/environ").read_bytes()


async def test_no_descriptor_of_ours_leaks(plain: ProcessGround) -> None:
    read, write = os.pipe()
    os.set_inheritable(read, True)
    for number in range(3):
        await plain.engine.start(plain.launch(f"s-{number}", "fds exit:0"))
        await ended(plain, f"s-{number}")
        assert await words(plain, f"s-{number}") == "fds [0, 1, 2]\n"
    os.close(read)
    os.close(write)


async def test_a_flood_is_held_below_the_ceiling_and_the_newest_is_kept(plain: ProcessGround) -> None:
    limit = 1 << 20
    await plain.engine.start(plain.launch("s-1", "flood:150000 bind", (UDP,), log_limit=limit))
    await ready(plain)
    log = plain.directory / "logs" / "s-1.log"
    size = 150_000 * 96
    await until(lambda: log.stat().st_blocks * 512 <= limit)
    assert log.stat().st_size == size
    lines = (await words(plain)).splitlines()
    assert 1000 < len(lines) <= limit // 96
    assert [int(line.split()[1]) for line in lines] == list(range(150_000 - len(lines), 150_000))
    tail = (await collect(plain.engine.log("s-1", tail=3, follow=False))).decode().splitlines()
    assert tail == lines[-3:]
    assert (await plain.engine.start(plain.launch("s-2", "exit:0"))).handle


async def test_why_a_start_failed_can_be_read_in_its_last_words(plain: ProcessGround) -> None:
    await plain.engine.start(plain.shell("s-1", "./no-such-server --port 1"))
    by, code, detail = await ended(plain)
    assert (by, code) == (EndedBy.EXIT, 127)
    assert "no-such-server" in detail


async def test_a_directory_may_lie_as_deep_as_it_likes(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120) / ("e" * 120) / "engine"
    ground = ProcessGround(deep)
    await ground.open()
    await ground.engine.start(ground.launch("s-1", "exit:3"))
    assert (await ended(ground))[:2] == (EndedBy.EXIT, 3)
    await ground.over()


async def test_two_hundred_starts_and_stops_leave_nothing_behind(both: ProcessGround) -> None:
    command = shlex.join([sys.executable, "-I", "-S", str(PROGRAM), "escape:child"])
    pids: list[int] = []
    for batch in range(10):
        ids = [f"s-{batch * 20 + number}" for number in range(20)]
        launches = [
            both.shell(server_id, command if number < 3 else "exec sleep 1000") for number, server_id in enumerate(ids)
        ]
        await asyncio.gather(*(both.engine.start(launch) for launch in launches))
        pids += [both.pid(server_id) for server_id in ids]
        await asyncio.gather(*(both.engine.stop(server_id, 0.05) for server_id in ids))
        await until(lambda: not any(report.alive for report in both.engine.reports().values()))
        await asyncio.gather(*(both.engine.forget(server_id) for server_id in ids))
        await asyncio.gather(*(both.engine.discard(server_id) for server_id in ids))
    assert both.engine.reports() == {}
    assert not any(alive(pid) for pid in pids)
    children = [
        stat
        for stat in (path.read_text() for path in Path("/proc").glob("[0-9]*/stat") if path.exists())
        if stat.rpartition(")")[2].split()[1] == str(both.engine.spawner_pid)
    ]
    assert len(children) <= 1  # the spare
    mark = (both.directory / "run" / "mark").read_text()
    await until(lambda: not list(Path("/sys/fs/cgroup").glob(f"**/innkeeper-{mark}/s-*")))
    await until(lambda: not list((both.directory / "home").glob("s-*")))
    assert list((both.directory / "logs").glob("s-*")) == []
    assert (both.directory / "run" / "spawner.log").read_text() == ""
