"""What PostgreSQL's and asyncpg's errors mean to the house. Used by ``postgres.py``."""

from __future__ import annotations

import re

import asyncpg

from innkeeper.kit.errors import Invalid

from .database import DatabaseUnavailable, Duplicate, RuleBroken

#: The transaction met another one, or a table that was changed meanwhile: the same again may well succeed.
CONFLICTS = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
)
#: The connection is gone or useless, whatever it says of itself.
_LOST = (
    OSError,  # with ConnectionError and TimeoutError
    EOFError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # the server became a standby: another one takes writes now
    asyncpg.InternalClientError,
)
_UNFIT_TEXT = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError, UnicodeEncodeError)
# The detail of a unique violation: `Key (app_id, name)=(a, b) already exists.`, in whatever language.
_KEY = re.compile(r"\((.*?)\)=\(")
_PLAIN = re.compile(r"\w+(?:, \w+)*")


def is_lost(error: BaseException, connection: asyncpg.Connection) -> bool:
    """Whether the connection on which this happened can be used no more."""
    return isinstance(error, _LOST) or connection.is_closed()


def translated(error: Exception, place: str) -> Exception:
    """The error in the words of the house; itself when it is one of theirs already, or a mistake in a statement."""
    match error:
        case asyncpg.UniqueViolationError():
            return Duplicate(_unique_rule(error))
        case asyncpg.IntegrityConstraintViolationError():
            column = f"{_said(error, 'table_name')}.{_said(error, 'column_name')}"
            return RuleBroken(_said(error, "constraint_name") or column)
        case asyncpg.DiskFullError():
            return DatabaseUnavailable(f"the disk of the database at {place} is full: make room there")
        case asyncpg.ReadOnlySQLTransactionError():
            return DatabaseUnavailable(
                f"the database at {place} can only be read ({error}): name the server that takes changes"
            )
        case asyncpg.TooManyConnectionsError():
            return DatabaseUnavailable(f"the database at {place} takes no more connections: raise its max_connections")
        case asyncpg.InsufficientResourcesError() | asyncpg.PostgresSystemError() | asyncpg.QueryCanceledError():
            return DatabaseUnavailable(f"the database at {place} could not do it: {error}")
        case asyncpg.CharacterNotInRepertoireError() | asyncpg.UntranslatableCharacterError() | UnicodeEncodeError():
            return Invalid("the text contains a character that cannot be kept (a NUL or half a character)")
        case asyncpg.NumericValueOutOfRangeError():
            return Invalid("the number is too large to be kept: it must fit in 64 bits")
        case asyncpg.DataError() if isinstance(error.__cause__, OverflowError):
            return Invalid("the number is too large to be kept: it must fit in 64 bits")
        case asyncpg.DataError() if isinstance(error.__cause__, UnicodeEncodeError):
            return Invalid("the text contains a character that cannot be kept (a NUL or half a character)")
        case _ if isinstance(error, CONFLICTS):
            return DatabaseUnavailable(f"the database at {place} is too busy: others hold what this needs ({error})")
        case _ if isinstance(error, _LOST):
            return DatabaseUnavailable(f"the connection to the database at {place} was lost: {told(error)}")
        case _:
            return error


def not_connected(error: Exception, place: str) -> DatabaseUnavailable:
    """Why there is no connection, and what to do about it. Says nothing of the password."""
    match error:
        case asyncpg.InvalidAuthorizationSpecificationError():  # a wrong password is one, too
            said = f"the database at {place} refuses the user or password: {error}"
        case asyncpg.InvalidCatalogNameError():
            said = f"the server of {place} has no such database; make it with: createdb NAME"
        case asyncpg.TooManyConnectionsError():
            said = f"the database at {place} takes no more connections: raise its max_connections"
        case asyncpg.CannotConnectNowError():
            said = f"the database at {place} is starting or stopping"
        case TimeoutError():
            said = f"the database at {place} does not answer"
        case _:
            said = f"the database at {place} cannot be reached: {told(error)}"
    return DatabaseUnavailable(said)


def told(error: Exception) -> str:
    """What the error says, or its kind where it says nothing."""
    return str(error) or type(error).__name__


def _unique_rule(error: Exception) -> str:
    key = _KEY.search(_said(error, "detail"))
    if key and _PLAIN.fullmatch(key[1]):
        table = _said(error, "table_name")
        return ", ".join(f"{table}.{column}" for column in key[1].split(", "))
    return f"index '{_said(error, 'constraint_name')}'"


def _said(error: Exception, field: str) -> str:
    """A field of the server's message, which asyncpg sets only where the server sent it."""
    return str(getattr(error, field, None) or "")
