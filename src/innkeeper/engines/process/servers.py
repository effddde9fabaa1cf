"""The servers of one directory, from their start to their end: what the spawner does all day. Called by ``spawner.py``.

A server ends when its main program is gone and nothing that it started is left. An end is written to the journal, and
that synced to disk, before anybody is told.
"""

from __future__ import annotations

import errno
import os
import select

from . import launching, logfile, native, proc
from .ending import Ending
from .kin import Kin
from .readiness import Readiness
from .records import Journal, Record
from .scratch import Scratch
from .sockets import Table
from .verdict import verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .cgroups import Cgroups
    from .loop import Loop
    from .wire import Message

    Answer = Callable[[Message], None]

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Failures of this machine at this time; anything else is wrong with the launch itself.
_PASSING = {errno.EAGAIN, errno.ENOMEM, errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.EDQUOT, errno.EIO, errno.EROFS}
_LOG_LOOK, _FLOOD_LOOK = 0.5, 0.05  # seconds between looks at the logs; the second when one grows fast
_YOUNG = 10_000_000  # microseconds; whoever fails so soon is asked for its last words, ready or not
_AGAIN = 0.5  # seconds until a write is tried again that the disk did not take
_STATUS_TRIES, _STATUS_PAUSE = 20, 0.005


class Servers:
    """Starts, watches and ends. ``tell`` is called with each record that became ready or ended, once that is durable.

    The working directory is DIR/run; logs are in DIR/logs.
    """

    def __init__(
        self, loop: Loop, journal: Journal, cgroups: Cgroups, mark: str, homes: str, tell: Callable[[Record], None]
    ) -> None:
        self._loop, self._journal, self._cgroups, self._tell = loop, journal, cgroups, tell
        self._kin = Kin(cgroups, mark)
        self._scratch = Scratch(homes)
        self._table = Table()
        self._readiness = Readiness(loop, self._table, self._kin, self._ready)
        self._ending = Ending(loop, self._kin, self._finish)
        self._nothing = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        self._waiting: dict[str, launching.Waiting] = {}
        self._outbox: list[Callable[[], None]] = []
        self._litter: set[str] = set()  # servers that are no more, whose control group could not be removed yet
        self._adopt_all()
        loop.at(loop.now() + _LOG_LOOK, self._look_at_logs)

    # -- told by the engine ----------------------------------------------------------------------------------------

    def start(self, wish: Message, answer: Answer) -> None:
        """Start it, or answer with the standing report."""
        known = self._journal.records.get(wish["id"])
        if known is not None:
            if known.told:
                self._answer(known, answer)
            else:
                known.answer.append(answer)
            return
        record = Record(wish["id"])
        record.answer.append(answer)
        try:
            waiting = self._fork(record, wish)
        except (OSError, ValueError) as error:
            self._clean(record, output=True)
            again = isinstance(error, OSError) and error.errno in _PASSING
            answer({"error": f"it could not be started: {error}", "again": again})
            return
        try:
            self._journal.put(record, new=True)
        except OSError as error:
            waiting.abandon()
            self._clean(record, output=True)
            answer({"error": f"its record could not be written: {error}", "again": True})
            return
        self._kin.mains[record.pid] = record
        self._waiting[record.id] = waiting
        waiting.release()
        self._loop.watch(waiting.complaint, lambda events: self._started(record))

    def stop(self, server_id: str, grace: float) -> None:
        """Ask it to end, kill what is left after the grace. The earliest of several deadlines holds."""
        record = self._journal.records.get(server_id)
        if record is None or record.ended is not None:
            return
        deadline, first = self._loop.now() + grace, record.stop_at is None
        if record.stop_at is not None and record.stop_at <= deadline:
            return
        record.stop_at = deadline
        self._put(record, lasting=False)
        if first:
            self._kin.ask_to_end(record)
        self._loop.at(deadline, lambda: self._ending.deadline(record))

    def forget(self, server_id: str) -> None:
        """Drop the record of an ended server."""
        record = self._journal.records.get(server_id)
        if record is not None and record.ended is not None:
            self._journal.drop(record)
            self._journal.tidy()

    def discard(self, server_id: str) -> None:
        """Delete what it printed and its scratch folder, unless it is alive."""
        record = self._journal.records.get(server_id)
        if record is None or record.ended is not None:
            logfile.remove(_log(server_id))
            self._scratch.remove(server_id)

    def usage(self, server_id: str) -> Message | None:
        """What it uses now; None unless it is alive."""
        record = self._journal.records.get(server_id)
        if record is None or record.ended is not None:
            return None
        cpu, memory = self._cgroups.usage(server_id) if record.limits else (None, None)
        if cpu is None or memory is None:
            kin = self._kin.all(record)
            cpu = sum(one.cpu for one in kin) if cpu is None else cpu
            memory = sum(one.rss for one in kin) if memory is None else memory
        connections = None
        tcp = [number for transport, number in record.ports if transport == "tcp"]
        if tcp:
            counts = self._table.connected(min(tcp), max(tcp))
            connections = sum(counts.get(number, 0) for number in tcp)
        return {"cpu": cpu, "memory": memory, "connections": connections}

    def reports(self) -> list[Message]:
        """Every server whose start was answered."""
        return [record.report() for record in self._journal.records.values() if record.told]

    @property
    def idle(self) -> bool:
        """Whether there is nothing to keep in mind."""
        return not self._journal.records and not self._litter

    # -- what waits for the disk -----------------------------------------------------------------------------------

    def when_durable(self, call: Callable[[], None]) -> None:
        """Call once all that is in the journal now is on disk."""
        self._outbox.append(call)

    def settle(self) -> None:
        """After each round: one sync for all that happened in it, then tell."""
        if not self._outbox:
            return
        try:
            self._journal.sync()
        except OSError:  # the disk's trouble: nobody is told before it is over
            self._loop.at(self._loop.now() + _AGAIN, self.settle)
            return
        outbox, self._outbox = self._outbox, []
        for call in outbox:
            call()

    def _answer(self, record: Record, answer: Answer) -> None:
        self.when_durable(lambda: answer({"report": record.report()}))

    def _put(self, record: Record, *, lasting: bool, tell: bool = False) -> None:
        """Write it and, when asked to, tell; if the disk does not take it, try again until it does."""
        if record.id not in self._journal.records:
            return
        try:
            self._journal.put(record, lasting=lasting)
        except OSError:
            self._loop.at(self._loop.now() + _AGAIN, lambda: self._put(record, lasting=lasting, tell=tell))
            return
        if tell:
            self.when_durable(lambda: self._tell(record))

    # -- starting --------------------------------------------------------------------------------------------------

    def _fork(self, record: Record, wish: Message) -> launching.Waiting:
        run_as = None if wish["run_as"] is None else (wish["run_as"][0], wish["run_as"][1])
        home = self._scratch.make(record.id, run_as)
        joins: list[str] = []
        if wish["cgroup"] and self._cgroups.version:
            record.limits = True
            joins = self._cgroups.make(record.id, cpu=wish["cpu"], memory_mb=wish["memory_mb"])
        held = record.limits and "memory" in self._cgroups.controllers
        env = {"PATH": _PATH, "LANG": "C.UTF-8", "HOME": home, "TMPDIR": home} | wish["env"]
        env |= {"INNKEEPER_SERVER_ID": record.id, "INNKEEPER_MARK": self._kin.mark(record.id)}
        log = logfile.create(_log(record.id))
        try:
            waiting = launching.fork(
                launching.Start(
                    wish["command"],
                    wish["build"],
                    env,
                    log=log,
                    nothing=self._nothing,
                    joins=joins,
                    memory_bytes=None if held else wish["memory_mb"] << 20,
                    run_as=run_as,
                )
            )
        finally:
            os.close(log)
        seen = proc.stat(waiting.pid)
        assert seen is not None, "it is our child and nobody reaped it"
        record.pid, record.started, record.boot, record.child = waiting.pid, seen.started, self._kin.boot, True
        record.ports = [(transport, number) for transport, number in wish["ports"]]
        record.log_limit = wish["log_limit"]
        record.started_at, record.since = self._loop.wall(), self._loop.now()
        return waiting

    def _started(self, record: Record) -> None:
        """Its pipe has something: a complaint, or its end, by which the program runs."""
        waiting = self._waiting.pop(record.id, None)
        if waiting is None:
            return
        self._loop.unwatch(waiting.complaint)
        complaint = os.read(waiting.complaint, 4096).decode("utf-8", "replace")
        os.close(waiting.complaint)
        answers, record.answer = record.answer, []
        if complaint:
            number, _, text = complaint.partition(" ")
            record.ended = ["not started", None, self._loop.wall(), text]
            self._kin.mains.pop(record.pid, None)
            self._journal.drop(record)
            self._clean(record, output=True)
            for answer in answers:
                answer({"error": text, "again": int(number) in _PASSING})
            return
        record.told = True
        if record.ports:
            self._readiness.expect(record)
        else:
            record.ready_at = record.started_at
            self._put(record, lasting=False)
        for answer in answers:
            self._answer(record, answer)

    def _ready(self, record: Record) -> None:
        record.ready_at = self._loop.wall()
        self._put(record, lasting=False, tell=True)

    # -- ending ----------------------------------------------------------------------------------------------------

    def reap(self) -> None:
        """Take note of every child that ended; of orphans too, which became our children."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            record = self._kin.mains.get(pid)
            if record is not None:
                self._started(record)  # in case it ended before its pipe was read
                self._main_gone(record, status)

    def _main_gone(self, record: Record, status: int | None) -> None:
        if record.ended is None:
            self._kin.mains.pop(record.pid, None)
            self._readiness.give_up(record)
            record.status = None if status is None else os.waitstatus_to_exitcode(status)
            self._ending.main_gone(record)

    def _finish(self, record: Record) -> None:
        young = self._loop.wall() - record.started_at < _YOUNG
        failed = record.status != 0 and record.stop_at is None and (record.ready_at is None or young)
        by, code, detail = verdict(
            record.status,
            asked=record.stop_at is not None,
            killed=record.killed,
            oom_kills=self._cgroups.oom_kills(record.id) if record.limits else 0,
            left=record.left,
            words=logfile.last_words(_log(record.id)) if failed else "",
        )
        if by == "lost" and record.boot != self._kin.boot:
            detail = "the machine was restarted"
        record.ended = [by, code, self._loop.wall(), detail]
        self._trim(record)
        self._clean(record)
        self._put(record, lasting=True, tell=True)

    def _clean(self, record: Record, *, output: bool = False) -> None:
        """Remove what it does not need any more: its control group, and its files if it never ran."""
        if record.limits and not self._cgroups.remove(record.id):
            self._litter.add(record.id)
        if output:
            logfile.remove(_log(record.id))
            self._scratch.remove(record.id)

    # -- after a spawner's death -----------------------------------------------------------------------------------

    def _adopt_all(self) -> None:
        for record in list(self._journal.records.values()):
            record.told = True
            if record.ended is None:
                record.since = self._loop.now()
                self._adopt(record)
        for server_id in self._cgroups.known() - set(self._journal.records):
            self._cgroups.kill(server_id)  # no record tells of it
            self._litter.add(server_id)

    def _adopt(self, record: Record) -> None:
        try:
            record.pidfd = os.pidfd_open(record.pid)
        except OSError:
            self._main_gone(record, None)
            return
        seen = proc.stat(record.pid)
        if record.boot != self._kin.boot or seen is None or seen.started != record.started:
            os.close(record.pidfd)
            self._main_gone(record, None)
            return
        self._kin.mains[record.pid] = record
        self._loop.watch(record.pidfd, lambda events: self._adopted_gone(record, _STATUS_TRIES))
        if record.ready_at is None:
            self._readiness.expect(record)
        if record.stop_at is not None:
            self._kin.ask_to_end(record)  # perhaps for the second time: the first may not have come to it
            self._loop.at(record.stop_at, lambda: self._ending.deadline(record))

    def _adopted_gone(self, record: Record, tries: int) -> None:
        """A main program ended that was not our child. How, ``/proc`` tells until its parent takes note; newer kernels
        tell it after that."""
        self._loop.unwatch(record.pidfd)
        seen = proc.stat(record.pid)
        if seen is not None and seen.dead and seen.started == record.started:
            status: int | None = seen.exit_status
        else:
            status = native.exit_status(record.pidfd)
        if status is None and tries > 0 and not _reaped(record.pidfd):
            self._loop.at(self._loop.now() + _STATUS_PAUSE, lambda: self._adopted_gone(record, tries - 1))
            return
        os.close(record.pidfd)
        self._main_gone(record, status)

    # -- logs ------------------------------------------------------------------------------------------------------

    def _look_at_logs(self) -> None:
        """Hold every log below its ceiling, and remove the control groups that could not be removed before."""
        flooded = [self._trim(record) for record in self._kin.mains.values()]
        self._litter = {server_id for server_id in self._litter if not self._cgroups.remove(server_id)}
        self._loop.at(self._loop.now() + (_FLOOD_LOOK if any(flooded) else _LOG_LOOK), self._look_at_logs)

    def _trim(self, record: Record) -> bool:
        """Whether its log grows so fast that we should look again soon."""
        try:
            size = logfile.trim(_log(record.id), record.log_limit)
        except OSError:
            return False
        before, record.log_seen = record.log_seen, size
        return size - before > record.log_limit // 8


def _log(server_id: str) -> str:
    return f"../logs/{server_id}.log"


def _reaped(pidfd: int) -> bool:
    """Whether the parent of an ended process took note already."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return any(events & select.POLLHUP for _, events in poll.poll(0))
