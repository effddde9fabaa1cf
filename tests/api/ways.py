"""Ways to have an operation refuse, each with a name. ``every_operation.txt`` says which way leads to which status.

A way is a coroutine function of the stage and the operation; it returns the answer, or None where it has no meaning for
the operation. Ways that leave the stage changed come last.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from api.good import SCENES
from api.stage import Stage
from api.wire import NEVER, NEVER_NUMBER, WORDS, Answer, body_of, is_number, key_of, path_of
from innkeeper.api.app import App
from innkeeper.api.pages import Pages
from innkeeper.api.rates import Rates
from innkeeper.api.tally import Tally
from innkeeper.api.visits import Wings
from innkeeper.contract.hathora import HATHORA
from innkeeper.contract.operation import Declared
from innkeeper.contract.plan import Parameter

Way = Callable[[Stage, Declared], Awaitable[Answer | None]]

#: What no value of a query parameter is, by name; others are told something that is no word of theirs.
_WRONG_VALUES = {"orgId": "%00", "shortCode": "x" * 101, "buildTag": "x" * 1001, "roomId": "no%20spaces"}
#: How often somebody may ask, where somebody counts.
_MAY = 3


async def anonymous(stage: Stage, operation: Declared) -> Answer | None:
    """Without a token."""
    return None if operation.key == "none" else await stage.ask(operation, token=None)


async def unsigned(stage: Stage, operation: Declared) -> Answer | None:
    """With an ID token that Google did not sign."""
    if operation.id != "LoginGoogle":
        return None
    await stage.set("google")
    return await stage.ask(operation, body=b'{"idToken":"a.b.c"}')


async def missing(stage: Stage, operation: Declared) -> Answer | None:
    """About a thing that is not there: the last one that the path names."""
    named = [parameter for parameter in operation.plan.path if parameter.wire not in (*WORDS, "orgId")]
    if not named:
        return None
    key = key_of(named[-1])
    ids = {**stage.ids, key: NEVER_NUMBER if is_number(named[-1]) else NEVER}
    return await stage.ask(operation, path=path_of(operation, ids))


async def stranger(stage: Stage, operation: Declared) -> Answer | None:
    """About an organisation that the caller does not belong to."""
    plan = operation.plan
    if any(parameter.wire == "orgId" for parameter in plan.path):
        return await stage.ask(operation, path=path_of(operation, {**stage.ids, "orgId": NEVER}))
    if any(parameter.wire == "orgId" for parameter in plan.query):
        return await stage.ask(operation, query=f"?orgId={NEVER}")
    return None


async def appless(stage: Stage, operation: Declared) -> Answer | None:
    """About an app that is not there."""
    if all(parameter.wire != "appId" for parameter in operation.plan.path):
        return None
    return await stage.ask(operation, path=path_of(operation, {**stage.ids, "appId": NEVER}))


async def ghost(stage: Stage, operation: Declared) -> Answer | None:
    """With a body that names a build that is not there."""
    if "$buildId" not in (body_of(operation, {"buildId": "$buildId"}) or b"").decode("latin-1"):
        return None
    return await stage.ask(operation, body=body_of(operation, {}))


async def nobody(stage: Stage, operation: Declared) -> Answer | None:
    """About somebody who is not asked to join."""
    return await stage.ask(operation) if SCENES.get(operation.id) == "invited" else None


async def body(stage: Stage, operation: Declared) -> Answer | None:
    """With a body of another shape."""
    if operation.plan.body is None:
        return None
    if operation.body == "form":
        return await stage.ask(operation, body=b"\x1f\x8b", headers={"content-type": "application/octet-stream"})
    return await stage.ask(operation, body=b"[]")


async def not_json(stage: Stage, operation: Declared) -> Answer | None:
    """With a body that cannot be read."""
    return None if operation.plan.body is None or operation.plan.binary else await stage.ask(operation, body=b"{")


async def query(stage: Stage, operation: Declared) -> Answer | None:
    """With a value of the query that is none."""
    if not operation.plan.query:
        return None
    wrong = operation.plan.query[-1].wire
    return await stage.ask(operation, query=f"?{wrong}={_WRONG_VALUES.get(wrong, 'x')}")


async def path(stage: Stage, operation: Declared) -> Answer | None:
    """With a value in the path that is none."""
    for parameter in reversed(operation.plan.path):
        if is_number(parameter) or parameter.wire in ("region", "roomId"):
            return await stage.ask(operation, path=path_of(operation, {**stage.ids, key_of(parameter): quote("no!")}))
    return None


async def large(stage: Stage, operation: Declared) -> Answer | None:
    """With more bytes than are taken."""
    return None if operation.plan.binary else await stage.ask(operation, length=200 << 20)


async def taken(stage: Stage, operation: Declared) -> Answer | None:
    """With an id or a name that something else has."""
    if any(parameter.wire == "roomId" for parameter in operation.plan.query):
        return await stage.ask(operation, query=f"?roomId={stage.ids['roomId']}")
    sent = body_of(operation, stage.ids)
    if sent is None or operation.plan.binary:
        return None
    said = json.loads(sent)
    names = {"appName": "game-1", "name": "spare" if operation.tag == "TokensV1" else "the first"}
    found = {name: value for name, value in names.items() if name in said}
    if operation.tag.startswith("Builds") and "build_id" in _fields(operation.plan.body):
        found["buildId"] = stage.game.deployment.build_id
    if "/apps/" in operation.path and operation.plan.path:
        await stage.inn.game()
        found = {"appName": "game-2"}
    return await stage.ask(operation, body=json.dumps({**said, **found}).encode()) if found else None


async def slow(stage: Stage, operation: Declared) -> Answer | None:
    """With a body that does not come."""
    door = door_of(stage.inn.inn.wings, body_seconds=0.005)
    return await stage.ask(operation, door=door, body=b"", length=100, stalls=True)


async def often(stage: Stage, operation: Declared) -> Answer | None:
    """Again and again at one moment, where three times are as many as one may."""
    if SCENES.get(operation.id) == "lobby":
        await stage.set("lobby")
    wings = stage.inn.inn.wings
    rates = Rates(wings.clock, lobbies=_MAY, logins=_MAY, requests=_MAY)
    door = door_of(dataclasses.replace(wings, rates=rates))
    answer = None
    for _ in range(_MAY + 1):
        answer = await stage.ask(operation, door=door)
    return answer


async def again(stage: Stage, operation: Declared) -> Answer | None:
    """Once it was done."""
    await stage.play(operation)
    return await stage.ask(operation)


async def limit(stage: Stage, operation: Declared) -> Answer | None:
    """When the organisation's limits allow no further server."""
    if 402 not in operation.errors:
        return None
    if "/rooms/" in operation.path:
        await stage.set("suspended")
    await stage.set("nothing_left")
    return await stage.ask(operation, query="")


