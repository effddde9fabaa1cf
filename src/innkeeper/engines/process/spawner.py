"""The helper program: parent of all servers of one directory, outliving the Innkeeper that started it.

Started by ``link.py``; listens on a unix socket in DIR/run; one of it at most lives for a directory (a file lock sees
to that). Killed, it loses nothing: its successor finds the servers by the journal. It leaves when there has been
nothing to do for a while.

The verbs: ``start`` (a launch; answered once the program runs and that is on disk), ``stop``, ``forget``, ``discard``,
``usage``, and ``leave`` (go, and let the servers run on).
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import socket
import sys

from innkeeper.engines import companion

from . import native, proc, wire
from .cgroups import Cgroups
from .loop import READ, WRITE, Loop
from .records import Journal, Record
from .servers import Servers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .wire import Message

_USAGES_A_TURN = 16
_DEAF = 64 << 20  # bytes not taken by an engine before it is hung up on


class _Client:
    """An engine's connection."""

    def __init__(self, connection: socket.socket, loop: Loop, gone: Callable[[_Client], None]) -> None:
        self._connection, self._loop, self._gone = connection, loop, gone
        self._out = bytearray()
        self.lines = wire.Lines()
        self.open = True

    def fileno(self) -> int:
        return self._connection.fileno()

    def read(self) -> list[Message]:
        """What arrived; hangs up when the other side did."""
        try:
            data = self._connection.recv(1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.hang_up()
            return []
        return self.lines.feed(data)

    def send(self, message: Message) -> None:
        """Never waits: what the other side does not take now is sent when it does."""
        if not self.open:
            return
        self._out += wire.encode(message)
        self.flush()

    def flush(self) -> None:
        try:
            while self._out:
                del self._out[: self._connection.send(self._out)]
        except BlockingIOError:
            if len(self._out) > _DEAF:
                self.hang_up()
        except OSError:
            self.hang_up()

    @property
    def backlog(self) -> bool:
        return bool(self._out)

    def hang_up(self) -> None:
        if self.open:
            self.open = False
            self._loop.unwatch(self.fileno())
            self._connection.close()
            self._gone(self)


class Spawner:
    """Answers engines, and has :class:`Servers` do the work. The working directory is DIR/run."""

    def __init__(self, options: Message, notes: list[str]) -> None:
        self._loop = Loop()
        self._linger: float = options["linger"]
        self._clients: list[_Client] = []
        mark = _mark()
        self._cgroups = Cgroups(mark, ours=frozenset({os.getpid(), options["owner"]}), memory=wire.GROUPS)
        self._notes = notes
        self._wakes, wakened = os.pipe()
        os.set_blocking(self._wakes, False)
        os.set_blocking(wakened, False)
        signal.set_wakeup_fd(wakened, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _nothing)
        signal.signal(signal.SIGTERM, self._leave)
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(ignored, signal.SIG_IGN)
        self._loop.watch(self._wakes, self._woken)
        self._servers = Servers(self._loop, Journal(wire.JOURNAL), self._cgroups, mark, options["homes"], self._tell)
        try:
            os.unlink(wire.SOCKET)
        except FileNotFoundError:
            pass
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._door.bind(wire.SOCKET)
        os.chmod(wire.SOCKET, 0o600)
        self._door.listen(16)
        self._loop.watch(self._door.fileno(), self._accept)
        self._watch_idleness()

    def run(self) -> None:
        """Until idle for a while, or told to leave."""
        gc.collect()
        gc.freeze()  # what is here now stays
        self._loop.run(self._servers.ledger.settle)
        self._servers.leave()
        self._cgroups.remove_all()  # what still holds a server stays

    def _woken(self, events: int) -> None:
        del events
        try:
            os.read(self._wakes, 65536)
        except BlockingIOError:
            pass
        self._servers.reap()

    def _leave(self, number: int, frame: object) -> None:
        del number, frame
        self._loop.running = False

    def _watch_idleness(self, since: float | None = None) -> None:
        now = self._loop.now()
        if self._clients or not self._servers.idle:
            since = None
        elif since is None:
            since = now
        elif now - since >= self._linger:
            self._loop.running = False
        self._loop.at(now + self._linger / 4, lambda: self._watch_idleness(since))

    def _accept(self, events: int) -> None:
        del events
        try:
            connection, _ = self._door.accept()
        except OSError:
            return
        connection.setblocking(False)
        client = _Client(connection, self._loop, self._gone)
        self._loop.watch(client.fileno(), lambda events: self._served(client, events))
        hello = {
            "version": wire.VERSION,
            "pid": os.getpid(),
            "memory": self._cgroups.describe("memory"),
            "cpu": self._cgroups.describe("cpu"),
            "pids": self._cgroups.describe("pids"),
            "notes": self._notes,
        }

        def greet() -> None:
            client.send({"hello": hello | {"reports": self._servers.reports()}})
            if client.open:
                self._clients.append(client)  # from now on it hears of changes
                self._await(client)

        self._servers.ledger.when_durable(greet)

    def _gone(self, client: _Client) -> None:
        if client in self._clients:
            self._clients.remove(client)

    def _served(self, client: _Client, events: int) -> None:
        if events & ~WRITE:
            for message in client.read():
                self._serve(client, message)
        if client.open:
            client.flush()
        if client.open:
            self._await(client)

    def _await(self, client: _Client) -> None:
        self._loop.watch(
            client.fileno(), lambda events: self._served(client, events), READ | (WRITE if client.backlog else 0)
        )

    def _serve(self, client: _Client, message: Message) -> None:
        number = message["n"]

        def answer(body: Message) -> None:
            client.send({"re": number} | body)

        try:
            self._do(message, answer)
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            answer({"error": f"the spawner failed: {error!r}", "again": True})

    def _do(self, message: Message, answer: Callable[[Message], None]) -> None:
        verb = message["do"]
        if verb == "usage":
            self._use(message["ids"], {}, answer)
            return
        if verb != "leave" and not wire.safe_id(message["id"]):
            answer({"error": f"{message['id']!r} is no id of a server", "again": False})
            return
        if verb == "start":
            self._servers.start(message, answer)
            return
        if verb == "stop":
            self._servers.stop(message["id"], message["grace"])
        elif verb == "forget":
            self._servers.forget(message["id"])
        elif verb == "discard":
            self._servers.discard(message["id"])
        elif verb == "leave":
            self._loop.running = False
        answer({})

    def _use(self, ids: list[str], found: Message, answer: Callable[[Message], None]) -> None:
        """A few at a time, so that an end is seen meanwhile."""
        for server_id in ids[:_USAGES_A_TURN]:
            usage = self._servers.usage(server_id)
            if usage is not None:
                found[server_id] = usage
        rest = ids[_USAGES_A_TURN:]
        if rest:
            self._loop.at(self._loop.now(), lambda: self._use(rest, found, answer))
        else:
            answer({"usage": found})

    def _tell(self, record: Record) -> None:
        for client in list(self._clients):
            client.send({"report": record.report()})
            if client.open and client.backlog:
                self._await(client)


def _nothing(number: int, frame: object) -> None:
    """A signal that only has to wake us up."""


def _mark() -> str:
    """The random word of this directory, made at the first start."""
    known = proc.read(wire.MARK)
    if known:
        return known.decode()
    mark = os.urandom(6).hex()
    fd = os.open(wire.MARK + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    os.write(fd, mark.encode())
    os.fsync(fd)
    os.close(fd)
    os.rename(wire.MARK + ".new", wire.MARK)
    return mark


def main(argument: str) -> None:
    """Become the spawner of a directory, unless there is one. Returns, in the first process, once it answers."""
    options: Message = json.loads(argument)
    _, ready = companion.become(options["run"], wire.LOCK)  # the lock is held as long as we live
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    spawner = Spawner(options, native.settle("innkeeper-spawn"))
    os.write(ready, b"1")
    os.close(ready)
    spawner.run()
