"""Takes over the servers of a spawner that died, none of which are our children. Called by ``servers.py``."""

from __future__ import annotations

import os
import select

from . import native, proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .kin import Kin
    from .loop import Loop
    from .records import Record

_TRIES, _PAUSE = 20, 0.005  # how often, and seconds apart, an end is looked at whose status is not there yet


class Adoption:
    """``gone`` is called once for each adopted server whose main program ended, with its wait status if it is known."""

    def __init__(self, loop: Loop, kin: Kin, gone: Callable[[Record, int | None], None]) -> None:
        self._loop, self._kin, self._gone = loop, kin, gone

    def adopt(self, record: Record) -> bool:
        """Watch it, if it is the program that the record tells of; otherwise that is gone."""
        try:
            record.pidfd = os.pidfd_open(record.pid)
        except OSError:
            self._gone(record, None)
            return False
        seen = proc.stat(record.pid)
        if record.boot != self._kin.boot or seen is None or seen.started != record.started:
            os.close(record.pidfd)
            self._gone(record, None)
            return False
        self._kin.mains[record.pid] = record
        self._loop.watch(record.pidfd, lambda events: self._ended(record, _TRIES))
        return True

    def _ended(self, record: Record, tries: int) -> None:
        """How, ``/proc`` tells until its parent takes note; newer kernels tell it after that."""
        self._loop.unwatch(record.pidfd)
        seen = proc.stat(record.pid)
        if seen is not None and seen.dead and seen.started == record.started:
            status: int | None = seen.exit_status
        else:
            status = native.exit_status(record.pidfd)
        if status is None and tries > 0 and not _reaped(record.pidfd):
            self._loop.at(self._loop.now() + _PAUSE, lambda: self._ended(record, tries - 1))
            return
        os.close(record.pidfd)
        self._gone(record, status)


def _reaped(pidfd: int) -> bool:
    """Whether the parent of an ended process took note already."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return any(events & select.POLLHUP for _, events in poll.poll(0))
