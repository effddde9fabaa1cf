"""The protocol of a call, whole, as generators: authentication, attempts, deadline, decoding. No input or output here.

A client makes one :class:`Engine`; ``drivers.py`` runs what its methods return, with or without ``await``. Encoding and
decoding are in ``encoding.py`` and ``decoding.py``, the decision to try again in ``retry.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from innkeeper import __version__
from innkeeper.contract.errors import CallError, ConnectionFailed, DeadlineExceeded
from innkeeper.contract.resource import Raw
from innkeeper.kit.retry import Backoff

from .decoding import decode, lowered, status_error
from .encoding import FileForm, arguments, encode
from .retry import wait_after
from .wire import Delay, Request, Response, Steps, World

if TYPE_CHECKING:
    from innkeeper.contract.operation import Declared
    from innkeeper.contract.resource import Options

    from .wire import Content

log = logging.getLogger("innkeeper.sdk")

USER_AGENT = f"innkeeper-python/{__version__}"

#: A credential, or what brings one: asked once for every call, so that it can be renewed.
Token = str | Callable[[], str] | None
OnRequest = Callable[[Request], object]
OnResponse = Callable[[Request, Response], object]


class Engine:
    """All that a client knows, and how its calls go.

    It holds no connection and never changes: any thread may use it.
    """

    def __init__(
        self,
        servers: Sequence[str],
        *,
        server: str | int,
        server_variables: Mapping[str, str] | None = None,
        tokens: Mapping[str, Token],
        defaults: Mapping[str, str | None],
        timeout: float | None = 60.0,
        retry: Backoff | None = None,
        headers: Mapping[str, str] | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        world: World | None = None,
    ) -> None:
        self._servers = servers
        self._variables = dict(server_variables or {})
        self.base = self._base(server)  #: URL that the operations' paths are put behind
        self._tokens = tokens
        self._defaults = defaults
        self.timeout = timeout  #: seconds for a whole call
        self._retry = retry or Backoff()
        self._headers = {"accept": "application/json", "user-agent": USER_AGENT, **checked(headers)}
        self._on_request, self._on_response = on_request, on_response
        self.world = world or World()

    def call(
        self, operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options
    ) -> Steps[Any]:
        """Call an operation; returns the typed answer."""
        response, attempts = yield from self._ask(operation, args, kwargs, options)
        return decode(operation, response, attempts)

    def raw(
        self, operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options
    ) -> Steps[Raw[Any]]:
        """The same, with the status, headers and bytes beside the answer."""
        response, attempts = yield from self._ask(operation, args, kwargs, options)
        value = decode(operation, response, attempts)
        return Raw(value, response.status, lowered(response.headers), response.body, attempts)

    def open(
        self, operation: Declared, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options
    ) -> Steps[Response]:
        """Call an operation whose answer arrives bit by bit; returns once it begins. The deadline ends there."""
        response, _ = yield from self._ask(operation, args, kwargs, options, stream=True)
        return response

    def _ask(
        self,
        operation: Declared,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        options: Options,
        *,
        stream: bool = False,
    ) -> Steps[tuple[Response, int]]:
        target, body = encode(operation, arguments(operation, args, kwargs), self._defaults)
        headers = self._headers.copy()
        if body is not None:
            kind = operation.body
            headers["content-type"] = "application/octet-stream" if kind == "bytes" else "application/json"
            if kind == "form":
                boundary = "innkeeper-" + "".join(f"{int(self.world.chance() * 2**53):014x}" for _ in range(2))
                headers["content-type"] = f"multipart/form-data; boundary={boundary}"
                body = FileForm(body, boundary)
        token = options["token"] if "token" in options else self._token(operation.key)
        if token is not None:
            headers["authorization"] = _authorization(operation, _fit(token, "the token"))
        if "idempotency_key" in options:
            headers["idempotency-key"] = _fit(options["idempotency_key"], "idempotency_key")
        if "headers" in options:
            headers.update(checked(options["headers"]))
        base = self._base(options["server"]) if "server" in options else self.base
        safe = operation.idempotent or "idempotency-key" in headers
        return (
            yield from self.exchange(
                operation.method,
                base + target,
                headers,
                body,
                safe=safe,
                stream=stream,
                name=operation.id,
                options=options,
            )
        )

    def exchange(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | Content | None,
        *,
        safe: bool,
        name: str,
        options: Options,
        stream: bool = False,
    ) -> Steps[tuple[Response, int]]:
        """Send one request as often as it takes; returns a 2xx answer and the number of attempts, or raises.

        ``safe`` says that it may be carried out twice. No header is added here.
        """
        world, backoff = self.world, options.get("retry", self._retry)
        timeout = options.get("timeout", self.timeout)
        began = world.now()
        attempt, left = 0, timeout
        if body is not None and not isinstance(body, bytes):
            headers["content-length"] = str(body.length)
        while True:
            attempt += 1
            if left is not None and left <= 0:
                raise _late(name, timeout, attempt - 1)
            request = Request(method, url, headers.copy(), body, timeout=left, stream=stream, operation=name)
            if self._on_request is not None:
                self._on_request(request)
            failure: CallError
            try:
                response: Response = yield request
            except CallError as error:
                failure = _without_query(error, url)
            except OSError as error:
                failure = _broken(error)
            else:
                log.debug("%s: %s %s answered %d", name, method, url.partition("?")[0], response.status)
                if self._on_response is not None:
                    self._on_response(request, response)
                if 200 <= response.status < 300:
                    return response, attempt
                failure = status_error(name, response, attempt, world.date())
            failure.operation, failure.attempts = name, attempt
            left = None if timeout is None else timeout - (world.now() - began)
            if isinstance(failure, DeadlineExceeded):
                raise _late(name, timeout, attempt) from failure
            wait = wait_after(failure, attempt, backoff, safe=safe, left=left, chance=world.chance())
            if wait is None:
                _give_up(failure)
            log.info("%s: attempt %d failed (%s); the next one in %.2f s", name, attempt, failure, wait)
            yield Delay(wait)
            left = None if timeout is None else timeout - (world.now() - began)

    def _token(self, key: str) -> str | None:
        token = self._tokens.get(key)
        return token() if callable(token) else token

    def _base(self, server: str | int) -> str:
        """The URL before the paths: one that is given, or one of the vendor's by number, its variables filled in."""
        if isinstance(server, int):
            if not 0 <= server < len(self._servers):
                raise ValueError(f"there is no server number {server}; the vendor has {len(self._servers)}")
            server = self._servers[server]
        try:
            server = server.format_map(self._variables) if "{" in server else server
        except KeyError as missing:
            raise ValueError(f"the server {server!r} needs a value for {missing} in server_variables") from None
        scheme, _, rest = server.partition("://")
        if scheme not in ("http", "https") or not rest or any(c in server for c in "?#@ \r\n\t"):
            raise ValueError(f"{server!r} is not the URL of a server, such as https://play.example.com/prefix")
        return server.rstrip("/")


