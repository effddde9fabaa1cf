"""What a call can raise. Declared beside the contract because which status raises which class is part of it.

Users catch :class:`CallError` for everything, :class:`StatusError` for any answer that is not a success, or one class
per status. ``innkeeper.sdk`` exports them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class CallError(Exception):
    """A call did not bring a value. ``attempts`` is how many requests were sent."""

    def __init__(self, message: str, *, operation: str = "", attempts: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.attempts = attempts


class ConnectionFailed(CallError):
    """The server could not be reached, or the connection broke before the answer was whole.

    ``sent`` is False when it is certain that the server never saw the request. The cause is chained.
    """

    def __init__(self, message: str, *, sent: bool = True, operation: str = "", attempts: int = 0) -> None:
        super().__init__(message, operation=operation, attempts=attempts)
        self.sent = sent


class DeadlineExceeded(CallError):
    """The call's ``timeout`` ran out, all attempts and waits together."""


class AnswerUnreadable(CallError):
    """The status was a success and the body is not what the contract says; ``body`` holds it, the text says where."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        operation: str = "",
        attempts: int = 0,
    ) -> None:
        super().__init__(message, operation=operation, attempts=attempts)
        self.status = status
        self.headers = headers
        self.body = body


class StatusError(CallError):
    """The server answered with a status that is not the operation's success.

    ``status`` is the HTTP status, ``message`` the server's own text (or a plain one where the body has none),
    ``body`` and ``headers`` the answer as it came, ``request_id`` the server's id of the request where it sends one,
    ``retry_after`` the seconds it asks to wait, or None. ``told`` holds what the body says besides.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        retry_after: float | None = None,
        operation: str = "",
        attempts: int = 0,
    ) -> None:
        super().__init__(message, operation=operation, attempts=attempts)
        self.status = status
        self.headers = headers
        self.body = body
        self.retry_after = retry_after

    @property
    def request_id(self) -> str | None:
        """The server's name for this request, to quote in a report."""
        return self.headers.get("x-request-id")

    @property
    def told(self) -> dict[str, Any]:
        """The body's fields by name: of an Edgegap V2 that has no space, ``request_id`` is the failed deployment's.

        Empty where the body is no JSON object.
        """
        import msgspec

        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}

    def __str__(self) -> str:
        asked = f" (asked to wait {self.retry_after:g} s)" if self.retry_after is not None else ""
        return f"{self.status} from {self.operation}: {self.message}{asked}" if self.operation else self.message


class BadRequest(StatusError):
    """400: the request cannot be carried out as it stands."""


class Unauthorized(StatusError):
    """401: no valid token, or one without the scope needed."""


class LimitReached(StatusError):
    """402: a limit of the organisation or its plan."""


class Forbidden(StatusError):
    """403: the token may not do this."""


class NotFound(StatusError):
    """404: no such thing for this token."""


class RequestTimeout(StatusError):
    """408: the server waited too long for the request."""


class Conflict(StatusError):
    """409: it exists already, or is in the wrong state."""


class Gone(StatusError):
    """410: it is no longer kept."""


class Invalid(StatusError):
    """422: a value breaks a rule; the message names the field."""


class Unobtainable(StatusError):
    """424: what has to come from elsewhere, such as an image, could not be had there."""


class RateLimited(StatusError):
    """429: too many requests; the header ``Retry-After`` says how long to wait."""


class ServerError(StatusError):
    """5xx: the server cannot do it now. It is not the request's fault."""


_BY_STATUS: dict[int, type[StatusError]] = {
    400: BadRequest,
    401: Unauthorized,
    402: LimitReached,
    403: Forbidden,
    404: NotFound,
    408: RequestTimeout,
    409: Conflict,
    410: Gone,
    422: Invalid,
    424: Unobtainable,
    429: RateLimited,
}


def error_for(status: int) -> type[StatusError]:
    """The class raised for a status."""
    return ServerError if status >= 500 else _BY_STATUS.get(status, StatusError)
