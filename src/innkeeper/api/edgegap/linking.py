"""Rooms of the house as Edgegap's sessions: whether they are linked, and to what. Pure; used by the modules beside."""

from __future__ import annotations

from typing import Any

from innkeeper.contract.edgegap.sessions import SessionContext, SessionGet, SessionUser
from innkeeper.contract.edgegap.words import Deployment, DeploymentSessionContext, SessionKind, SessionStatus
from innkeeper.hosting.model import RoomState, ServerState
from innkeeper.hosting.plans import SeatKind, short_id
from innkeeper.hosting.queries.bookings import Booked
from innkeeper.kit.clock import SECOND

from .absent import or_nothing
from .times import stamp

_KINDS = {
    SeatKind.SERVER: SessionKind.DEFAULT,
    SeatKind.PLAYER: SessionKind.SEAT,
    SeatKind.ROOM: SessionKind.MATCH,
}
_OPEN = (ServerState.RUNNING, ServerState.DRAINING)


def status_of(found: Booked) -> SessionStatus:
    """Where a session stands. What was live is told as it was seen there: without a prefix."""
    room, server, booking = found.room, found.server, found.booking
    if booking is not None and booking.reason is not None:
        return SessionStatus.UNPROCESSABLE
    if room.state is RoomState.DESTROYED:
        return SessionStatus.ERROR
    if room.state is RoomState.SUSPENDED or server is None:
        return SessionStatus.WAITING
    return SessionStatus.READY if server.state in _OPEN else SessionStatus.LINKED


def kind_of(found: Booked) -> SessionKind:
    """What takes a socket. A room that was opened through Hathora's API is a match."""
    return SessionKind.MATCH if found.booking is None else _KINDS[found.booking.kind]


def users_of(found: Booked) -> list[SessionUser]:
    """Its players, as far as they were named."""
    return [SessionUser(ip=one.ip, latitude=one.latitude, longitude=one.longitude) for one in found.guests]


def is_linked(found: Booked) -> bool:
    """Whether it has a deployment."""
    return status_of(found) in (SessionStatus.LINKED, SessionStatus.READY)


def _common(found: Booked) -> dict[str, Any]:
    state = status_of(found)
    return {
        "session_id": found.room.id,
        "status": state,
        "ready": state is SessionStatus.READY,
        "linked": is_linked(found),
        "kind": kind_of(found),
        "user_count": len(found.guests),
    }


def _of_caller(found: Booked) -> dict[str, Any]:
    booking = found.booking
    return {
        "custom_id": None if booking is None else booking.custom_id,
        "webhook_url": None if booking is None else booking.hook,
    }


def short_of(found: Booked) -> DeploymentSessionContext:
    """A session as a deployment's status tells it."""
    return DeploymentSessionContext(**_common(found))


def context_of(found: Booked) -> SessionContext:
    """A session as lists and webhooks tell it."""
    server = None if found.server is None else short_id(found.server.id)
    return SessionContext(**_common(found), **_of_caller(found), deployment_request_id=server)


def got(found: Booked, now: int, deployment: Deployment | None) -> SessionGet:
    """A session with all that is known of it."""
    state, room, users = status_of(found), found.room, users_of(found)
    return SessionGet(
        **_common(found),
        **_of_caller(found),
        app_version=found.number,
        create_time=stamp(room.created_at),
        elapsed=max(0, now - room.created_at) // SECOND,
        error=room.ended_reason if state in (SessionStatus.ERROR, SessionStatus.UNPROCESSABLE) else None,
        session_users=users,
        session_ips=users,
        deployment=or_nothing(deployment if is_linked(found) else None),
    )
