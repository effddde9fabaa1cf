"""Apps and versions through Edgegap's API, for tests of what is built on them."""

from __future__ import annotations

from typing import Any

from factories import TestInn
from innkeeper.contract.edgegap.applications import ApplicationPost, AppVersionPayload, AppVersionPort
from innkeeper.contract.edgegap.words import Protocol
from innkeeper.engines.base import Launch
from innkeeper.sdk import AsyncEdgegap, CallError


async def version(inn: TestInn, client: AsyncEdgegap, app: str = "arena", name: str = "v1", **more: Any) -> None:
    """An app with a version that runs an uploaded build."""
    build = await inn.one_build()
    try:
        await client.applications.get_application(app)
    except CallError:
        await client.applications.create_application(ApplicationPost(name=app, is_active=True, image="AAAA"))
    ports = more.pop("ports", [AppVersionPort(port=7777, protocol=Protocol.UDP, name="gameport")])
    await client.applications.create_app_version(
        AppVersionPayload(
            name=name, docker_repository="build", docker_image=build, docker_tag="", req_cpu=256, req_memory=256,
            ports=ports, **more,
        ),
        app,
    )  # fmt: skip


def launch_of(inn: TestInn, request_id: str) -> Launch:
    """What the host was told to start."""
    (found,) = [launch for id, launch in inn.engine.launches.items() if id.endswith(request_id)]
    return found
