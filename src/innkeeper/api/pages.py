"""The house's own pages beside the vendors': health, metrics, documents, the WebSocket echo. Used by ``app.py``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import msgspec

from innkeeper.contract.operation import Api

from .linked_pages import LinkedPages

#: A message of a player who measures their distance is echoed up to this size, in bytes.
MOST_ECHOED = 4096
#: Messages echoed on one connection, before it is closed: measuring takes a handful.
MOST_MESSAGES = 1000
#: Where a vendor's clients look for its document, and which one it is.
_ELSEWHERE = {"/swagger.json": "edgegap"}

Health = Callable[[], Awaitable[tuple[bool, dict[str, Any]]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Pages:
    """Answers what is not an operation."""

    def __init__(
        self,
        apis: Sequence[Api],
        health: Health,
        count: Callable[[], Awaitable[None]],
        collectors: Sequence[Any],
        linked: LinkedPages | None = None,
    ) -> None:
        self._apis = {api.name: api for api in apis}
        self._health = health
        self._count = count
        self._collectors = collectors
        self._linked = linked

    async def answer(self, method: str, path: str, scope: MutableMapping[str, Any], send: Send) -> bool:
        """Answer a page; False when there is none at ``path``."""
        linked = None if self._linked is None else await self._linked.answer(method, path)
        if linked is not None:
            length = (b"content-length", b"%d" % len(linked.body))
            headers = [(b"content-type", linked.kind.encode()), length, *linked.headers]
            await send({"type": "http.response.start", "status": linked.status, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if method == "HEAD" else linked.body})
            return True
        if method not in ("GET", "HEAD"):
            return False
        page = await self._page(path.rstrip("/") or "/")
        if page is None:
            return False
        status, kind, body = page
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"access-control-allow-origin", b"*"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
        return True

    async def _page(self, path: str) -> tuple[int, str, bytes] | None:
        if path == "/healthz":
            well, told = await self._health()
            return 200 if well else 503, "application/json", msgspec.json.encode(told)
        if path == "/metrics":
            await self._count()
            return 200, *self._metrics()
        if path.startswith("/openapi/") or path in _ELSEWHERE:
            name = _ELSEWHERE.get(path) or path.removeprefix("/openapi/").removesuffix(".json")
            api = self._apis.get(name)
            if api is None:
                return None
            from innkeeper.contract.openapi import document  # made for those who ask: no start waits for it

            return 200, "application/json", msgspec.json.encode(document(api))
        if path in ("/", "/docs"):
            from .docs import reference_page

            return 200, "text/html; charset=utf-8", reference_page(list(self._apis.values())).encode()
        return None

    def _metrics(self) -> tuple[str, bytes]:
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        registry = CollectorRegistry()
        for collector in self._collectors:
            registry.register(collector)
        return CONTENT_TYPE_LATEST, generate_latest(registry)

    async def websocket(
        self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[MutableMapping[str, Any]]], send: Send
    ) -> None:
        """Echo messages at ``/`` and ``/ws``: clients of different ages ask at different paths."""
        await receive()
        if scope["path"].rstrip("/") not in ("", "/ws"):
            await send({"type": "websocket.close", "code": 4404, "reason": "there is nothing here"})
            return
        await send({"type": "websocket.accept"})
        for _ in range(MOST_MESSAGES):
            message = await receive()
            if message["type"] != "websocket.receive":
                return
            text, data = message.get("text"), message.get("bytes")
            if len(text or data or "") > MOST_ECHOED:
                break
            await send({"type": "websocket.send", **({"bytes": data} if text is None else {"text": text})})
        await send({"type": "websocket.close", "code": 1008, "reason": "this connection is for measuring distance"})
