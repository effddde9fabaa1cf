"""Reads a request as its declaration says, calls the handler, and encodes what it answers.

``@implements(Operation)`` in ``api/<vendor>/*.py`` registers a handler; ``app.py`` makes one ``Endpoint`` of each.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload
from urllib.parse import parse_qsl

import msgspec

from innkeeper.contract.operation import Declared, Operation, StreamOperation
from innkeeper.contract.plan import Parameter
from innkeeper.contract.records import details_of, subject_of, without_logins
from innkeeper.contract.words import strictly
from innkeeper.hosting.serversecrets import ASK, STOP
from innkeeper.kit.errors import Forbidden, HouseError, Invalid, Unauthorized, Unreadable

from .refusals import explain
from .visits import Visit

if TYPE_CHECKING:
    from innkeeper.accounts.model import Caller

P = ParamSpec("P")
R = TypeVar("R")

Handler = Callable[..., Awaitable[Any]]
_handlers: dict[Declared, Handler] = {}
#: Operations that name an organisation which the caller need not belong to.
_outside: set[Declared] = set()
_encode = msgspec.json.Encoder().encode
#: A NUL written in JSON. Neither PostgreSQL nor an environment variable can hold one, so it is refused at the door.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@overload
def implements(
    operation: Operation[P, R],
) -> Callable[[Callable[Concatenate[Visit, P], Awaitable[R]]], Callable[Concatenate[Visit, P], Awaitable[R]]]: ...
@overload
def implements(
    operation: StreamOperation[P],
) -> Callable[
    [Callable[Concatenate[Visit, P], Awaitable[AsyncIterator[bytes]]]],
    Callable[Concatenate[Visit, P], Awaitable[AsyncIterator[bytes]]],
]: ...
def implements(operation: Declared) -> Any:
    """Register the decorated coroutine function as the answer to ``operation``.

    It takes the visit and then exactly the declared parameters. Streams answer with an iterator of bytes; what they
    raise before the first piece becomes a status like any other refusal.
    """

    def register(handler: Handler) -> Handler:
        if operation in _handlers:
            raise ValueError(f"{operation!r} is answered twice")
        _handlers[operation] = handler
        return handler

    return register


def from_outside(operation: Declared) -> None:
    """The operation's ``org_id`` may be an organisation that the caller does not belong to (yet)."""
    _outside.add(operation)


def handler_of(operation: Declared) -> Handler | None:
    """The registered handler, or None."""
    return _handlers.get(operation)


