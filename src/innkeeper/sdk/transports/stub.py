"""A stand-in for the server in users' tests: it is told which calls to expect, checks them, and gives typed answers.

stub = Stub()
stub.expect(RoomsV2.destroy_room, "r-1").fails(404, "no such room")
client = HathoraCloud("t", app_id="app-1", transport=stub)
...
stub.done()
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec

from innkeeper.sdk.encoding import arguments, encode
from innkeeper.sdk.wire import AsyncPieces, Pieces, Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from innkeeper.contract.operation import Declared, Operation, StreamOperation

P = ParamSpec("P")
R = TypeVar("R")

#: Stands where an expectation leaves a client's own ``app_id`` or ``org_id`` open.
_ANY = "\0any"
_OPEN = {"app_id": _ANY, "org_id": _ANY}


class Expected(Generic[R]):
    """One call that is expected, and what it is answered: ``answers``, ``fails``, or nothing with a 204."""

    def __init__(self, operation: Declared, target: str, body: Any) -> None:
        self.operation, self.target, self.body = operation, urlsplit(target), body
        self.status, self.headers, self.answer = operation.status, {"content-type": "application/json"}, b""

    def answers(self, value: R) -> None:
        """Answer with this value, as the contract sends it."""
        self.answer = b"" if value is None else msgspec.json.encode(value)

    def fails(self, status: int, message: str, *, headers: dict[str, str] | None = None) -> None:
        """Answer with an error."""
        self.status, self.answer = status, msgspec.json.encode({"message": message})
        self.headers = {**self.headers, **(headers or {})}

    def difference(self, request: Request) -> str | None:
        """What is asked otherwise than expected, or None."""
        url = urlsplit(request.url)
        if request.method != self.operation.method:
            return f"the method is {request.method}, not {self.operation.method}"
        wanted, got = self.target.path.split("/"), url.path.split("/")[-len(self.target.path.split("/")) + 1 :]
        if not all(a in ("%00any", b) for a, b in zip(wanted[1:], got, strict=False)) or len(got) != len(wanted) - 1:
            return f"the path is {url.path}, not {self.target.path.replace('%00any', '*')}"
        query = dict(parse_qsl(self.target.query))
        open_names = {name for name, value in query.items() if value == _ANY}
        left = [pair for pair in parse_qsl(url.query) if pair[0] not in open_names]
        if sorted(left) != sorted(p for p in parse_qsl(self.target.query) if p[0] not in open_names):
            return f"the query is {url.query!r}, not {self.target.query!r}"
        body = _read(request.body)
        return None if body == self.body else f"the body is {body!r}, not {self.body!r}"


def _read(body: Any) -> Any:
    if not body:
        return None
    whole = body if isinstance(body, bytes) else b"".join(body)
    try:
        return msgspec.json.decode(whole)
    except msgspec.DecodeError:
        return whole


class _Stub:
    #: Where the client's requests go when nothing else is named: nowhere, so none need be.
    server = "http://stub.invalid"

    def __init__(self) -> None:
        self._waiting: list[Expected[Any]] = []
        self._lock = threading.Lock()

    def expect(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> Expected[R]:
        """Expect this call next, with these values. An ``app_id`` or ``org_id`` left out may be anything."""
        return self._expect(operation, args, kwargs)

    def expect_stream(self, operation: StreamOperation[P], *args: P.args, **kwargs: P.kwargs) -> Expected[bytes]:
        """Expect this call next; it is answered with bytes as they are."""
        return self._expect(operation, args, kwargs)

    def _expect(self, operation: Declared, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Expected[Any]:
        target, body = encode(operation, arguments(operation, args, kwargs), _OPEN)
        expected: Expected[Any] = (_ExpectedBytes if operation.streams else Expected)(operation, target, _read(body))
        self._waiting.append(expected)
        return expected

    def done(self) -> None:
        """Raise ``AssertionError`` when a call that was expected has not come."""
        with self._lock:
            assert not self._waiting, f"not asked: {', '.join(e.operation.id for e in self._waiting)}"

    def _answer(self, request: Request) -> Expected[Any]:
        with self._lock:
            assert self._waiting, f"{request.operation} was asked, and nothing more is expected: {request!r}"
            expected = self._waiting[0]
            if (wrong := expected.difference(request)) is not None:
                raise AssertionError(f"{expected.operation.id} was expected, and {request.operation} asked: {wrong}")
            return self._waiting.pop(0)


class _ExpectedBytes(Expected[bytes]):
    def answers(self, value: bytes) -> None:
        self.answer = value


class Stub(_Stub):
    """For the sync client: ``HathoraCloud(transport=stub)``. Calls come in the order they are expected."""

    def send(self, request: Request) -> Response:
        """Check the request and give the answer that was laid ready."""
        expected = self._answer(request)
        if not request.stream:
            return Response(expected.status, expected.headers, expected.answer)
        return Response(expected.status, expected.headers, stream=Pieces(iter((expected.answer,)), lambda: None))

    def close(self) -> None:
        """Nothing is kept."""


class AsyncStub(_Stub):
    """For the async client: ``AsyncHathoraCloud(transport=stub)``. Calls come in the order they are expected."""

    async def send(self, request: Request) -> Response:
        """Check the request and give the answer that was laid ready."""
        expected = self._answer(request)
        if not request.stream:
            return Response(expected.status, expected.headers, expected.answer)

        async def pieces() -> AsyncIterator[bytes]:
            yield expected.answer

        return Response(expected.status, expected.headers, stream=AsyncPieces(pieces(), self.close))

    async def close(self) -> None:
        """Nothing is kept."""
