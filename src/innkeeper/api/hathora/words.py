"""Hathora's words and the house's, both ways. Used by the modules beside this one and by ``environment.py``."""

from __future__ import annotations

from functools import lru_cache

from innkeeper.contract.hathora.processes_v3 import ProcessStatus
from innkeeper.contract.hathora.words import ExposedPort, Region, RoomStatus, TransportType
from innkeeper.hosting.addresses import dialled_ports
from innkeeper.hosting.model import GivenPort, RoomState, Seat, Server, ServerState
from innkeeper.hosting.rooms import is_ready

_LOCATIONS = {region: region.value.lower() for region in Region}
_REGIONS = {location: region for region, location in _LOCATIONS.items()}

STATUSES = {
    ServerState.WANTED: ProcessStatus.STARTING,
    ServerState.STARTING: ProcessStatus.STARTING,
    ServerState.RUNNING: ProcessStatus.RUNNING,
    ServerState.DRAINING: ProcessStatus.DRAINING,
    ServerState.STOPPING: ProcessStatus.STOPPING,
    ServerState.STOPPED: ProcessStatus.STOPPED,
    ServerState.FAILED: ProcessStatus.FAILED,
}


def location_of(region: Region) -> str:
    """The house's name of a region: ``Los_Angeles`` is ``los_angeles``."""
    return _LOCATIONS[region]


def region_of(location: str) -> Region:
    """The region of a location. One that is not Hathora's keeps its own name, which open clients accept."""
    return _REGIONS.get(location) or Region(location)


def states_of(status: ProcessStatus) -> list[ServerState]:
    """The states that Hathora sees as ``status``."""
    return [state for state, seen in STATUSES.items() if seen == status]


def transport_of(transport: str) -> TransportType:
    """How a port is reached. The vendor knows none that is reached by UDP and TCP alike; it is told by the first."""
    return TransportType.UDP if transport == "tcp+udp" else TransportType(transport)


def exposed_ports(server: Server) -> list[ExposedPort]:
    """Where players reach a server, the default port first; empty until it is ready."""
    return [] if server.ready_at is None else list(_exposed(dialled_ports(server)))


@lru_cache(maxsize=4096)
def _exposed(ports: tuple[GivenPort, ...]) -> tuple[ExposedPort, ...]:
    # Told with every room that is opened, and the same for all rooms of a server. Answers are encoded, never changed.
    return tuple(
        ExposedPort(transport_type=transport_of(port.transport), port=port.number, host=port.host, name=port.name)
        for port in ports
    )


def room_status(seat: Seat) -> RoomStatus:
    """Where a room stands in Hathora's eyes: ``scheduling`` until its server is ready."""
    if seat.room.state is RoomState.DESTROYED:
        return RoomStatus.DESTROYED
    if seat.room.state is RoomState.SUSPENDED:
        return RoomStatus.SUSPENDED
    return RoomStatus.ACTIVE if is_ready(seat) else RoomStatus.SCHEDULING
