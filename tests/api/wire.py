"""Requests byte by byte, straight into the ASGI application, and everything a test needs to ask any operation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from factories import Game, TestInn
from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.operation import Declared

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


async def ask(
    inn: TestInn,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    *,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
    leaves: bool = False,
) -> Answer:
    """One request. ``path`` as on the wire, with its query. ``length`` is announced whatever the body is.

    With ``leaves`` the client goes away as soon as the answer has begun: for streams that do not end.
    """
    raw_path, _, query = path.partition("?")
    sent = {"host": "inn", **(headers or {})}
    if token is not None:
        sent["authorization"] = f"Bearer {token}"
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


#: A good body for every operation that takes one.
BODIES: dict[str, Any] = {
    "CreateApp": {"appName": "chess", "authConfiguration": {"anonymous": {}}},
    "UpdateApp": {"appName": "chess-2", "authConfiguration": {}},
    "PatchApp": {},
    "LoginNickname": {"nickname": "ann"},
    "LoginGoogle": {"idToken": "a.b.c"},
    "CreateBuild": {"buildSizeInBytes": 10},
    "CreateBuildRegistry": {},
    "RunBuildRegistry": {"image": "game:1"},
    "CreateDeployment": {
        "buildId": "bld-none", "requestedCPU": 0.5, "requestedMemoryMB": 512, "idleTimeoutEnabled": True,
        "containerPort": 7777, "transportType": "udp", "roomsPerProcess": 1, "env": [],
    },
    "CreateLobby": {"visibility": "public", "region": "Tokyo"},
    "CreateRoom": {"region": "Tokyo"},
    "UpdateRoomConfig": {"roomConfig": "x"},
    "InviteUser": {"userEmail": "a@example.com", "scopes": "viewer"},
    "UpdateUserInvite": {"userEmail": "a@example.com", "scopes": "viewer"},
    "RescindInvite": {"userEmail": "a@example.com"},
    "CreateOrgToken": {"name": "ci", "scopes": []},
}  # fmt: skip


def path_of(operation: Declared, ids: Mapping[str, str]) -> str:
    """The operation's path with these ids; ``none-such`` where there is none."""
    path = operation.path
    for parameter in operation.plan.path:
        path = path.replace(f"{{{parameter.wire}}}", ids.get(parameter.wire, "none-such"))
    return path


def body_of(operation: Declared) -> bytes | None:
    """A good body for the operation."""
    if operation.plan.binary:
        return b"data"
    found = next((body for name, body in BODIES.items() if operation.id.startswith(name)), None)
    if operation.plan.body is None:
        return None
    exact = BODIES.get(operation.id, BODIES.get(operation.id.removesuffix("Deprecated"), found))
    return json.dumps(exact).encode()


async def real_ids(inn: TestInn, game: Game) -> dict[str, str]:
    """Ids of things that are there, all of one organisation."""
    room = await game.room()
    await inn.settle()
    token = await game.cloud.tokens_v1.get_org_tokens(inn.inn.founded.org_id)
    return {
        "appId": game.app_id,
        "roomId": room.room_id,
        "processId": room.process_id,
        "deploymentId": game.deployment.deployment_id,
        "buildId": game.deployment.build_id,
        "orgId": inn.inn.founded.org_id,
        "orgTokenId": token.tokens[0].org_token_id,
        "region": "Tokyo",
        "shortCode": "none",
        "partNumber": "1",
    }
