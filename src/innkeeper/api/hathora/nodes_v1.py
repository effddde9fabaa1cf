"""Nodes: the house's hosts, as far as an organisation sees them. Declared in ``contract/hathora/nodes_v1.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.nodes_v1 import NodeStatus, NodesV1, NodeV1
from innkeeper.contract.hathora.processes_v3 import Hosting
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.shape import GLOBAL
from innkeeper.hosting.shown import ShownHost
from innkeeper.kit.stamps import moment, moment_or_none

from .words import location_of, region_of


def _node(host: ShownHost, asked: Region | None = None) -> NodeV1:
    served = [region for region in Region if not host.locations or location_of(region) in host.locations]
    return NodeV1(
        node_id=host.id,
        region=asked or (served[0] if served else region_of(min(host.locations))),
        host=host.address,
        hosting=Hosting(host.hosting),
        status=_status(host),
        cpu=host.cpu,
        memory_mb=host.memory_mb,
        gpu=None,
        started_at=moment(host.up_since),
        stopped_at=moment_or_none(host.silent_since),
    )


def _status(host: ShownHost) -> NodeStatus:
    if not host.answers:
        return NodeStatus.STOPPED
    return NodeStatus.DRAINING if host.draining else NodeStatus.RUNNING


@implements(NodesV1.list_provisioned_nodes)
async def list_provisioned_nodes(
    visit: Visit, fleet_id: str, *, region: Region | None = None, org_id: str | None = GLOBAL
) -> list[NodeV1]:
    location = None if region is None else location_of(region)
    return [_node(host, region) for host in await visit.wings.shown_hosts.of_fleet(visit.org, fleet_id, location)]


@implements(NodesV1.get_node)
async def get_node(visit: Visit, node_id: str) -> NodeV1:
    return _node(await visit.wings.shown_hosts.get(visit.org, node_id))
