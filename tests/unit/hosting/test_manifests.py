"""Whether an image can be had is asked as registries want to be asked; these are pretended."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from innkeeper.engines.images import RegistryLogin
from innkeeper.hosting.manifests import check_image
from innkeeper.hosting.registries import RegistrySource
from innkeeper.hosting.registrytalk import Heard, asking_through
from innkeeper.hosting.storing.guard import Guard
from innkeeper.kit.errors import Unobtainable
from innkeeper.kit.ids import Chance

ANN = RegistryLogin("ann", "alohomora")
GAME = "ghcr.io/studio/game:1"
URL = "https://ghcr.io/v2/studio/game/manifests/1"
BEARER = 'Bearer realm="https://auth.example/token",service="ghcr.io",scope="repository:studio/game:pull"'
TOKEN_URL = "https://auth.example/token?service=ghcr.io&scope=repository%3Astudio%2Fgame%3Apull"


@dataclass
class Pretended:
    """Answers each URL as it is told, by the first word of who asks."""

    answers: Mapping[tuple[str, str], Heard]
    asked: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])

    async def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Heard:
        who = headers.get("Authorization", "")
        self.asked.append((method, url, who))
        return self.answers[url, who.partition(" ")[0]]


def basic(login: RegistryLogin) -> str:
    return "Basic " + base64.b64encode(f"{login.user}:{login.password}".encode()).decode()


async def test_an_image_for_everybody() -> None:
    registry = Pretended({(URL, ""): Heard(200)})
    await check_image(RegistrySource(GAME), registry.ask)
    assert registry.asked == [("HEAD", URL, "")]


async def test_a_login_is_said_when_it_is_asked_for() -> None:
    registry = Pretended({(URL, ""): Heard(401, 'Basic realm="x"'), (URL, "Basic"): Heard(200)})
    await check_image(RegistrySource(GAME, ANN), registry.ask)
    assert registry.asked[1] == ("HEAD", URL, basic(ANN))


@pytest.mark.parametrize("login", [None, ANN])
@pytest.mark.parametrize("word", ["token", "access_token"])
async def test_a_token_is_got_where_the_registry_says(login: RegistryLogin | None, word: str) -> None:
    given = Heard(200, body=json.dumps({word: "t0k"}).encode())
    who = "" if login is None else "Basic"
    registry = Pretended({(URL, ""): Heard(401, BEARER), (TOKEN_URL, who): given, (URL, "Bearer"): Heard(200)})
    await check_image(RegistrySource(GAME, login), registry.ask)
    assert registry.asked[1:] == [
        ("GET", TOKEN_URL, "" if login is None else basic(login)), ("HEAD", URL, "Bearer t0k"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "login", "why"),
    [
        ({(URL, ""): Heard(404)}, None, f"has no image {GAME}, or not without a login"),
        ({(URL, ""): Heard(401, 'Basic realm="x"')}, None, f"wants a login for {GAME}"),
        ({(URL, ""): Heard(401, "Basic"), (URL, "Basic"): Heard(401)}, ANN, "unable to log in: .* does not take"),
        ({(URL, ""): Heard(401, "Basic"), (URL, "Basic"): Heard(403)}, ANN, "refuses .* for the user ann"),
        ({(URL, ""): Heard(401, BEARER), (TOKEN_URL, "Basic"): Heard(401)}, ANN, "unable to log in"),
        ({(URL, ""): Heard(401, BEARER), (TOKEN_URL, ""): Heard(500)}, None, "answers 500"),
        ({(URL, ""): Heard(401, BEARER), (TOKEN_URL, ""): Heard(200, body=b"[1]"), (URL, "Bearer"): Heard(401)},
         None, "wants a login"),
        ({(URL, ""): Heard(401, 'Bearer realm="file:///etc/passwd"')}, None, "wants a login"),
        ({(URL, ""): Heard(429)}, None, "asked too often"),
        ({(URL, ""): Heard(500)}, None, "answers 500"),
    ],
)  # fmt: skip
async def test_why_not(answers: dict[tuple[str, str], Heard], login: RegistryLogin | None, why: str) -> None:
    with pytest.raises(Unobtainable, match=why) as caught:
        await check_image(RegistrySource(GAME, login), Pretended(answers).ask)
    assert ANN.password not in str(caught.value)


async def test_a_registry_that_does_not_answer() -> None:
    async def nobody(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Heard:
        raise OSError("connection refused")

    with pytest.raises(Unobtainable, match=r"the registry ghcr.io does not answer: connection refused"):
        await check_image(RegistrySource(GAME), nobody)


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("docker.io/library/nginx:1.2", "https://registry-1.docker.io/v2/library/nginx/manifests/1.2"),
        ("localhost:5000/a/b:1", "http://localhost:5000/v2/a/b/manifests/1"),
        ("127.0.0.1:5000/a:1", "http://127.0.0.1:5000/v2/a/manifests/1"),
        ("[::1]:5000/a:1", "http://[::1]:5000/v2/a/manifests/1"),
        (f"r.example:5000/a/b@sha256:{'0' * 64}", f"https://r.example:5000/v2/a/b/manifests/sha256:{'0' * 64}"),
    ],
)
async def test_where_it_is_asked(reference: str, url: str) -> None:
    registry = Pretended({(url, ""): Heard(200)})
    await check_image(RegistrySource(reference), registry.ask)
    assert registry.asked == [("HEAD", url, "")]


@asynccontextmanager
async def registry_here() -> AsyncGenerator[tuple[str, list[str]]]:
    """A registry at a private address that has one image and wants a token: its address, and what it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path} {request.headers.get('Authorization', '')}".strip())
        if request.path == "/token":
            return web.json_response({"token": "t0k"})
        if "Authorization" in request.headers:
            return web.Response()
        return web.Response(status=401, headers={"WWW-Authenticate": f'Bearer realm="http://{request.host}/token"'})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("anywhere", [True, False])
async def test_registries_at_private_addresses_are_asked_for_those_alone_who_may(anywhere: bool) -> None:
    guard = Guard(Chance())
    try:
        async with registry_here() as (address, asked):
            source, ask = RegistrySource(f"{address}/studio/game:1"), asking_through(guard, anywhere=anywhere)
            if anywhere:
                await check_image(source, ask)
                path = "HEAD /v2/studio/game/manifests/1"
                assert asked == [path, "GET /token", f"{path} Bearer t0k"]
                return
            with pytest.raises(Unobtainable, match=r"does not answer: 127\.0\.0\.1 is"):
                await check_image(source, ask)
            with pytest.raises(OSError, match=r"127\.0\.0\.1 is"):  # where a registry says that a token is got
                await ask("GET", f"https://{address}/token", {}, b"")
            assert asked == []
    finally:
        await guard.close()
