"""Starts a program so that it owns nothing of ours: limits, user, folder, files, environment. Used by ``starting.py``.

A shell is started at once and waits at a gate, a pipe that is its standard input, until its record is written; only
then does it go on to the command: a program never runs that no record tells of, wherever the spawner is killed. While
it waits it enters its control groups and lowers its limits, so that this costs the spawner nothing.

Starting does not copy the spawner (``posix_spawn`` shares its memory until the shell runs), which is several times
cheaper than a fork. What has no place in ``posix_spawn`` (folder, user, file mask) the spawner takes on itself for that
moment; it has one thread and nothing else happens meanwhile.
"""

from __future__ import annotations

import errno
import os
import resource
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .wire import Message

_MANY_FILES = (4096, 65536)  # soft and hard; programs that walk all possible descriptors stay quick
_DEFAULT = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Variables that a shell does not take from its environment, or takes for its own affairs.
_SHELLS_OWN = frozenset(
    {
        "BASHOPTS",
        "BASH_VERSINFO",
        "CDPATH",
        "ENV",
        "EUID",
        "IFS",
        "LINENO",
        "MAIL",
        "MAILPATH",
        "OLDPWD",
        "OPTARG",
        "OPTIND",
        "PPID",
        "PS1",
        "PS2",
        "PS4",
        "PWD",
        "SHELLOPTS",
        "UID",
        "_",
    }
)
#: A shell whose gate was closed for good, its spawner being dead, ends with this exit code: nothing ran.
NEVER_LET_IN = 119
_SCRIPT = 9  # the descriptor of a spare's command
_JOINS = range(3, _SCRIPT)  # the descriptors by which a shell enters its groups; one digit, as shells want it


class Start:
    """What a program is started with. ``run_as`` is user and group number, or None for our own.

    Without a command, the shell is a spare: it gets that and its environment when it is released.
    """

    __slots__ = ("build", "command", "env", "joins", "log", "memory_bytes", "run_as")

    def __init__(
        self,
        command: str | None,
        build: str,
        env: Mapping[str, str],
        *,
        log: int,
        joins: Sequence[str],
        memory_bytes: int | None,
        run_as: tuple[int, int] | None,
    ) -> None:
        check(command or "", build, env)
        self.command, self.env = command, env
        self.build = build
        self.log = log  # a descriptor
        self.joins = joins  # the files of control groups in which it has to write itself down
        self.memory_bytes = memory_bytes  # to be held by a resource limit; None where a group holds it
        self.run_as = run_as


def check(command: str, build: str, env: Mapping[str, str]) -> None:
    """Raises ``ValueError`` for what cannot be said to the kernel."""
    for text in (command, build, *env, *env.values()):
        if "\0" in text:
            raise ValueError("the command, the build and the environment may not hold NUL bytes")
        text.encode()
    if any("=" in name or not name for name in env):
        raise ValueError("a name in the environment may neither be empty nor hold '='")


def plain(env: Mapping[str, str]) -> bool:
    """Whether a shell can set all of it as it would have found it, which is not so for what is a shell's own."""
    return all(name.isidentifier() and name.isascii() and name not in _SHELLS_OWN for name in env)


def kind(wish: Message) -> tuple[object, ...]:
    """Launches of one kind can be served by one another's spare."""
    user = tuple(wish["run_as"] or ()), tuple(wish["own_users"] or ())
    return wish["build"], wish["cgroup"], user, wish["memory_mb"], wish["cpu"]


class Waiting:
    """A shell at its gate."""

    __slots__ = ("_go", "_script", "pid")

    def __init__(self, pid: int, go: int, script: int = -1) -> None:
        self.pid, self._go, self._script = pid, go, script

    def tell(self, command: str, env: Mapping[str, str]) -> None:
        """What a spare is to run. Raises ``OSError``."""
        sets = "; ".join(f"export {name}={_quoted(value)}" for name, value in env.items())
        text = f"exec {_SCRIPT}<&-; {sets}; {command}".encode()
        if os.write(self._script, text) != len(text):
            raise OSError(errno.ENOSPC, "no room for a command")

    def release(self) -> None:
        """Its record is written: run."""
        try:
            os.write(self._go, b"\n")
        except OSError:  # it could not come so far, and its end tells so
            pass
        self.abandon()

    def abandon(self) -> None:
        """Its record could not be written: never run. Or it runs already."""
        os.close(self._go)
        if self._script >= 0:
            os.close(self._script)


