"""What every engine promises. Called by ``hosting/keeper.py`` and by nobody else but tests.

An engine starts, stops and watches servers on one host. It is told once what to run and keeps enough beside it to
know its servers again after Innkeeper was stopped or killed. It keeps the report of an ended server until told to
forget it, so that an exit code is never lost between two crashes.

    WANTED ──start()──> alive, not ready ──all ports bound──> alive, ready ──exit──> ended ──forget()──> unknown

The same id may be started again once it was forgotten: that is another run of the same server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

#: The house's id of a server: letters, digits and ``-``; safe as a file name.
ServerId = str
#: Bytes that are kept of the output of the run before.
BEFORE = 64 << 10


class Transport(StrEnum):
    """How packets reach a port."""

    UDP = "udp"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a server. One number that is reached by both transports is two of them, of one name."""

    name: str  #: ``default`` or the name of an additional port
    transport: Transport
    number: int  #: on the host; a program is told it by environment and start command
    inside: int = 0  #: where the program in a container listens; 0: the same number
    awaited: bool = True  #: the server counts as ready only once it is bound

    @property
    def bound(self) -> int:
        """The number that the program binds."""
        return self.inside or self.number


@dataclass(frozen=True, slots=True)
class Launch:
    """Everything it takes to start one server. The same launch may be handed in again after a crash."""

    server_id: ServerId
    build: Path  #: the unpacked build; for a program, its working directory (which it shares with its likes)
    command: str  #: a shell command line, in which ``$PORT`` and all of ``env`` can be named
    env: Mapping[str, str]
    ports: Sequence[Port]
    cpu: float  #: processors, may be fractional
    memory_mb: int  #: MiB
    log_limit: int = 256 * 1024 * 1024  #: bytes of output kept on disk; the oldest go first
    #: The name, on its host, of the image whose program runs; then ``build`` and ``command`` do not count.
    image: str = ""
    #: What is run in place of what the build or the image says, and with which arguments; empty: as that says. Words as
    #: a shell would split them. In a container no shell reads them; for a program they make a shell command line.
    entrypoint: str = ""
    arguments: str = ""
    #: A folder of files alone, on this machine, whose tree is laid over the server's root before its program starts:
    #: the container's; for a program, its HOME. It is read until :meth:`Engine.start` returns, which may empty it.
    files: Path | None = None


class EndedBy(StrEnum):
    """Why a server is no longer alive, as far as its host can tell."""

    EXIT = "exit"  #: it ended by itself; ``code`` says how
    SIGNAL = "signal"  #: a signal that we did not send killed it; ``code`` is the signal's number
    MEMORY = "memory"  #: it needed more memory than it was given
    STOPPED = "stopped"  #: we asked it to end and it did, within its grace
    KILLED = "killed"  #: we asked it to end, it did not, and was killed after its grace
    NOT_STARTED = "not started"  #: it could not be started; ``detail`` says why
    LOST = "lost"  #: it ended while nobody could see how (the machine restarted, say)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a server ended."""

    by: EndedBy
    code: int | None  #: the exit code, or the number of the signal
    at: int  #: microseconds since the epoch
    detail: str = ""  #: for people; e.g. why it could not be started, or its last words on a failed start


