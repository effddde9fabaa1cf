"""One text for three clients: a life says ``await do("deploy", {...})``, and gets plain values, whichever it drives.

An operation is called by its id, a body is plain JSON, what stands in the path and the query goes by its name. What an
answer holds went through the client's own model of it.
"""

from __future__ import annotations

import inspect
import json
import re
import warnings
from datetime import datetime
from typing import Any, Protocol

import msgspec
import pytest

from innkeeper.contract.edgegap import EDGEGAP
from innkeeper.contract.operation import Declared
from innkeeper.sdk import NO_RETRY, AsyncEdgegap, Edgegap, StatusError
from inns import RunningInn

from .generated import Generated

OPERATIONS = {o.id: o for o in EDGEGAP.operations() if o.id not in EDGEGAP.not_yet}
_RESOURCES = {f"{EDGEGAP.package}.{where}".replace(":", "."): name for name, where in EDGEGAP.resources.items()}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT")


class Do(Protocol):
    """What lives are told by."""

    inn: RunningInn
    walked: set[str]  #: the ids of the operations that have been answered with success

    def knows(self, id: str) -> bool:
        """Whether the client has it."""
        ...

    async def __call__(self, id: str, body: Any = None, *, secret: str = "", status: int = 0, **where: Any) -> Any:
        """Call an operation that has to succeed, with that status if one is said; the answer.

        ``secret`` is what a game server shows; all else is called with the organisation's token.
        """
        ...

    async def refused(self, id: str, status: int, body: Any = None, *, secret: str = "", **where: Any) -> str:
        """Call an operation that has to fail with that status; its message."""
        ...

    async def is_refused(self, id: str, status: int, **where: Any) -> bool:
        """Whether an operation without a body fails, which it may do with that status alone."""
        ...

    async def close(self) -> None:
        """End the client."""
        ...


class ByOurs:
    """Drives our SDK, sync or async."""

    def __init__(self, clients: type[Edgegap] | type[AsyncEdgegap], inn: RunningInn) -> None:
        self.inn, self.walked = inn, set[str]()
        self._client: Any = clients(inn.token, server=inn.url, retry=NO_RETRY)
        self._clients = clients

    def knows(self, id: str) -> bool:
        return id in OPERATIONS

    async def _answer(self, id: str, body: Any, secret: str, where: dict[str, Any]) -> Any:
        operation = OPERATIONS[id]
        client = self._clients("", secret=secret, server=self.inn.url, retry=NO_RETRY) if secret else self._client
        call = getattr(getattr(client, _resource_of(operation)), operation.name)
        if operation.plan.body is not None:
            where = {"params": msgspec.convert(body, operation.plan.body.type), **where}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                found = call.raw(**where)
            return await found if inspect.isawaitable(found) else found
        finally:
            if secret:
                await _closed(client)

    async def __call__(self, id: str, body: Any = None, *, secret: str = "", status: int = 0, **where: Any) -> Any:
        answer = await self._answer(id, body, secret, where)
        assert answer.status == (status or OPERATIONS[id].status), answer
        self.walked.add(id)
        return msgspec.to_builtins(answer.value)

    async def refused(self, id: str, status: int, body: Any = None, *, secret: str = "", **where: Any) -> str:
        with pytest.raises(StatusError) as caught:
            await self._answer(id, body, secret, where)
        assert caught.value.status == status, caught.value
        return caught.value.message

    async def is_refused(self, id: str, status: int, **where: Any) -> bool:
        try:
            await self._answer(id, None, "", where)
        except StatusError as error:
            return error.status == status
        return False

    async def close(self) -> None:
        await _closed(self._client)


async def _closed(client: Any) -> None:
    ended = client.close()
    if inspect.isawaitable(ended):
        await ended


def _resource_of(operation: Declared) -> str:
    return _RESOURCES[f"{operation.function.__module__}.{operation.tag}"]