class Launcher:
    """Starts shells. There is one in a spawner, whose working directory and file mask it puts back each time."""

    def __init__(self, umask: int = 0o077) -> None:
        self._umask = umask
        self._here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._held = _hold(_SCRIPT + 1)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        most = _MANY_FILES[1] if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES[1])
        self._files = f"ulimit -S -n {min(_MANY_FILES[0], most)} && ulimit -H -n {most}"

    def spawn(self, start: Start) -> Waiting:
        """A shell of its own session that waits for :meth:`Waiting.release`. Raises ``OSError``, text and all."""
        script, env = self._script(start)
        waits, go = os.pipe2(os.O_CLOEXEC)
        opened: list[int] = []
        pid, script_fd = 0, -1
        what = "enter its control groups"
        try:
            if start.command is None:
                script_fd = os.memfd_create("command", os.MFD_CLOEXEC)
            for join in start.joins:
                opened.append(os.open(join, os.O_WRONLY | os.O_CLOEXEC))
            actions = [(os.POSIX_SPAWN_DUP2, waits, 0), *((os.POSIX_SPAWN_DUP2, start.log, fd) for fd in (1, 2))]
            actions += ((os.POSIX_SPAWN_DUP2, fd, place) for fd, place in zip(opened, _JOINS, strict=False))
            if script_fd >= 0:
                actions.append((os.POSIX_SPAWN_DUP2, script_fd, _SCRIPT))
            what = f"enter its build {start.build}"
            os.chdir(start.build)  # before we give up what we may: the folders above need not be open to everybody
            what = "run /bin/sh" if start.run_as is None else f"run /bin/sh as user {start.run_as[0]}"
            os.umask(0o022)
            with _Guise(start.run_as):
                pid = os.posix_spawn(
                    "/bin/sh",
                    ["sh", "-c", script],
                    env,
                    file_actions=actions,
                    setsid=True,
                    setsigmask=(),
                    setsigdef=_DEFAULT,
                )
        except OSError as error:
            raise OSError(error.errno, f"it could not {what}: {error.strerror}") from error
        finally:
            os.umask(self._umask)
            os.fchdir(self._here)
            for fd in (waits, *opened, *(() if pid else (go, script_fd))):
                if fd >= 0:
                    os.close(fd)
        return Waiting(pid, go, script_fd)

    def _script(self, start: Start) -> tuple[str, Mapping[str, str]]:
        """The shell's line, and its environment.

        All of ours is in the command's first line, so that the shell counts lines as the customer does. What would
        bring code into the shell itself (``LD_PRELOAD`` and its like) it sets behind the gate.
        """
        limits = [self._files]
        if start.memory_bytes is not None:
            limits.append(f"ulimit -d {start.memory_bytes >> 10}")
        places = _JOINS[: len(start.joins)]
        limits += (f"echo 0 >&{place}" for place in places)
        late = {name: value for name, value in start.env.items() if name.startswith("LD_")}
        sets = "".join(f"export {name}={_quoted(value)}; " for name, value in late.items() if name.isidentifier())
        closing = "".join(f" {place}>&-" for place in places)
        script = (
            f"{' && '.join(limits)} || exit 125; read -r INNKEEPER_GATE || exit {NEVER_LET_IN}; unset INNKEEPER_GATE; "
            f"exec </dev/null{closing}; "
            + (f". /proc/self/fd/{_SCRIPT}" if start.command is None else sets + start.command)
        )
        return script, {name: value for name, value in start.env.items() if name not in late} if late else start.env


class _Guise:
    """Makes us another user, and ourselves again.

    Our saved user stays, by which we come back; a program that is started gets its own from its effective one, and so
    nothing of ours. A change of user also makes us a process that no user may look into or trace.
    """

    def __init__(self, run_as: tuple[int, int] | None) -> None:
        self._run_as = run_as

    def __enter__(self) -> None:
        if self._run_as is None:
            return
        user, group = self._run_as
        self._user, self._group = os.geteuid(), os.getegid()
        if os.getgroups():
            os.setgroups([])  # for good: we need none, and programs are to have none
        try:
            os.setresgid(group, group, self._group)
            os.setresuid(user, user, self._user)
        except OSError:
            self.__exit__()
            raise

    def __exit__(self, *exception: object) -> None:
        if self._run_as is not None:
            os.setresuid(self._user, self._user, self._user)
            os.setresgid(self._group, self._group, self._group)


def _hold(stop: int) -> list[int]:
    """Take the free descriptors below this one, so that nothing of ours is in the way when a shell gets them."""
    held: list[int] = []
    while (fd := os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)) < stop:
        held.append(fd)
    os.close(fd)
    return held


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"
