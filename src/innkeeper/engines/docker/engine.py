"""The engine that runs servers as containers. Wired by ``inn.py``; its verbs are called by the keeper.

Containers are made, started and asked about through the engine's own API; ``docs/decisions/0008-containers.md`` tells
how and why. Below ``folder``: ``notes/`` (what the engine does not keep, a small file for each server) and ``logs/``
(the output of servers whose containers are gone).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from innkeeper.engines.base import BEFORE, Abilities, HostUnavailable, Launch, Report, ServerId, Transport, Usage
from innkeeper.engines.listeners import Listeners
from innkeeper.engines.logfiles import LogFile, end_of, read_all
from innkeeper.engines.ports import can_bind
from innkeeper.kit.clock import Clock

from . import raw, usage
from .abilities import abilities
from .client import Client, DockerError, Endpoint
from .containers import Containers
from .following import until_over
from .link import Link
from .readiness import WAYS, Way
from .records import DEFAULT_LOG_LIMIT, Notes, Record
from .removing import Removing
from .spec import Ground, Network, check, safe_id, write_ports
from .starting import Starting
from .stopping import Stopping

log = logging.getLogger(__name__)


class DockerEngine:
    """Runs servers on one engine, Docker or Podman. ``folder`` is this host's alone.

    ``house`` marks containers as this house's; others are never listed, stopped or removed. ``bind`` is the address of
    the host at which ports are published, empty being all. ``read_only`` makes the image's files unchangeable, with a
    small ``/tmp`` in memory. ``ways`` are the ways by which servers may be seen to be ready, best first.

    ``known`` tells which hosts the house has: containers of one that it has no more count as this one's. None: all that
    carry another host's name are left alone.
    """

    def __init__(
        self,
        host_id: str,
        endpoint: Endpoint,
        folder: Path,
        clock: Clock,
        *,
        house: str,
        bind: str = "",
        network: Network = "published",
        read_only: bool = False,
        ways: Sequence[Way] = WAYS,
        known: Callable[[], Collection[str]] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._clock, self._folder = clock, folder
        self._ground = Ground(house, host_id, "docker", network, bind, read_only, known)
        self.client = Client(endpoint)  #: the line to the engine, which images may share
        self._listeners = Listeners()
        self._notes = Notes(folder / "notes")
        self._containers = Containers(
            self.client,
            clock,
            lambda: self._ground,
            self._notes,
            self._listeners,
            ways=ways,
            address=bind or endpoint.parts.hostname or "127.0.0.1",
            own_network=network != "host",
            begun=lambda server_id: self._starting.begun(server_id),
        )
        self._containers.forgotten = self._remove
        self._removing = Removing(self.client, clock, folder / "logs", self._notes, chance)
        self._starting = Starting(self.client, clock, self._containers, lambda: self._ground)
        self._stopping = Stopping(self.client, clock, self._containers.keep, self._containers.look, chance)
        self._link = Link(self.client, clock, self._ground.house_label, self._sync, self._containers.heard, chance)

    @property
    def name(self) -> str:
        """What the engine is: ``docker`` or ``podman``."""
        return self.client.kind

    @property
    def silent_since(self) -> int | None:
        return self._link.silent_since

    async def open(self) -> Abilities:
        """Reach the engine and find our containers. One that does not answer is silent, and tried for ever."""
        (self._folder / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
        self._containers.open()
        await self._link.open()
        return await self.abilities()

    async def abilities(self) -> Abilities:
        if self._link.silent_since is not None:
            return Abilities(memory="unknown", cpu="unknown", notes=(self._link.trouble,))
        try:
            async with self.client.call("telling what it can"):
                info = await self.client.docker.system.info()
        except (HostUnavailable, DockerError):
            info = {}
        return abilities(self.client, info, self._ground)

    async def close(self) -> None:
        await self._link.close()
        await self._starting.close()
        await self._stopping.close()
        await self._removing.close()
        await self._containers.close()
        await self.client.close()
        for folder in (self._folder / "logs", self._folder / "notes", self._folder):
            with contextlib.suppress(OSError):  # something is kept there, or it never was
                folder.rmdir()

    async def leave(self) -> None:
        if self._ground.network == "isolated":
            await self._starting.remove_network(self._ground)

    async def start(self, launch: Launch) -> Report:
        """See :meth:`Engine.start`. The engine's own words are told, but no value of the environment."""
        check(launch)
        record = self._containers.records.get(launch.server_id)
        if record is not None and write_ports(record.ports) == write_ports(launch.ports):
            return record.report
        self._link.check()
        if record is not None:  # started late, of a time when it was placed with other ports: a new one takes its place
            self._containers.drop(record)
        await self._removing.finished(launch.server_id)  # of an earlier run of this server
        if self._removing.has_copy(launch.server_id):
            await asyncio.to_thread(self._removing.set_aside, launch.server_id)
        return await self._starting.start(launch)

    async def stop(self, server_id: ServerId, grace: float) -> None:
        record = self._containers.records.get(server_id)
        if record is not None and record.report.alive:
            self._link.check()
            await self._stopping.stop(record, grace)

    async def forget(self, server_id: ServerId) -> None:
        record = self._containers.records.get(server_id)
        if record is None or record.report.alive:
            return
        record.note.forgotten = True
        self._containers.keep(record)
        self._containers.leaving[server_id] = record.note
        self._containers.drop(record)
        self._remove(server_id, record.log_limit)

    def _remove(self, server_id: ServerId, limit: int = DEFAULT_LOG_LIMIT) -> None:
        leaving = self._containers.leaving

        def done() -> None:
            leaving.pop(server_id, None)

        self._removing.begin(server_id, leaving[server_id], limit, done)

    async def discard(self, server_id: ServerId) -> None:
        record = self._containers.records.get(server_id)
        if record is None and safe_id(server_id):
            self._removing.discard(server_id)

    def reports(self) -> Mapping[ServerId, Report]:
        return {server_id: record.report for server_id, record in self._containers.records.items()}

    def changes(self) -> AsyncIterator[Report]:
        return self._listeners.listen()

    def log(self, server_id: ServerId, *, tail: int | None, follow: bool) -> AsyncIterator[bytes]:
        if not safe_id(server_id):
            raise KeyError(server_id)
        record = self._containers.records.get(server_id)
        if record is not None:  # Podman, asked to follow what has ended, leaves lines out
            return self._log_there(record.container, server_id, tail, follow and record.report.alive)
        note = self._containers.leaving.get(server_id)
        if note is not None and not self._removing.discarded(server_id):
            return self._log_there(note.container, server_id, tail, False)
        return self._log_here(server_id, tail)

    async def _log_there(
        self, container: str, server_id: ServerId, tail: int | None, follow: bool
    ) -> AsyncIterator[bytes]:
        """From the engine; from this disk, if the container is about to go before we begin."""
        began = False
        try:
            if server_id not in self._containers.records and self._removing.has_copy(server_id):
                async for text in self._log_here(server_id, tail):
                    yield text
                return
            pieces = raw.logs(self.client, container, tail=tail, follow=follow)
            if follow:
                pieces = until_over(pieces, lambda: self._is_over(server_id, container), self._clock)
            with self._removing.readers.one(container):
                async for text in pieces:
                    began = True
                    yield text
            return
        except DockerError as error:
            if error.status != 404 or began:
                raise HostUnavailable(f"the log cannot be read: {error.message}") from None
        with contextlib.suppress(KeyError):
            async for text in self._log_here(server_id, tail):
                yield text

    def _is_over(self, server_id: ServerId, container: str) -> bool:
        record = self._containers.records.get(server_id)
        return record is None or record.container != container or not record.report.alive

    def _log_here(self, server_id: ServerId, tail: int | None) -> AsyncIterator[bytes]:
        file = LogFile(self._removing.path(server_id))
        return read_all(file, tail=tail, follow=False, ended=lambda: True, pause=lambda: self._clock.sleep(0))

    async def before(self, server_id: ServerId) -> bytes:
        if not safe_id(server_id):
            return b""
        return await asyncio.to_thread(end_of, self._removing.path_before(server_id), BEFORE)

    async def usage(self, server_ids: Sequence[ServerId]) -> Mapping[ServerId, Usage]:
        self._link.check()
        records: list[Record] = []
        for server_id in server_ids:
            record = self._containers.records.get(server_id)
            if record is not None and record.report.alive:
                records.append(record)
        return await usage.usage(self.client, records, own_network=self._ground.network != "host")

    def port_is_free(self, port: int, transport: Transport) -> bool:
        """Found out by binding it where the engine is on this machine; elsewhere the start tells."""
        return not self.client.endpoint.is_local or can_bind(port, transport)

    async def settled(self) -> None:
        """Wait until nothing is left of forgotten servers but their output."""
        for server_id in list(self._containers.leaving):
            await self._removing.finished(server_id)

    async def _sync(self) -> None:
        """The line stands: what the engine is, which may have changed, and what it has."""
        self._ground = replace(self._ground, kind=self.client.kind)
        await self._containers.sync()
