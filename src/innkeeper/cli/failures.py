"""How a command fails: one sentence that says what is wrong and what to do, and a code for scripts.

Raised by all commands, shown by ``click``. A traceback is never shown for what a person can put right.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from enum import IntEnum
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from innkeeper.contract.errors import StatusError


class Code(IntEnum):
    """What the program ends with."""

    DONE = 0  #: all went well
    FAILED = 1  #: it could not be done; the message says why
    USAGE = 2  #: an option or argument is wrong
    UNREACHABLE = 3  #: no Innkeeper answered
    NOT_FOUND = 4  #: there is no such thing
    NOT_ALLOWED = 5  #: no token, one that is not known, or one without the scope
    INTERRUPTED = 130  #: Ctrl-C


class Failure(click.ClickException):
    """A command could not do what it was asked. With ``as_json`` it is told as a JSON line."""

    def __init__(self, message: str, code: Code = Code.FAILED, *, as_json: bool = False, **facts: Any) -> None:
        super().__init__(message)
        vars(self)["exit_code"] = int(code)  # click keeps it with the class; here each failure has its own
        self.as_json = as_json
        self.facts = facts

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to standard error."""
        stream = file or sys.stderr
        if self.as_json:
            print(json.dumps({"error": {"message": self.message, **self.facts}}), file=stream)
        else:
            print(f"innkeeper: {self.message}", file=stream)


@contextmanager
def told(url: str = "", *, as_json: bool = False) -> Generator[None]:
    """Turn what calls and wings raise into a :class:`Failure`. ``url`` is the Innkeeper that was spoken to."""
    try:
        yield
    except KeyboardInterrupt:
        raise click.exceptions.Exit(int(Code.INTERRUPTED)) from None
    except Exception as error:
        failure = error if isinstance(error, Failure) else _failure(error, url)
        if failure is None:
            raise
        failure.as_json = as_json
        raise failure from (None if failure is error else error)


def _failure(error: Exception, url: str) -> Failure | None:
    from innkeeper.contract.errors import CallError, ConnectionFailed, DeadlineExceeded, StatusError
    from innkeeper.kit.errors import HouseError

    match error:
        case StatusError():
            return _status(error, url)
        case ConnectionFailed():
            why = error.message.rpartition(": ")[2]
            text = f"{url} does not answer ({why}). Start an Innkeeper with `innkeeper up`, or name another with --url."
            return Failure(text, Code.UNREACHABLE)
        case DeadlineExceeded():
            return Failure(f"{url} took too long: {error.message}", Code.UNREACHABLE)
        case CallError() | HouseError():
            return Failure(str(error))
        case _:
            return None


def _status(error: StatusError, url: str) -> Failure:
    facts: dict[str, Any] = {"status": error.status, "operation": error.operation}
    match error.status:
        case 401:
            text = f"{url} refuses: {error.message}. Give another token with --token or INNKEEPER_TOKEN."
            return Failure(text, Code.NOT_ALLOWED, **facts)
        case 404:
            return Failure(error.message, Code.NOT_FOUND, **facts)
        case status if status >= 500:
            return Failure(f"{url} cannot do it now ({status}): {error.message}", **facts)
        case _:
            return Failure(error.message, **facts)
