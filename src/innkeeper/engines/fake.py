"""An engine that runs nothing and does what it is told, misbehaviour included. Ships for tests of ours and of users.

Its time is the clock handed in: with a ``ManualClock`` nothing happens until the clock is moved. The engine object is
the host: :meth:`FakeEngine.close` and :meth:`FakeEngine.open` again is what a restart of Innkeeper looks like to it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from innkeeper.kit.clock import SECOND, Clock

from .base import (
    BEFORE,
    Abilities,
    Ended,
    EndedBy,
    HostUnavailable,
    ImageMissing,
    Launch,
    NotStarted,
    PortTaken,
    Report,
    ServerId,
    Transport,
    Usage,
)
from .commandline import words
from .listeners import Listeners


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one server behaves. Times are seconds after its start."""

    start_takes: float = 0.0  #: until all its awaited ports are bound; with none awaited it is ready at once
    never_ready: bool = False  #: it runs and never binds
    crash_after: float | None = None  #: it ends by itself then
    crash_by: EndedBy = EndedBy.EXIT  #: how it ends by itself
    crash_code: int | None = 1  #: the exit code, or the number of the signal
    stop_takes: float = 0.0  #: from being asked to end until it has
    stop_code: int = 0  #: its exit code when asked to end
    stop_output: bytes = b""  #: printed when it ends because it was asked to
    ignore_term: bool = False  #: asked to end, it runs on until it is killed
    refuse: str | None = None  #: the host will not start it, with this reason
    output: bytes = b""  #: printed at once


