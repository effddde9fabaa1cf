"""Servers of all hosts, for the operator of the house. Declared in ``contract/house/servers_v1.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.house.servers_v1 import Server, ServerList, ServerState, ServersV1
from innkeeper.hosting.addresses import dialled_ports
from innkeeper.hosting.hostbook import ServerView
from innkeeper.kit.stamps import moment

from .operator import host_book_of


def server_data(view: ServerView) -> Server:
    """A server as this API tells it."""
    server = view.server
    ports = () if server.ready_at is None else dialled_ports(server)
    return Server(
        server_id=server.id,
        host=server.host_id,
        app_id=server.app_id,
        app_name=view.app_name,
        region=server.location,
        state=ServerState(server.state),
        rooms=view.rooms,
        since=moment(server.created_at),
        address=f"{ports[0].host}:{ports[0].number}" if ports else None,
        waits=view.waits,
    )


@implements(ServersV1.get_servers)
async def get_servers(visit: Visit, *, host: str | None = None) -> ServerList:
    return ServerList(servers=[server_data(view) for view in await host_book_of(visit).servers(host)])
