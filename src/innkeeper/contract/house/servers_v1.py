"""Servers of all hosts: where each is, and why it waits. Declared here, answered in ``api/house/servers_v1.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import Camel, Moment
from innkeeper.contract.words import Word

from . import operation


class ServerState(Word):
    """Where a server stands in its life. Those that have ended are not told of here."""

    WANTED = "wanted"  #: asked for; no host has it yet
    STARTING = "starting"  #: it has its place, and has not bound all its ports yet
    RUNNING = "running"  #: players can connect
    DRAINING = "draining"  #: serves its rooms to their end, and takes no new ones
    STOPPING = "stopping"  #: was told to end


class Server(Camel):
    """A server as it stands now. Hathora calls it a process."""

    server_id: str  #: the process id of Hathora's API
    host: str | None  #: name of the host that it is on, or about to be; None while it has no place
    app_id: str  #: of its app, whichever organisation has that
    app_name: str  #: which is unique in its organisation alone
    region: str  #: where it counts as being, in small letters: `los_angeles`
    state: ServerState
    rooms: int  #: that have a seat on it now
    since: Moment  #: when it was asked for
    address: str | None  #: `HOST:PORT` of its default port; None until players can connect
    waits: str | None  #: why it has no place yet, is not started there, or not ready; None where nothing is in its way


class ServerList(Camel):
    """The servers that live, of all organisations."""

    servers: list[Server]  #: the oldest first


class ServersV1(Resource[M]):
    """Servers: what runs on the hosts, and what waits for a place there. For those alone who may see the hosts."""

    @operation("GET", "/house/v1/servers", scope="hosts:read", errors=(401, 404))
    def get_servers(self, *, host: str | None = None) -> ServerList:
        """List the servers that live, of the whole house or of one host, and why those that wait do so."""
        ...
