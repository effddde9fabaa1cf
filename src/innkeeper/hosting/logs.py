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
from .model import Server, ServerState
from .queries import retiring, servers

log = logging.getLogger(__name__)

#: How often a server that is not placed yet is looked at for somebody who follows its output, in seconds.
_LOOK = 0.2


class Logs:
    """Reads output, live and afterwards."""

    def __init__(self, db: Database, clock: Clock, hosts: Hosts, left: LeftLogs) -> None:
        self._db, self._clock, self._hosts, self._left = db, clock, hosts, left

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
            try:
                file = self._left.open(server.host_id or "", server_id)
            except KeyError:
                raise Gone(f"the output of server {server_id} stayed with its host, which was removed") from None
            return read_all(file, tail=tail, follow=False, ended=lambda: True, pause=lambda: self._clock.sleep(0))
        if host is not None and not host.answers:
            raise Unavailable(f"host {host.id} does not answer now; it keeps the output of server {server_id}")
        return self._pieces(server, tail, follow)

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
