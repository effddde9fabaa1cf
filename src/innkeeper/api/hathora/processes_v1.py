"""Processes as the oldest tools know them. Declared in ``contract/hathora/processes_v1.py``."""

from __future__ import annotations

from typing import Any

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.processes_v1 import Process, ProcessesV1, ProcessWithRooms
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.shape import GLOBAL
from innkeeper.hosting.addresses import dialled_ports
from innkeeper.hosting.details import ServerDetails
from innkeeper.hosting.model import ALIVE, Seat, Server, ServerState
from innkeeper.kit.stamps import moment, moment_or_none

from .rooms_v2 import plain
from .words import exposed_ports, location_of, region_of


def process_fields(server: Server, details: ServerDetails) -> dict[str, Any]:
    """A server in the words of V1."""
    exposed = exposed_ports(server)
    given = dialled_ports(server)
    rooms_moved = server.created_at if details.rooms_changed_at is None else details.rooms_changed_at
    return {
        "process_id": server.id,
        "app_id": server.app_id,
        "deployment_id": details.release_number,
        "region": region_of(server.location),
        "host": given[0].host if given else "",
        "port": given[0].number if given else 0,
        "exposed_port": exposed[0] if exposed else None,
        "additional_exposed_ports": exposed[1:],
        "draining": server.state is ServerState.DRAINING,
        "rooms_allocated": server.taken if server.alive else 0,
        "rooms_allocated_updated_at": moment(rooms_moved),
        "rooms_per_process": server.seats,
        "room_slots_available": max(0, server.seats - server.taken) if server.accepting else 0,
        "room_slots_available_updated_at": moment(rooms_moved),
        "active_connections": details.connections or 0,
        "active_connections_updated_at": moment(
            server.created_at if details.measured_at is None else details.measured_at
        ),
        "egressed_bytes": details.egress_bytes or 0,
        "starting_at": moment(server.created_at),
        "started_at": moment_or_none(server.ready_at),
        "stopping_at": moment_or_none(server.stopping_at),
        "terminated_at": moment_or_none(server.ended_at),
        "idle_since": moment_or_none(server.idle_since),
    }


def _locations(region: Region | None) -> list[str]:
    return [] if region is None else [location_of(region)]


@implements(ProcessesV1.get_running_processes)
async def get_running_processes(
    visit: Visit, app_id: str = GLOBAL, *, region: Region | None = None
) -> list[ProcessWithRooms]:
    servers = visit.wings.servers
    found = await servers.latest(visit.org, app_id, states=sorted(ALIVE), locations=_locations(region))
    details = await servers.details(found, rooms=True)
    return [
        ProcessWithRooms(
            **process_fields(server, details[server.id]),
            rooms=[plain(Seat(room, server)) for room in details[server.id].rooms],
            total_rooms=details[server.id].rooms_total,
        )
        for server in found
    ]


@implements(ProcessesV1.get_stopped_processes)
async def get_stopped_processes(visit: Visit, app_id: str = GLOBAL, *, region: Region | None = None) -> list[Process]:
    found = await visit.wings.servers.ended(visit.org, app_id, locations=_locations(region))
    details = await visit.wings.servers.details(found)
    return [Process(**process_fields(server, details[server.id])) for server in found]


@implements(ProcessesV1.get_process_info)
async def get_process_info(visit: Visit, process_id: str, app_id: str = GLOBAL) -> Process:
    server = await visit.wings.servers.get(visit.org, app_id, process_id)
    return Process(**process_fields(server, (await visit.wings.servers.details([server]))[server.id]))
