"""What many servers print, told as one stream of whole lines. Called by ``logs.py``.

The past is told server by server, the oldest first: as many of the last lines as are asked for, counted from the newest
server backwards. What comes is told as it comes, of servers that start later too. A server whose output cannot be read
now is named in a line of its own, and the others are told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from innkeeper.db.database import Database, DatabaseUnavailable
from innkeeper.engines.base import HostUnavailable
from innkeeper.kit.clock import MINUTE, Clock
from innkeeper.kit.errors import Gone, NotFound, Unavailable

from .answering import is_silent
from .following import Follower, Missing
from .hosts import Hosts
from .model import Server
from .queries.printed import printed
from .queries.servers import server_by_id

log = logging.getLogger(__name__)

#: Servers whose last lines are looked for, the newest ones.
LOOKED_THROUGH = 500
#: Servers that one reader follows at a time, the newest ones; others wait until one of them has ended.
FOLLOWED = 100
#: How often somebody who follows looks for servers that have started, in seconds.
_LOOK = 1.0
#: A server that starts was wanted no longer ago than this: it waits for a host, and an image is brought there.
_STARTS_WITHIN = 30 * MINUTE
#: What was counted a moment ago may be gone, where output is cut off at its limit: the longest wait for it, in seconds.
_PATIENCE = 1.0

#: Opens the output of a started server: tail, follow. Raises Gone or Unavailable, and KeyError where there is none.
Open = Callable[[Server, int | None, bool], AsyncIterator[bytes]]


class Wanted(NamedTuple):
    """Whose output is asked for."""

    app_id: str
    org_id: str
    release_id: str | None  #: None: of all releases
    location: str | None  #: None: everywhere


class Past(NamedTuple):
    """What is told of servers that have printed already."""

    lines: Mapping[str, int]  #: the last so many, by server
    missing: Mapping[str, Missing]  #: what cannot be read


class ManyLogs:
    """Reads the output of many servers at once."""

    def __init__(self, db: Database, clock: Clock, hosts: Hosts, open_output: Open) -> None:
        self._db, self._clock, self._hosts, self._open = db, clock, hosts, open_output

    async def read(self, wanted: Wanted, *, tail: int, follow: bool) -> AsyncIterator[bytes]:
        """The last ``tail`` lines, then with ``follow`` what comes, until the reader goes or the app is deleted.

        Raises NotFound.
        """
        servers = await self._db.read(printed, *wanted, 0, LOOKED_THROUGH)
        if not follow:
            return self._tell(servers, tail)
        older = await self._db.read(printed, *wanted, 0, LOOKED_THROUGH, alive=True)
        newer = {server.id for server in servers}
        servers += [server for server in older if server.id not in newer]
        return _Following(self, self._db, self._clock, self._hosts, wanted).tell(servers, tail)

    async def _tell(self, servers: Sequence[Server], tail: int) -> AsyncGenerator[bytes]:
        past = await self.count(servers, tail)
        for server in reversed(servers):
            async for text in self.past(server, past):
                yield text

    async def count(self, servers: Sequence[Server], tail: int) -> Past:
        """How many of the last lines are each server's, the newest of ``servers`` first."""
        lines: dict[str, int] = {}
        missing: dict[str, Missing] = {}
        for server in servers:
            if tail <= 0:
                break
            found, last = 0, b"\n"
            try:
                async for piece in self.pieces(server, tail, False):
                    found, last = found + piece.count(b"\n"), piece[-1:]
            except Missing as error:
                missing[server.id] = error
                continue
            if found := min(found + (last != b"\n"), tail):
                lines[server.id] = found
                tail -= found
        return Past(lines, missing)

    async def past(self, server: Server, past: Past) -> AsyncGenerator[bytes]:
        """What of the past is this server's, ended with a whole line."""
        if server.id in past.missing:
            yield past.missing[server.id].line
        if server.id not in past.lines:
            return
        last = b"\n"
        try:
            async for piece in self.pieces(server, past.lines[server.id], False):
                last = piece[-1:]
                yield piece
        except Missing as error:
            yield (b"" if last == b"\n" else b"\n") + error.line
        else:
            if last != b"\n":
                yield b"\n"

    async def pieces(self, server: Server, tail: int | None, follow: bool) -> AsyncGenerator[bytes]:
        """What a server printed, nothing where it never did. Raises Missing."""
        try:
            pieces = self._open(server, tail, follow)
        except KeyError:
            return
        except (Gone, Unavailable) as error:
            raise Missing(str(error)) from error
        try:
            async for piece in pieces:
                if piece:
                    yield piece
        except KeyError:
            return
        except HostUnavailable as error:
            log.warning("host %s does not tell what server %s prints: %s", server.host_id, server.id, error)
            raise self.silent(server) from error
        finally:
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    def silent(self, server: Server) -> Missing:
        """What is told of a server whose host does not answer."""
        return Missing(f"host {server.host_id} does not answer; what server {server.id} prints is missing")


