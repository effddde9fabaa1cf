"""Connections to an SQLite file, as the house wants them. Used by ``sqlite.py``, in a helper's thread."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

#: Bytes of the write-ahead log's file that are kept for the next time when all of it was brought home.
_KEPT_LOG = 128 * 1024 * 1024
_SETTINGS = (
    "journal_mode = wal",
    "synchronous = full",  # a commit that returned survives a power cut
    "wal_autocheckpoint = 0",  # checkpoints have a connection and a thread of their own
    "foreign_keys = on",
    "case_sensitive_like = on",  # as on PostgreSQL
    f"journal_size_limit = {_KEPT_LOG}",
)


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens connections to one file. ``patience`` is in seconds, ``most_pages`` of 4 KiB bound the file."""

    path: Path
    patience: float
    most_pages: int | None

    def writer(self) -> sqlite3.Connection:
        """The one that writes. It does not wait for others by itself: see :meth:`begin_patiently`."""
        return self._open(0)

    def reader(self) -> sqlite3.Connection:
        """One that cannot write. It is used on the loop's thread: better an error than a loop that stands still."""
        reader = self._open(100)
        reader.execute("pragma query_only = on")
        return reader

    def begin_patiently(self, writer: sqlite3.Connection) -> None:
        """Begin a transaction, waiting for another program that writes."""
        writer.execute(f"pragma busy_timeout = {round(self.patience * 1000)}")
        try:
            writer.execute("begin immediate")
        finally:
            writer.execute("pragma busy_timeout = 0")

    def _open(self, busy_timeout: int) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self.patience, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        try:
            for setting in _SETTINGS:
                connection.execute(f"pragma {setting}").fetchall()
            if self.most_pages is not None:
                connection.execute(f"pragma max_page_count = {self.most_pages}").fetchall()
            connection.execute(f"pragma busy_timeout = {busy_timeout}")
        except BaseException:
            connection.close()
            raise
        return connection


def discard(connection: sqlite3.Connection | None) -> None:
    """Close it, whatever state it is in."""
    if connection is not None:
        with contextlib.suppress(sqlite3.Error):
            connection.close()
