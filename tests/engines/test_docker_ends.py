"""How containers end and what else becomes of them, on real Docker and Podman. Nobody else's is harmed."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from contexts import tarball
from daemons import Daemon, python_image
from innkeeper.engines.base import EndedBy, ImageMissing, NotStarted, PortTaken

from .containers import ContainerGround, end_of, opened, ready
from .promise import TCP, UDP, collect


@pytest.fixture
async def ground(engine_daemon: Daemon) -> AsyncIterator[ContainerGround]:
    async with opened(engine_daemon) as ground:
        yield ground


async def test_too_much_memory_is_told_as_such(ground: ContainerGround) -> None:
    for number in range(3):  # the group with the figure is there for a moment only
        await ground.engine.start(ground.launch(f"s-{number}", "say:hungry eat:300", memory_mb=48))
    for number in range(3):
        by, code, _ = await end_of(ground, f"s-{number}")
        assert (by, code) == (EndedBy.MEMORY, 9)


async def test_killed_from_elsewhere_is_no_lack_of_memory(ground: ContainerGround) -> None:
    await ground.engine.start(ground.launch("s-1", "say:up"))
    assert ground.daemon.ask("POST", "/containers/innkeeper-s-1/kill?signal=SIGKILL")[0] == 204
    assert (await end_of(ground))[:2] == (EndedBy.SIGNAL, 9)


async def test_a_container_that_somebody_removes_is_lost(ground: ContainerGround) -> None:
    await ground.engine.start(ground.launch("s-1", "bind", (UDP,)))
    await ready(ground)
    assert ground.daemon.ask("DELETE", "/containers/innkeeper-s-1?force=1")[0] in (200, 204)
    by, _, _ = await end_of(ground)
    assert by in (EndedBy.LOST, EndedBy.SIGNAL)  # whichever is seen first: it was killed, it is gone
    await ground.engine.forget("s-1")
    assert ground.engine.reports() == {}


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ('CMD ["/nothing"]', "could not be run: No such file or directory"),
        ('CMD ["/game"]', "exec format error"),  # all of the image is for other processors, its shell too
    ],
)
async def test_an_image_whose_program_cannot_be_run(ground: ContainerGround, says: str, told: str) -> None:
    name = "localhost/innkeeper-tests:broken"
    strange = b"\x7fELF\x02\x01\x01" + b"\0" * 200
    files: dict[str, Path | bytes | str] = {"/game": strange, "/bin/sh": strange}
    ground.daemon.take_image(tarball(files, gzipped=False), name, says)
    try:
        try:
            await ground.engine.start(ground.launch("s-1", "bind", (UDP,), image=name))
            by, code, detail = await end_of(ground)
            assert (by, code) == (EndedBy.NOT_STARTED, None), detail
        except NotStarted as error:
            detail = str(error)
        assert re.search(told, detail), detail
        if "format" in told:
            assert "amd64" in detail or "arm64" in detail
    finally:
        for server_id in ground.engine.reports():
            await ground.engine.forget(server_id)
        await ground.engine.settled()
        ground.daemon.ask("DELETE", f"/images/{name}?force=1")


async def test_a_missing_image_is_told_as_such(ground: ContainerGround) -> None:
    with pytest.raises(ImageMissing, match="localhost/innkeeper-tests:none"):
        await ground.engine.start(ground.launch("s-1", "", image="localhost/innkeeper-tests:none"))
    assert ground.engine.reports() == {}
    assert ground.containers() == []


@pytest.mark.parametrize("transport", [UDP, TCP])
async def test_a_port_of_a_stranger_is_told_as_such(ground: ContainerGround, transport: object) -> None:
    launch = ground.launch("s-1", "bind", (UDP if transport is UDP else TCP,))
    kind = socket.SOCK_DGRAM if transport is UDP else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as stranger:
        stranger.bind(("127.0.0.1", launch.ports[0].number))
        if transport is TCP:
            stranger.listen()
        with pytest.raises(PortTaken):
            await ground.engine.start(launch)
    assert ground.containers() == []
    assert (await ground.engine.start(launch)).alive


async def test_a_name_that_a_stranger_has(ground: ContainerGround) -> None:
    theirs = ground.daemon.run_stranger("innkeeper-s-1", "sleep", "1000")
    try:
        with pytest.raises(NotStarted, match="somebody else"):
            await ground.engine.start(ground.launch("s-1", "bind", (UDP,)))
        assert ground.engine.reports() == {}
        assert [one["State"] for one in ground.daemon.containers() if one["Id"] == theirs] == ["running"]
    finally:
        ground.daemon.ask("DELETE", f"/containers/{theirs}?force=1&v=1")


async def test_another_house_on_the_same_engine_is_not_seen(ground: ContainerGround, engine_daemon: Daemon) -> None:
    other = ContainerGround(engine_daemon)
    await other.open()
    try:
        await other.engine.start(other.launch("s-9", "bind", (UDP,)))
        await ground.restart()
        assert ground.engine.reports() == {}
        for verb in (ground.engine.stop("s-9", 0), ground.engine.forget("s-9"), ground.engine.discard("s-9")):
            await verb
        with pytest.raises(NotStarted, match="somebody else"):
            await ground.engine.start(ground.launch("s-9", "bind", (UDP,)))
        await ready(other, "s-9")
    finally:
        await other.over()


async def test_servers_of_a_host_that_the_house_has_no_more_belong_to_who_finds_them(engine_daemon: Daemon) -> None:
    house = {"far", "near"}
    ground = ContainerGround(engine_daemon, known=lambda: house)
    await ground.open()
    try:
        await ground.engine.start(ground.launch("s-1", "bind", (UDP,)))
        await ready(ground)
        await ground.restart_as("near")
        assert ground.engine.reports() == {}
        house.remove("far")
        await ground.restart_as("near")
        assert ground.engine.reports()["s-1"].alive
        await ground.engine.stop("s-1", 0)
        assert (await end_of(ground))[0] is EndedBy.KILLED
    finally:
        await ground.over()


async def test_what_was_made_and_never_started_is_made_anew(ground: ContainerGround) -> None:
    launch = ground.launch("s-1", "bind", (UDP,))
    labels = {"innkeeper.house": ground.house, "innkeeper.host": "far", "innkeeper.server": "s-1"}
    body = {"Image": launch.image, "Labels": labels, "Cmd": ["sleep", "1"]}
    assert ground.daemon.ask("POST", "/containers/create?name=innkeeper-s-1", body)[0] == 201
    assert (await ground.engine.start(launch)).alive
    await ready(ground)
    assert ground.daemon.ask("POST", "/containers/create?name=innkeeper-s-2", body | {
        "Labels": labels | {"innkeeper.server": "s-2"}
    })[0] == 201  # fmt: skip
    await ground.restart()
    assert set(ground.engine.reports()) == {"s-1"}
    assert len(ground.containers()) == 1


async def test_what_we_asked_for_is_known_after_a_restart(ground: ContainerGround) -> None:
    await ground.engine.start(ground.launch("s-1", "deaf bind", (UDP,)))
    await ground.engine.start(ground.launch("s-2", "slow:1 bind", (UDP,)))
    await ready(ground, "s-1")
    await ready(ground, "s-2")
    await ground.engine.stop("s-2", 60)
    await ground.engine.stop("s-1", 0)
    await ground.engine.close()  # before it can know
    await ground.until(lambda: all(one["State"] == "exited" for one in ground.containers()))
    ground.engine = ground.make()
    await ground.engine.open()
    assert (await end_of(ground, "s-2"))[:2] == (EndedBy.STOPPED, 0)
    by, code, _ = await end_of(ground, "s-1")
    assert (by, code) in ((EndedBy.KILLED, 9), (EndedBy.STOPPED, 15))


async def test_a_start_that_nobody_waits_for_any_more(ground: ContainerGround) -> None:
    launch = ground.launch("s-1", "bind", (UDP,))
    asked = asyncio.create_task(ground.engine.start(launch))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert (await ground.engine.start(launch)).alive
    assert len(ground.containers()) == 1


async def test_secrets_are_in_no_error_and_no_log(ground: ContainerGround, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "xyzzy-very-secret"
    await ground.engine.start(ground.launch("s-1", "exit:1", env={"PASSWORD": secret}))
    await end_of(ground)
    with pytest.raises(NotStarted) as refused:
        await ground.engine.start(ground.launch("s-2", "", image="localhost/innkeeper-tests:none", env={"P": secret}))
    assert secret not in f"{refused.value!r} {caplog.text} {ground.engine.reports()!r}"
    assert secret in json.dumps(ground.inspect("s-1")["Config"]["Env"])  # the server has it


async def test_output_of_both_streams_is_kept_as_bytes(ground: ContainerGround) -> None:
    await ground.engine.start(ground.launch("s-1", "flood:3000 exit:0"))
    await end_of(ground)
    there = await collect(ground.engine.log("s-1", tail=None, follow=False))
    assert there.count(b"\n") == 3000
    assert there.startswith(b"line 000000000 xxx")
    await ground.engine.forget("s-1")
    while_it_goes = await collect(ground.engine.log("s-1", tail=None, follow=False))
    await ground.engine.settled()
    here = await collect(ground.engine.log("s-1", tail=None, follow=False))
    assert there == while_it_goes == here
    assert ground.containers() == []


async def test_a_server_that_steps_down_from_root_hears_that_it_shall_end(ground: ContainerGround) -> None:
    """What entry points of many images do: give files away, become somebody else, run the game."""
    launch = ground.launch("s-1", "")
    script = (
        "import os,signal,time\nos.makedirs('/data')\nos.chown('/data',1000,1000)\nos.setgid(1000)\nos.setuid(1000)\n"
        "signal.signal(signal.SIGTERM,lambda *_:(print('bye',flush=True),os._exit(0)))\n"
        "open('/data/x','w').close()\nprint(os.getuid(),flush=True)\nwhile True: time.sleep(1)"
    )
    name = "localhost/innkeeper-tests:steps-down"
    ground.daemon.take_image(python_image(), name, f"CMD {json.dumps(['python3', '-I', '-S', '-c', script])}")
    try:
        await ground.engine.start(type(launch)(
            "s-1", launch.build, "", {}, (), 1, 128, image=name
        ))  # fmt: skip
        following = ground.engine.log("s-1", tail=None, follow=True)
        assert await anext(following) == b"1000\n"
        await ground.engine.stop("s-1", 30)
        assert (await end_of(ground))[:2] == (EndedBy.STOPPED, 0)
        assert await collect(following) == b"bye\n"
    finally:
        await ground.engine.forget("s-1")
        await ground.engine.settled()
        ground.daemon.ask("DELETE", f"/images/{name}?force=1")


@pytest.mark.slow
async def test_fifty_at_once_leave_nothing_behind(ground: ContainerGround) -> None:
    before = {one["Id"] for one in ground.daemon.containers()}, _things(ground)
    ids = [f"s-{number}" for number in range(50)]
    launches = [ground.launch(server_id, "slow:0 bind", (UDP,), memory_mb=32) for server_id in ids]
    await asyncio.gather(*(ground.engine.start(launch) for launch in launches))
    for server_id in ids:
        await ready(ground, server_id)
    assert len(ground.containers()) == 50
    usage = await ground.engine.usage(ids)
    assert set(usage) == set(ids)
    await asyncio.gather(*(ground.engine.stop(server_id, 60) for server_id in ids))
    for server_id in ids:
        assert (await end_of(ground, server_id))[:2] == (EndedBy.STOPPED, 0)
    for server_id in ids:
        await ground.engine.forget(server_id)
        await ground.engine.discard(server_id)
    await ground.engine.settled()
    assert ({one["Id"] for one in ground.daemon.containers()}, _things(ground)) == before
    assert all(ground.engine.port_is_free(port.number, UDP) for launch in launches for port in launch.ports)
    assert [path for path in ground.folder.rglob("*") if path.is_file()] == []


def _things(ground: ContainerGround) -> tuple[int, int]:
    volumes = ground.daemon.get("/volumes")["Volumes"] or []
    return len(volumes), len(ground.daemon.get("/networks"))


async def test_whoever_reads_while_the_container_goes_reads_it_all(ground: ContainerGround) -> None:
    """The engine would break a log off in the middle of a line when its container is removed."""
    await ground.engine.start(ground.launch("s-1", "flood:20000 exit:0"))
    await ground.until(lambda: not ground.engine.reports()["s-1"].alive)
    early = [asyncio.create_task(collect(ground.engine.log("s-1", tail=None, follow=True))) for _ in range(4)]
    await asyncio.sleep(0)
    await ground.engine.forget("s-1")
    late = [asyncio.create_task(collect(ground.engine.log("s-1", tail=None, follow=False))) for _ in range(4)]
    await ground.engine.settled()
    last = await collect(ground.engine.log("s-1", tail=None, follow=False))
    assert last.count(b"\n") == 20_000
    assert {len(text) for text in await asyncio.gather(*early, *late)} == {len(last)}


async def test_a_start_of_an_earlier_placing_gives_way(ground: ContainerGround) -> None:
    """A server that was placed anew has other ports: what an engine carried out late is not what is wanted."""
    first = await ground.engine.start(ground.launch("s-1", "bind", (UDP,)))
    again = ground.launch("s-1", "bind", (UDP,))
    second = await ground.engine.start(again)
    assert second.handle != first.handle
    await ground.until(lambda: ground.engine.reports()["s-1"].ready_at is not None)
    assert ground.inspect("s-1")["HostConfig"]["PortBindings"].popitem()[1][0]["HostPort"] == str(again.ports[0].number)
    assert len(ground.containers()) == 1
    assert await ground.engine.start(again) == ground.engine.reports()["s-1"]


async def test_arguments_alone_leave_the_images_entrypoint(ground: ContainerGround) -> None:
    # The image of the tests has none, so that they are all that is run.
    launch = replace(ground.launch("s-1", "exit:5"), arguments=f"{ground.program} 'say:two  words' exit:6")
    await ground.engine.start(launch)
    assert (await end_of(ground))[:2] == (EndedBy.EXIT, 6)
    launch = replace(ground.launch("s-2", ""), entrypoint="/bin/cat", arguments="/etc/hostname")
    await ground.engine.start(launch)
    assert (await end_of(ground, "s-2"))[:2] == (EndedBy.EXIT, 0)
