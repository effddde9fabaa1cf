"""Long work with a host, given up when the host falls silent. Called by ``images.py`` and ``making.py``.

A connection to a machine that was unplugged stays open for many minutes, and a build that says nothing may only be
busy. The engine knows better: it pings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from innkeeper.engines.base import HostUnavailable
from innkeeper.kit.clock import SECOND, Clock

from .hosts import Host

R = TypeVar("R")

#: Seconds of silence after which nothing more is expected.
SILENCE = 10.0
_LOOK_EVERY = 1.0


async def while_it_answers(host: Host, clock: Clock, work: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Do the work. Raises :class:`HostUnavailable` once the host was silent for too long; the work is cancelled."""
    doing = asyncio.create_task(work())
    watching = asyncio.create_task(_silence(host, clock))
    try:
        await asyncio.wait({doing, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise HostUnavailable(f"it has been silent for {SILENCE:g} s")
        return doing.result()
    finally:
        doing.cancel()
        watching.cancel()
        await asyncio.gather(doing, watching, return_exceptions=True)


async def _silence(host: Host, clock: Clock) -> None:
    while not is_silent(host.engine.silent_since, clock.now()):
        await clock.sleep(_LOOK_EVERY)


def is_silent(since: int | None, now: int) -> bool:
    """Whether a host that has not answered since then, in microseconds, is given up."""
    return since is not None and now - since >= SILENCE * SECOND
