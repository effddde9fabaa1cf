"""Hosts: the machines that servers run on. Declared here, answered in ``api/house/hosts_v1.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Camel, Moment, UnsetType
from innkeeper.contract.words import Word

from . import operation

_READ = (401, 404)
_CHANGED = (400, 401, 404, 422)


class HostState(Word):
    """How a host stands."""

    UP = "up"  #: answers, and takes servers
    DRAINING = "draining"  #: takes no servers, and keeps those it has until their rooms have ended
    SILENT = "silent"  #: does not answer; its rooms go on, and nothing is placed there
    LOST = "lost"  #: was silent for too long: its rooms have ended


class HostSource(Word):
    """Who said that there is this host."""

    MACHINE = "machine"  #: it is the machine that Innkeeper runs on
    SETTINGS = "settings"  #: the settings file
    ADDED = "added"  #: somebody added it by this API


class HostRuns(Word):
    """What the servers of a host are."""

    PROGRAMS = "programs"
    IMAGES = "images"


class NewHost(Camel):
    """A machine with a container engine, and what it has to give out."""

    name: str  #: small letters, digits, `.`, `_` and `-`; unique, and never used for another machine
    engine: str  #: where its Docker or Podman answers: `unix:///PATH`, `tcp://HOST:PORT` or `ssh://USER@HOST[/PATH]`
    address: str | UnsetType = UNSET  #: where players reach it; the engine's host when left out
    locations: list[str] | UnsetType = UNSET  #: regions it serves; every one when left out
    ports: str | UnsetType = UNSET  #: range that its servers' ports come from; `20000-29999` when left out
    cpu: float | UnsetType = UNSET  #: processors to give out; no limit when left out
    memory_mb: float | UnsetType = UNSET  #: MiB to give out; no limit when left out
    tls_ca: str | UnsetType = UNSET  #: PEM file on Innkeeper's machine: who signed the engine's certificate
    tls_certificate: str | UnsetType = UNSET  #: PEM file on Innkeeper's machine that we show to the engine
    tls_key: str | UnsetType = UNSET  #: PEM file on Innkeeper's machine
    network: str | UnsetType = UNSET  #: `published` (when left out), `isolated` or `host`
    read_only: bool | UnsetType = UNSET  #: whether servers may write nowhere but to `/tmp`
    fleet: str | UnsetType = UNSET  #: id of the fleet whose servers alone it takes; all servers when left out
    hosting: str | UnsetType = UNSET  #: `metal` (when left out), `cloud` or `shared`: whose machine it is


class Host(Camel):
    """A host as it stands now."""

    name: str
    runs: HostRuns
    engine: str  #: where its container engine answers; `process` where servers are programs of this machine
    source: HostSource
    state: HostState
    since: Moment  #: when it came up, went silent or was lost
    locations: list[str]  #: regions it serves; empty is every one
    address: str  #: where players reach it
    ports: str  #: range that its servers' ports come from
    free_ports: int  #: how many could be given out now
    servers: int  #: that are there, or about to be
    cpu: float | None  #: processors to give out; None is no limit
    free_cpu: float | None  #: those that are not promised to servers
    memory_mb: float | None  #: MiB to give out; None is no limit
    free_memory_mb: float | None  #: those that are not promised to servers
    architecture: str | None  #: of the images it can run, such as `amd64`; None until it has told
    fleet: str | None  #: id of the fleet that it is set aside for; None: it is common
    hosting: str  #: `metal`, `cloud` or `shared`
    notes: list[str]  #: what its operator should know


class HostList(Camel):
    """All hosts of the house."""

    hosts: list[Host]


class HostsV1(Resource[M]):
    """Hosts: the machines that servers run on. For admins of the organisation that runs the house alone."""

    @operation("GET", "/house/v1/hosts", scope="hosts:read", errors=_READ)
    def get_hosts(self) -> HostList:
        """List the hosts and how they stand."""
        ...

    @operation("POST", "/house/v1/hosts", status=201, scope="hosts:read-write", errors=_CHANGED)
    def add_host(self, params: NewHost) -> Host:
        """Take in a machine. It is kept until it is removed, and refused while its engine does not answer."""
        ...

    @operation("POST", "/house/v1/hosts/{name}/drain", scope="hosts:read-write", errors=_CHANGED, idempotent=True)
    def drain_host(self, name: str) -> Host:
        """Place nothing on a host any more. Its servers serve their rooms to the end, and are then stopped."""
        ...

    @operation("POST", "/house/v1/hosts/{name}/resume", scope="hosts:read-write", errors=_CHANGED, idempotent=True)
    def resume_host(self, name: str) -> Host:
        """Place servers on a host again that was drained."""
        ...

    @operation("DELETE", "/house/v1/hosts/{name}", status=204, scope="hosts:read-write", errors=_CHANGED)
    def remove_host(self, name: str, *, force: bool | None = None) -> None:
        """Let a host go that was added. Refused while servers live there, unless ``force`` ends them."""
        ...
