"""Follows output until its container has ended, whatever the engine says. Used by ``engine.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from innkeeper.kit.clock import Clock

#: Seconds between two looks, and how many in a row find nothing more of what has ended until that is believed.
_LOOK, _LOOKS = 1.0, 5


async def until_over(pieces: AsyncGenerator[bytes], is_over: Callable[[], bool], clock: Clock) -> AsyncGenerator[bytes]:
    """The pieces to their end, or until nothing came for a while of what is over.

    Podman (4.3) now and then goes on following a container that ends in the very moment when the following begins.
    """
    reading = asyncio.ensure_future(_next(pieces))
    looking: asyncio.Future[None] | None = None
    try:
        quiet = 0
        while quiet < _LOOKS:
            looking = looking or asyncio.ensure_future(clock.sleep(_LOOK))
            both: tuple[asyncio.Future[Any], ...] = (reading, looking)
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                piece = reading.result()
                if piece is None:
                    return
                quiet = 0
                yield piece
                reading = asyncio.ensure_future(_next(pieces))
            if looking.done():
                looking = None
                quiet = quiet + 1 if is_over() else 0
    finally:
        for one in (reading, looking):
            if one is not None:
                one.cancel()
                await asyncio.gather(one, return_exceptions=True)
        await pieces.aclose()


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)
