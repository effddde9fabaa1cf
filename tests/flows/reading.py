"""Servers that print, and those who read what many of them print. Used by ``test_flows_many_logs.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from api.wire import ask
from factories import TOKYO, Game, TestInn
from innkeeper.contract.hathora.words import Region


async def server(game: Game, output: bytes = b"", region: Region = TOKYO) -> str:
    """A running server that has printed this, a second younger than the one before."""
    inn = game.inn
    inn.clock.advance(1)
    process = await game.cloud.processes_v3.create_process(region)
    await inn.settle()
    say(inn, process.process_id, output)
    return process.process_id


def say(inn: TestInn, process_id: str, output: bytes) -> None:
    for host in inn.inn.keeper.hosts:
        engine: Any = host.engine
        if process_id in engine.launches:
            engine.say(process_id, output)


async def past(game: Game, query: str = "", of: str = "all") -> list[str]:
    answer = await ask(game.inn, "GET", f"/logs/v1/{game.app_id}/{of}{query}", token=game.inn.token)
    assert answer.status == 200, answer
    assert answer.body.endswith(b"\n") or not answer.body
    return answer.body.decode().splitlines()


class Reader:
    """Somebody who follows."""

    def __init__(self, inn: TestInn, pieces: AsyncIterator[bytes]) -> None:
        self.inn, self.text = inn, b""
        self.task = asyncio.create_task(self._read(pieces))

    async def _read(self, pieces: AsyncIterator[bytes]) -> None:
        async for piece in pieces:
            assert piece.endswith(b"\n"), "lines are whole"
            self.text += piece

    async def sees(self, wanted: Callable[[str], object]) -> str:
        """What was read, once it is as wanted; time moves on meanwhile, by ten seconds at most."""
        for _ in range(100):
            for _ in range(3):
                if wanted(self.text.decode()):
                    return self.text.decode()
                await self.inn.quiet()
            await self.inn.advance(0.1)
        raise AssertionError(f"only this was read:\n{self.text.decode()}")

    async def reads(self, *lines: str) -> None:
        """These lines and no others, in this order."""
        await self.sees(lambda text: len(text.splitlines()) >= len(lines))
        assert self.text.decode().splitlines() == list(lines)


@asynccontextmanager
async def following(game: Game, tail: int = 100, **narrower: Any) -> AsyncGenerator[Reader]:
    logs = game.inn.inn.wings.logs
    pieces: Any = await logs.read_many(game.inn.inn.founded.org_id, game.app_id, tail=tail, follow=True, **narrower)
    reader = Reader(game.inn, pieces)
    try:
        yield reader
    finally:
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)
        await pieces.aclose()
