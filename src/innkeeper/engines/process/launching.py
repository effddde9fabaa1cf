"""Starts a program so that it owns nothing of ours: limits, user, folder, files, environment. Called by the spawner.

The new process waits until its record is written and only then becomes the program: a program never runs that no
record tells of, wherever the spawner is killed. It says through a pipe what kept it from running, if anything.
"""

from __future__ import annotations

import os
import resource
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MANY_FILES = (4096, 65536)  # soft and hard; programs that walk all possible descriptors stay quick


class Start:
    """What a program is started with. ``run_as`` is user and group number, or None for our own."""

    __slots__ = ("build", "command", "env", "joins", "log", "memory_bytes", "nothing", "run_as")

    def __init__(
        self,
        command: str,
        build: str,
        env: Mapping[str, str],
        *,
        log: int,
        nothing: int,
        joins: Sequence[str],
        memory_bytes: int | None,
        run_as: tuple[int, int] | None,
    ) -> None:
        self.command = os.fsencode(command)
        self.build = build
        self.env = {os.fsencode(name): os.fsencode(value) for name, value in env.items()}
        self.log, self.nothing = log, nothing  # descriptors: the log, and /dev/null
        self.joins = joins  # control groups to enter
        self.memory_bytes = memory_bytes  # to be held by a resource limit; None where a group holds it
        self.run_as = run_as
        for text in (self.command, *self.env, *self.env.values()):
            if b"\0" in text:
                raise ValueError("the command and the environment may not hold NUL bytes")
        if any(b"=" in name or not name for name in self.env):
            raise ValueError("a name in the environment may neither be empty nor hold '='")


class Waiting:
    """A process that waits to become the program. ``complaint`` is read to its end: empty when the program runs."""

    __slots__ = ("complaint", "go", "pid")

    def __init__(self, pid: int, go: int, complaint: int) -> None:
        self.pid, self.go, self.complaint = pid, go, complaint

    def release(self) -> None:
        """Its record is written: run."""
        os.write(self.go, b"g")
        os.close(self.go)

    def abandon(self) -> None:
        """Its record could not be written: never run."""
        os.close(self.go)
        os.close(self.complaint)


def fork(start: Start) -> Waiting:
    """A process of its own session that waits for :meth:`Waiting.release`. Raises ``OSError``."""
    waits, go = os.pipe()
    complaint, complain = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        for fd in (waits, go, complaint, complain):
            os.close(fd)
        raise
    if pid == 0:
        _become(start, waits, go, complain)
    os.close(waits)
    os.close(complain)
    os.set_blocking(complaint, False)
    return Waiting(pid, go, complaint)


def _become(start: Start, waits: int, go: int, complain: int) -> None:
    """In the new process. Does not return."""
    what = "wait for its record"
    try:
        signal.set_wakeup_fd(-1)
        os.setsid()
        os.close(go)  # or the end of the spawner would not be seen
        if not os.read(waits, 1):
            os._exit(0)
        what = "set its signals"
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        what = "set its limits"
        for join in start.joins:
            fd = os.open(join, os.O_WRONLY | os.O_CLOEXEC)
            os.write(fd, b"0")
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        most = _MANY_FILES[1] if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(_MANY_FILES[0], most), most))
        if start.memory_bytes is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (start.memory_bytes, start.memory_bytes))
        what = f"enter its build {start.build}"
        os.chdir(start.build)  # before we give up what we may: the folders above it need not be open to everybody
        if start.run_as is not None:
            what = f"become user {start.run_as[0]}"
            os.setgroups([])
            os.setresgid(start.run_as[1], start.run_as[1], start.run_as[1])
            os.setresuid(start.run_as[0], start.run_as[0], start.run_as[0])
        what = "run /bin/sh"
        os.umask(0o022)
        os.dup2(start.nothing, 0)
        os.dup2(start.log, 1)
        os.dup2(start.log, 2)
        os.execve(b"/bin/sh", [b"sh", b"-c", start.command], start.env)
    except BaseException as error:
        why = error.errno if isinstance(error, OSError) and error.errno else 0
        os.write(complain, f"{why} it could not {what}: {error}".encode())
    finally:
        os._exit(127)
