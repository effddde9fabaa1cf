"""Makes and starts containers, a few at a time. Called by ``engine.py``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from typing import Any

from innkeeper.engines.base import HostUnavailable, Launch, NotStarted, Report, ServerId
from innkeeper.kit.clock import Clock

from . import raw
from .client import CREATE_SECONDS, START_SECONDS, Client, DockerError
from .containers import Containers
from .laying import lay
from .spec import PORTS, SERVER, Ground, configuration, name_of, without_values, write_ports
from .verdict import is_passing, name_taken, refusal

log = logging.getLogger(__name__)

#: With two processors, four at a time are started fastest; see docs/decisions/0008-containers.md.
_A_PROCESSOR = 2
_TRIES = 5  # of a start that another program came in the way of
_PAUSE = 0.05  # seconds before the second of them; then twice, three times so long


class Starting:
    """The starts of one host."""

    def __init__(self, client: Client, clock: Clock, containers: Containers, ground: Callable[[], Ground]) -> None:
        self._client, self._clock, self._containers, self._ground = client, clock, containers, ground
        self._slots = asyncio.Semaphore(max(4, _A_PROCESSOR * (os.cpu_count() or 1)))
        self._tasks: dict[ServerId, asyncio.Task[Report]] = {}
        self._network: asyncio.Task[None] | None = None

    def begun(self, server_id: ServerId) -> bool:
        """Whether it is being started at this moment."""
        return server_id in self._tasks

    async def start(self, launch: Launch) -> Report:
        """Start it; who asks for the same id meanwhile gets the same answer. It goes on if who asked is cancelled."""
        task = self._tasks.get(launch.server_id)
        if task is None:
            task = asyncio.create_task(self._start(launch))
            self._tasks[launch.server_id] = task
            task.add_done_callback(lambda done: self._started(launch.server_id, done))
        return await asyncio.shield(task)

    def _started(self, server_id: ServerId, task: asyncio.Task[Report]) -> None:
        self._tasks.pop(server_id, None)
        if not task.cancelled():
            task.exception()  # who asked was told, if they still wait

    async def close(self) -> None:
        """What is half done is found by the next house."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _start(self, launch: Launch) -> Report:
        async with self._slots:
            try:
                container = await self._create(launch)
                if isinstance(container, Report):
                    return container
                return await self._run(launch, container)
            except DockerError as error:
                told = without_values(error.message, launch)
                raise refusal(error.status, told, self._client.architecture) from None

    async def _create(self, launch: Launch) -> str | Report:
        """The container's id; or the report, if it runs already."""
        ground = self._ground()
        if ground.network == "isolated":
            await self._make_network(ground)
        body = configuration(launch, ground)
        for _ in range(2):
            try:
                async with self._client.call("making a container", CREATE_SECONDS):
                    made = await self._client.docker.containers.create(body, name=name_of(launch.server_id))
                return made.id
            except DockerError as error:
                if not name_taken(error.status, error.message):
                    raise
            standing = await self._standing(launch)
            if standing is not None:
                return standing
        raise HostUnavailable(f"a container of the name {name_of(launch.server_id)} comes and goes")

    async def _standing(self, launch: Launch) -> Report | None:
        """What the container of that name is; None if it was of no use and is gone."""
        container = self._client.docker.containers.container(name_of(launch.server_id))
        try:
            async with self._client.call("looking at a container"):
                found = await container.show()
        except DockerError as error:
            if error.status == 404:
                return None
            raise
        labels = (found.get("Config") or {}).get("Labels") or {}
        if not self._ground().owns(labels) or labels.get(SERVER) != launch.server_id:
            raise NotStarted(f"somebody else has a container named {name_of(launch.server_id)} on this host")
        started = not str((found.get("State") or {}).get("StartedAt") or "0001-").startswith("0001-")
        if started and labels.get(PORTS) == write_ports(launch.ports):
            record = await self._containers.take(found, quietly=True)
            if record is not None:
                record.log_limit = launch.log_limit
                return record.report
            if launch.server_id in self._containers.leaving:  # an earlier run's, whose output is copied first
                raise HostUnavailable("what is left of its run before is being removed")
        await self._delete(str(found["Id"]))  # never started, or with other ports than it has now
        return None

    async def _run(self, launch: Launch, container: str) -> Report:
        handle = self._client.docker.containers.container(container)
        if launch.files is not None:
            try:
                await lay(self._client, container, launch.files)
            except DockerError:
                await self._delete(container)
                raise
        for left in reversed(range(_TRIES)):
            try:
                async with self._client.call("starting a container", START_SECONDS):
                    await handle.start()
                break
            except DockerError as error:
                if not is_passing(error.message):
                    await self._delete(container)
                    raise
                if left == 0:
                    await self._delete(container)
                    raise HostUnavailable(without_values(error.message, launch)) from None
                await self._clock.sleep(_PAUSE * (_TRIES - left))
        async with self._client.call("looking at a container"):
            found: dict[str, Any] = await handle.show()
        record = await self._containers.take(found, quietly=True)
        if record is None:
            raise HostUnavailable("the engine has not started the container yet")
        record.log_limit = launch.log_limit
        return record.report

    async def _delete(self, container: str) -> None:
        with contextlib.suppress(DockerError):
            async with self._client.call("removing a container"):
                await self._client.docker.containers.container(container).delete(force=True, v=True)

    async def _make_network(self, ground: Ground) -> None:
        """The house's network, once. It stays: it is the house's and not a server's."""
        if self._network is None or (self._network.done() and self._network.exception() is not None):
            self._network = asyncio.create_task(self._ensure_network(ground))
        await asyncio.shield(self._network)

    async def remove_network(self, ground: Ground) -> None:
        """Take the house's network away, unless containers are in it: Podman would remove them, too."""
        self._network = None
        name = ground.own_network
        with contextlib.suppress(DockerError):  # there is none
            async with self._client.call("removing a network"):
                if not await raw.containers_in(self._client.docker, name):
                    await (await self._client.docker.networks.get(name)).delete()

    async def _ensure_network(self, ground: Ground) -> None:
        options = {"com.docker.network.bridge.enable_icc": "false"} if ground.kind == "docker" else {}
        wish = {"Name": ground.own_network, "Driver": "bridge", "Options": options, "CheckDuplicate": True}
        try:
            async with self._client.call("making a network"):
                await self._client.docker.networks.create({**wish, "Labels": {"innkeeper.house": ground.house}})
        except DockerError as error:
            if error.status != 409 and "already" not in error.message:
                raise
