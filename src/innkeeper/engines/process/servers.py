"""The servers of one directory, from their start to their end: what the spawner does all day. Called by ``spawner.py``.

A server ends when its main program is gone and nothing that it started is left. An end is written to the journal, and
that synced to disk, before anybody is told.
"""

from __future__ import annotations

import errno
import os

from . import logfile
from .adopting import Adoption
from .ending import Ending
from .kin import Kin
from .launching import NEVER_LET_IN
from .ledger import Ledger
from .readiness import Readiness
from .records import Journal, Record
from .scratch import Scratch
from .sockets import Table
from .starting import Starting
from .verdict import verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .cgroups import Cgroups
    from .loop import Loop
    from .wire import Message

    Answer = Callable[[Message], None]

#: Failures of this machine at this time; anything else is wrong with the launch itself.
_PASSING = {errno.EAGAIN, errno.ENOMEM, errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.EDQUOT, errno.EIO, errno.EROFS}
_LOG_LOOK, _FLOOD_LOOK = 0.5, 0.05  # seconds between looks at the logs; the second when one grows fast
_YOUNG = 10_000_000  # microseconds; whoever fails so soon is asked for its last words, ready or not


class Servers:
    """Starts, watches and ends. ``tell`` is called with each record that became ready or ended, once that is durable.

    The working directory is DIR/run; logs are in DIR/logs.
    """

    def __init__(
        self, loop: Loop, journal: Journal, cgroups: Cgroups, mark: str, homes: str, tell: Callable[[Record], None]
    ) -> None:
        self._loop, self._cgroups = loop, cgroups
        self.ledger = Ledger(loop, journal, tell)
        self._records = self.ledger.records
        self._kin = Kin(cgroups, mark)
        self._scratch = Scratch(homes)
        self._starting = Starting(loop, self._kin, cgroups, self._scratch)
        self._table = Table()
        self._readiness = Readiness(loop, self._table, self._kin, self._ready, tell)
        self._ending = Ending(loop, self._kin, self._finish)
        self._litter: set[str] = set()  # control groups of servers that are no more, which could not be removed yet
        self._adopt_all()
        loop.at(loop.now() + _LOG_LOOK, self._look_at_logs)

    # -- told by the engine ----------------------------------------------------------------------------------------

    def start(self, wish: Message, answer: Answer) -> None:
        """Start it, or answer with the standing report."""
        record = self._records.get(wish["id"])
        if record is None:
            record = Record(wish["id"])
            try:
                waiting = self._starting.start(record, wish)
            except (OSError, ValueError) as error:
                self._refuse(record, error, str(error), answer)
                return
            try:
                self.ledger.open(record)
            except OSError as error:
                waiting.abandon()
                self._refuse(record, error, f"its record could not be written: {error}", answer)
                return
            self._kin.mains[record.pid] = record
            self._litter.discard(record.group)  # it is used again
            waiting.release()
            if record.ports:
                self._readiness.expect(record)
        self.ledger.when_durable(lambda: answer({"report": record.report()}))

    def _refuse(self, record: Record, error: Exception, text: str, answer: Answer) -> None:
        self._undo(record)
        again = isinstance(error, OSError) and error.errno in _PASSING
        answer({"error": error.strerror or text if isinstance(error, OSError) else text, "again": again})

    def stop(self, server_id: str, grace: float) -> None:
        """Ask it to end, kill what is left after the grace. The earliest of several deadlines holds."""
        record = self._records.get(server_id)
        if record is None or record.ended is not None:
            return
        deadline, first = self._loop.now() + grace, record.stop_at is None
        if record.stop_at is not None and record.stop_at <= deadline:
            return
        record.stop_at = deadline
        self.ledger.put(record, lasting=False)
        if first:
            self._kin.ask_to_end(record)
        self._loop.at(deadline, lambda: self._ending.deadline(record))

    def forget(self, server_id: str) -> None:
        """Drop the record of an ended server."""
        record = self._records.get(server_id)
        if record is not None and record.ended is not None:
            self.ledger.drop(record)

    def discard(self, server_id: str) -> None:
        """Delete what it printed and its scratch folder, unless it is alive."""
        record = self._records.get(server_id)
        if record is None or record.ended is not None:
            logfile.remove(logfile.path(server_id))
            logfile.remove_before(server_id)
            self._scratch.remove(server_id)

    def usage(self, server_id: str) -> Message | None:
        """What it uses now; None unless it is alive."""
        record = self._records.get(server_id)
        if record is None or record.ended is not None:
            return None
        cpu, memory = self._cgroups.usage(record.group) if record.group else (None, None)
        if cpu is None or memory is None:
            kin = self._kin.all(record)
            cpu = sum(one.cpu for one in kin) if cpu is None else cpu
            memory = sum(one.rss for one in kin) if memory is None else memory
        connections = None
        tcp = [number for transport, number in (*record.ports, *record.others) if transport == "tcp"]
        if tcp:
            counts = self._table.connected(min(tcp), max(tcp))
            connections = sum(counts.get(number, 0) for number in tcp)
        return {"cpu": cpu, "memory": memory, "connections": connections}

    def reports(self) -> list[Message]:
        """Every server."""
        return [record.report() for record in self._records.values()]

    def leave(self) -> None:
        """Make ready to go: tell what is to be told, and leave nothing but the servers."""
        self.ledger.settle()
        self._starting.spares.dismiss(wait=True)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to keep in mind."""
        return not self._records and not self._litter

    # -- what becomes of it ----------------------------------------------------------------------------------------

    def _ready(self, record: Record) -> None:
        record.ready_at = self._loop.wall()
        self.ledger.put(record, lasting=False, tell=True)

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
                self._main_gone(record, status)
            else:
                self._starting.spares.ended(pid)

    def _main_gone(self, record: Record, status: int | None) -> None:
        if record.ended is None:
            self._kin.mains.pop(record.pid, None)
            self._readiness.give_up(record)
            record.status = None if status is None else os.waitstatus_to_exitcode(status)
            self._ending.main_gone(record)

    def _undo(self, record: Record) -> None:
        """Nothing ran: leave no trace, but what an earlier run left."""
        self._clean(record)
        logfile.remove(logfile.path(record.id))
        if not logfile.has_before(record.id):
            self._scratch.remove(record.id)

    def _finish(self, record: Record) -> None:
        if record.status == NEVER_LET_IN and not record.child and record.ready_at is None:
            # Its spawner died between writing its record and letting it in. It is started when it is asked for again.
            self.ledger.drop(record)
            self._undo(record)
            return
        young = self._loop.wall() - record.started_at < _YOUNG
        failed = record.status != 0 and record.stop_at is None and (record.ready_at is None or young)
        by, code, detail = verdict(
            record.status,
            asked=record.stop_at is not None,
            killed=record.killed,
            oom_kills=self._cgroups.oom_kills(record.group) if record.group and record.status != 0 else 0,
            left=record.left,
            words=logfile.last_words(logfile.path(record.id)) if failed else "",
        )
        if by == "lost" and record.boot != self._kin.boot:
            detail = "the machine was restarted"
        record.ended = [by, code, self._loop.wall(), detail]
        self._trim(record)
        self._clean(record)
        self.ledger.put(record, lasting=True, tell=True)

    def _clean(self, record: Record) -> None:
        """Remove its control group."""
        if record.group and not self._cgroups.remove(record.group):
            self._litter.add(record.group)

    def _adopt_all(self) -> None:
        """After a spawner's death, or at the first start, when there are none."""
        adoption = Adoption(self._loop, self._kin, self._main_gone)
        for record in list(self._records.values()):
            if record.ended is not None:
                continue
            record.since = self._loop.now()
            if not adoption.adopt(record):
                continue
            if record.ready_at is None:
                self._readiness.expect(record)
            if record.stop_at is not None:
                self._kin.ask_to_end(record)  # perhaps for the second time: the first may not have come to it
                self._loop.at(record.stop_at, lambda record=record: self._ending.deadline(record))  # type: ignore[misc]
        for group in self._cgroups.known() - {record.group for record in self._records.values()}:
            self._cgroups.kill(group)  # no record tells of it
            self._litter.add(group)

    # -- logs ------------------------------------------------------------------------------------------------------

    def _look_at_logs(self) -> None:
        """Hold every log below its ceiling, and remove the control groups that could not be removed before."""
        flooded = [self._trim(record) for record in self._kin.mains.values()]
        self._litter = {group for group in self._litter if not self._cgroups.remove(group)}
        self._loop.at(self._loop.now() + (_FLOOD_LOOK if any(flooded) else _LOG_LOOK), self._look_at_logs)

    def _trim(self, record: Record) -> bool:
        """Whether its log grows so fast that we should look again soon."""
        try:
            size = logfile.trim(logfile.path(record.id), record.log_limit)
        except OSError:
            return False
        before, record.log_seen = record.log_seen, size
        return size - before > record.log_limit // 8
