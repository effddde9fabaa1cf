"""What the engine lists and does not have any more when it is looked at. On an engine that a test plays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from innkeeper.engines.docker.client import Endpoint
from innkeeper.engines.docker.engine import DockerEngine
from innkeeper.engines.docker.records import Note, Notes
from innkeeper.kit.clock import SystemClock


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """Lists one container of the house ``h`` and its host ``far``, which is gone whenever it is looked at."""
    hung_up = asyncio.Event()

    async def ping(_: web.Request) -> web.Response:
        return web.Response(text="OK", headers={"Server": "Docker/20.10.24 (linux)"})

    async def version(_: web.Request) -> web.Response:
        return web.json_response({"ApiVersion": "1.41", "Version": "20.10.24", "Arch": "amd64"})

    async def info(_: web.Request) -> web.Response:
        return web.json_response({})

    async def listed(_: web.Request) -> web.Response:
        labels = {"innkeeper.house": "h", "innkeeper.host": "far", "innkeeper.server": "s-1"}
        one: dict[str, Any] = {"Id": "c" * 64, "State": "removing", "Labels": labels}
        return web.json_response([one])

    async def shown(_: web.Request) -> web.Response:
        return web.json_response({"message": "No such container"}, status=404)

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await hung_up.wait()
        return response

    app = web.Application()
    app.router.add_get("/_ping", ping)
    app.router.add_get("/version", version)
    app.router.add_get("/v1.41/info", info)
    app.router.add_get("/v1.41/containers/json", listed)
    app.router.add_get("/v1.41/containers/{id}/json", shown)
    app.router.add_get("/v1.41/events", events)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "engine.sock")).start()
    yield Endpoint(f"unix://{tmp_path / 'engine.sock'}")
    hung_up.set()
    await runner.cleanup()


async def test_a_note_goes_with_a_container_that_vanishes_while_it_is_looked_at(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    folder = tmp_path / "host"
    notes = Notes(folder / "notes")
    notes.read()
    notes.write("s-1", Note("c" * 64, forgotten=True))
    engine = DockerEngine("far", endpoint, folder, SystemClock(), house="h")
    await engine.open()
    assert engine.silent_since is None
    assert engine.reports() == {}
    assert notes.read() == {}
    await engine.close()
    assert not folder.exists()