class _Following:
    """One reader who follows."""

    def __init__(self, logs: ManyLogs, db: Database, clock: Clock, hosts: Hosts, wanted: Wanted) -> None:
        self._logs, self._db, self._clock, self._hosts, self._wanted = logs, db, clock, hosts, wanted
        self._news = asyncio.Event()
        self._followers: dict[str, Follower] = {}
        self._known: dict[str, int] = {}  # when they were wanted, of all that were ever met and may be met again
        self._waiting: dict[
            str, tuple[Server, int | None]
        ] = {}  # not followed now, and what of their past is told then

    async def tell(self, servers: Sequence[Server], tail: int) -> AsyncGenerator[bytes]:
        """The past, then what comes."""
        looking = asyncio.ensure_future(self._clock.sleep(_LOOK))
        try:
            past = await self._logs.count(servers, tail)
            self._known = {server.id: server.created_at for server in servers}
            for server in servers:
                if server.alive and server.id not in past.missing and len(self._followers) < FOLLOWED:
                    self._follow(server, past.lines.get(server.id, 0))
                elif server.alive:
                    self._waiting[server.id] = (server, 0)
            for server in reversed(servers):
                told = self._drained if server.id in self._followers else self._logs.past
                async for text in told(server, past):
                    yield text
            if len(self._followers) >= FOLLOWED and self._waiting:
                yield self._full()
            while True:
                self._news.clear()
                async for text in self._come():
                    yield text
                if looking.done():
                    looking = asyncio.ensure_future(self._clock.sleep(_LOOK))
                    async for text in self._look():
                        yield text
                await self._some_news(looking)
        except NotFound:  # the app was deleted
            return
        finally:
            looking.cancel()
            await asyncio.gather(*(one.close() for one in self._followers.values()))

    def _follow(self, server: Server, tail: int | None) -> None:
        self._followers[server.id] = Follower(server, self._logs.pieces(server, tail, True), self._news)

    async def _drained(self, server: Server, past: Past) -> AsyncGenerator[bytes]:
        """The past of a server that is followed: its first lines are those that were counted."""
        follower, lines = self._followers[server.id], past.lines.get(server.id, 0)
        patience = asyncio.ensure_future(self._clock.sleep(_PATIENCE))
        try:
            while not follower.has_told(lines) and not patience.done():
                self._news.clear()
                if text := follower.take():
                    yield text
                else:
                    await self._some_news(patience)
        finally:
            patience.cancel()

    async def _come(self) -> AsyncGenerator[bytes]:
        """What has come of each, in turn, until there is no more."""
        more = True
        while more:
            more = False
            for server_id, follower in list(self._followers.items()):
                if text := follower.take():
                    more = True
                    yield text
                elif follower.over:
                    del self._followers[server_id]
                    await follower.close()
                    host = self._hosts.get(follower.server.host_id)
                    if follower.broken and host is not None and not host.answers:
                        self._waiting[server_id] = (follower.server, 0)

    async def _look(self) -> AsyncGenerator[bytes]:
        """See to hosts that have fallen silent, and to servers that have started or can be followed again."""
        now = self._clock.now()
        for server_id, follower in list(self._followers.items()):
            host = self._hosts.get(follower.server.host_id)
            if host is None or is_silent(host.engine.silent_since, now):
                del self._followers[server_id]
                await follower.close()
                while text := follower.take():
                    yield text
                yield self._logs.silent(follower.server).line
                self._waiting[server_id] = (follower.server, 0)
        since = now - _STARTS_WITHIN
        try:
            met = await self._db.read(printed, *self._wanted, since, LOOKED_THROUGH)
            waiting = len(self._waiting)
            self._known = {server_id: at for server_id, at in self._known.items() if at >= since}
            for server in met:
                if server.id not in self._known:
                    self._known[server.id] = server.created_at
                    self._waiting[server.id] = (server, None)
                elif server.id in self._waiting:  # by now it may be on another host
                    self._waiting[server.id] = (server, self._waiting[server.id][1])
            await self._take_on()
        except DatabaseUnavailable:
            return  # it is looked again
        if len(self._followers) >= FOLLOWED and len(self._waiting) > waiting:
            yield self._full()

    async def _take_on(self) -> None:
        """Follow those that wait, the newest first, as many as there is place for."""
        waiting = sorted(self._waiting.values(), key=lambda pair: (pair[0].created_at, pair[0].id), reverse=True)
        for at, (met, tail) in enumerate(waiting):
            host = self._hosts.get(met.host_id)
            if host is None or at >= LOOKED_THROUGH:
                del self._waiting[met.id]
            elif host.answers and len(self._followers) < FOLLOWED:
                server = await self._db.read(server_by_id, met.id)
                del self._waiting[met.id]
                if server is not None and (server.alive or tail is None):
                    self._follow(server, tail)

    def _full(self) -> bytes:
        return f"[{FOLLOWED} servers are followed, as many as can be; {len(self._waiting)} wait for a place]\n".encode()

    async def _some_news(self, timer: asyncio.Future[None]) -> None:
        """Wait for a follower, or for the timer."""
        news = asyncio.ensure_future(self._news.wait())
        try:
            both: tuple[asyncio.Future[Any], ...] = (news, timer)
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
