"""What the house's own API shows to its operator alone. Used by the modules beside this one."""

from __future__ import annotations

from innkeeper.api.visits import Visit
from innkeeper.hosting.hostbook import HostBook
from innkeeper.kit.errors import NotFound


def require_operator(visit: Visit) -> None:
    """Raises NotFound for all but the operator: what is of all organisations is not there for one of them."""
    if visit.org != visit.wings.operator:
        raise NotFound("there is nothing of the whole house for this organisation")


def host_book_of(visit: Visit) -> HostBook:
    """The hosts, for the operator alone. To all others there is nothing: raises NotFound."""
    if visit.org != visit.wings.operator:
        raise NotFound("there are no hosts of this organisation")
    return visit.wings.host_book
