"""The servers of one host as its engine shows them: found, followed, and what became of them. For ``engine.py``.

Whatever happens on the host leads to one deed: look at the container again. A look is idempotent, so that an event
that comes twice, late or not at all does no harm.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from innkeeper.engines.base import Ended, EndedBy, HostUnavailable, Port, Report, ServerId
from innkeeper.engines.listeners import Listeners
from innkeeper.kit.clock import Clock

from . import local, raw
from .background import tell_failure
from .client import Client, DockerError
from .ending import ended, micros
from .readiness import Readiness, Starting, Way
from .records import Note, Notes, Record, at_end, report_of
from .spec import HOST, PORTS, SERVER, Ground, read_ports, safe_id

log = logging.getLogger(__name__)

#: A process that ended is known to its engine a little later: (looks, seconds between them).
_LATE = ((40, 0.01), (20, 0.1), (30, 1.0))
_LOOKS_AT_ONCE = 8
_EVENTS = frozenset({"start", "die", "died", "oom", "destroy", "remove", "stop"})
_OVER = frozenset({"exited", "dead", "stopped", "removing"})


class Containers:
    """All that is known of one host's servers. ``begun`` says which ids are being started at this moment."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        ground: Callable[[], Ground],
        notes: Notes,
        listeners: Listeners,
        *,
        ways: Sequence[Way],
        address: str,
        own_network: bool,
        begun: Callable[[ServerId], bool],
    ) -> None:
        self._client, self._clock, self._ground, self._notes = client, clock, ground, notes
        self._listeners, self._ways, self._begun = listeners, ways, begun
        self._readiness = Readiness(client, clock, self._bound, own_network=own_network, address=address, ways=ways)
        self.records: dict[ServerId, Record] = {}
        self.leaving: dict[ServerId, Note] = {}  #: forgotten, and not yet removed
        self._known: dict[ServerId, Note] = {}  # notes of before, whose containers were not seen yet
        self._slots = asyncio.Semaphore(_LOOKS_AT_ONCE)
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._going: set[asyncio.Task[None]] = set()
        self.forgotten: Callable[[ServerId], None] = lambda server_id: None  #: told of each in ``leaving`` once found

    def open(self) -> None:
        """Read what was noted before."""
        self._known = self._notes.read()

    async def close(self) -> None:
        """Look no more."""
        await self._readiness.close()
        tasks = self._going | set(self._looks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for record in self.records.values():
            self._let_go(record)
        self.records.clear()
        self.leaving.clear()

    # -- what is there ---------------------------------------------------------------------------------------------

    async def sync(self) -> None:
        """Look at everything. Raises :class:`HostUnavailable`, and then nothing is concluded."""
        before = dict(self.records)
        async with self._client.call("listing containers"):
            listed = await raw.list_containers(self._client.docker, self._ground().house_label)
        seen: set[ServerId] = set()
        waits: list[asyncio.Task[None]] = []
        for one in listed:
            labels = one.get("Labels") or {}
            server_id = labels.get(SERVER, "")
            if not safe_id(server_id) or not self._ground().owns(labels):
                continue
            seen.add(server_id)
            record = self.records.get(server_id)
            over = one.get("State") in _OVER
            if record is None or record.container != one["Id"] or record.report.alive is over:
                waits.append(self.look(one["Id"]))
        # Shielded: a look belongs to all who wait for it.
        await asyncio.gather(*(asyncio.shield(look) for look in waits))
        for server_id, record in before.items():
            if server_id not in seen and self.records.get(server_id) is record:
                self._gone(record)
        for server_id in [one for one in self._known if one not in seen]:
            self._unknown(server_id)

    def heard(self, event: dict[str, Any]) -> None:
        """An event of the engine."""
        actor = event.get("Actor") or {}
        action = event.get("Action") or event.get("status")
        container = actor.get("ID") or event.get("id")
        labels = actor.get("Attributes") or {}
        if action not in _EVENTS or not container or (HOST in labels and not self._ground().owns(labels)):
            return
        record = self._of(container)
        if action == "oom" and record is not None:
            record.note.memory = True
        if record is None and self._begun(labels.get(SERVER, "")):
            return  # whoever starts it looks
        self._go(self.look(container))

    def look(self, container: str) -> asyncio.Task[None]:
        """Look at a container, soon; one that is being looked at is looked at again after that."""
        running = self._looks.get(container)
        if running is not None and not running.done():
            self._again.add(container)
            return running
        task = asyncio.create_task(self._look(container))
        self._looks[container] = task
        task.add_done_callback(lambda done: self._looked(container, done))
        return task

    def _looked(self, container: str, task: asyncio.Task[None]) -> None:
        if self._looks.get(container) is task:
            del self._looks[container]

    async def _look(self, container: str) -> None:
        while True:
            self._again.discard(container)
            async with self._slots:
                try:
                    async with self._client.call("looking at a container"):
                        found = await self._client.docker.containers.container(container).show()
                except DockerError as error:
                    if error.status != 404:
                        raise HostUnavailable(f"a container could not be looked at: {error.message}") from None
                    found = None
            record = self._of(container)
            if found is None:
                if record is not None:
                    self._gone(record)
                for server_id in [one for one, note in self._known.items() if note.container == container]:
                    self._unknown(server_id)
            else:
                await self.take(found)
            if container not in self._again:
                return

    async def take(self, found: dict[str, Any], *, quietly: bool = False) -> Record | None:
        """Note what the engine says of a container; None for what is not ours or never started.

        ``quietly``: who starts it is answered, and the listeners are not told that it runs.
        """
        labels, state = (found.get("Config") or {}).get("Labels") or {}, found.get("State") or {}
        server_id, container = labels.get(SERVER, ""), str(found["Id"])
        if not self._ground().owns(labels) or not safe_id(server_id):
            return None
        if state.get("Status") in ("created", "configured", "initialized"):
            if not self._begun(server_id):
                await self._remove_unstarted(server_id, container)
            return None
        record = self.records.get(server_id)
        if record is None or record.container != container:
            if (leaving := self.leaving.get(server_id)) is not None and leaving.container == container:
                return None
            new = self._adopt(server_id, container, labels, state)
            if new.note.forgotten:
                self.leaving[server_id] = new.note
                self.forgotten(server_id)
                return None
            if record is not None:
                self._let_go(record)
            self.records[server_id] = record = new
            if not quietly and not self._begun(server_id) and (state.get("Running") or record.note.ended is not None):
                self._listeners.tell(record.report)
        if state.get("Running"):
            self._follow(record, int(state.get("Pid") or 0))
        elif record.report.alive:
            await self._end(record, state)
        return record

    def _adopt(self, server_id: ServerId, container: str, labels: dict[str, str], state: dict[str, Any]) -> Record:
        note = self._known.pop(server_id, None)
        if note is None or note.container != container:
            note = Note(container)
        ports = read_ports(labels.get(PORTS, ""))
        started_at = micros(state.get("StartedAt")) or self._clock.now()
        if note.ready_at is None and not any(port.awaited for port in ports):
            note.ready_at = started_at
        return Record(server_id, container, report_of(server_id, container, started_at, note), note, ports)

    async def _remove_unstarted(self, server_id: ServerId, container: str) -> None:
        """Innkeeper ended between making and starting it. It is made again by whoever still wants it."""
        log.info("container %s of server %s was never started; it is removed", container[:12], server_id)
        with contextlib.suppress(DockerError):
            async with self._client.call("removing a container that was never started"):
                await self._client.docker.containers.container(container).delete(force=True, v=True)

    def _of(self, container: str) -> Record | None:
        return next((record for record in self.records.values() if record.container == container), None)

    # -- alive -----------------------------------------------------------------------------------------------------

    def _follow(self, record: Record, pid: int) -> None:
        """It runs: see it end, and see it ready."""
        if record.looked_for:
            return
        record.looked_for = True
        if "local" in self._ways and self._client.endpoint.is_local and pid:
            record.local = local.find(record.container, pid)
            if record.local is not None:
                asyncio.get_running_loop().add_reader(record.local.pidfd, self._exited, record)
        if record.report.ready_at is None:
            self._readiness.expect(Starting(record.server_id, record.container, record.awaited, record.local))

    def _bound(self, server_id: ServerId, bound: Sequence[Port]) -> None:
        record = self.records.get(server_id)
        if record is None or not record.report.alive or record.report.ready_at is not None:
            return
        if len(bound) == len(record.awaited):
            record.note.ready_at = max(self._clock.now(), record.report.started_at)
            self.keep(record)
            self._change(record, replace(record.report, ready_at=record.note.ready_at, bound=()))
        else:
            # A number that is reached by both transports is bound when it is by both.
            bare = {port.number for port in record.awaited if port not in bound}
            numbers = dict.fromkeys(port.number for port in bound if port.number not in bare)
            self._change(record, replace(record.report, bound=tuple(numbers)))

    def _exited(self, record: Record) -> None:
        """Its first process ended. Its memory is asked about at once, while its control group is still there."""
        assert record.local is not None
        if record.local.oom_kills():
            record.note.memory = True
        asyncio.get_running_loop().remove_reader(record.local.pidfd)
        self._go(asyncio.create_task(self._await_end(record)))

    async def _await_end(self, record: Record) -> None:
        """The engine learns of it a little later than we do."""
        for looks, seconds in _LATE:
            for _ in range(looks):
                with contextlib.suppress(HostUnavailable):
                    await self.look(record.container)
                if self.records.get(record.server_id) is not record or not record.report.alive:
                    return
                await self._clock.sleep(seconds)

    # -- over ------------------------------------------------------------------------------------------------------

    async def _end(self, record: Record, state: dict[str, Any]) -> None:
        self._over(record, await ended(self._client, record, state, self._clock))

    def _gone(self, record: Record) -> None:
        """Its container is not there any more, and it was not us who removed it."""
        if record.report.alive:
            detail = "its container was removed, and not by this house"
            self._over(record, Ended(EndedBy.LOST, None, self._clock.now(), detail))

    def _over(self, record: Record, end: Ended) -> None:
        if not record.report.alive:
            return
        self._let_go(record)
        at_end(record, end)
        self.keep(record)
        self._listeners.tell(record.report)

    def drop(self, record: Record) -> None:
        """It is forgotten."""
        self._let_go(record)
        del self.records[record.server_id]

    def _let_go(self, record: Record) -> None:
        self._readiness.give_up(record.server_id)
        if record.local is not None:
            with contextlib.suppress(ValueError, RuntimeError):
                asyncio.get_running_loop().remove_reader(record.local.pidfd)
            record.local.close()
            record.local = None

    def _unknown(self, server_id: ServerId) -> None:
        """A note of before is about nothing: its container went while nobody looked, or while we did."""
        del self._known[server_id]
        self._notes.remove(server_id)

    def keep(self, record: Record) -> None:
        """Note it on disk. Where that fails it is known as long as we live."""
        try:
            self._notes.write(record.server_id, record.note)
        except OSError as error:
            log.warning("what is known of server %s could not be noted: %s", record.server_id, error)

    def _change(self, record: Record, report: Report) -> None:
        record.report = report
        self._listeners.tell(report)

    def _go(self, task: asyncio.Task[None]) -> None:
        """Nobody waits for it."""
        self._going.add(task)
        task.add_done_callback(self._going.discard)
        task.add_done_callback(tell_failure("looking at a container"))
