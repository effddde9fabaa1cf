"""From an answer to the typed value, or to the error it means. Pure; called by ``engine.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from innkeeper.contract.errors import AnswerUnreadable, StatusError, error_for

from .retry import retry_after

if TYPE_CHECKING:
    from innkeeper.contract.operation import Declared

    from .wire import Response


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """The same headers with names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


def decode(operation: Declared, response: Response, attempts: int) -> Any:
    """The value of a success (any 2xx). Raises :class:`AnswerUnreadable` where the body does not fit the contract."""
    plan = operation.plan
    if plan.returns is None or (response.status == 204 and not response.body):
        return None
    try:
        return plan.decode_answer(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AnswerUnreadable(
            f"{operation.id} answered {response.status} with a body that cannot be read: {_why(error, response)}",
            status=response.status,
            headers=lowered(response.headers),
            body=response.body,
            operation=operation.id,
            attempts=attempts,
        ) from error


def _why(error: Exception, response: Response) -> str:
    if isinstance(error, msgspec.ValidationError):
        return str(error)
    if not response.body:
        return "it is empty"
    kind = response.headers.get("content-type", "no content type")
    return f"it is not JSON ({kind}) and begins with {_start(response.body, 80)!r}"


def _start(body: bytes, most: int) -> str:
    words = " ".join(body[: 4 * most].decode("utf-8", "replace").split())
    return words if len(words) <= most else words[:most] + "..."


class _Message(msgspec.Struct):
    message: str
    errors: Any = None  #: what is wrong with each field, where a server tells that beside the text


def status_error(operation: str, response: Response, attempts: int, date: float) -> StatusError:
    """The error of a status that is not 2xx. An unreadable body never hides it."""
    headers = lowered(response.headers)
    return error_for(response.status)(
        _message(response.status, response.body),
        status=response.status,
        headers=headers,
        body=response.body,
        retry_after=retry_after(headers.get("retry-after"), date),
        operation=operation,
        attempts=attempts,
    )


def _fields(errors: Any) -> str:
    """What is wrong with each field, to stand behind the text: it alone says what to do about it."""
    if not isinstance(errors, dict) or not errors:
        return ""
    return f" ({'; '.join(f'{field}: {why}' for field, why in errors.items())})"


def _message(status: int, body: bytes) -> str:
    """The server's own words where the body has some that a person can read, else the status's usual name."""
    try:
        found = msgspec.json.decode(body, type=_Message)
        return found.message + _fields(found.errors)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    start = _start(body, 200)
    if start and start[0] not in "<{[" and start.isprintable():
        return start
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"
