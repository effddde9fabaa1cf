"""Verbs on what servers print. Called by the doors."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from innkeeper.db.database import Database
from innkeeper.engines.base import HostUnavailable
from innkeeper.engines.logfiles import LeftLogs, read_all
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Gone, Unavailable

from .hosts import Hosts
from .manylogs import ManyLogs, Wanted
from .model import Server, ServerState
from .queries import retiring, servers

log = logging.getLogger(__name__)

#: How often a server that is not placed yet is looked at for somebody who follows its output, in seconds.
_LOOK = 0.2


class Logs:
    """Reads output, live and afterwards."""

    def __init__(self, db: Database, clock: Clock, hosts: Hosts, left: LeftLogs) -> None:
        self._db, self._clock, self._hosts, self._left = db, clock, hosts, left
        self._many = ManyLogs(db, clock, hosts, self._output)

    async def read(
        self, org_id: str, app_id: str, server_id: str, *, tail: int | None, follow: bool
    ) -> AsyncIterator[bytes]:
        """The last ``tail`` lines (None: all that is kept), then with ``follow`` what comes, until the server ends.

        Raises NotFound for an unknown server, Gone for output that was kept its time and deleted or stayed with a host
        that was removed, Unavailable where the server's host does not answer.
        """
        server = await self._db.read(servers.server, app_id, org_id, server_id)
        if await self._db.read(retiring.is_output_gone, server_id):
            raise Gone(f"the output of server {server_id} is not kept any more")
        host = self._hosts.get(server.host_id)
        if host is None and server.booted_at is not None:
            return self._left_behind(server, tail)
        if host is not None and not host.answers:
            raise _silent(server)
        return self._pieces(server, tail, follow)

    async def before(self, org_id: str, app_id: str, server_id: str) -> bytes:
        """The end of what a server's run before its latest one printed; empty where there was none or it is not kept.

        Raises NotFound for an unknown server, Unavailable where its host does not answer.
        """
        server = await self._db.read(servers.server, app_id, org_id, server_id)
        host = self._hosts.get(server.host_id)
        if host is None:
            return b""
        if not host.answers:
            raise _silent(server)
        try:
            return await host.engine.before(server.id)
        except HostUnavailable:
            raise _silent(server) from None

    async def read_many(
        self,
        org_id: str,
        app_id: str,
        *,
        release_id: str | None = None,
        location: str | None = None,
        tail: int,
        follow: bool,
    ) -> AsyncIterator[bytes]:
        """The last ``tail`` lines of an app's servers together (of one release, or at one location), the oldest server
        first; then with ``follow`` what comes, until the reader goes. Raises NotFound.
        """
        return await self._many.read(Wanted(app_id, org_id, release_id, location), tail=tail, follow=follow)

    def whole(self, server: Server) -> AsyncIterator[bytes]:
        """All that is kept of what a started server has printed, to its last word by now; the reader is told of a host
        that does not answer any more. Raises Gone and Unavailable, KeyError where it printed nothing."""
        return self._output(server, None, False)

    def _output(self, server: Server, tail: int | None, follow: bool) -> AsyncIterator[bytes]:
        """What a started server has printed. Raises Gone and Unavailable, KeyError where it printed nothing."""
        host = self._hosts.get(server.host_id)
        if host is None:
            return self._left_behind(server, tail)
        if not host.answers:
            raise _silent(server)
        return host.engine.log(server.id, tail=tail, follow=follow)

    def _left_behind(self, server: Server, tail: int | None) -> AsyncIterator[bytes]:
        """What is kept here of a host that was removed."""
        try:
            file = self._left.open(server.host_id or "", server.id)
        except KeyError:
            raise Gone(f"the output of server {server.id} stayed with its host, which was removed") from None
        return read_all(file, tail=tail, follow=False, ended=lambda: True, pause=lambda: self._clock.sleep(0))

    async def _pieces(self, server: Server, tail: int | None, follow: bool) -> AsyncIterator[bytes]:
        found: Server | None = server
        while found is not None and found.booted_at is None and found.alive and follow:
            await self._clock.sleep(_LOOK)
            found = await self._db.read(servers.server_by_id, server.id)
        host = None if found is None or found.state is ServerState.WANTED else self._hosts.get(found.host_id)
        if host is None:
            return
        try:
            async for piece in host.engine.log(server.id, tail=tail, follow=follow):
                yield piece
        except KeyError:  # it never printed anything
            return
        except HostUnavailable as error:  # the head of the answer is out: what can be said is said in its lines
            log.warning("host %s does not tell what server %s prints: %s", host.id, server.id, error)
            yield f"[host {host.id} does not answer; read on when it does]\n".encode()


def _silent(server: Server) -> Unavailable:
    return Unavailable(f"host {server.host_id} does not answer now; it keeps the output of server {server.id}")
