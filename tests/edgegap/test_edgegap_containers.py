"""An image of a private registry, deployed on real Docker and real Podman: from the version to its end, by our SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from contexts import tarball
from daemons import Daemon, DockerDaemon, PodmanService, python_files
from e2e.drivers import eventually
from innkeeper.sdk import AsyncEdgegap
from inns import RunningInn, until
from registry import PASSWORD, USER, Registry

from .drivers import ByOurs
from .life import APP, ready, say, terminated

#: Answers every packet: ``env NAME`` with that variable of its own, ``words`` with what it was started with.
GAME = """
import os, socket, sys
game = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
game.bind(("0.0.0.0", int(os.environ["ARBITRIUM_PORT_GAMEPORT_INTERNAL"])))
print("arena", os.environ["ARBITRIUM_REQUEST_ID"], flush=True)
while True:
    packet, player = game.recvfrom(1024)
    verb, _, name = packet.decode().partition(" ")
    game.sendto((os.environ.get(name, "") if verb == "env" else " ".join(sys.argv[1:])).encode(), player)
"""
#: What the image runs by itself.
COMMAND = ("python3", "-I", "-S", "/game.py", "by", "itself")


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with Registry() as opened:
        opened.put(
            "studio/game", "1", layer=tarball({**python_files(), "/game.py": GAME}, gzipped=False), command=COMMAND
        )
        yield opened


@pytest.fixture(params=[DockerDaemon, PodmanService])
def daemon(request: pytest.FixtureRequest, registry: Registry) -> Iterator[Daemon]:
    daemon: Daemon = request.param()
    if isinstance(daemon, PodmanService):
        daemon.trusted = registry.address
    with daemon:
        yield daemon


@pytest.fixture
def inn(daemon: Daemon) -> Iterator[RunningInn]:
    inn = RunningInn(measure_seconds=0.5, container_engine=daemon.url)
    try:
        inn.start()
        yield inn
        assert "Traceback" not in inn.log, inn.log
        inn.run("processes", "stop", "--all")
        until(lambda: not daemon.containers(), what="that nothing is left")
    finally:
        inn.end()


async def test_an_image_is_deployed(registry: Registry, inn: RunningInn, daemon: Daemon) -> None:
    do = ByOurs(AsyncEdgegap, inn)
    try:
        await _versions(do, registry)
        await _a_wrong_password(do)
        await _a_life(do, daemon)
        await _words_of_its_own(do)
    finally:
        await do.close()


async def _versions(do: ByOurs, registry: Registry) -> None:
    await do("application-post", {"name": APP, "is_active": True, "image": ""})
    image = {
        "docker_repository": registry.address, "docker_image": "studio/game", "docker_tag": "1", "req_cpu": 128,
        "req_memory": 128, "ports": [{"port": 7777, "protocol": "UDP", "name": "gameport"}],
        "termination_grace_period_seconds": 5, "private_username": USER,
        "envs": [{"key": "MAP", "value": "dust", "is_secret": False}],
    }  # fmt: skip
    await do("app-version-post", {**image, "name": "v1", "private_token": PASSWORD}, app_name=APP)
    wrong = {**image, "private_token": "wrong"}
    told = await do.refused("app-version-post", 424, {**wrong, "name": "v0", "verify_image": True}, app_name=APP)
    assert registry.address in told
    assert "does not take the user name and the password" in told
    await do("app-version-post", {**wrong, "name": "v2"}, app_name=APP)


async def _a_wrong_password(do: ByOurs) -> None:
    """What cannot be had is an error that says so, and leaves nothing behind."""
    made = await do("deploy", {"app_name": APP, "version_name": "v2"})

    async def failed() -> Any:
        told = await do("deployment-status-get", request_id=made["request_id"])
        return told if told["error"] else None

    told = await eventually(failed)
    assert "studio/game" in told["error_detail"], told
    assert told["running"] is False


async def _a_life(do: ByOurs, daemon: Daemon) -> None:
    made = await do("deploy", {"app_name": APP, "version_name": "v1", "tags": ["blue"]})
    request_id = made["request_id"]
    status = await ready(do, request_id)
    port = status["ports"]["gameport"]
    assert (port["internal"], port["external"] == 7777) == (7777, False)
    asked = ("MAP", "ARBITRIUM_REQUEST_ID", "ARBITRIUM_DEPLOYMENT_TAGS")
    assert [say(port, f"env {name}") for name in asked] == ["dust", request_id, "blue"]
    mapping = json.loads(say(port, "env ARBITRIUM_PORTS_MAPPING"))["ports"]
    assert (mapping["gameport"]["internal"], mapping["gameport"]["external"]) == (7777, port["external"])
    assert say(port, "words") == "by itself"
    [container] = daemon.containers()
    assert container["State"] == "running"

    number = int(say(port, "env ARBITRIUM_CONTEXT_URL").rpartition("/")[2])
    secret = say(port, "env ARBITRIUM_CONTEXT_TOKEN")
    context = await do("context-get", request_id=request_id, security_number=number, secret=secret)
    assert (context["ready"], context["ports"]) == (True, status["ports"])

    async def measured() -> Any:
        where = {"request_id": request_id, "steps": "30s"}
        return None if await do.is_refused("deployment-metrics-get", 422, **where) else where

    assert (await do("deployment-metrics-get", **await eventually(measured)))["mem"]["datasets"][-1] > 0
    assert (await do("deployment-get-logs", request_id=request_id))["logs"] == f"arena {request_id}\n"
    await do("deployment-delete", request_id=request_id)
    await terminated(do, request_id)
    await do.refused("deployment-delete", 410, request_id=request_id)
    assert (await do("deployment-get-logs", request_id=request_id))["logs"] == f"arena {request_id}\n"


async def _words_of_its_own(do: ByOurs) -> None:
    """Another command and other arguments than the image's."""
    words = {"command": "/usr/bin/python3 -I -S", "arguments": "/game.py 'two words' three"}
    made = await do("deploy", {"app_name": APP, "version_name": "v1", **words})
    port = (await ready(do, made["request_id"]))["ports"]["gameport"]
    assert say(port, "words") == "two words three"
    await do("deployment-delete", request_id=made["request_id"])
    await terminated(do, made["request_id"])