class FakeEngine:
    """Keeps its promises as every engine does, about servers that do not exist.

    All attributes may be changed while it runs. ``behaviour`` is how servers behave that are started from then on;
    ``plan``, when given, is asked for each launch instead. ``unavailable`` makes start, stop, forget, discard and
    usage raise :class:`HostUnavailable`; ``cut_off`` does so too, and nothing that happens on the host is heard of
    until it ends. ``lose_answers`` carries a start out and then says that the host does not answer. ``images``, when
    it is a set, are those that the host has; launches of others are refused. ``forget_on_restart`` makes a restart
    lose every server, as a host does that was wiped.
    """

    name = "fake"

    def __init__(
        self,
        clock: Clock,
        *,
        start_takes: float = 0.0,
        never_ready: bool = False,
        crash_after: float | None = None,
        refuse: str | None = None,
        ignore_term: bool = False,
        forget_on_restart: bool = False,
        unavailable: bool = False,
        plan: Callable[[Launch], Behaviour] | None = None,
    ) -> None:
        self._clock = clock
        self.behaviour = Behaviour(
            start_takes=start_takes,
            never_ready=never_ready,
            crash_after=crash_after,
            refuse=refuse,
            ignore_term=ignore_term,
        )
        self.plan = plan
        self.forget_on_restart = forget_on_restart
        self.unavailable = unavailable
        self.lose_answers = False
        self.images: set[str] | None = None
        self._heard: dict[ServerId, Report] | None = None  # what was known when it was cut off
        self._silent_since: int | None = None
        self.taken_ports: set[int] = set()  #: ports that strangers hold on this host
        self.machine: tuple[float, float] = (16.0, 65536.0)  #: processors and MiB that it says it has
        self.usages: dict[ServerId, Usage] = {}  #: what to say a server uses; otherwise next to nothing
        self.launches: dict[ServerId, Launch] = {}  #: every launch that was carried out, forgotten ones too
        self.starts = 0  #: how often a server was really started
        self._behaviours: dict[ServerId, Behaviour] = {}
        self._reports: dict[ServerId, Report] = {}
        self._output: dict[ServerId, bytearray] = {}
        self._before: dict[ServerId, bytes] = {}
        self._kill_at: dict[ServerId, int] = {}
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._listeners = Listeners()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._was_open = False

    @property
    def silent_since(self) -> int | None:
        return self._silent_since

    @property
    def cut_off(self) -> bool:
        """Whether the network to the host is cut. What ran there runs on, and is told when it is mended."""
        return self._silent_since is not None

    @cut_off.setter
    def cut_off(self, cut: bool) -> None:
        if cut and self._heard is None:
            self._heard, self._silent_since = dict(self._reports), self._clock.now()
        elif not cut and self._heard is not None:
            heard, self._heard, self._silent_since = self._heard, None, None
            for server_id, report in self._reports.items():
                if heard.get(server_id) != report:
                    self._listeners.tell(report)

    # -- what every engine does ------------------------------------------------------------------------------------

    async def open(self) -> Abilities:
        if self._was_open and self.forget_on_restart:
            self._reports.clear()
            self._due.clear()
        self._was_open = True
        self._task = asyncio.create_task(self._run())
        return await self.abilities()

    async def abilities(self) -> Abilities:
        if self.silent_since is not None:
            return Abilities(memory="unknown", cpu="unknown", notes=("the host does not answer",))
        return Abilities(
            memory="none", cpu="none", notes=("nothing is run: this engine pretends",), machine_cpu=self.machine[0],
            machine_memory_mb=self.machine[1],
        )  # fmt: skip

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def start(self, launch: Launch) -> Report:
        self._answering()
        standing = self._reports.get(launch.server_id)
        if standing is not None:
            return standing
        words(launch.entrypoint, "command")
        words(launch.arguments, "arguments")
        behaviour = self.plan(launch) if self.plan is not None else self.behaviour
        if behaviour.refuse is not None:
            raise NotStarted(behaviour.refuse)
        if launch.image and self.images is not None and launch.image not in self.images:
            raise ImageMissing(f"there is no image {launch.image}")
        if taken := [port.number for port in launch.ports if port.number in self.taken_ports]:
            raise PortTaken(f"port {taken[0]} is taken")
        server_id, now = launch.server_id, self._clock.now()
        self.starts += 1
        self.launches[server_id] = launch
        self._behaviours[server_id] = behaviour
        if (earlier := self._output.get(server_id)) is not None:
            self._before[server_id] = bytes(earlier[-BEFORE:])
        self._output[server_id] = bytearray(behaviour.output)
        unawaited = bool(launch.ports) and not any(port.awaited for port in launch.ports)
        report = Report(server_id, f"fake:{self.starts}", now, now if unawaited else None)
        self._reports[server_id] = report
        run = report.handle
        if behaviour.crash_after is not None:
            self._later(
                behaviour.crash_after, run, lambda: self.end(server_id, behaviour.crash_by, behaviour.crash_code)
            )
        if not behaviour.never_ready:
            self._later(behaviour.start_takes, run, lambda: self.make_ready(server_id))
        if self.lose_answers:
            raise HostUnavailable("the connection broke off")
        return report

    async def stop(self, server_id: ServerId, grace: float) -> None:
        self._answering()
        report = self._reports.get(server_id)
        if report is None or not report.alive:
            return
        run, behaviour = report.handle, self._behaviours[server_id]
        deadline = self._clock.now() + round(grace * SECOND)
        asked = server_id in self._kill_at
        if not asked or deadline < self._kill_at[server_id]:
            self._kill_at[server_id] = deadline
            self._later(grace, run, lambda: self.end(server_id, EndedBy.KILLED, 9))
        if not asked and not behaviour.ignore_term and behaviour.stop_takes <= grace:
            self._later(behaviour.stop_takes, run, lambda: self._obey(server_id, behaviour))

    async def forget(self, server_id: ServerId) -> None:
        self._answering()
        report = self._reports.get(server_id)
        if report is not None and not report.alive:
            del self._reports[server_id]

    async def discard(self, server_id: ServerId) -> None:
        self._answering()
        report = self._reports.get(server_id)
        if report is None or not report.alive:
            self._output.pop(server_id, None)
            self._before.pop(server_id, None)

    def reports(self) -> Mapping[ServerId, Report]:
        return dict(self._reports if self._heard is None else self._heard)

    def changes(self) -> AsyncIterator[Report]:
        return self._listeners.listen()

    def log(self, server_id: ServerId, *, tail: int | None, follow: bool) -> AsyncIterator[bytes]:
        return self._read(server_id, self._output[server_id], tail, follow)

    async def _read(self, server_id: ServerId, kept: bytearray, tail: int | None, follow: bool) -> AsyncIterator[bytes]:
        lines = bytes(kept).splitlines(keepends=True)
        at = len(kept)
        chosen = lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]
        if follow and tail == 0 and lines and not lines[-1].endswith(b"\n"):
            chosen = lines[-1:]
        if chosen:
            yield b"".join(chosen)
        while follow:
            report = self._reports.get(server_id)
            ended = report is None or not report.alive
            if len(kept) > at:
                yield bytes(kept[at:])
                at = len(kept)
            elif ended:
                return
            else:
                await self._clock.sleep(0.05)

    async def before(self, server_id: ServerId) -> bytes:
        return self._before.get(server_id, b"")

    async def usage(self, server_ids: Sequence[ServerId]) -> Mapping[ServerId, Usage]:
        self._answering()
        found: dict[ServerId, Usage] = {}
        for server_id in server_ids:
            report = self._reports.get(server_id)
            if report is not None and report.alive:
                tcp = any(port.transport is Transport.TCP for port in self.launches[server_id].ports)
                found[server_id] = self.usages.get(server_id, Usage(0.0, 0, 0 if tcp else None))
        return found

    async def leave(self) -> None:
        """Nothing was made for all servers together."""

    async def settled(self) -> None:
        """At once: :meth:`forget` leaves nothing but output."""

    def port_is_free(self, port: int, transport: Transport) -> bool:
        bound = {
            (one.number, one.transport)
            for report in self._reports.values()
            if report.alive and report.ready_at is not None
            for one in self.launches[report.server_id].ports
        }
        return port not in self.taken_ports and (port, transport) not in bound

    # -- what a test makes happen ----------------------------------------------------------------------------------

    def make_ready(self, server_id: ServerId) -> None:
        """All its ports are bound now. Not alive, or ready already: nothing happens."""
        report = self._reports.get(server_id)
        if report is not None and report.alive and report.ready_at is None:
            self._change(replace(report, ready_at=self._clock.now()))

    def bind(self, server_id: ServerId, *ports: int) -> None:
        """It has bound these of its ports, and not yet the others."""
        self._change(replace(self._reports[server_id], bound=ports))

    def end(self, server_id: ServerId, by: EndedBy, code: int | None, detail: str = "") -> None:
        """It ends now, this way. Not alive: nothing happens."""
        report = self._reports.get(server_id)
        if report is not None and report.alive:
            self._kill_at.pop(server_id, None)
            self._change(replace(report, ended=Ended(by, code, self._clock.now(), detail)))

    def say(self, server_id: ServerId, output: bytes) -> None:
        """It prints."""
        self._output[server_id] += output

    # -- inside ----------------------------------------------------------------------------------------------------

    def _answering(self) -> None:
        if self.unavailable or self.cut_off:
            raise HostUnavailable("the host does not answer")

    def _obey(self, server_id: ServerId, behaviour: Behaviour) -> None:
        if self._reports[server_id].alive:
            self.say(server_id, behaviour.stop_output)
            self.end(server_id, EndedBy.STOPPED, behaviour.stop_code)

    def _change(self, report: Report) -> None:
        self._reports[report.server_id] = report
        if not self.cut_off:
            self._listeners.tell(report)

    def _later(self, seconds: float, run: str, deed: Callable[[], None]) -> None:
        """Do it then, unless the server of that id is another one by then."""

        def guarded() -> None:
            if any(report.handle == run for report in self._reports.values()):
                deed()

        heapq.heappush(self._due, (self._clock.now() + round(seconds * SECOND), next(self._order), guarded))
        self._wake.set()

    async def _run(self) -> None:
        while True:
            while self._due and self._due[0][0] <= self._clock.now():
                heapq.heappop(self._due)[2]()
            self._wake.clear()
            waits: set[asyncio.Task[None]] = {asyncio.create_task(self._woken())}
            if self._due:
                waits.add(asyncio.create_task(self._clock.sleep((self._due[0][0] - self._clock.now()) / SECOND)))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for waiting in waits:
                    waiting.cancel()

    async def _woken(self) -> None:
        await self._wake.wait()
