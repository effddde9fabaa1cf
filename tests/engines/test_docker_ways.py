"""Seeing that containers are ready, by each way to look, and in each kind of network. On real Docker and Podman."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from contexts import tarball
from daemons import IMAGE, Daemon, python_files
from innkeeper.engines.base import EndedBy
from innkeeper.engines.docker.readiness import Way

from .containers import INSIDE, ContainerGround, end_of, opened, ready
from .promise import TCP, UDP


@pytest.fixture
async def ground(engine_daemon: Daemon) -> AsyncIterator[ContainerGround]:
    async with opened(engine_daemon) as ground:
        yield ground


@pytest.mark.parametrize("way", ["local", "shell"])
async def test_ready_is_who_listens_where_others_reach_it(engine_daemon: Daemon, way: Way) -> None:
    async with opened(engine_daemon, ways=(way,)) as ground:
        await ground.engine.start(ground.launch("s-1", "bind", (UDP, TCP)))
        await ground.engine.start(ground.launch("s-2", "bind", (TCP,), bind_to="127.0.0.1"))
        half = ground.launch("s-3", f"udp:{INSIDE} bind-tcp:{INSIDE + 1}", (UDP, TCP))
        await ground.engine.start(half)
        await ready(ground, "s-1")
        await ground.until(lambda: ground.engine.reports()["s-3"].bound == (half.ports[0].number,))
        assert [ground.engine.reports()[one].ready_at for one in ("s-2", "s-3")] == [None, None]
        assert ground.engine.reports()["s-2"].bound == ()
        usage = await ground.engine.usage(["s-1", "s-3"])
        assert usage["s-1"].connections == 0
        assert usage["s-1"].memory_bytes > 1 << 20
        port = ground.engine.reports()["s-1"]
        assert port.alive
        await ground.engine.stop("s-1", 0)
        assert (await end_of(ground, "s-1"))[:2] == (EndedBy.KILLED, 9)


async def test_connections_are_counted(engine_daemon: Daemon) -> None:
    for way in ("local", "shell"):
        async with opened(engine_daemon, ways=(way,)) as ground:
            launch = ground.launch("s-1", "bind", (TCP,))
            await ground.engine.start(launch)
            await ready(ground)
            _, writer = await asyncio.open_connection("127.0.0.1", launch.ports[0].number)
            usage = await ground.engine.usage(["s-1"])
            assert usage["s-1"].connections == 1
            assert usage["s-1"].egress_bytes is not None
            assert usage["s-1"].egress_bytes > 0
            writer.close()


async def test_without_a_shell_its_ports_are_knocked_at(engine_daemon: Daemon) -> None:
    """An image of one program and its libraries: neither can a shell be run in it, nor is it seen from outside."""
    name = "localhost/innkeeper-tests:bare"
    files = {place: file for place, file in python_files().items() if place not in ("/bin/sh", "/bin/dash")}
    engine_daemon.take_image(
        tarball({place: file for place, file in files.items() if not place.endswith("dash")}, gzipped=False),
        name,
        'CMD ["python3","-I","-S","/program.py"]',
    )
    try:
        async with opened(engine_daemon, ways=("shell", "probe")) as ground:
            await ground.engine.start(ground.launch("s-1", "bind", (TCP,), image=name))
            await ground.engine.start(ground.launch("s-2", "say:up", (TCP,), image=name))
            await ready(ground, "s-1")
            assert ground.engine.reports()["s-2"].ready_at is None
    finally:
        engine_daemon.ask("DELETE", f"/images/{name}?force=1")


async def test_far_ends_are_heard_of_by_events(engine_daemon: Daemon) -> None:
    async with opened(engine_daemon, ways=("shell",)) as ground:
        await ground.engine.start(ground.launch("s-1", "bind", (UDP,)))
        await ready(ground)
        assert ground.daemon.ask("POST", "/containers/innkeeper-s-1/kill?signal=SIGUSR1")[0] == 204
        assert (await end_of(ground))[:2] == (EndedBy.SIGNAL, 10)


async def test_the_hosts_network(engine_daemon: Daemon) -> None:
    async with opened(engine_daemon, network="host") as ground:
        assert any("share the network" in note for note in ground.abilities.notes)
        mine = ground.launch("s-1", "bind", (UDP, TCP))
        await ground.engine.start(mine)
        await ready(ground, "s-1")
        # Its neighbour expects the same TCP port, which is bound: by another.
        ports = [mine.ports[1]]
        other = ground.launch("s-2", "say:up")
        await ground.engine.start(type(other)("s-2", other.build, "", other.env, ports, 1, 128, image=IMAGE))
        await ground.engine.start(ground.launch("s-3", "bind", (UDP,)))
        await ready(ground, "s-3")
        assert ground.engine.reports()["s-2"].ready_at is None
        assert not ground.engine.port_is_free(mine.ports[0].number, UDP)
        usage = await ground.engine.usage(["s-1"])
        assert usage["s-1"].egress_bytes is None  # the machine's own


async def test_published_ports_are_reached_and_answer(ground: ContainerGround) -> None:
    """A packet goes in by the host's port and comes to the container's."""
    launch = ground.launch("s-1", "echo-udp:7000", (UDP,))
    await ground.engine.start(launch)
    await ready(ground)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as player:
        player.connect(("127.0.0.1", launch.ports[0].number))
        for left in reversed(range(20)):  # a packet may be lost, as anywhere: players send again
            player.send(b"hello")
            try:
                async with asyncio.timeout(0.5):
                    assert await loop.sock_recv(player, 100) == b"hello"
                    break
            except TimeoutError:
                assert left, "nobody answered"


async def test_servers_may_be_kept_apart(engine_daemon: Daemon) -> None:
    """On Docker, in a network of the house's in which containers do not reach each other."""
    async with opened(engine_daemon, network="isolated") as ground:
        await ground.engine.start(ground.launch("s-1", "bind", (TCP,)))
        await ready(ground, "s-1")
        networks = ground.inspect("s-1")["NetworkSettings"]["Networks"]
        address = next(iter(networks.values()))["IPAddress"]
        await ground.engine.start(ground.launch("s-2", f"dial:{address}:{INSIDE}"))
        by, code, _ = await end_of(ground, "s-2")
        assert by is EndedBy.EXIT
        if engine_daemon.kind == "docker":
            assert code == 1
        else:
            assert any("Podman cannot keep them apart" in note for note in ground.abilities.notes)
        await ground.engine.leave()
        assert engine_daemon.ask("GET", f"/networks/innkeeper-{ground.house}")[0] == 200, "a server needs it"
        await ground.engine.stop("s-1", 0)
        await end_of(ground, "s-1")
        for server_id in ("s-1", "s-2"):
            await ground.engine.forget(server_id)
        await ground.engine.settled()
        await ground.engine.leave()
        assert engine_daemon.ask("GET", f"/networks/innkeeper-{ground.house}")[0] == 404