@dataclass(frozen=True, slots=True)
class Report:
    """What an engine knows of one server now."""

    server_id: ServerId
    handle: str  #: opaque and durable: enough to find the server again; empty when it never started
    started_at: int  #: when the program was started, microseconds since the epoch
    #: When all its awaited ports were seen bound; when it was started, where none is awaited.
    ready_at: int | None = None
    ended: Ended | None = None
    #: Those of its awaited ports that were seen bound (by every transport that they are reached by); told while some
    #: are and others are not.
    bound: Sequence[int] = ()

    @property
    def alive(self) -> bool:
        """Whether the program, or anything it left behind, still runs."""
        return self.ended is None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a server uses, measured now. None is: this host cannot tell."""

    cpu_seconds: float  #: used since its start, all its processes together
    memory_bytes: int  #: resident now, all its processes together
    connections: int | None  #: open TCP connections on its ports; None for a server without TCP ports
    egress_bytes: int | None = None  #: sent since its start


@dataclass(frozen=True, slots=True)
class Abilities:
    """What this engine can do on this machine; told in the log and to operators."""

    memory: str  #: how the memory limit is held: "cgroup v2", "cgroup v1", "rlimit"; "unknown" while it is silent
    cpu: str  #: how the CPU limit is held: "cgroup v2", "cgroup v1", "none"
    notes: Sequence[str] = field(default_factory=tuple)  #: what the operator should know, one sentence each
    machine_cpu: float | None = None  #: processors of the machine, whoever uses them; None while nobody can tell
    machine_memory_mb: float | None = None  #: MiB of the machine, likewise


class NotStarted(Exception):
    """The host could not start the server, and trying the same again would not help. The text says why."""


class ImageMissing(NotStarted):
    """The host does not have the image of the launch. Bring it there and start the server again."""


class PortTaken(NotStarted):
    """Somebody else has one of its ports on the host. With other ports the same launch may succeed."""


class HostUnavailable(Exception):
    """The host does not answer now. The same call may be made again later."""


class Engine(Protocol):
    """Starts, stops and watches servers on one host."""

    @property
    def name(self) -> str:
        """What kind of engine it is, for people."""
        ...

    @property
    def silent_since(self) -> int | None:
        """Since when the host has not answered, in microseconds since the epoch; None while it does.

        An engine whose host is this very machine is never silent: its servers live and die with the machine.
        """
        ...

    async def open(self) -> Abilities:
        """Reach the host and find all servers of ours that it knows, also those started before a restart.

        A host elsewhere that does not answer now is no error: it is silent, its notes say why, and it is taken up when
        it answers.
        """
        ...

    async def close(self) -> None:
        """Let go of the host. The servers run on."""
        ...

    async def abilities(self) -> Abilities:
        """What :meth:`open` told, as it is now: more is known of a host that was silent then."""
        ...

    async def leave(self) -> None:
        """The host is the house's no more: take away what was made there for all servers together, if it answers.

        They are gone by then, and :meth:`close` follows.
        """
        ...

    async def start(self, launch: Launch) -> Report:
        """Start the server; return once the host has taken it on (alive, perhaps not ready, perhaps ended at once).

        Before: unknown, or known from an earlier call with the same id, in which case nothing is started and the
        standing report is returned, whatever its state. After: the host knows it until :meth:`forget`. Where an
        earlier run of this id left output, that is what :meth:`before` tells from now on.
        Raises :class:`NotStarted` or one of its kin (then the id stays unknown), or :class:`HostUnavailable`: it may
        have been started or not, and the same call settles that later.
        """
        ...

    async def stop(self, server_id: ServerId, grace: float) -> None:
        """Ask it to end, and end it, with all it started, ``grace`` seconds later. Returns at once, the end is told.

        Unknown or ended: nothing happens. Asked again: the earlier of the two deadlines holds.
        """
        ...

    async def forget(self, server_id: ServerId) -> None:
        """Its end is on record: drop the report. The output stays until :meth:`discard`. Alive or unknown: nothing."""
        ...

    async def discard(self, server_id: ServerId) -> None:
        """Delete its output, that of the run before included. Alive: nothing happens."""
        ...

    def reports(self) -> Mapping[ServerId, Report]:
        """Every server the host knows now, ended ones included until they are forgotten."""
        ...

    def changes(self) -> AsyncIterator[Report]:
        """Reports as they change (ready, ended), from now on; several listeners get all of them."""
        ...

    def log(self, server_id: ServerId, *, tail: int | None, follow: bool) -> AsyncIterator[bytes]:
        """What it printed: the last ``tail`` lines (all that is kept when None), then, with ``follow``, what comes
        until it ends. Begins with a whole line: whoever follows with a tail of 0 is told one that is half printed from
        its beginning. Works after its end and after :meth:`forget`. The call itself raises ``KeyError`` when nothing
        is kept."""
        ...

    async def before(self, server_id: ServerId) -> bytes:
        """The end of what the run before the latest one printed, :data:`BEFORE` bytes at most.

        Empty where there was none, or nothing of it is kept. It works after :meth:`forget` too.
        """
        ...

    async def usage(self, server_ids: Sequence[ServerId]) -> Mapping[ServerId, Usage]:
        """What they use now. Those that are not alive are left out."""
        ...

    async def settled(self) -> None:
        """Return when nothing is left of forgotten servers but their output. What cannot be removed is not waited for
        for ever: whoever asks sets the time."""
        ...

    def port_is_free(self, port: int, transport: Transport) -> bool:
        """Whether a server could be given this port on the host now, found out by binding it where that can be done.

        True where nobody can tell: then :meth:`start` says so with :class:`PortTaken`.
        """
        ...
