"""Keeps the line to an engine: events while it answers, a ping every other second, and since when it has been silent.

Called by ``engine.py``. What is seen on the host is told again from the start whenever the line was broken.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from innkeeper.engines.base import HostUnavailable
from innkeeper.kit.clock import Clock
from innkeeper.kit.retry import for_ever

from . import raw
from .client import Client, DockerError
from .silence import BEAT, Silence

log = logging.getLogger(__name__)

_PING_EVERY, _PING_SECONDS = 2.0, 3.0
_LOOK_EVERY = 10.0  #: seconds between two looks at everything, for events that never came
_FIRST_LOOK = 1.0


class Link:
    """One line. ``sync`` looks at everything on the host, ``heard`` is told of each event."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        labels: Mapping[str, str],
        sync: Callable[[], Awaitable[None]],
        heard: Callable[[dict[str, Any]], None],
        chance: Callable[[], float],
    ) -> None:
        self._client, self._clock, self._labels = client, clock, labels
        self._sync, self._heard, self._chance = sync, heard, chance
        self._silence = Silence(clock)
        self._tasks: list[asyncio.Task[None]] = []
        self._tried = asyncio.Event()
        self.trouble = ""  #: why it did not answer the last time

    async def open(self) -> None:
        """Begin; returns when the host answered, or did not. From now on it is tried for ever."""
        self._silence = Silence(self._clock)
        self._tried.clear()
        self._tasks = [asyncio.create_task(self._keep()), asyncio.create_task(self._beat())]
        await self._tried.wait()

    async def close(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    @property
    def silent_since(self) -> int | None:
        """Since when the host has not answered; None while it does. Time in which we stood still is not counted."""
        return self._silence.since

    def check(self) -> None:
        """Raises :class:`HostUnavailable` while the host is silent: nobody waits for it in vain."""
        if self._silence.since is not None:
            raise HostUnavailable(f"{self._client.endpoint.url} does not answer")

    def _silent(self, since: int, error: Exception) -> None:
        self.trouble = str(error)
        if self._silence.fell(since):
            log.warning("%s is silent: %s", self._client.endpoint.url, error)

    def _answers(self) -> None:
        seconds = self._silence.ended()
        if seconds and self._tried.is_set():
            log.info("%s answers (after %.1f s)", self._client.endpoint.url, seconds)

    async def _keep(self) -> None:
        failures = 0
        while True:
            began = self._clock.now()
            try:
                await self._client.open()
                async with raw.events(self._client, self._labels) as events:
                    await self._sync()
                    self._answers()
                    self._tried.set()
                    failures = 0
                    await self._follow(events)
            except (HostUnavailable, DockerError) as error:
                self._silent(self._clock.now() if failures == 0 else began, error)
            except Exception as error:  # what an engine said made no sense: it may next time
                log.exception("what %s said was not understood", self._client.endpoint.url)
                self._silent(self._clock.now(), error)
            self._tried.set()
            failures += 1
            await self._clock.sleep(for_ever(failures, self._chance()))

    async def _follow(self, events: AsyncIterator[dict[str, Any]]) -> None:
        """Until the line breaks, which is an error, or is to be made anew."""
        tasks = [
            asyncio.create_task(self._hear(events)),
            asyncio.create_task(self._ping()),
            asyncio.create_task(self._look()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _hear(self, events: AsyncIterator[dict[str, Any]]) -> None:
        async for event in events:
            self._heard(event)
        raise HostUnavailable("it told its last event")

    async def _look(self) -> None:
        """Look at everything now and then."""
        pause = _FIRST_LOOK  # the first time soon: what happened while the line was made may have been missed
        while True:
            await self._clock.sleep(pause)
            pause = _LOOK_EVERY
            if self._silence.since is None:
                with contextlib.suppress(HostUnavailable, DockerError):  # the pings tell
                    await self._sync()

    async def _ping(self) -> None:
        """Silence begins with the first ping that is not answered, and ends when all was seen again."""
        while True:
            await self._clock.sleep(_PING_EVERY)
            began, stalls = self._clock.now(), self._silence.stalls
            try:
                await raw.ping(self._client, _PING_SECONDS)
                if self._silence.since is not None:
                    return  # the stream of events may be dead, though nobody said so: all begins anew
            except (HostUnavailable, DockerError) as error:
                if stalls == self._silence.stalls and self._silence.late == 0:
                    self._silent(began, error)
                # Otherwise it was us who did not look in time: its answer may have been there.

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(BEAT)
            self._silence.beat()
