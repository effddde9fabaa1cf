"""What is remembered of containers beside the engine, in memory and on this disk. Used by the modules of this folder.

The engine keeps a container, its exit code and its output. It does not keep that a server was ready, that we asked it
to end, or that the kernel killed it for memory: that is a note, a small file for each server.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from innkeeper.engines.base import Ended, EndedBy, Port, Report, ServerId

from .local import Local

#: Of a server that was started before we were.
DEFAULT_LOG_LIMIT = 256 << 20


class Note(msgspec.Struct, omit_defaults=True):
    """What we know of a server and its engine does not."""

    container: str  #: the note is about this one and no other of the same server
    ready_at: int | None = None
    asked: bool = False  #: we asked it to end
    killed: bool = False  #: we killed it
    memory: bool = False  #: its memory was used up
    ended: tuple[str, int | None, int, str] | None = None  #: by, code, at, detail
    forgotten: bool = False  #: its end is on record: what is left of it is being removed


class Notes:
    """The notes of one host, below ``folder``. Losing the newest of them by a power cut does no harm."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> dict[ServerId, Note]:
        """All of them; makes the folder. What cannot be read is as if it were not there."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found: dict[ServerId, Note] = {}
        for path in self._folder.glob("*.json"):
            try:
                found[path.stem] = msgspec.json.decode(path.read_bytes(), type=Note)
            except (OSError, msgspec.DecodeError):
                continue
        return found

    def write(self, server_id: ServerId, note: Note) -> None:
        """Keep it; the older one stays until the newer is whole."""
        path = self._folder / f"{server_id}.json"
        new = path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(note))
        new.replace(path)

    def remove(self, server_id: ServerId) -> None:
        """There is no such server any more."""
        (self._folder / f"{server_id}.json").unlink(missing_ok=True)


@dataclass(slots=True)
class Record:
    """A server that the host knows."""

    server_id: ServerId
    container: str
    report: Report
    note: Note
    ports: tuple[Port, ...] = ()
    log_limit: int = DEFAULT_LOG_LIMIT
    local: Local | None = None
    looked_for: bool = False  #: whether its process was looked for on this machine

    @property
    def awaited(self) -> tuple[Port, ...]:
        """Those of its ports that it has to bind."""
        return tuple(port for port in self.ports if port.awaited)


def report_of(server_id: ServerId, container: str, started_at: int, note: Note) -> Report:
    """What is told of a server by what its note says."""
    ended = None
    if note.ended is not None:
        by, code, at, detail = note.ended
        ended = Ended(EndedBy(by), code, max(at, started_at), detail)
    return Report(server_id, container, started_at, note.ready_at, ended)


def at_end(record: Record, ended: Ended) -> None:
    """It ended."""
    record.note.ended = (ended.by.value, ended.code, ended.at, ended.detail)
    record.report = replace(record.report, ended=ended, bound=())
