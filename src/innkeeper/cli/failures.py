"""How a command fails: one sentence that says what is wrong and what to do, and a code for scripts.

Raised by all commands, shown by ``click``. A traceback is never shown for what a person can put right.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Generator, Iterator, Sequence
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
        failure = failure_of(error, url)
        if failure is None:
            raise
        failure.as_json = as_json
        raise failure from (None if failure is error else error)


def wants_json(words: Sequence[str]) -> bool:
    """Whether a line asks for its result as JSON. It need not be one that can be understood."""
    options = itertools.takewhile(lambda word: word != "--", words)
    return "--json" in options


@contextmanager
def refused(as_json: bool) -> Generator[None]:
    """Tell as JSON, where that is asked for, what is wrong with a line: options, arguments, and commands there are not.

    What commands find wrong by themselves is told so too: they need not think of it.
    """
    try:
        yield
    except Failure as failure:
        failure.as_json = failure.as_json or as_json
        raise
    except click.ClickException as error:
        if not as_json:
            raise
        raise Failure(error.format_message(), Code(error.exit_code), as_json=True) from error


def failure_of(error: Exception, url: str) -> Failure | None:
    """What calls and wings raise, for people; None for what is a mistake of ours. ``url`` as for :func:`told`."""
    from innkeeper.contract.errors import CallError, ConnectionFailed, DeadlineExceeded, StatusError
    from innkeeper.kit.errors import HouseError
    from innkeeper.settings import WrongSetting

    match error:
        case Failure():
            return error
        case StatusError():
            return _status(error, url)
        case ConnectionFailed():
            return Failure(unreachable(error, url), Code.UNREACHABLE)
        case WrongSetting():
            return Failure(str(error), Code.USAGE)
        case DeadlineExceeded():
            return Failure(f"{url} took too long: {error.message}", Code.UNREACHABLE)
        case CallError() | HouseError():
            return Failure(str(error))
        case _:
            return None


def unreachable(error: BaseException, url: str) -> str:
    """Why an Innkeeper cannot be spoken to, and what to do, by the error that lies beneath: a sentence or two."""
    import ssl

    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {url} is not trusted ({cause.verify_message}). If it is one of your own, name its"
                " file, or that of who signed it, in the variable SSL_CERT_FILE."
            )
        if isinstance(cause, ssl.SSLError):
            why = (cause.reason or str(cause)).lower().replace("_", " ")
            return f"{url} speaks no TLS that can be understood ({why}). If it speaks plain HTTP, write http://."
    return (
        f"{url} does not answer ({_why(causes)}). Start an Innkeeper with `innkeeper up`, or name another with --url."
    )


def _why(causes: list[BaseException]) -> str:
    """What went wrong with a connection, in plain words."""
    import socket

    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return "there is no host of that name"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror[:1].lower() + cause.strerror[1:]
    return "the connection broke off"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all beneath it; libraries keep the one below among the arguments, or chain it."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [each for each in one.args if isinstance(each, BaseException)]
        waiting += [one.__cause__, one.__context__]


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
