"""The third example: players ask its backend for a game, and meet in the room that it opens for them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from inns import PATIENCE, REPOSITORY, RunningInn

EXAMPLES = REPOSITORY / "examples"
EXAMPLE = EXAMPLES / "03-matchmade-by-your-backend"


@pytest.fixture(scope="module")
def backend(inn: RunningInn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the backend is, started by the commands on the example's page, in the folder that its reader is in."""
    [commands, _] = re.findall(r"^```sh\n(.*?)^```", (EXAMPLE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    folder = tmp_path_factory.mktemp("reader")
    (folder / "inn-data").symlink_to(inn.data)
    (folder / "examples").symlink_to(EXAMPLES)
    _program(folder / "bin" / "innkeeper", f'exec {sys.executable} -m innkeeper "$@"')
    _program(folder / "bin" / "python3", f'exec {sys.executable} "$@"')
    env = inn.environment() | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    del env["INNKEEPER_DATA"]
    commands = commands.replace("http://127.0.0.1:8080", inn.url)
    commands = re.sub(r"^(python3 \S+/backend\.py)$", r"exec \1 0", commands, flags=re.MULTILINE)
    shell = ["bash", "-euc", commands]
    with subprocess.Popen(shell, cwd=folder, env=env, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        said = next((line for line in program.stdout if line.startswith("Ready at ")), "").split()
        assert said
        yield said[2].removesuffix("/play")
        program.terminate()


def _program(path: Path, line: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


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


async def test_whatever_goes_wrong_is_told() -> None:
    code = runpy.run_path(str(EXAMPLE / "backend.py"))

    async def create_room(params: object) -> None:
        raise TypeError("a mistake")

    broken = SimpleNamespace(rooms_v2=SimpleNamespace(create_room=create_room))
    async with (
        TestServer(code["application"](code["Matchmaker"](broken, "Tokyo"))) as server,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as http,
    ):
        url = server.make_url("/play")
        answers = await asyncio.gather(*(http.post(url, json={"player": player}) for player in ("Ada", "Grace")))
        assert [answer.status for answer in answers] == [503, 503]
        assert (await answers[0].json())["message"] == "no room could be opened: a mistake"


@pytest.mark.parametrize("app_id", [None, ""])
def test_a_backend_without_an_app_does_not_start(inn: RunningInn, app_id: str | None) -> None:
    env = inn.environment() | ({} if app_id is None else {"INNKEEPER_APP_ID": app_id})
    done = subprocess.run(
        [sys.executable, EXAMPLE / "backend.py", "0"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("backend.py: say in INNKEEPER_APP_ID")
