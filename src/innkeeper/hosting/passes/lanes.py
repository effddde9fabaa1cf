"""Deeds on hosts, in lanes of their own: a host that is slow holds up nobody but itself. Used by the other passes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from innkeeper.engines.base import HostUnavailable
from innkeeper.hosting.hosts import Host

log = logging.getLogger(__name__)

#: A pass waits so many seconds for a host; then the deed goes on by itself, and the pass without it.
PATIENCE = 1.0


class Lanes:
    """One deed at a time for each host and purpose."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def run(
        self, host: Host, purpose: str, deed: Callable[[], Coroutine[Any, Any, None]], *, patience: float | None = None
    ) -> bool:
        """Do something on a host. True: it was done, or the host refused, which is logged.

        False: the host does not answer, an earlier deed of that purpose is still under way, or this one is; then it
        goes on. Raises whatever else the deed raises while it is waited for.
        """
        key = (host.id, purpose)
        if key in self._under_way or not host.answers:
            return False
        task = self._under_way[key] = asyncio.create_task(_told(host, purpose, deed))
        task.add_done_callback(lambda _: self._under_way.pop(key, None))
        done, _ = await asyncio.wait({task}, timeout=self._patience if patience is None else patience)
        if not done:
            log.warning("host %s is slow to %s; the others do not wait for it", host.id, purpose)
            task.add_done_callback(partial(_late, host, purpose))
            return False
        task.result()
        return True

    async def close(self, host_id: str | None = None) -> None:
        """Call off what is under way on a host, or on all. Whoever comes next does it again."""
        tasks = [task for (lane, _), task in self._under_way.items() if host_id in (None, lane)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _told(host: Host, purpose: str, deed: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        await deed()
    except HostUnavailable as error:
        log.warning("host %s cannot %s now: %s", host.id, purpose, error)


def _late(host: Host, purpose: str, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("host %s failed to %s; it is asked again", host.id, purpose, exc_info=error)
