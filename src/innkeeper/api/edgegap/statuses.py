"""A server of the house in Edgegap's words: its status, its ports, where it is. Pure; used by the modules beside this.

Facts: sections 3.2 and 3.3 of the vendor's behaviour as it was seen. What a client of theirs reads is always there.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from innkeeper.contract.edgegap.deployments import DeploymentListData, Status
from innkeeper.contract.edgegap.words import (
    Deployment,
    DeploymentLocation,
    DeploymentSessionContext,
    DeploymentStatus,
    PortMapping,
    Ports,
    Protocol,
)
from innkeeper.hosting.addresses import dialled_ports
from innkeeper.hosting.geography import Atlas
from innkeeper.hosting.model import GivenPort, PortSpec, ServerState
from innkeeper.hosting.orders import Told
from innkeeper.hosting.plans import SeatKind, release_name
from innkeeper.kit.clock import SECOND

from .absent import or_nothing
from .times import stamp, stamp_or_none

_STATES = {
    ServerState.RUNNING: DeploymentStatus.READY,
    ServerState.DRAINING: DeploymentStatus.READY,
    ServerState.STOPPING: DeploymentStatus.TERMINATING,
    ServerState.STOPPED: DeploymentStatus.TERMINATED,
}
#: The way of a deployment whose every step was seen.
_WAY = (
    DeploymentStatus.INITIALIZING,
    DeploymentStatus.SEEKING,
    DeploymentStatus.SEEKED,
    DeploymentStatus.SCANNING,
    DeploymentStatus.DEPLOYING,
    DeploymentStatus.READY,
    DeploymentStatus.TERMINATING,
    DeploymentStatus.TERMINATED,
)
#: What a link to a port begins with: as it is spoken, and with TLS before it.
_SCHEMES = {
    Protocol.HTTP: ("http://", "https://"),
    Protocol.HTTPS: ("https://", "https://"),
    Protocol.WS: ("ws://", "wss://"),
    Protocol.WSS: ("wss://", "wss://"),
}
_specs = msgspec.json.Decoder(list[PortSpec]).decode


class Telling:
    """Tells of servers. ``domain`` is the zone in which each has a name; empty where they have none."""

    def __init__(self, atlas: Atlas, domain: str) -> None:
        self._atlas, self._domain = atlas, domain

    def status(self, told: Told, now: int, sessions: Sequence[DeploymentSessionContext] | None = None) -> Status:
        """A deployment as ``/v1/status`` and webhooks tell it. ``now`` in microseconds."""
        server, plan = told.ordered.server, told.plan
        state, began = status_of(told), server.ready_at or server.created_at
        over = state is DeploymentStatus.TERMINATED or state is DeploymentStatus.ERROR
        seats = plan.seat_kind is not SeatKind.SERVER
        return Status(
            request_id=told.ordered.short_id,
            fqdn=self.fqdn(told),
            app_name=told.ordered.app_name,
            app_version=version_of(told),
            current_status=state,
            running=state is DeploymentStatus.READY,
            whitelisting_active=plan.guarded,
            start_time=stamp(began),
            removal_time=stamp_or_none(server.ended_at if over else None),
            elapsed_time=max(0, (server.ended_at or now) - began) // SECOND,
            last_status=status_before(told, state),
            error=state is DeploymentStatus.ERROR,
            error_detail=server.exit_reason if state is DeploymentStatus.ERROR else None,
            ports=or_nothing(self.ports(told)),
            public_ip=public_ip(told),
            sessions=or_nothing(list(sessions) if seats and sessions is not None else None),
            location=or_nothing(self.location(server.location) if server.host_id is not None else None),
            tags=[tag.name for tag in told.tags],
            sockets=server.seats if seats else None,
            sockets_usage=server.taken if seats and server.alive else 0 if seats else None,
            command=plan.command or None,
            arguments=plan.arguments or None,
            max_duration=plan.life_minutes or 0,
            current_status_label=label_of(state),
        )

    def listed(self, told: Told) -> DeploymentListData:
        """A deployment in a list."""
        server, seats = told.ordered.server, told.plan.seat_kind is not SeatKind.SERVER
        state = status_of(told)
        return DeploymentListData(
            request_id=told.ordered.short_id,
            fqdn=self.fqdn(told),
            start_time=stamp(server.ready_at or server.created_at),
            ready=state is DeploymentStatus.READY,
            public_ip=public_ip(told),
            ports=or_nothing(self.ports(told)),
            tags=[tag.name for tag in told.tags],
            sockets=server.seats if seats else None,
            sockets_usage=server.taken if seats else None,
            is_joinable_by_session=is_joinable(told),
            status=state,
        )

    def deployment(self, told: Told) -> Deployment:
        """A deployment as its sessions and its own server see it. Strict clients want every field of it."""
        server, state = told.ordered.server, status_of(told)
        return Deployment(
            request_id=told.ordered.short_id,
            public_ip=public_ip(told),
            status=state,
            ready=state is DeploymentStatus.READY,
            whitelisting_active=told.plan.guarded,
            fqdn=self.fqdn(told),
            ports=or_nothing(self.ports(told, early=True)),
            location=self.location(server.location),
            tags=[tag.name for tag in told.tags],
            sockets=server.seats,
            sockets_usage=server.taken,
            is_joinable_by_session=is_joinable(told),
        )

    def fqdn(self, told: Told) -> str:
        """The name to dial: one of its own where the house has a zone for it, else that of its host."""
        return f"{told.ordered.short_id}.{self._domain}" if self._domain else public_ip(told)

    def ports(self, told: Told, *, early: bool = False) -> Ports | None:
        """By name. None until it is ready; ``early``: as soon as it has them, for its own program."""
        server = told.ordered.server
        if not server.alive or (server.ready_at is None and not early):
            return None
        specs = {spec.name: spec for spec in _specs(told.ordered.ports)}
        return {port.name: self._port(told, port, specs.get(port.name)) for port in dialled_ports(server)}

    def _port(self, told: Told, port: GivenPort, spec: PortSpec | None) -> PortMapping:
        upgraded = port.transport == "tls"
        protocol = Protocol(spec.speaks if spec and spec.speaks else "TCP" if upgraded else port.transport.upper())
        host = self.fqdn(told) if self._domain else port.host
        return PortMapping(
            external=port.number,
            internal=port.inside or port.behind or port.number,
            protocol=protocol,
            name=port.name,
            tls_upgrade=upgraded,
            link=f"{_SCHEMES.get(protocol, ('', ''))[upgraded]}{host}:{port.number}",
            proxy=port.behind or None,
        )

    def location(self, name: str) -> DeploymentLocation:
        """Where a location is. One that nobody has described has its name alone."""
        place = self._atlas.places.get(name)
        if place is None:
            return DeploymentLocation(
                city=name,
                country="",
                continent="",
                administrative_division="",
                timezone="",
                latitude=0.0,
                longitude=0.0,
            )
        return DeploymentLocation(
            city=place.city or place.name, country=place.country, continent=place.continent,
            administrative_division=place.administrative_division, timezone=place.timezone, latitude=place.latitude,
            longitude=place.longitude,
        )  # fmt: skip


def status_of(told: Told) -> DeploymentStatus:
    """Where a deployment stands."""
    server, order = told.ordered.server, told.ordered.order
    if server.state is ServerState.WANTED:
        return DeploymentStatus.SEEKING if told.trouble else DeploymentStatus.INITIALIZING
    if server.state is ServerState.STARTING:
        if server.booted_at is not None:
            return DeploymentStatus.DEPLOYING
        return DeploymentStatus.SCANNING if told.trouble else DeploymentStatus.SEEKED
    if server.state is ServerState.FAILED:
        done = order is not None and order.closed_at is not None
        return DeploymentStatus.TERMINATED if done else DeploymentStatus.ERROR
    return _STATES[server.state]


def status_before(told: Told, state: DeploymentStatus) -> DeploymentStatus | None:
    """The one before, as far as what is on record tells it."""
    server = told.ordered.server
    if state in (DeploymentStatus.ERROR, DeploymentStatus.TERMINATED, DeploymentStatus.TERMINATING):
        if state is DeploymentStatus.TERMINATED and server.state is ServerState.FAILED:
            return DeploymentStatus.ERROR
        if state is not DeploymentStatus.TERMINATING and server.stopping_at is not None:
            return DeploymentStatus.TERMINATING
        if server.ready_at is not None:
            return DeploymentStatus.READY
        if server.booted_at is not None:
            return DeploymentStatus.DEPLOYING
        return DeploymentStatus.SEEKED if server.placed_at is not None else DeploymentStatus.SEEKING
    at = _WAY.index(state)
    return _WAY[at - 1] if at else None


def label_of(state: DeploymentStatus) -> str:
    """The state in a word for people."""
    return state.value.removeprefix("Status.").capitalize()


def public_ip(told: Told) -> str:
    """The address to dial, once a host has it."""
    return told.ordered.server.address or ""


def is_joinable(told: Told) -> bool:
    """Whether further sessions may be linked to it."""
    order = told.ordered.order
    return told.ordered.server.accepting == 1 and (order is None or order.joinable == 1)


def version_of(told: Told) -> str:
    """The name of what it runs: of its version, or of a release that stands under none."""
    return told.ordered.label or release_name(told.ordered.release_number)
