"""A shell that is ready before anybody asks: it waits at its gate, in its control groups, for the next server like the
last one. Called by ``starting.py``.

Entering a control group takes the kernel about ten milliseconds when nobody did so just before (it waits until every
processor has passed a point of rest), and a shell more than one. With a spare, both are over when a start is asked for.
A spare is no server: it has no record, and ends when the spawner does.
"""

from __future__ import annotations

import os
import signal
import time

from . import launching, logfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .cgroups import Cgroups
    from .loop import Loop
    from .scratch import Scratch
    from .wire import Message

_REST = 0.02  # seconds after the last start until a spare is made: in a rush there is better to do
_PATIENCE = 100  # milliseconds
_PREFIX = ".spare-"  # no server's id begins so


class Spare:
    """One that waits. ``kind`` is what it fits."""

    __slots__ = ("group", "kind", "name", "waiting")

    def __init__(self, name: str, kind: tuple[object, ...], group: str, waiting: launching.Waiting) -> None:
        self.name, self.kind, self.group, self.waiting = name, kind, group, waiting


class Spares:
    """Keeps one spare, of the kind that was asked for last. ``make`` starts a shell under a name for a wish."""

    def __init__(
        self,
        loop: Loop,
        cgroups: Cgroups,
        scratch: Scratch,
        make: Callable[[str, Message], tuple[str, launching.Waiting]],
    ) -> None:
        self._loop, self._cgroups, self._scratch, self._make = loop, cgroups, scratch, make
        self._spare: Spare | None = None
        self._wish: Message | None = None
        self._count, self._due = 0, 0.0
        self._planned = False
        scratch.sweep(_PREFIX)
        logfile.sweep(_PREFIX)

    @property
    def pid(self) -> int:
        """Of the spare; 0 where there is none."""
        return self._spare.waiting.pid if self._spare is not None else 0

    def take(self, wish: Message, kind: tuple[object, ...]) -> Spare | None:
        """The spare, if it fits; it bears the server's name from now on. Another is made soon."""
        self._wish = {name: value for name, value in wish.items() if name not in ("id", "env", "command")}
        self._due = self._loop.now() + _REST
        if not self._planned:
            self._planned = True
            self._loop.at(self._due, self._refill)
        spare = self._spare
        if spare is None or spare.kind != kind or not launching.plain(wish["env"]):
            return None
        try:
            if not logfile.rename(spare.name, wish["id"]):
                return None
            self._scratch.rename(spare.name, wish["id"])
        except OSError:
            self.dismiss()
            return None
        self._spare = None
        return spare

    def dismiss(self, *, wait: bool = False) -> None:
        """End it, and with ``wait`` return when it has ended."""
        spare, self._spare = self._spare, None
        if spare is not None:
            os.kill(spare.waiting.pid, signal.SIGKILL)  # our child, of whose end we took no note yet
            spare.waiting.abandon()
            if wait:
                os.waitpid(spare.waiting.pid, 0)
                for _ in range(_PATIENCE):  # the kernel empties a group a moment after its last process ended
                    if not spare.group or self._cgroups.remove(spare.group):
                        break
                    time.sleep(0.001)
            self._tidy(spare)

    def ended(self, pid: int) -> None:
        """A child ended that is no server; perhaps it was the spare."""
        if self._spare is not None and self._spare.waiting.pid == pid:
            spare, self._spare = self._spare, None
            spare.waiting.abandon()
            self._tidy(spare)

    def _tidy(self, spare: Spare) -> None:
        logfile.remove(logfile.path(spare.name))
        self._scratch.remove(spare.name)
        if spare.group and not self._cgroups.remove(spare.group):
            self._loop.at(self._loop.now() + _REST, lambda: self._tidy(spare))

    def _refill(self) -> None:
        now = self._loop.now()
        if now < self._due:
            self._loop.at(self._due, self._refill)
            return
        self._planned = False
        if self._wish is None:
            return
        kind = launching.kind(self._wish)
        if self._spare is not None and self._spare.kind == kind:
            return
        self.dismiss()
        self._count += 1
        name = f"{_PREFIX}{os.getpid()}-{self._count}"
        try:
            group, waiting = self._make(name, self._wish)
        except (OSError, ValueError):  # whoever asks for it will be told
            self._scratch.remove(name)
            self._cgroups.remove(name)
            logfile.remove(logfile.path(name))
            return
        self._spare = Spare(name, kind, group, waiting)
