"""Which servers have a port whose TLS is ended for them. Called by ``hosting/tls.py``."""

from __future__ import annotations

from innkeeper.db.database import Statement, Steps
from innkeeper.hosting.model import Server

from .columns import SERVER, server_of


def servers_behind_tls() -> Steps[list[Server]]:
    """Those that have a place, and perhaps players, and such a port."""
    rows = yield Statement(
        f"select {SERVER} from servers where state in ('starting', 'running', 'draining', 'stopping')"
        """ and ports like '%"transport":"tls"%' order by id"""
    )
    return [server_of(row) for row in rows]