async def swept(stage: Stage, operation: Declared) -> Answer | None:
    """When what is asked for is not kept any more."""
    if 410 not in operation.errors:
        return None
    await stage.set("swept")
    return await stage.ask(operation)


async def broken(stage: Stage, operation: Declared) -> Answer | None:
    """When something breaks inside that nobody foresaw."""
    wings = stage.inn.inn.wings
    whole = {"settings", "clock", "callers", "players", "rates", "operator", "ping_address"}
    parts: Any = {field.name: Broken() for field in dataclasses.fields(wings) if field.name not in whole}
    return await stage.ask(operation, door=door_of(dataclasses.replace(wings, **parts)))


#: All, in an order in which an earlier one leaves the stage as a later one needs it.
WAYS: dict[str, Way] = {
    "anonymous": anonymous, "missing": missing, "stranger": stranger, "appless": appless, "ghost": ghost,
    "body": body, "not-json": not_json, "query": query, "path": path, "large": large, "slow": slow, "nobody": nobody,
    "unsigned": unsigned, "taken": taken, "broken": broken, "often": often, "again": again, "limit": limit,
    "swept": swept,
}  # fmt: skip


class Through:
    """The door of an application that is not the inn's own."""

    def __init__(self, app: App) -> None:
        self.app = app


def door_of(wings: Wings, **options: Any) -> Through:
    """A door to these wings."""
    return Through(App([HATHORA], wings, Pages([], _well, _nothing, []), Tally(), **options))


class Broken:
    """A wing of which nothing works."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name} is broken")


async def _well() -> tuple[bool, dict[str, Any]]:
    return True, {}


async def _nothing() -> None:
    pass


def _fields(parameter: Parameter | None) -> tuple[str, ...]:
    return () if parameter is None else getattr(parameter.type, "__struct_fields__", ())
