"""All processes of a server, and signals to them. Called by ``servers.py``, ``readiness.py`` and ``ending.py``.

Where a server has a control group, that is the list. Elsewhere it is found out from ``/proc``: its session, what is
below it, and what carries its mark in the environment, for a process may leave its session.
"""

from __future__ import annotations

import os
import signal

from . import proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cgroups import Cgroups
    from .records import Record


class Kin:
    """Knows the processes of this directory's servers. ``mains`` are those whose main program lives, by its pid."""

    def __init__(self, cgroups: Cgroups, mark: str) -> None:
        self._cgroups, self._mark = cgroups, mark
        self.boot = proc.boot_id()
        self.mains: dict[int, Record] = {}
        self.spare = _none  #: tells the pid of a child that is no server

    def mark(self, server_id: str) -> str:
        """What its processes carry in ``INNKEEPER_MARK``."""
        return f"{self._mark}.{server_id}"

    def all(self, record: Record) -> list[proc.Stat]:
        """Its living processes."""
        if record.boot != self.boot:
            return []
        if record.group and self._cgroups.version:
            seen = (proc.stat(pid) for pid in self._cgroups.members(record.group))
            return [one for one in seen if one is not None and not one.dead]
        others = frozenset(pid for pid in self.mains if pid != record.pid)
        return proc.family(record.pid, f"\0INNKEEPER_MARK={self.mark(record.id)}\0".encode(), others)

    def left(self, record: Record) -> list[proc.Stat]:
        """The same once its main program is gone, when most often nobody is left."""
        if record.child and not record.group:  # so is, by now, whoever it left
            children = proc.read(f"/proc/self/task/{os.getpid()}/children")
            if children is not None and not {int(pid) for pid in children.split()} - self.mains.keys() - {self.spare()}:
                return []
        return self.all(record)

    def ask_to_end(self, record: Record) -> None:
        """SIGTERM to its process group, as a terminal would; to each of those it left if the main program is gone."""
        if record.gone:
            for one in self.all(record):
                _signal(one.pid, signal.SIGTERM)
            return
        try:
            os.killpg(record.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass

    def kill(self, record: Record) -> None:
        """SIGKILL to everything."""
        if record.group and self._cgroups.version:
            self._cgroups.kill(record.group)
        else:
            for one in self.all(record):
                _signal(one.pid, signal.SIGKILL)
        if not record.gone:
            _signal(record.pid, signal.SIGKILL)


def _none() -> int:
    return 0


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
