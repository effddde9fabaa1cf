"""A receiver of webhooks on loopback: keeps what it is sent, and answers as it is told. Used by tests of webhooks."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from innkeeper.sdk import WebhookRejected, verify_webhook


@dataclass
class Got:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """What it got, in order, and what it answers: one status, one after the other, or by the request."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answer: int | Callable[[Got], int] = 204
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    hold: Callable[[Got], Awaitable[None]] | None = None  #: awaited before each answer

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        got = Got(request.path, headers, await request.read())
        self.got.append(got)
        if self.hold is not None:
            await self.hold(got)
        status = self.answer(got) if callable(self.answer) else self.answer
        return web.Response(status=status, headers=self.headers, text=self.text or None)

    def kinds(self, subject: str | None = None) -> list[str]:
        """The kinds of what came, in order."""
        return [got.json["type"] for got in self.got if subject is None or subject in got.json["data"].values()]

    def wrong(self, secrets: Sequence[str], now: float) -> list[Got]:
        """What came with a signature that is none of these secrets'."""

        def is_right(got: Got) -> bool:
            for secret in secrets:
                try:
                    verify_webhook(secret, got.headers, got.body, now=now)
                except WebhookRejected:
                    continue
                return True
            return False

        return [got for got in self.got if not is_right(got)]


@asynccontextmanager
async def receiver() -> AsyncGenerator[Receiver, None]:
    """A receiver that listens."""
    found = Receiver()
    app = web.Application()
    app.router.add_post("/{tail:.*}", found._take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield found
    finally:
        await runner.cleanup()
