"""Requests byte by byte, straight into the ASGI application, and everything a test needs to ask any operation."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, get_args
from urllib.parse import quote

from api.good import BODIES, QUERIES
from factories import Game, TestInn, archive
from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.operation import Declared
from innkeeper.contract.plan import Parameter
from manyhosts import set_aside

OPERATIONS = [operation for operation in HATHORA.operations() if operation.id not in HATHORA.not_yet]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    taken: int  #: bytes of the request's body that were read

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The text of a fault, which is all that a fault holds."""
        assert self.headers["content-type"] == "application/json", self
        told = self.json
        assert list(told) == ["message"], self
        assert isinstance(told["message"], str)
        assert told["message"], self
        return told["message"]


class Door(Protocol):
    """What can be asked: an inn, or an application of its own."""

    async def app(self, scope: Any, receive: Any, send: Any) -> None: ...


async def ask(
    inn: Door,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    *,
    token: str | None = None,
    word: str = "Bearer",
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
    leaves: bool = False,
    stalls: bool = False,
) -> Answer:
    """One request. ``path`` as on the wire, with its query. ``length`` is announced whatever the body is.
    ``word`` stands before the token, if it is not empty.

    With ``leaves`` the client goes away as soon as the answer has begun: for streams that do not end. With ``stalls``
    it sends what ``body`` has and never the rest.
    """
    raw_path, _, query = path.partition("?")
    sent = {"host": "inn", **(headers or {})}
    if token is not None:
        sent["authorization"] = f"{word} {token}".lstrip()
    pieces = iter([body] if isinstance(body, bytes) else body or [])
    if length is None and isinstance(body, bytes):
        length = len(body)
    if length is not None:
        sent["content-length"] = str(length)
    elif body is not None:
        sent["transfer-encoding"] = "chunked"
    scope = {
        "type": "http", "method": method, "scheme": "http", "path": raw_path, "raw_path": raw_path.encode(),
        "query_string": query.encode(), "client": ("127.0.0.1", 9),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
    }  # fmt: skip
    answer = Answer(0, {}, b"", 0)
    ended = False
    begun = asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal ended
        if ended:
            await begun.wait()  # the client stays until it is answered
            return {"type": "http.disconnect"}
        piece = next(pieces, None)
        if piece is None and stalls:
            await asyncio.Event().wait()
        ended = piece is None
        answer.taken += len(piece or b"")
        return {"type": "http.request", "body": piece or b"", "more_body": not ended}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            if leaves:
                begun.set()
        else:
            answer.body += message.get("body", b"")

    await inn.app(scope, receive, send)
    return answer


#: Names of parameters that name no thing: any of their values means something.
WORDS = ("region", "partNumber")
#: What stands in a path for a thing that is not there.
NEVER, NEVER_NUMBER = "none-such", "999999"
_BOUNDARY = "a-boundary-of-ours"


def is_number(parameter: Parameter) -> bool:
    """Whether an old generation's whole number stands there."""
    return (get_args(parameter.type) or (parameter.type,))[0] is int and parameter.wire != "partNumber"


def key_of(parameter: Parameter) -> str:
    """Its name among ids: ``buildId``, and ``buildNumber`` where builds have numbers."""
    old = is_number(parameter) and parameter.wire.endswith("Id")
    return parameter.wire.removesuffix("Id") + "Number" if old else parameter.wire


def path_of(operation: Declared, ids: Mapping[str, str]) -> str:
    """The operation's path with these ids; :data:`NEVER` where there is none."""
    path = operation.path
    for parameter in operation.plan.path:
        never = NEVER_NUMBER if is_number(parameter) else NEVER
        path = path.replace(f"{{{parameter.wire}}}", ids.get(key_of(parameter), never))
    return path


def query_of(operation: Declared, ids: Mapping[str, str]) -> str:
    """A good query for the operation, with its question mark; empty for none."""
    query = QUERIES.get(operation.id, "")
    return f"?{filled(query, ids, quote)}" if query else ""


def body_of(operation: Declared, ids: Mapping[str, str] | None = None) -> bytes | None:
    """A good body for the operation."""
    if operation.plan.body is None:
        return None
    if operation.body == "form":
        return form(archive())
    if operation.body == "bytes":
        return b"data"
    return filled(json.dumps(BODIES[operation.id]), ids or {}).encode()


def headers_of(operation: Declared) -> dict[str, str]:
    """What goes with that body."""
    if operation.body == "form":
        return {"content-type": f"multipart/form-data; boundary={_BOUNDARY}"}
    return {"content-type": "application/json"} if operation.plan.body is not None else {}


def form(content: bytes) -> bytes:
    """A form with one file."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="game.tgz"\r\n\r\n'
    return head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()


def filled(text: str, ids: Mapping[str, str], escaped: Callable[[str], str] = str) -> str:
    """The text with ids in place of their names: ``$buildId``; :data:`NEVER` where there is none."""
    return re.sub(r"\$(\w+)", lambda found: escaped(ids.get(found[1], NEVER)), text)


async def real_ids(inn: TestInn, game: Game) -> dict[str, str]:
    """Ids of things that are there, all of one organisation."""
    room = await game.room()
    await inn.settle()
    token = await game.cloud.tokens_v1.get_org_tokens(inn.inn.founded.org_id)
    org_id = inn.inn.founded.org_id
    fleet = await inn.inn.wings.fleets.create(
        org_id, "owner@localhost", name="the first", shape="cpu-4-8", threshold=80
    )
    host = await set_aside(inn, fleet.id, "first-host", 43_000)
    return {
        "fleetId": fleet.id,
        "nodeId": host.id,
        "appId": game.app_id,
        "roomId": room.room_id,
        "processId": room.process_id,
        "deploymentId": game.deployment.deployment_id,
        "deploymentNumber": "1",
        "buildId": game.deployment.build_id,
        "buildNumber": "1",
        "orgId": inn.inn.founded.org_id,
        "orgTokenId": token.tokens[0].org_token_id,
        "region": "Tokyo",
        "shortCode": "none",
        "partNumber": "1",
    }