def checked(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Headers given by the user, names in lower case. Raises ``ValueError`` for what cannot travel in one."""
    return {name.lower(): _fit(value, f"the header {name}") for name, value in (headers or {}).items()}


def _fit(value: str, what: str) -> str:
    # The value itself is not shown: it may be a credential.
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"{what} holds a line break or another character that cannot travel in a header")
    return value


def _broken(error: OSError) -> ConnectionFailed:
    """A transport's plain ``OSError`` in our words."""
    failure = ConnectionFailed(f"the connection failed: {error}", sent=not isinstance(error, ConnectionRefusedError))
    failure.__cause__ = error
    return failure


def _without_query(failure: CallError, url: str) -> CallError:
    """The same, its text without what a signed link is signed by: HTTP libraries quote the URL."""
    query = url.partition("?")[2]
    if query and query in failure.message:
        failure.message = failure.message.replace(query, "...")
        failure.args = (failure.message,)
    return failure


def _late(name: str, timeout: float | None, attempts: int) -> DeadlineExceeded:
    limit = "the time the transport allows" if timeout is None else f"{timeout:g} s"
    return DeadlineExceeded(f"{name}: no answer within {limit}", operation=name, attempts=attempts)


def _give_up(failure: CallError) -> NoReturn:
    try:
        raise failure
    finally:
        # The traceback holds this frame, so a name left here would keep the error alive in a circle.
        del failure


def _authorization(operation: Declared, token: str) -> str:
    """The token behind the word that the API wants, which may stand there already."""
    known = operation.api.credentials.get(operation.key)
    word = "Bearer" if known is None else known.word
    return token if not word or token.lower().startswith(f"{word.lower()} ") else f"{word} {token}"
