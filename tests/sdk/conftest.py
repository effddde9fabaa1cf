"""The client in every mode and over every HTTP library, so that one test text is run against all of them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from innkeeper import sdk
from innkeeper.sdk import World

FLAVOURS = ["urllib3", "aiohttp", "httpx", "httpx-async", "httpx2", "httpx2-async"]

# Made once: a transport that is closed opens again, and httpx's certificates take longer to load than a test runs.
_TRANSPORTS: dict[str, Any] = {
    "urllib3": sdk.Urllib3Transport(),
    "aiohttp": sdk.AiohttpTransport(),
    "httpx": sdk.HttpxTransport(),
    "httpx-async": sdk.AsyncHttpxTransport(),
    "httpx2": sdk.Httpx2Transport(),
    "httpx2-async": sdk.AsyncHttpx2Transport(),
}


class Time:
    """Time that moves only by the waits it is asked for, and notes them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def pause(self, seconds: float) -> None:
        self.sleep(seconds)

    def world(self) -> World:
        return World(now=lambda: self.now, date=lambda: 1.8e9, chance=lambda: 0.5, sleep=self.sleep, pause=self.pause)


class Flavour:
    """Makes clients of one kind, and runs calls of either mode to their end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_async = name.endswith("async") or name == "aiohttp"
        self.runner = asyncio.Runner()
        self.time = Time()
        self._made: list[Any] = []

    def client(
        self, server: str | int | None, token: Any = "secret-token", *, real_time: bool = False, **more: Any
    ) -> Any:
        kind: Any = sdk.AsyncHathoraCloud if self.is_async else sdk.HathoraCloud
        more.setdefault("app_id", "app-1")
        more.setdefault("transport", _TRANSPORTS[self.name])
        if not real_time:
            more.setdefault("world", self.time.world())
        client = kind(token, server=server, **more)
        self._made.append(client)
        return client

    def edgegap(self, server: str | int | None, token: Any = "secret-token", **more: Any) -> Any:
        kind: Any = sdk.AsyncEdgegap if self.is_async else sdk.Edgegap
        client = kind(token, server=server, transport=_TRANSPORTS[self.name], world=self.time.world(), **more)
        self._made.append(client)
        return client

    def inside(self, environ: dict[str, str]) -> Any:
        kind: Any = sdk.AsyncEdgegap if self.is_async else sdk.Edgegap
        inside = kind.inside(environ, transport=_TRANSPORTS[self.name], world=self.time.world())
        self._made.append(inside)
        return inside

    def run(self, outcome: Any) -> Any:
        """The value of a call: awaited where it must be."""
        if not inspect.iscoroutine(outcome):
            return outcome
        return self.runner.run(outcome)

    def fails(self, error: type[BaseException], call: Callable[[], Any]) -> Any:
        with pytest.raises(error) as caught:
            self.run(call())
        return caught.value

    def listed(self, items: Any) -> list[Any]:
        """All items of an iterator of either mode."""
        if hasattr(items, "__aiter__"):

            async def collect() -> list[Any]:
                return [item async for item in items]

            return self.run(collect())
        return list(items)

    def end(self) -> None:
        for client in self._made:
            self.run(client.close())
        self.runner.close()


@pytest.fixture(params=FLAVOURS)
def flavour(request: pytest.FixtureRequest) -> Iterator[Flavour]:
    flavour = Flavour(request.param)
    yield flavour
    flavour.end()


@pytest.fixture(params=["urllib3", "aiohttp"])
def default_flavour(request: pytest.FixtureRequest) -> Iterator[Flavour]:
    """The two that a client has by itself."""
    flavour = Flavour(request.param)
    yield flavour
    flavour.end()


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither proxies nor credentials of the machine the tests run on."""
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "innkeeper_token",
        "innkeeper_url",
        "hathora_token",
        "edgegap_token",
        "edgegap_api_token",
        "edgegap_base_url",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
