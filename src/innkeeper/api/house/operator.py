"""What the house's own API shows to its operator alone. Used by the modules beside this one."""

from __future__ import annotations

from innkeeper.api.visits import Visit
from innkeeper.hosting.fleet import Fleet
from innkeeper.kit.errors import NotFound


def fleet_of(visit: Visit) -> Fleet:
    """The hosts, for the operator alone. To all others there is nothing: raises NotFound."""
    if visit.org != visit.wings.operator:
        raise NotFound("there are no hosts of this organisation")
    return visit.wings.fleet
