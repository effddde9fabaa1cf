"""What the spawner knows of its servers, kept in one append-only file. Called by ``spawner.py``.

A line of the journal is the whole record of one server; the last line of an id holds. A record is in the file before
its program runs (see ``launching.py``), and is synced to disk before anybody is told of it: one sync serves all that
came in together. The file's blocks are reserved ahead, so that the ends of running servers can still be written when
the disk is full. Programs do not outlive the machine, so nothing has to be synced before they are started.
"""

from __future__ import annotations

import errno
import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STEP = 1 << 20  # bytes reserved at a time
_LINE = 2048  # more than a line takes
_KEPT = (
    "id", "ports", "others", "log_limit", "group", "pid", "started", "boot", "started_at", "ready_at", "stop_at",
    "ended",
)  # fmt: skip

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Record:
    """One server. The fields of ``_KEPT`` are durable, the others are about this spawner's life."""

    __slots__ = (*_KEPT, "bound", "child", "gone", "killed", "left", "log_seen", "pidfd", "since", "status")

    def __init__(self, server_id: str) -> None:
        self.id = server_id
        self.ports: list[tuple[str, int]] = []  # (transport, number) of those that it has to bind
        self.others: list[tuple[str, int]] = []  # of those that nobody waits for
        self.log_limit = 0
        self.group = ""  # the name of its control group, if it has one
        self.pid = 0
        self.started = 0  # /proc's start time, which with the pid names one process
        self.boot = ""
        self.started_at = 0  # microseconds since the epoch, as ready_at
        self.ready_at: int | None = None
        self.stop_at: float | None = None  # when it is killed, by the monotonic clock
        self.ended: list[Any] | None = None  # [by, code, at, detail]
        self.bound: list[int] = []  # the numbers of its ports that are bound, while not all are
        self.child = False  # whether this spawner is its parent, who is told how it ended
        self.pidfd = -1  # of those that are not children of this spawner
        self.gone = False  # whether its main program ended, perhaps with others of its still alive
        self.status: int | None = None  # how the main program ended
        self.killed = False  # whether we had to
        self.left = 0  # how many it left behind
        self.since = 0.0  # when it was started, by the monotonic clock
        self.log_seen = 0  # the size of its log when we last looked

    @property
    def handle(self) -> str:
        """Enough to find the program again: one process of one boot."""
        return f"{self.pid}:{self.started}:{self.boot}"

    def report(self) -> dict[str, Any]:
        """The wire's form of ``engines.base.Report``."""
        return {
            "id": self.id,
            "handle": self.handle,
            "started_at": self.started_at,
            "ready_at": self.ready_at,
            "ended": self.ended,
            "bound": self.bound,
        }


class Journal:
    """The file. ``records`` is what it says, in the order of their first lines."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._dirty = False
        self.records: dict[str, Record] = {}
        self._fd, self._end, self._reserved = -1, 0, 0
        try:
            with open(path, "rb") as file:
                self._load(file.read())
        except FileNotFoundError:
            pass
        self._rewrite()

    def put(self, record: Record, *, new: bool = False, lasting: bool = True) -> None:
        """Write the record's state. Raises ``OSError`` when there is no room; a ``new`` one leaves room for ends.

        What is not ``lasting`` may be lost with the machine, though not with the spawner: nobody waits for its sync.
        """
        dirty = self._dirty or lasting
        if new and not self._reserve((len(self.records) + 2) * _LINE):
            raise OSError(errno.ENOSPC, "no room for the records of servers")
        self._write(self._line(record))
        self._dirty = dirty
        self.records[record.id] = record

    def drop(self, record: Record) -> None:
        """Forget it."""
        self.records.pop(record.id, None)
        self._write(_encode({"id": record.id, "gone": True}).encode() + b"\n")

    def sync(self) -> None:
        """Return once all that was written is on disk. Does nothing when it is."""
        if self._dirty:
            os.fdatasync(self._fd)
            self._dirty = False

    def tidy(self) -> None:
        """Write the file anew when most of it is history."""
        if self._end > _STEP // 2 and self._end > 4 * _LINE * (len(self.records) + 1):
            self._rewrite()

    def _load(self, text: bytes) -> None:
        self._end = text.rfind(b"\n") + 1
        for line in text.split(b"\n"):
            try:
                state = json.loads(line)
            except ValueError:  # the reserved room behind the end, or a line that was cut off by a crash
                continue
            if state.get("gone"):
                self.records.pop(state["id"], None)
                continue
            record = self.records.setdefault(state["id"], Record(state["id"]))
            for name in _KEPT:
                if name in state:
                    setattr(record, name, state[name])
            record.ports = [(transport, number) for transport, number in record.ports]
            record.others = [(transport, number) for transport, number in record.others]

    def _rewrite(self) -> None:
        """Put the records into a fresh file. On a full disk the old one is written on."""
        lines = [self._line(record) for record in self.records.values()]
        beside = self._path + ".new"
        try:
            fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                text = b"".join(lines)
                if os.pwrite(fd, text, 0) != len(text):
                    raise OSError(errno.ENOSPC, "no room for the records of servers")
                os.fsync(fd)
                os.rename(beside, self._path)
            except BaseException:
                os.close(fd)
                raise
        except OSError:
            if self._fd < 0:
                self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            return
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._end, self._reserved, self._dirty = fd, len(text), 0, False
        folder = os.open(os.path.dirname(self._path) or ".", os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        self._reserve(_LINE)

    @staticmethod
    def _line(record: Record) -> bytes:
        return _encode({name: getattr(record, name) for name in _KEPT}).encode() + b"\n"

    def _reserve(self, room: int) -> bool:
        """Make sure that so many bytes can be written whatever happens to the disk."""
        if self._end + room > self._reserved:
            wanted = self._end + max(room, _STEP)
            try:
                os.posix_fallocate(self._fd, 0, wanted)
            except OSError:
                return False
            self._reserved = wanted
        return True

    def _write(self, line: bytes) -> None:
        self._reserve(len(line))
        if os.pwrite(self._fd, line, self._end) != len(line):
            raise OSError(errno.ENOSPC, "no room for the records of servers")
        self._end += len(line)
