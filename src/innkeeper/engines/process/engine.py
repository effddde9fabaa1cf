"""The engine that runs servers as programs on this machine. Wired by ``inn.py``; its verbs are called by the keeper.

All it does itself is to ask its spawner and to remember what that told; ``docs/why/process-engine.md`` tells why there
is one. Below its directory: ``run/`` (socket, journal, lock), ``logs/`` (a file for each server) and ``home/`` (a
scratch folder for each).
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from innkeeper.engines.base import (
    BEFORE,
    Abilities,
    Ended,
    EndedBy,
    HostUnavailable,
    Launch,
    NotStarted,
    Report,
    ServerId,
    Transport,
    Usage,
)
from innkeeper.engines.commandline import program_line
from innkeeper.engines.listeners import Listeners
from innkeeper.engines.logfiles import LogFile, end_of, read_all
from innkeeper.engines.ports import can_bind
from innkeeper.kit.clock import Clock

from . import wire
from .command import step_aside
from .laying import within_reach
from .link import Link, Refused
from .site import prepare

log = logging.getLogger(__name__)

_RECONNECT = (0.0, 0.1, 0.5, 1.0, 2.0)  # seconds before each try; the last goes on
_ANSWER = 10.0  # seconds a call waits for a spawner that is being replaced
_LOG_PAUSE = 0.05
_MIB = 1 << 20
#: Where nobody else assigns users: below it are people, services and containers, above it the signed numbers end.
OWN_USERS = range(2_000_000_000, 2_000_100_000)


class ProcessEngine:
    """Runs servers below ``directory``, which is this engine's alone.

    ``run_as`` is the user and group number that programs get. None: ours, or, when we are root, one of ``own_users``
    for each, so that no server can look into another or signal it; ``nobody`` where those do not exist (in a container
    with few users).
    ``cgroups`` False leaves control groups alone even where there are some. ``linger`` is how many seconds the spawner
    stays when it has nothing to do.
    """

    name = "process"

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        *,
        run_as: tuple[int, int] | None = None,
        own_users: range = OWN_USERS,
        cgroups: bool = True,
        linger: float = 30.0,
    ) -> None:
        self._directory, self._clock, self._cgroups, self._linger = directory.resolve(), clock, cgroups, linger
        self._run_as, self._own_users = run_as, None if run_as is not None or os.geteuid() != 0 else own_users
        self._abilities = Abilities("unknown", "unknown")
        self._reports: dict[ServerId, Report] = {}
        self._listeners = Listeners()
        self._link: Link | None = None
        self._linked = asyncio.Event()
        self._repair: asyncio.Task[None] | None = None
        self._open = False
        self.spawner_pid = 0  #: who is the parent of all programs now
        self.homes = self._directory  #: the folder that servers have their scratch folders in, once it is open

    @property
    def silent_since(self) -> int | None:
        """Never: the host is this machine, and a spawner that is being replaced does not concern the servers."""
        return None

    async def open(self) -> Abilities:
        """Connect to the spawner or start one, and take over what it knows. Raises :class:`HostUnavailable`."""
        site = await asyncio.to_thread(prepare, self._directory, self._run_as, self._own_users)
        self._run_as, self._own_users, notes = site.run_as, site.own_users, list(site.notes)
        self._options: wire.Message = {"homes": str(site.homes), "linger": self._linger}
        self._open, self.homes = True, site.homes
        hello = await self._connect()
        held = hello if self._cgroups else {"memory": "", "cpu": "", "pids": ""}
        notes += hello["notes"]
        if not held["memory"]:
            notes.append(
                "memory is held by a limit on each process's data, so a server of several processes may use more, and "
                "running out of memory cannot be told from other failures: no writable control groups were found"
            )
        if not held["cpu"]:
            notes.append("CPU is not limited: no writable control groups were found")
        if os.getpid() == 1:
            notes.append("Innkeeper is the first process of its container: servers end with it; run it with an init")
        self._abilities = Abilities(
            held["memory"] or "rlimit", held["cpu"] or "none", tuple(notes), machine_cpu=float(os.cpu_count() or 1),
            machine_memory_mb=float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MIB),
        )  # fmt: skip
        return self._abilities

    async def abilities(self) -> Abilities:
        return self._abilities

    async def close(self) -> None:
        """Hang up. The spawner and the servers live on."""
        self._open = False
        if self._repair is not None:
            self._repair.cancel()
            await asyncio.gather(self._repair, return_exceptions=True)
            self._repair = None
        if self._link is not None:
            await self._link.close()
            self._link = None
        self._linked.clear()

    async def start(self, launch: Launch) -> Report:
        """See :meth:`Engine.start`. Returns when the program runs and that is on disk."""
        if not wire.safe_id(launch.server_id):
            raise NotStarted(f"{launch.server_id!r} is no id of a server")
        try:
            command = program_line(launch.command, launch.entrypoint, launch.arguments)
            "".join((command, *launch.env, *launch.env.values())).encode()
        except UnicodeEncodeError as error:
            raise NotStarted(f"its command or environment is no text: {error}") from None
        files = None if launch.files is None else await asyncio.to_thread(within_reach, launch.files, self.homes)
        try:
            answer = await self._ask(
                "start",
                id=launch.server_id,
                build=str(launch.build.absolute()),
                command=step_aside(command),
                env=dict(launch.env),
                ports=[(port.transport.value, port.number) for port in launch.ports if port.awaited],
                others=[(port.transport.value, port.number) for port in launch.ports if not port.awaited],
                cpu=launch.cpu,
                memory_mb=launch.memory_mb,
                log_limit=launch.log_limit,
                files=None if files is None else str(files),
                run_as=self._run_as,
                own_users=None if self._own_users is None else (self._own_users.start, len(self._own_users)),
                cgroup=self._cgroups,
            )
        finally:
            if files is not None and files != launch.files:  # what is left of a copy: it was refused, or there already
                await asyncio.to_thread(shutil.rmtree, files, ignore_errors=True)
        return self._reports.get(launch.server_id) or _read(answer["report"])

    async def stop(self, server_id: ServerId, grace: float) -> None:
        await self._ask("stop", id=server_id, grace=grace)

    async def forget(self, server_id: ServerId) -> None:
        await self._ask("forget", id=server_id)
        report = self._reports.get(server_id)
        if report is not None and not report.alive:
            del self._reports[server_id]

    async def discard(self, server_id: ServerId) -> None:
        await self._ask("discard", id=server_id)

    def reports(self) -> Mapping[ServerId, Report]:
        return dict(self._reports)

    def changes(self) -> AsyncIterator[Report]:
        return self._listeners.listen()

    def log(self, server_id: ServerId, *, tail: int | None, follow: bool) -> AsyncIterator[bytes]:
        if not wire.safe_id(server_id):
            raise KeyError(server_id)

        def ended() -> bool:
            report = self._reports.get(server_id)
            return report is None or not report.alive

        return read_all(
            LogFile(self._directory / "logs" / f"{server_id}.log"),
            tail=tail,
            follow=follow,
            ended=ended,
            pause=lambda: self._clock.sleep(_LOG_PAUSE),
        )

    async def before(self, server_id: ServerId) -> bytes:
        if not wire.safe_id(server_id):
            return b""
        return await asyncio.to_thread(end_of, self._directory / "logs" / f"{server_id}.before", BEFORE)

    async def usage(self, server_ids: Sequence[ServerId]) -> Mapping[ServerId, Usage]:
        answer = await self._ask("usage", ids=list(server_ids))
        return {
            server_id: Usage(figures["cpu"], figures["memory"], figures["connections"])
            for server_id, figures in answer["usage"].items()
        }

    async def leave(self) -> None:
        """Nothing was made for all servers together."""

    async def settled(self) -> None:
        """At once: :meth:`forget` leaves nothing but output."""

    def port_is_free(self, port: int, transport: Transport) -> bool:
        return can_bind(port, transport)

    # -- the spawner -----------------------------------------------------------------------------------------------

    async def _ask(self, verb: str, **body: object) -> wire.Message:
        link = self._link
        if link is None:
            if not self._open:
                raise HostUnavailable("the engine is not open")
            try:
                async with asyncio.timeout(_ANSWER):
                    await self._linked.wait()
            except TimeoutError:
                raise HostUnavailable("the spawner does not answer") from None
            link = self._link
            assert link is not None
        try:
            return await link.ask(verb, **body)
        except Refused as refusal:
            raise (HostUnavailable if refusal.again else NotStarted)(refusal.text) from None

    async def _connect(self) -> wire.Message:
        link = Link(self._directory / "run", self._options, self._heard, self._lost)
        try:
            hello = await link.open()
        except (OSError, TimeoutError) as error:
            raise HostUnavailable(f"the spawner could not be reached: {error}") from error
        before, self._reports = self._reports, {report["id"]: _read(report) for report in hello["reports"]}
        for server_id, report in self._reports.items():
            if before.get(server_id) != report:
                self._listeners.tell(report)
        self._link = link
        self.spawner_pid = hello["pid"]
        self._linked.set()
        return hello

    def _heard(self, message: wire.Message) -> None:
        report = _read(message["report"])
        self._reports[report.server_id] = report
        if "re" not in message:  # the answer to a start is for who asked
            self._listeners.tell(report)

    def _lost(self) -> None:
        """The connection broke: the spawner was killed, or ended. The servers are not concerned."""
        self._link = None
        self._linked.clear()
        if self._open:
            log.warning("the spawner is gone; its successor takes over its servers")
            self._repair = asyncio.create_task(self._reconnect())

    async def _reconnect(self) -> None:
        tries = 0
        while True:
            await self._clock.sleep(_RECONNECT[min(tries, len(_RECONNECT) - 1)])
            tries += 1
            try:
                await self._connect()
            except HostUnavailable:
                log.exception("no new spawner could be started (%d tries); it is tried again", tries)
            else:
                return


def _read(report: wire.Message) -> Report:
    ended = report["ended"]
    return Report(
        report["id"],
        report["handle"],
        report["started_at"],
        report["ready_at"],
        None if ended is None else Ended(EndedBy(ended[0]), ended[1], ended[2], ended[3]),
        tuple(report.get("bound", ())),  # a spawner from before an upgrade does not tell them
    )
