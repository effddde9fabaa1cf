"""Sees when starting servers have bound their ports. Called by ``engine.py``.

There are three ways to look, and each server gets the first that can be had: ``local`` reads the sockets of its network
from outside, ``shell`` has a shell inside read them, ``probe`` knocks at its published ports.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from innkeeper.engines.base import HostUnavailable, Port, ServerId
from innkeeper.kit.clock import Clock

from .background import tell_failure
from .client import Client, DockerError
from .local import Local
from .nets import Socket
from .probing import Probe
from .shell import NoShell, Shell

log = logging.getLogger(__name__)

Way = Literal["local", "shell", "probe"]
WAYS: tuple[Way, ...] = ("local", "shell", "probe")

#: (age in seconds up to which, seconds between two looks)
_LOOKS = ((0.5, 0.002), (3.0, 0.01), (20.0, 0.05), (float("inf"), 0.25))
#: From elsewhere a look is a question to the engine.
_FAR_LOOKS = ((3.0, 0.02), (20.0, 0.1), (float("inf"), 0.5))
_SHARE = 2  # pauses are at least so many times as long as a look takes
_AGAIN = 1.0  # seconds until an engine that does not answer is asked again


class _Inside(Protocol):
    """A way to look from elsewhere."""

    async def bound(self, ports: Sequence[Port]) -> Collection[Port]: ...

    async def close(self) -> None: ...


@dataclass(slots=True)
class Starting:
    """A server that has ports to bind."""

    server_id: ServerId
    container: str
    ports: Sequence[Port]
    local: Local | None


def bound_of(
    ports: Sequence[Port], sockets: Collection[Socket], *, own_network: bool, own: frozenset[int] | None
) -> list[Port]:
    """Which of the ports are served by the sockets.

    In a network of its own, a socket on loopback serves nobody, and the port is the one inside. On the host's network
    the socket has to be one of ``own``, if that is known.
    """
    found: list[Port] = []
    for port in ports:
        for socket in sockets:
            if socket.port != port.bound or socket.transport is not port.transport or not socket.serves:
                continue
            if (not socket.loopback) if own_network else (own is None or socket.inode in own):
                found.append(port)
                break
    return found


def pause(age: float, took: float, *, far: bool = False) -> float:
    """Seconds until the next look at a server so many seconds old, when the last look took so long."""
    usual = next(pause for limit, pause in (_FAR_LOOKS if far else _LOOKS) if age < limit)
    return max(usual, _SHARE * took)


class Readiness:
    """``told`` is called with the ports that a server has bound, whenever that changed."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        told: Callable[[ServerId, Sequence[Port]], None],
        *,
        own_network: bool,
        address: str,
        ways: Sequence[Way] = WAYS,
    ) -> None:
        self._client, self._clock, self._told, self._ways = client, clock, told, ways
        self._own_network, self._address = own_network, address
        self._near: dict[ServerId, tuple[Starting, float]] = {}
        self._seen: dict[ServerId, list[Port]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._far: dict[ServerId, asyncio.Task[None]] = {}

    def expect(self, starting: Starting) -> None:
        """It runs, and has ports to bind."""
        self.give_up(starting.server_id)
        if starting.local is not None and "local" in self._ways:
            self._near[starting.server_id] = starting, asyncio.get_running_loop().time()
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
        else:
            task = asyncio.create_task(self._ask(starting))
            self._far[starting.server_id] = task
            task.add_done_callback(tell_failure("looking at a starting server"))

    def give_up(self, server_id: ServerId) -> None:
        """It ended, or is ready."""
        self._near.pop(server_id, None)
        self._seen.pop(server_id, None)
        task = self._far.pop(server_id, None)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """Look no more."""
        tasks = list(self._far.values())
        if self._looking is not None:
            tasks.append(self._looking)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._near.clear()
        self._far.clear()
        self._seen.clear()

    def _tell(self, starting: Starting, bound: list[Port]) -> bool:
        """Tell if something changed; whether all is bound."""
        if bound != self._seen.get(starting.server_id, []):
            self._seen[starting.server_id] = bound
            self._told(starting.server_id, bound)
        if len(bound) < len(starting.ports):
            return False
        self._seen.pop(starting.server_id, None)
        return True

    # -- near ------------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """One look serves all: often while one is young, seldom when all are old."""
        loop = asyncio.get_running_loop()
        while self._near:
            began = loop.time()
            now = [starting for starting, _ in self._near.values()]
            found = await asyncio.to_thread(self._see_all, now)
            for starting, bound in zip(now, found, strict=True):
                if self._near.get(starting.server_id, (None,))[0] is starting and self._tell(starting, bound):
                    del self._near[starting.server_id]
            if self._near:
                ended = loop.time()
                youngest = ended - max(since for _, since in self._near.values())
                await self._clock.sleep(pause(youngest, ended - began))

    def _see_all(self, every: Sequence[Starting]) -> list[list[Port]]:
        return [self._see(starting) for starting in every]

    def _see(self, starting: Starting) -> list[Port]:
        assert starting.local is not None
        sockets = starting.local.sockets({port.transport for port in starting.ports})
        bound = bound_of(starting.ports, sockets, own_network=self._own_network, own=None)
        if bound and not self._own_network:
            own = starting.local.own_inodes()
            bound = bound_of(starting.ports, sockets, own_network=False, own=own)
        return bound

    # -- far -------------------------------------------------------------------------------------------------------

    async def _ask(self, starting: Starting) -> None:
        loop = asyncio.get_running_loop()
        since = loop.time()
        ways: list[Way] = [way for way in self._ways if way != "local"]
        while ways:
            way = self._way(ways[0], starting)
            try:
                while True:
                    began = loop.time()
                    bound = list(await way.bound(starting.ports))
                    if len(bound) == len(starting.ports) and not await self._runs(starting):
                        return  # whoever answers there is the engine's proxy; the end is told by its event
                    if self._tell(starting, bound):
                        return
                    now = loop.time()
                    await self._clock.sleep(pause(now - since, now - began, far=True))
            except NoShell as error:
                log.info("server %s is looked at from outside: %s", starting.server_id, error)
                ways.pop(0)
            except (HostUnavailable, DockerError, OSError):
                await self._clock.sleep(_AGAIN)
            finally:
                await way.close()

    async def _runs(self, starting: Starting) -> bool:
        async with self._client.call("looking whether a container runs"):
            found = await self._client.docker.containers.get(starting.container)
        return bool(found["State"]["Running"])

    def _way(self, name: Way, starting: Starting) -> _Inside:
        if name == "shell":
            return Shell(self._client, starting.container, own_network=self._own_network, decide=bound_of)
        return Probe(self._address)
