"""An inn with one of each thing that Edgegap's API knows, and a way to ask any operation about them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from api.wire import Answer, ask, filled, path_of
from arenas import launch_of, version
from factories import TestInn
from innkeeper.accounts.scopes import Grant
from innkeeper.contract.edgegap import EDGEGAP
from innkeeper.contract.edgegap.applications import AppVersionCreateSessionConfig
from innkeeper.contract.edgegap.words import SessionKind
from innkeeper.contract.operation import Declared

from .good import BODIES, QUERIES

OPERATIONS = [operation for operation in EDGEGAP.operations() if operation.id not in EDGEGAP.not_yet]
BY_ID = {operation.id: operation for operation in OPERATIONS}


def body_of(operation: Declared, ids: Mapping[str, str], /, **other: Any) -> bytes | None:
    """A good body, with other fields in place of its own."""
    if operation.plan.body is None:
        return None
    return filled(json.dumps({**BODIES[operation.id], **other}), ids).encode()


class Stage:
    """The inn, and the ids of what is there, by the names that they have in paths."""

    def __init__(self, inn: TestInn) -> None:
        self.inn = inn
        self.ids: dict[str, str] = {}
        self.secrets: dict[str, str] = {}  #: of the server: ``context`` and ``stop``
        self.other_ids: dict[str, str] = {}  #: with another server in place of that one
        self.other_secrets: dict[str, str] = {}

    async def build(self) -> Stage:
        """Fill the house."""
        inn, client = self.inn, self.inn.edgegap()
        await version(inn, client)
        seats = AppVersionCreateSessionConfig(kind=SessionKind.SEAT, sockets=1000)
        await version(inn, client, name="seats", session_config=seats)
        self.ids = {
            "app_name": "arena", "version_name": "v1", "build": await inn.build(), "ip": "192.0.2.7",
            "tag_name": "blue", "custom_id": "custom", "endpoint_name": "logs", "pull_profile_name": "config",
            "component_name": "front", "env_key": "MODE", "matchmaker_name": "duels", "config_name": "rules",
            "release_version": "r1", "managed_version": "m1", "fleet_name": "crowd", "policy_name": "tokyo",
            "image_name": "studio/game",
        }  # fmt: skip
        made = await self.make("deploy", version_name="seats")
        self.ids["request_id"] = self.ids["deployment_id"] = made["request_id"]
        other = await self.make("deploy", tags=[])
        await inn.settle()
        inside, self.secrets = self._inside(made["request_id"])
        self.ids |= inside
        inside, self.other_secrets = self._inside(other["request_id"])
        self.other_ids = {**self.ids, **inside}
        entry = await self.make("app-version-whitelist-post")
        self.ids["entry_id"] = entry["whitelist_entry"]["id"]
        session = await self.make("session-post", deployment_request_id=made["request_id"])
        self.ids["session_id"] = session["session_id"]
        await self.make("post-custom-session")
        await self.make("endpoint-create", name="logs")
        await self.make("pull-profile-create", name="config")
        await self.make("pull-profile-link-app-version")
        compared = await self.make("active-deployment-telemetry-post")
        self.ids["retrieval_key"] = compared["retrieval_key"]
        await self._matchmaker()
        if "fleet-create" in BY_ID:
            await self.make("fleet-create", name="crowd")
            await self.make("fleet-policies-create", name="tokyo")
            await self.make("fleet-link-app-version")
        return self

    def _inside(self, request_id: str) -> tuple[dict[str, str], dict[str, str]]:
        """A server's ids in paths, and its secrets."""
        env = launch_of(self.inn, request_id).env
        numbers = [env[name].rpartition("/")[2] for name in ("ARBITRIUM_CONTEXT_URL", "ARBITRIUM_DELETE_URL")]
        ids = {"request_id": request_id, "security_number": numbers[0], "access_point_id": numbers[1]}
        return ids, {"context": env["ARBITRIUM_CONTEXT_TOKEN"], "stop": env["ARBITRIUM_DELETE_TOKEN"]}

    async def _matchmaker(self) -> None:
        await self.make("post-matchmaker-component", name="front")
        await self.make("post-matchmaker-component-env", key="MODE")
        await self.make("post-matchmaker", name="duels")
        await self.make("post-matchmaker-release-config", name="rules")
        await self.make("post-matchmaker-release", version="r1")
        await self.make("post-matchmaker-managed-release", version="m1")
        found = await self.make("get-matchmaker")
        self.ids["matchmaker_id"] = found["url"].rpartition("/")[2]
        self.ids["ticket_id"] = (await self.make("ticket-create"))["data"]["ticket_id"]

    async def make(self, id: str, /, **fields: Any) -> Any:
        """Do it as the organisation's admin; the answer. ``fields`` are in place of the usual ones."""
        operation = BY_ID[id]
        answer = await self.ask(operation, self.inn.token, body=body_of(operation, self.ids, **fields))
        assert answer.status in (operation.status, *operation.also), answer
        return answer.json if answer.body else None

    async def ask(
        self,
        operation: Declared,
        token: str | None,
        ids: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        query: str | None = None,
        word: str | None = None,
    ) -> Answer:
        """Ask it about these things, those that are there unless said, with a good body unless another is given."""
        ids = self.ids if ids is None else ids
        if "/managed/" in operation.path:
            ids = {**ids, "release_version": ids.get("managed_version", "none-such")}
        body = body_of(operation, ids) if body is None else body
        if query is None:
            query = filled(QUERIES.get(operation.id, ""), ids, quote)
        path = path_of(operation, ids) + (f"?{query}" if query else "")
        known = EDGEGAP.credentials.get(operation.key)
        word = ("token" if known is None else known.word) if word is None else word
        headers = {"content-type": "application/json"} if body is not None else {}
        return await ask(self.inn, operation.method, path, body, token=token, headers=headers, word=word)

    async def scoped(self, scope: str) -> str:
        """A token that holds this scope alone."""
        wings = self.inn.inn.wings
        admin = await wings.callers.recognise(self.inn.token)
        return (await wings.tokens.create(admin, scope, Grant.of([scope]))).plain
