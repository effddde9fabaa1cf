"""Asks servers to end, and ends those that do not. Called by ``engine.py``.

The engine is told the signals one by one, for its own "stop" waits: SIGTERM now, SIGKILL at the deadline by a task of
ours. After a restart the keeper asks again; that we asked is in the server's note.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from innkeeper.engines.base import HostUnavailable, ServerId
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.retry import for_ever

from .background import tell_failure
from .client import Client, DockerError
from .records import Record

log = logging.getLogger(__name__)


class Stopping:
    """The stops of one host. ``keep`` writes a record's note down; ``look`` has a container looked at."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        keep: Callable[[Record], None],
        look: Callable[[str], object],
        chance: Callable[[], float],
    ) -> None:
        self._client, self._clock, self._keep, self._look, self._chance = client, clock, keep, look, chance
        self._deadlines: dict[ServerId, int] = {}
        self._tasks: dict[ServerId, asyncio.Task[None]] = {}

    async def stop(self, record: Record, grace: float) -> None:
        """Ask it to end, and see to it. Raises :class:`HostUnavailable` when it could not be asked."""
        server_id = record.server_id
        deadline = self._clock.now() + round(grace * SECOND)
        running = self._tasks.get(server_id)
        if running is not None and not running.done():
            if self._deadlines[server_id] <= deadline:
                return
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        elif grace > 0:
            await self._ask(record)
        self._deadlines[server_id] = deadline
        task = asyncio.create_task(self._kill_at(record, deadline))
        self._tasks[server_id] = task
        task.add_done_callback(lambda done: self._over(server_id, done))

    async def close(self) -> None:
        """See to nothing any more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self._deadlines.clear()

    async def _ask(self, record: Record) -> None:
        record.note.asked = True
        self._keep(record)
        await self._signal(record, "SIGTERM")

    async def _kill_at(self, record: Record, deadline: int) -> None:
        wait = (deadline - self._clock.now()) / SECOND
        if wait > 0:
            await self._clock.sleep(wait)
        failures = 0
        while record.report.alive:
            record.note.asked = record.note.killed = True
            self._keep(record)
            with contextlib.suppress(HostUnavailable):
                await self._signal(record, "SIGKILL")
            failures += 1  # a container that does not die at once is a matter of its engine: it is told again
            await self._clock.sleep(for_ever(failures + 3, self._chance()))

    async def _signal(self, record: Record, name: str) -> None:
        try:
            async with self._client.call("sending a signal"):
                await self._client.docker.containers.container(record.container).kill(signal=name)
        except DockerError as error:
            if error.status not in (404, 409) and "running containers" not in error.message:
                log.warning("server %s cannot be sent %s: %s", record.server_id, name, error.message)
            self._look(record.container)  # it has ended, most likely

    def _over(self, server_id: ServerId, task: asyncio.Task[None]) -> None:
        if self._tasks.get(server_id) is task:
            del self._tasks[server_id]
            self._deadlines.pop(server_id, None)
        tell_failure(f"ending server {server_id}")(task)
