"""What SQLite's errors mean to the house. Used by ``sqlite.py``."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from innkeeper.kit.errors import Invalid

from .database import DatabaseUnavailable, Duplicate, RuleBroken

# Primary result codes, the lower eight bits of what the library reports.
_BUSY, _LOCKED, _NOMEM, _READONLY, _INTERRUPT, _IOERR, _CORRUPT, _FULL = 5, 6, 7, 8, 9, 10, 11, 13
_CANTOPEN, _PROTOCOL, _AUTH, _NOTADB = 14, 15, 23, 26
_UNIQUE = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}
_SAID = {
    _BUSY: "another program is writing to the database {path} and does not let go",
    _LOCKED: "another program is writing to the database {path} and does not let go",
    _NOMEM: "there is not enough memory for the database {path}",
    _READONLY: "the database {path} cannot be written: make its file and its folder writable for this user",
    _INTERRUPT: "the database {path} was interrupted",
    _IOERR: "the disk of the database {path} does not work ({error}): look at its health, mount and quota",
    _CORRUPT: "the database {path} is damaged ({error}): put back a backup",
    _FULL: "the disk of the database {path} is full: make room there",
    _CANTOPEN: "the database {path} cannot be opened: make sure that its folder exists and is writable for this user",
    _PROTOCOL: "the locks of the database {path} do not work: keep it on a local disk, not on a network share",
    _AUTH: "the database {path} may not be opened by this user",
    _NOTADB: "{path} is not an SQLite database: name another file",
}
_REOPEN = {_READONLY, _IOERR, _CORRUPT, _CANTOPEN, _PROTOCOL, _AUTH, _NOTADB}


def _code(error: BaseException) -> int:
    return int(getattr(error, "sqlite_errorcode", 0))


def is_busy(error: BaseException) -> bool:
    """Whether another program holds the lock."""
    return _code(error) & 0xFF in (_BUSY, _LOCKED)


def is_refused_write(error: BaseException) -> bool:
    """Whether something tried to write on a connection that is for reading."""
    return _code(error) == _READONLY


def needs_reopening(error: BaseException) -> bool:
    """Whether the connection that met this error should not be used any more."""
    return _code(error) & 0xFF in _REOPEN


def translated(error: Exception, path: Path) -> Exception:
    """The error in the words of the house; itself when it is one of theirs already, or a mistake in a statement."""
    if isinstance(error, sqlite3.IntegrityError):
        rule = str(error).partition(": ")[2] or str(error)
        return Duplicate(rule) if _code(error) in _UNIQUE else RuleBroken(rule)
    if isinstance(error, sqlite3.Error) and (said := _SAID.get(_code(error) & 0xFF)):
        return DatabaseUnavailable(said.format(path=path, error=error))
    if isinstance(error, UnicodeEncodeError):
        return Invalid("the text contains half a character (a lone surrogate), which cannot be kept")
    if isinstance(error, OverflowError):
        return Invalid("the number is too large to be kept: it must fit in 64 bits")
    return error
