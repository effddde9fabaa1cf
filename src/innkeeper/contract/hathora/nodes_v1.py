"""Nodes: the machines that servers run on. Declared here, answered in ``api/hathora/nodes_v1.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, Camel, Moment
from innkeeper.contract.words import Word

from . import operation
from .processes_v3 import Hosting
from .words import READ, FleetId, NodeId, OrgId, Region


class NodeStatus(Word):
    """How a machine stands."""

    RUNNING = "running"  #: takes servers
    DRAINING = "draining"  #: takes none, and keeps those it has until their rooms have ended
    STOPPED = "stopped"  #: does not answer


class NodeV1(Camel):
    """A machine that servers run on."""

    node_id: NodeId
    region: Region  #: one that it serves: the one asked for, else the first of them in the vendor's order
    host: str  #: name or address that players dial
    hosting: Hosting  #: whose machine it is
    status: NodeStatus  #: how it stands
    cpu: float  #: processors that it gives out; 0 where nobody can tell
    memory_mb: float  #: MiB that it gives out; 0 where nobody can tell
    gpu: float | None  #: None: it gives out none
    started_at: Moment  #: since when it answers, as far as anybody has looked
    stopped_at: Moment | None  #: since when it does not answer; None while it does


class NodesV1(Resource[M]):
    """Nodes: the machines that servers run on. An organisation sees the common ones and those of its own fleets."""

    @operation("GET", "/nodes/v1/fleet/{fleetId}/listProvisioned", scope="fleets:read", errors=READ)
    def list_provisioned_nodes(
        self, fleet_id: FleetId, *, region: Region | None = None, org_id: OrgId | None = GLOBAL
    ) -> list[NodeV1]:
        """List the machines of a fleet that answer, all or in a region."""
        ...

    @operation("GET", "/nodes/v1/{nodeId}", scope="fleets:read", errors=READ)
    def get_node(self, node_id: NodeId) -> NodeV1:
        """Tell how a machine stands."""
        ...