class ByGenerated:
    """Drives the client that is made of the vendor's document. It knows no operation that the document has not."""

    def __init__(self, generated: Generated, inn: RunningInn) -> None:
        self.inn, self.walked = inn, set[str]()
        self.untold = set[str]()  #: operations of whose answers the document says nothing
        self.lost = set[str]()  #: what its models do not hold of answers
        self.strangers = set[str]()  #: fields of answers that the document does not have
        self._made = generated
        self._client = generated.client.AuthenticatedClient(inn.url, token=inn.token, prefix="token")
        self._nobody = generated.client.Client(inn.url)

    def knows(self, id: str) -> bool:
        return (OPERATIONS[id].method, OPERATIONS[id].path) in self._made

    async def _answer(self, id: str, body: Any, secret: str, where: dict[str, Any]) -> Any:
        module = self._made.module((OPERATIONS[id].method, OPERATIONS[id].path))
        taken = inspect.signature(module.sync_detailed).parameters
        given = {name if name in taken else f"{name}_": value for name, value in where.items()}
        if "body" in taken:
            given["body"] = self._made.body(module, body)
        if secret:
            given["authorization"] = secret
        return module.sync_detailed(client=self._nobody if secret else self._client, **given)

    async def __call__(self, id: str, body: Any = None, *, secret: str = "", status: int = 0, **where: Any) -> Any:
        answer = await self._answer(id, body, secret, where)
        assert answer.status_code == (status or OPERATIONS[id].status), (id, answer)
        self.walked.add(id)
        if not answer.content:
            return None
        whole = json.loads(answer.content)
        if answer.parsed is None:  # the document says of no content what it holds
            self.untold.add(id)
            return whole
        self.strangers |= strangers(answer.parsed)
        self.lost |= {f"{id}{place}" for place in changed(answer.parsed.to_dict(), whole)}
        return whole

    async def refused(self, id: str, status: int, body: Any = None, *, secret: str = "", **where: Any) -> str:
        answer = await self._answer(id, body, secret, where)
        assert answer.status_code == status, (id, answer)
        told = json.loads(answer.content)
        assert list(told) == ["message"], (id, answer)
        return str(told["message"])

    async def is_refused(self, id: str, status: int, **where: Any) -> bool:
        return bool((await self._answer(id, None, "", where)).status_code == status)

    async def close(self) -> None:
        for client in (self._client, self._nobody):
            client.get_httpx_client().close()


def strangers(model: Any) -> set[str]:
    """``Model.field`` of every field that a model does not know, in it and below it."""
    if isinstance(model, list):
        return {found for each in model for found in strangers(each)}
    if not hasattr(model, "__attrs_attrs__"):
        return set()
    more = getattr(model, "additional_properties", {})
    kinds = {type(value).__name__ for value in more.values()}
    # A map by names of somebody's own has nothing else than models of one kind.
    known = len(type(model).__attrs_attrs__) == 1 or kinds == {"PortMapping"}
    found = set() if known else {f"{type(model).__name__}.{name}" for name in more}
    below = [getattr(model, one.name) for one in type(model).__attrs_attrs__ if one.name != "additional_properties"]
    return found | strangers([*below, *(more.values() if known else ())])


def changed(one: Any, other: Any, place: str = "") -> set[str]:
    """Where a model does not hold what the answer did."""
    if isinstance(one, dict) and isinstance(other, dict):
        missing = {f"{place}.{key}" for key in one.keys() ^ other.keys()}
        return missing.union(*(changed(one[key], other[key], f"{place}.{key}") for key in one.keys() & other.keys()))
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return set().union(*(changed(each, beside, f"{place}[]") for each, beside in zip(one, other, strict=True)))
    if isinstance(one, str) and isinstance(other, str) and _TIME.match(one):  # the client writes times anew
        one, other = datetime.fromisoformat(one), datetime.fromisoformat(other)
    return set() if one == other else {f"{place}: {one!r}, not {other!r}"}
