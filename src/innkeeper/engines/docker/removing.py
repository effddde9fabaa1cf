"""Removes what is left of forgotten servers: the output is copied to this disk, then the container goes.

Called by ``engine.py``. It is done beside everything else and tried until it is done, also after a restart: whoever
forgets a server does not wait for its output to be copied.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from innkeeper.engines.base import BEFORE, HostUnavailable, ServerId
from innkeeper.engines.logfiles import end_of
from innkeeper.kit.clock import Clock
from innkeeper.kit.retry import for_ever

from . import raw
from .background import tell_failure
from .client import START_SECONDS, Client, DockerError
from .reading import Readers
from .records import Note, Notes

log = logging.getLogger(__name__)

_AT_ONCE = 4
#: Seconds that whoever reads a log from the engine has to come to its end before the container goes.
_READ_SECONDS = 20.0


class Removing:
    """The removals of one host, ``logs`` being where output is kept."""

    def __init__(self, client: Client, clock: Clock, logs: Path, notes: Notes, chance: Callable[[], float]) -> None:
        self._client, self._clock, self._logs, self._notes, self._chance = client, clock, logs, notes, chance
        self.readers = Readers()  #: of output that is still with the engine
        self._tasks: dict[ServerId, asyncio.Task[None]] = {}
        self._discarded: set[ServerId] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def path(self, server_id: ServerId) -> Path:
        """Where the output of a server is kept once its container is gone."""
        return self._logs / f"{server_id}.log"

    def path_before(self, server_id: ServerId) -> Path:
        """Where the end of what the run before the latest one printed is kept."""
        return self._logs / f"{server_id}.before"

    def set_aside(self, server_id: ServerId) -> None:
        """Another run of the server begins: of the output of the one before, the end is kept beside.

        A disk that is full costs that output.
        """
        path, beside = self.path(server_id), self.path_before(server_id)
        new = beside.with_name(beside.name + ".new")
        try:
            if path.exists():
                new.write_bytes(end_of(path, BEFORE))
                new.replace(beside)
                path.unlink()
        except OSError as error:
            new.unlink(missing_ok=True)
            log.warning("the output of the run before of server %s cannot be kept: %s", server_id, error)

    def has_copy(self, server_id: ServerId) -> bool:
        """Whether the output is on this disk, all of it."""
        return self.path(server_id).exists()

    def begin(self, server_id: ServerId, note: Note, limit: int, done: Callable[[], None]) -> None:
        """Remove a server's container; ``done`` is called when nothing is left of it but its output."""
        if server_id in self._tasks:
            return
        task = asyncio.create_task(self._remove(server_id, note, limit, done))
        self._tasks[server_id] = task
        task.add_done_callback(tell_failure("removing a container"))

    async def finished(self, server_id: ServerId) -> None:
        """Wait until a removal that has begun is over."""
        task = self._tasks.get(server_id)
        if task is not None:
            await asyncio.wait([task])

    def discard(self, server_id: ServerId) -> None:
        """Its output is not wanted."""
        if server_id in self._tasks:
            self._discarded.add(server_id)
        self.path(server_id).unlink(missing_ok=True)
        self.path_before(server_id).unlink(missing_ok=True)

    def discarded(self, server_id: ServerId) -> bool:
        """Whether its output is not wanted, though its container may still have it."""
        return server_id in self._discarded

    async def close(self) -> None:
        """Stop; the next house goes on."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()

    async def _remove(self, server_id: ServerId, note: Note, limit: int, done: Callable[[], None]) -> None:
        failures = 0
        try:
            while True:
                try:
                    async with self._slots:
                        if server_id not in self._discarded:
                            await self._copy(server_id, note.container, limit)
                    await self.readers.gone(note.container, _READ_SECONDS)
                    async with self._slots:
                        await self._delete(note.container)
                    self._notes.remove(server_id)
                    if server_id in self._discarded:
                        self.path(server_id).unlink(missing_ok=True)
                    done()
                    return
                except (HostUnavailable, DockerError, OSError) as error:
                    failures += 1
                    if failures == 1 and not isinstance(error, HostUnavailable):
                        log.warning("what is left of server %s cannot be removed now: %s", server_id, error)
                    await self._clock.sleep(for_ever(failures, self._chance()))
        finally:
            self._tasks.pop(server_id, None)
            self._discarded.discard(server_id)

    async def _copy(self, server_id: ServerId, container: str, limit: int) -> None:
        """Keep the output. A disk that is full costs the output, and not the removal of the container."""
        path = self.path(server_id)
        new = path.with_suffix(".new")
        try:
            with new.open("wb") as file:
                async for text in raw.logs(self._client, container, tail=None, follow=False):
                    if file.tell() < limit and server_id not in self._discarded:
                        await asyncio.to_thread(file.write, text)
            new.replace(path)
        except DockerError as error:
            new.unlink(missing_ok=True)
            if error.status != 404:
                log.warning("the output of server %s cannot be kept: %s", server_id, error.message)
        except OSError as error:
            new.unlink(missing_ok=True)
            log.warning("the output of server %s cannot be kept: %s", server_id, error)

    async def _delete(self, container: str) -> None:
        try:
            async with self._client.call("removing a container", START_SECONDS):
                await self._client.docker.containers.container(container).delete(force=True, v=True)
        except DockerError as error:
            if error.status == 409 and "in progress" in error.message:
                raise HostUnavailable("it is being removed") from None  # asked again, until it is gone
            if error.status != 404:
                raise
