"""The container engine of this machine is found, and what is passed over is told."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from innkeeper.machines import engine_of
from innkeeper.settings import Settings


async def _ping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
    writer.close()


async def test_the_engine_that_the_environment_names_is_taken_where_it_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "engine.sock"
    server = await asyncio.start_unix_server(_ping, path)
    async with server:
        assert await engine_of(Settings(), {"DOCKER_HOST": f"unix://{path}"}) == f"unix://{path}"
    assert not caplog.records


@pytest.mark.parametrize("told", ["tcp://192.0.2.1:2375", "unix:///nowhere/engine.sock"])
async def test_one_that_it_names_in_vain_is_told(told: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert await engine_of(Settings(), {"DOCKER_HOST": told}) != told
    assert f"DOCKER_HOST names {told}, wh" in caplog.text


async def test_none_is_looked_for_where_none_is_wanted() -> None:
    assert await engine_of(Settings(container_engine="none"), {"DOCKER_HOST": "unix:///nowhere"}) is None
    assert await engine_of(Settings(container_engine="unix:///mine"), {}) == "unix:///mine"