class Endpoint:
    """An operation with its handler, ready to answer."""

    __slots__ = (
        "_app_at",
        "_body",
        "_no_query",
        "_path",
        "_query",
        "_verb",
        "_word",
        "handler",
        "operation",
        "uploads",
    )

    def __init__(self, operation: Declared, handler: Handler) -> None:
        self.operation = operation
        self.handler = handler
        plan = operation.plan
        self._path = [(p.name, p.wire, _converter(p)) for p in plan.path]
        self._app_at = next((at for at, p in enumerate(plan.path) if p.name == "app_id"), -1)
        self._query = [(p, _converter(p)) for p in plan.query]
        self._no_query = None if any(p.required for p in plan.query) else dict.fromkeys(p.name for p in plan.query)
        self._body = plan.body
        known = operation.api.credentials.get(operation.key)
        self._word = "Bearer" if known is None else known.word
        self.uploads = plan.binary
        within = f"{operation.api.within}." if operation.api.within else ""
        module = operation.function.__module__.rpartition(".")[2]
        self._verb = f"{within}{module}.{operation.name}" if operation.recorded else None

    def arguments(self, path_values: Sequence[str], query: bytes, body: bytes | AsyncIterator[bytes]) -> dict[str, Any]:
        """The handler's keyword arguments; an upload's body is handed on as it comes. Raises Invalid."""
        values: dict[str, Any] = {}
        for (name, wire, convert), text in zip(self._path, path_values, strict=True):
            values[name] = text if convert is None else convert(text, wire)
        if not query and self._no_query is not None:
            values.update(self._no_query)
        elif self._query:
            self._read_query(query, values)
        if self._body is not None:
            values[self._body.name] = self._read_body(body) if isinstance(body, bytes) else body
        return values

    def _read_query(self, query: bytes, values: dict[str, Any]) -> None:
        given: dict[str, list[str]] = {}
        if b"%00" in query:
            raise Invalid("the query string holds a NUL character, which no text here may")
        if query:
            try:
                text = query.decode("ascii")
            except UnicodeDecodeError:
                raise Invalid("the query string is not ASCII: percent-encode its values") from None
            for key, value in parse_qsl(text, keep_blank_values=True, max_num_fields=1000):
                given.setdefault(key, []).append(value)
        for parameter, convert in self._query:
            found = given.get(parameter.wire)
            if found is None:
                if parameter.required:
                    raise Invalid(f"{parameter.wire}: the query parameter is required")
                values[parameter.name] = None
            elif parameter.many:
                values[parameter.name] = _convert(found, parameter.type, parameter.wire)
            else:
                values[parameter.name] = found[-1] if convert is None else convert(found[-1], parameter.wire)

    def _read_body(self, body: bytes) -> Any:
        assert self._body is not None
        if not body:
            if self._body.required:
                raise Invalid("the body is empty: a JSON object is required")
            return None
        if b"\\u0000" in body and _NUL.search(body):
            raise Invalid("the body holds a NUL character (\\u0000), which no text here may")
        try:
            with strictly():
                return self.operation.plan.decode_body(body)
        except msgspec.ValidationError as error:
            raise Invalid(explain(error, self._body.type)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(f"the body is not JSON: {error}") from None

    async def authorize(self, visit: Visit, path_values: Sequence[str]) -> None:
        """Find out who calls, as the operation asks for. Raises Unauthorized. Comes before anything else is read."""
        operation = self.operation
        if operation.key == "org":
            token = credential(visit.headers, self._word)
            visit.known_caller = await visit.wings.callers.recognise(token)
            visit.wings.rates.request(visit.known_caller.token_id)
            self._check_scope(visit.known_caller)
        elif operation.key == "player":
            secret = await visit.wings.apps.secret(path_values[self._app_at])
            visit.known_player = await visit.wings.players.recognise(secret, credential(visit.headers, self._word))
            # Players show who they are for nothing but to make a lobby.
            visit.wings.rates.lobby(path_values[self._app_at], visit.known_player.id)
        elif operation.key == "server":
            # Its path begins with the server's name and a number that goes with the secret.
            use = STOP if operation.method == "DELETE" and "/stop/" in operation.path else ASK
            secret = credential(visit.headers, self._word)
            visit.known_server = await visit.wings.insiders.recognise(use, path_values[0], path_values[1], secret)

    async def enter(self, visit: Visit, org_id: str | None) -> None:
        """The request names an organisation: from here on it is about that one, where the caller belongs to it."""
        if org_id is not None and self.operation not in _outside:
            visit.known_caller = await visit.wings.callers.within(visit.caller, org_id)
            self._check_scope(visit.known_caller)

    async def perform(self, visit: Visit, path_values: Sequence[str], arguments: dict[str, Any]) -> Any:
        """The handler's answer. What changes something is in the audit log before it is done, and what came of it."""
        if self._verb is None:
            return await self.handler(visit, **arguments)
        audit, subject = visit.wings.audit, subject_of(self.operation, path_values)
        detail = details_of(self.operation, arguments)
        line = await audit.begin(visit.caller, self._verb, subject, visit.client_ip, detail)
        try:
            answer = await self.handler(visit, **arguments)
        except Exception as error:
            why = without_logins(str(error), 500) if isinstance(error, HouseError) else "something broke inside"
            await audit.end(line, subject, why)
            raise
        await audit.end(line, subject_of(self.operation, path_values, answer))
        return answer

    def _check_scope(self, caller: Caller) -> None:
        scope, whose = self.operation.scope, self.operation.whose
        if scope is not None and not caller.may(scope):
            if whose is not None:
                raise Forbidden(f"this takes a token of {whose}, and one that may do everything: no scope opens it")
            raise Forbidden(f"this token lacks the scope {scope}")

    def encode(self, answer: Any) -> bytes:
        """The body of a whole answer: nothing for 204, else JSON."""
        return b"" if self.operation.status == 204 else _encode(answer)


def credential(headers: Mapping[bytes, bytes], word: str = "Bearer") -> str:
    """What the ``Authorization`` header holds, with or without the word before it: some clients send it bare."""
    value = headers.get(b"authorization", b"").decode("latin-1").strip()
    first, _, rest = value.partition(" ")
    if word and rest and first.lower() == word.lower():
        value = rest.strip()
    if not value or value.lower() == word.lower():
        shown = f"{word} TOKEN" if word else "TOKEN"
        raise Unauthorized(f"a token is required: send the header Authorization: {shown}")
    return value


def _converter(parameter: Parameter) -> Callable[[str, str], Any] | None:
    """How a text of the URL becomes the parameter's value; None when it stays as it is."""
    hint = parameter.type
    if hint is str:
        return None

    def convert(text: str, wire: str) -> Any:
        return _convert(text, hint, wire)

    return convert


def _convert(value: Any, hint: Any, wire: str) -> Any:
    if hint is bool and value in ("true", "false", "1", "0", "True", "False"):
        return value in ("true", "1", "True")
    try:
        with strictly():
            return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"{wire}: {explain(error, hint)}") from None
