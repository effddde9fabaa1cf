"""The third example: players ask its backend for a game, and meet in the room that it opens for them."""

from __future__ import annotations

import asyncio
import json
import runpy
import subprocess
import sys
from collections.abc import Iterator

import aiohttp
import pytest

from inns import PATIENCE, REPOSITORY, RunningInn, deploy

EXAMPLES = REPOSITORY / "examples"


@pytest.fixture(scope="module")
def backend(inn: RunningInn) -> Iterator[str]:
    """Where the backend is, started with a token that can do no more than it has to."""
    app_id = deploy(inn, EXAMPLES / "01-first-room", "first-room", "--port", "ws:7778/tcp")
    token = inn.run("tokens", "create", "backend", "--scope", "processes:read-write").stdout.strip()
    env = inn.environment() | {"INNKEEPER_URL": inn.url, "INNKEEPER_TOKEN": token, "INNKEEPER_APP_ID": app_id}
    command = [sys.executable, str(EXAMPLES / "03-matchmade-by-your-backend" / "backend.py"), "0"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        said = program.stdout.readline().split()
        assert said[:2] == ["Ready", "at"]
        yield said[2].removesuffix("/play")
        program.terminate()


async def play(http: aiohttp.ClientSession, backend: str, player: str) -> dict[str, object]:
    async with http.post(f"{backend}/play", data=json.dumps({"player": player})) as answer:
        assert answer.status == 200
        found: dict[str, object] = await answer.json()
        return found


async def waiting(http: aiohttp.ClientSession, backend: str, wanted: list[str]) -> None:
    async def are() -> list[str]:
        async with http.get(f"{backend}/waiting") as answer:
            found: list[str] = await answer.json()
            return found

    async with asyncio.timeout(PATIENCE):
        while await are() != wanted:  # noqa: ASYNC110  # another program's queue has no event for us
            await asyncio.sleep(0.01)


async def test_two_who_wait_get_a_room(inn: RunningInn, backend: str) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as http:
        gone = asyncio.create_task(play(http, backend, "Eve"))
        await waiting(http, backend, ["Eve"])
        gone.cancel()  # she hangs up, and nobody shall be matched with her
        await waiting(http, backend, [])

        ada = asyncio.create_task(play(http, backend, "Ada"))
        await waiting(http, backend, ["Ada"])
        games = await asyncio.gather(ada, play(http, backend, "Grace"))
        async with http.post(f"{backend}/play", data="nonsense") as answer:
            assert answer.status == 400
    assert games[0] == games[1]
    game = games[0]
    assert game["players"] == ["Ada", "Grace"]
    room = inn.json("rooms", "info", str(game["roomId"]))
    assert json.loads(room["roomConfig"]) == {"players": ["Ada", "Grace"]}
    meet = runpy.run_path(str(EXAMPLES / "01-first-room" / "play.py"))["play"]
    told = await asyncio.to_thread(meet, game["host"], game["port"])
    assert told[0] == f"Ada joins room {game['roomId']} by UDP"


async def test_when_no_room_can_be_opened_both_are_told(inn: RunningInn, backend: str) -> None:
    token_id = next(one["orgTokenId"] for one in inn.json("tokens", "list") if one["name"] == "backend")
    inn.run("tokens", "revoke", token_id)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as http:
        answers = await asyncio.gather(
            *(http.post(f"{backend}/play", data=json.dumps({"player": player})) for player in ("Ada", "Grace"))
        )
        for answer in answers:
            assert answer.status == 503
            assert "revoked" in (await answer.json())["message"]
