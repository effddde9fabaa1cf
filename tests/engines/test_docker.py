"""Containers on real Docker and real Podman: the promise. What is special about them: ``test_docker_*.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from daemons import Daemon

from .containers import ContainerGround, opened
from .promise import EnginePromise


@pytest.fixture
async def ground(engine_daemon: Daemon) -> AsyncIterator[ContainerGround]:
    async with opened(engine_daemon) as ground:
        yield ground


class TestContainerPromise(EnginePromise):
    """The promise, on both engines."""

    many = 12
