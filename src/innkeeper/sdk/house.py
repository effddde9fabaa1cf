"""The house's own API, for clients of an Innkeeper: ``client.house.hosts_v1`` and more. Made by ``hathora.py``."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic

from innkeeper.contract.house import HOUSE
from innkeeper.contract.resource import Caller, M

if TYPE_CHECKING:
    from innkeeper.contract.house.hosts_v1 import HostsV1
    from innkeeper.contract.house.servers_v1 import ServersV1


class House(Generic[M]):
    """The groups of operations that are for the operator."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @cached_property
    def hosts_v1(self) -> HostsV1[M]:
        """Hosts: the machines that servers run on."""
        return self._group("hosts_v1")  # type: ignore[no-any-return]

    @cached_property
    def servers_v1(self) -> ServersV1[M]:
        """Servers: what runs on the hosts, and what waits for a place there."""
        return self._group("servers_v1")  # type: ignore[no-any-return]

    def _group(self, name: str) -> Any:
        return HOUSE.resource(name)(self._caller)
