"""Makes what a server needs and starts it: scratch folder, control group, log, shell, record. For ``servers.py``."""

from __future__ import annotations

import os

from . import launching, logfile, proc
from .laying import SENT, lay
from .spares import Spares

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .cgroups import Cgroups
    from .kin import Kin
    from .loop import Loop
    from .records import Record
    from .scratch import Scratch
    from .wire import Message

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BARE = {"PATH": _PATH, "LANG": "C.UTF-8"}


class Starting:
    """Starts shells that wait for their records."""

    def __init__(self, loop: Loop, kin: Kin, cgroups: Cgroups, scratch: Scratch) -> None:
        self._loop, self._kin, self._cgroups, self._scratch = loop, kin, cgroups, scratch
        self._launcher = launching.Launcher()
        scratch.sweep(SENT)
        self.spares = Spares(loop, cgroups, scratch, self._spawn)
        kin.spare = lambda: self.spares.pid

    def start(self, record: Record, wish: Message) -> launching.Waiting:
        """Start it and fill in its record. Raises ``OSError`` and ``ValueError``; what was made then is still there."""
        home = self._scratch.path(record.id)
        env = {"PATH": _PATH, "LANG": "C.UTF-8", "HOME": home, "TMPDIR": home} | wish["env"]
        env |= {"INNKEEPER_SERVER_ID": record.id, "INNKEEPER_MARK": self._kin.mark(record.id)}
        launching.check(wish["command"], wish["build"], env)
        spare = None
        if os.path.lexists(home):  # another run of the same server: it keeps its folder, and the user whose that is
            self._cgroups.remove(record.id)
            logfile.set_aside(record.id)
        else:
            spare = self.spares.take(wish, launching.kind(wish))
        if spare is None:
            record.group, waiting = self._spawn(record.id, wish, wish["command"], env)
        else:
            record.group, waiting = spare.group, spare.waiting
            try:
                waiting.tell(wish["command"], env)
            except OSError:
                waiting.abandon()
                raise
        if wish.get("files"):
            try:
                lay(wish["files"], home)
            except OSError:
                waiting.abandon()
                raise
        seen = proc.stat(waiting.pid)
        assert seen is not None, "it is our child and nobody reaped it"
        record.pid, record.started, record.boot, record.child = waiting.pid, seen.started, self._kin.boot, True
        record.ports = [(transport, number) for transport, number in wish["ports"]]
        record.others = [(transport, number) for transport, number in wish.get("others", ())]
        record.log_limit = wish["log_limit"]
        record.started_at, record.since = self._loop.wall(), self._loop.now()
        if not record.ports:
            record.ready_at = record.started_at
        return waiting

    def _spawn(
        self, name: str, wish: Message, command: str | None = None, env: Mapping[str, str] = _BARE
    ) -> tuple[str, launching.Waiting]:
        """A shell with folder, log and control group of this name, and the group's."""
        run_as = None if wish["run_as"] is None else (wish["run_as"][0], wish["run_as"][1])
        if wish["own_users"] is not None:
            number = self._scratch.user_of(name, *wish["own_users"])
            run_as = number, number
        self._scratch.make(name, run_as)
        joins: list[str] = []
        if wish["cgroup"] and self._cgroups.version:
            joins = self._cgroups.make(name, cpu=wish["cpu"], memory_mb=wish["memory_mb"])
        held = bool(joins) and "memory" in self._cgroups.controllers
        log = logfile.create(logfile.path(name))
        try:
            waiting = self._launcher.spawn(
                launching.Start(
                    command,
                    wish["build"],
                    env,
                    log=log,
                    joins=joins,
                    memory_bytes=None if held else wish["memory_mb"] << 20,
                    run_as=run_as,
                )
            )
        except BaseException:
            if joins:
                self._cgroups.remove(name)  # nothing is in it
            raise
        finally:
            os.close(log)
        return name if joins else "", waiting
