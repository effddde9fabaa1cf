"""Which programs of an Innkeeper run, found out from ``/proc`` and its database, not from what it says of itself."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from inns import RunningInn, until


class ServerRow(NamedTuple):
    """A server as the database has it."""

    id: str
    state: str
    ports: str
    why: str | None


class RoomRow(NamedTuple):
    """A room as the database has it."""

    id: str
    state: str
    server_id: str | None
    why: str | None


def rows(inn: RunningInn, sql: str) -> list[tuple[object, ...]]:
    """Look into the database of a running or a stopped Innkeeper."""
    line = sqlite3.connect(f"file:{inn.data}/innkeeper.db?mode=ro", uri=True, timeout=10)
    try:
        return line.execute(sql).fetchall()
    finally:
        line.close()


def servers(inn: RunningInn) -> dict[str, ServerRow]:
    """Every server on record."""
    found = rows(inn, "select id, state, ports, coalesce(exit_reason, stop_reason) from servers")
    return {str(row[0]): ServerRow(*row) for row in found}  # type: ignore[arg-type]


def rooms(inn: RunningInn) -> dict[str, RoomRow]:
    """Every room on record."""
    found = rows(inn, "select id, state, server_id, ended_reason from rooms")
    return {str(row[0]): RoomRow(*row) for row in found}  # type: ignore[arg-type]


def running(inn: RunningInn) -> dict[str, list[int]]:
    """The processes that carry the mark of this Innkeeper's servers, by server."""
    mark_file = inn.data / "run" / "mark"
    if not mark_file.exists():
        return {}
    mark = f"INNKEEPER_MARK={mark_file.read_text().strip()}.".encode()
    found: dict[str, list[int]] = defaultdict(list)
    for pid in _pids():
        for variable in _read(f"/proc/{pid}/environ").split(b"\0"):
            if variable.startswith(mark) and not _is_zombie(pid):
                found[variable[len(mark) :].decode()].append(pid)
    return dict(found)


def spawners(inn: RunningInn) -> list[int]:
    """The spawner of this Innkeeper, and any process of it that is about to become a server."""
    word = f'"run": "{inn.data.resolve()}/run"'.encode()
    return [pid for pid in _pids() if word in _read(f"/proc/{pid}/cmdline") and not _is_zombie(pid)]


def still_there(pids: list[int]) -> list[int]:
    """Those that run still."""
    return [pid for pid in pids if not _is_zombie(pid)]


def kill(pids: list[int]) -> None:
    """SIGKILL to processes of our own Innkeeper, those that are gone already left out."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def settled(inn: RunningInn, seconds: float = 30.0) -> dict[str, ServerRow]:
    """Wait until no server on record is on its way somewhere; what is on record then."""
    found: dict[str, ServerRow] = {}

    def still() -> bool:
        nonlocal found
        found = servers(inn)
        return not [row for row in found.values() if row.state in ("wanted", "starting", "stopping")]

    until(still, seconds, "that no server is on its way")
    return found


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _is_zombie(pid: int) -> bool:
    stat = _read(f"/proc/{pid}/stat")
    return not stat or stat[stat.rindex(b")") + 2 :][:1] in b"ZX"
