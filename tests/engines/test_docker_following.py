"""Output is followed to its end, also where the engine forgets to say that it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from innkeeper.engines.docker.following import until_over
from innkeeper.kit.clock import ManualClock


class Scene:
    """A container that prints what it is told to, and somebody who follows it."""

    def __init__(self) -> None:
        self.clock, self.over, self.closed = ManualClock(), False, False
        self._printed: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.told: list[bytes] = []
        self._following = asyncio.ensure_future(self._follow())

    async def _engine(self) -> AsyncGenerator[bytes]:
        try:
            while (piece := await self._printed.get()) is not None:
                yield piece
        finally:
            self.closed = True

    async def _follow(self) -> None:
        async for piece in until_over(self._engine(), lambda: self.over, self.clock):
            self.told.append(piece)

    async def prints(self, *pieces: bytes | None) -> None:
        for piece in pieces:
            self._printed.put_nowait(piece)
        await self.rest()

    async def passes(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.rest()
            self.clock.advance(1.0)
        await self.rest()

    async def rest(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    @property
    def is_done(self) -> bool:
        return self._following.done()

    async def leave(self) -> None:
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)


async def test_it_ends_when_the_engine_says_so() -> None:
    scene = Scene()
    await scene.prints(b"one", b"two", None)
    assert (scene.told, scene.is_done, scene.closed) == ([b"one", b"two"], True, True)


async def test_one_that_lives_and_is_quiet_is_followed_on() -> None:
    scene = Scene()
    await scene.passes(100)
    await scene.prints(b"still here")
    assert (scene.told, scene.is_done) == ([b"still here"], False)
    await scene.leave()
    assert scene.closed


async def test_what_is_over_is_left_when_nothing_comes_for_a_while() -> None:
    scene = Scene()
    await scene.prints(b"one")
    scene.over = True
    await scene.passes(4)
    assert not scene.is_done
    await scene.prints(b"last words")
    await scene.passes(4)
    assert not scene.is_done, "something came meanwhile"
    await scene.passes(2)
    assert (scene.told, scene.is_done, scene.closed) == ([b"one", b"last words"], True, True)
