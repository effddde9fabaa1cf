"""The line to an engine: by which ways it is reached, and what is made of it when it breaks. On real engines."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from certificates import Authority
from daemons import IMAGE, IMAGE_SAYS, Daemon, DockerDaemon, PodmanService, python_image
from innkeeper.engines.base import EndedBy, HostUnavailable
from innkeeper.engines.docker.client import Client, Endpoint
from inns import needed

from .conftest import until
from .containers import ContainerGround, end_of, opened, ready
from .promise import TCP, UDP, collect


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture
def own_docker() -> Iterator[DockerDaemon]:
    """A dockerd that a test may harm."""
    with DockerDaemon() as daemon:
        daemon.take_image(python_image(), IMAGE, *IMAGE_SAYS)
        yield daemon


@pytest.fixture
def own_podman() -> Iterator[PodmanService]:
    with PodmanService() as daemon:
        daemon.take_image(python_image(), IMAGE, *IMAGE_SAYS)
        yield daemon


@pytest.fixture(params=["docker", "podman"])
def own_daemon(request: pytest.FixtureRequest) -> Daemon:
    found: Daemon = request.getfixturevalue(f"own_{request.param}")
    return found


async def test_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    its, ours = authority.identity("engine", "127.0.0.1"), authority.identity("ours")
    port = free_port()
    tls = ["--tlsverify=true", f"--tlscacert={authority.ca}", f"--tlscert={its.certificate}", f"--tlskey={its.key}"]
    with DockerDaemon("-H", f"tcp://127.0.0.1:{port}", *tls) as daemon:
        daemon.take_image(python_image(), IMAGE, *IMAGE_SAYS)
        endpoint = Endpoint(
            f"tcp://127.0.0.1:{port}", tls_ca=authority.ca, tls_certificate=ours.certificate, tls_key=ours.key
        )
        async with opened(daemon, endpoint=endpoint) as ground:
            await ground.engine.start(ground.launch("s-1", "say:up bind", (UDP,)))
            await ready(ground)
            assert await collect(ground.engine.log("s-1", tail=None, follow=False)) == b"up\n"
        for wrong, why in (
            (Endpoint(f"tcp://127.0.0.1:{port}"), "HTTPS|HTTP|certificate|is no container engine"),
            (Endpoint(f"tcp://127.0.0.1:{port}", tls=True), "certificate verify failed"),
            (Endpoint(f"tcp://127.0.0.1:{port}", tls_ca=authority.ca), "certificate required|broke|reached"),
        ):
            client = Client(wrong)
            with pytest.raises(HostUnavailable, match=why):
                await client.open()
            await client.close()


@contextlib.contextmanager
def ssh_server(folder: Path) -> Iterator[Path]:
    """An SSH server on loopback that knows one key; the options of a client that has it."""
    sshd = needed("/usr/sbin/sshd", "openssh-server")
    port = free_port()
    for name in ("host", "client", "stranger"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "client.pub", folder / "authorized")
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    Path("/run/sshd").mkdir(exist_ok=True)
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        f"PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\nUsePAM no\n"
        f"PidFile {folder}/pid\nAllowStreamLocalForwarding yes\nPermitRootLogin prohibit-password\n"
    )
    for name, key, known in (
        ("ours", "client", "known"),
        ("wrong-key", "stranger", "known"),
        ("unknown", "client", "x"),
    ):
        (folder / name).write_text(
            f"Host *\n  IdentityFile {folder}/{key}\n  UserKnownHostsFile {folder}/{known}\n  Port {port}\n"
        )
    (folder / "x").write_text("")
    with (folder / "output").open("wb") as output:
        server = subprocess.Popen([sshd, "-D", "-e", "-f", folder / "sshd_config"], stderr=output)
    try:
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert server.poll() is None, (folder / "output").read_text()
        yield folder
    finally:
        server.terminate()
        server.wait(20)


async def test_ssh(tmp_path: Path, engine_daemon: Daemon) -> None:
    user = getpass.getuser()
    with ssh_server(tmp_path) as keys:
        url = f"ssh://{user}@127.0.0.1{engine_daemon.socket}"
        async with opened(engine_daemon, endpoint=Endpoint(url, ssh_config=keys / "ours")) as ground:
            assert not ground.engine.client.endpoint.is_local
            # More streams at once than an SSH server allows sessions on one connection.
            names = [f"s-{number}" for number in range(12)]
            await asyncio.gather(
                *(
                    ground.engine.start(ground.launch(name, "say:up slow:0 bind", (TCP,), memory_mb=48))
                    for name in names
                )
            )
            for name in names:
                await ready(ground, name)
            logs = [asyncio.create_task(collect(ground.engine.log(name, tail=None, follow=True))) for name in names]
            assert set(await ground.engine.usage(names)) == set(names)
            for name in names:
                await ground.engine.stop(name, 60)
            for log in logs:
                assert await asyncio.wait_for(log, 60) == b"up\nsaving\nsaved\n"
            assert (await end_of(ground, "s-3"))[:2] == (EndedBy.STOPPED, 0)
        for options in ("wrong-key", "unknown"):
            client = Client(Endpoint(url, ssh_config=keys / options))
            with pytest.raises(HostUnavailable, match="SSH"):
                await client.open()
            await client.close()


async def test_an_engine_that_stands_still_is_silent(own_daemon: Daemon) -> None:
    async with opened(own_daemon) as ground:
        await ground.engine.start(ground.launch("s-1", "bind", (UDP,)))
        await ready(ground)
        own_daemon.pause()
        before = ground.engine.silent_since
        assert before is None
        await until(lambda: ground.engine.silent_since is not None, 30)
        for verb in (
            ground.engine.start(ground.launch("s-2", "")), ground.engine.stop("s-1", 1), ground.engine.usage(["s-1"]),
        ):  # fmt: skip
            with pytest.raises(HostUnavailable):
                await verb
        assert ground.engine.reports()["s-1"].alive
        own_daemon.go_on()
        await until(lambda: ground.engine.silent_since is None, 30)
        assert ground.engine.reports()["s-1"].alive


async def test_an_engine_that_was_killed_and_comes_back(own_daemon: Daemon) -> None:
    async with opened(own_daemon) as ground:
        launch = ground.launch("s-1", "bind", (UDP,))
        await ground.engine.start(launch)
        await ready(ground)
        own_daemon.kill()
        await until(lambda: ground.engine.silent_since is not None, 30)
        with pytest.raises(HostUnavailable):
            await ground.engine.start(ground.launch("s-2", ""))
        own_daemon.start()
        await until(lambda: ground.engine.silent_since is None, 30)
        if own_daemon.kind == "podman":  # its containers need no engine
            assert ground.engine.reports()["s-1"].alive
        else:  # dockerd ends those that it finds running, unless it is told to let them live
            assert (await end_of(ground))[0] in (EndedBy.SIGNAL, EndedBy.EXIT)
        assert len(ground.containers()) == 1
        assert (await ground.engine.start(launch)).handle == ground.engine.reports()["s-1"].handle


async def test_an_engine_that_is_not_there_yet(own_podman: PodmanService) -> None:
    own_podman.stop()
    ground = ContainerGround(own_podman)
    await ground.open()
    assert ground.engine.silent_since is not None
    assert "cannot be reached" in ground.abilities.notes[0]
    own_podman.start()
    await until(lambda: ground.engine.silent_since is None, 30)
    assert (await ground.engine.abilities()).notes[0].startswith("Podman ")
    await ground.engine.start(ground.launch("s-1", "bind", (UDP,)))
    await ready(ground)
    await ground.over()


async def test_what_ended_while_nobody_looked_is_told(engine_daemon: Daemon) -> None:
    async with opened(engine_daemon) as ground:
        await ground.engine.start(ground.launch("s-1", "say:last-words", (UDP,)))
        assert await anext(ground.engine.log("s-1", tail=None, follow=True)) == b"last-words\n"
        await ground.engine.close()
        assert engine_daemon.ask("POST", "/containers/innkeeper-s-1/kill?signal=SIGUSR1")[0] == 204
        await ground.until(lambda: ground.containers()[0]["State"] == "exited")
        ground.engine = ground.make()
        changes = ground.engine.changes()
        await ground.engine.open()
        report = await asyncio.wait_for(anext(changes), 20)
        assert report.ended is not None
        assert (report.ended.by, report.ended.code, report.ended.detail) == (EndedBy.SIGNAL, 10, "last-words")


async def test_descriptors_are_given_back(engine_daemon: Daemon) -> None:
    before = len(os.listdir("/proc/self/fd"))
    async with opened(engine_daemon) as ground:
        for number in range(3):
            await ground.engine.start(ground.launch(f"s-{number}", "bind", (UDP,)))
            await ready(ground, f"s-{number}")
    assert len(os.listdir("/proc/self/fd")) <= before
