"""Answers to ``contract/edgegap/custom_sessions.py``: rooms on a server of the caller's choice, named by the caller."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.custom_sessions import (
    BulkSessionDelete,
    BulkSessionPost,
    CustomBulkSessionsModel,
    CustomSessionDeleteModel,
    CustomSessionModel,
    CustomSessions,
)
from innkeeper.contract.edgegap.sessions import SessionDelete, SessionGet, SessionList, SessionRequest
from innkeeper.contract.shape import given
from innkeeper.hosting.bookings import Wanted
from innkeeper.hosting.queries.bookings import Booked
from innkeeper.kit.errors import Gone, Invalid, LimitReached, NotFound, Taken

from .asking import check_hooks, guests_of
from .linking import context_of
from .pages import paged, slice_of
from .sessions import deleted, selectors_of, told
from .statuses import version_of


async def _open(visit: Visit, params: CustomSessionModel, request_id: str, custom_id: str) -> SessionRequest:
    url = given(params.webhook_url)
    check_hooks(visit, url)
    guests = {guest.ip: guest for guest in guests_of(visit, params.ip_list, None)}
    wanted = Wanted(guests=list(guests.values()), hook=url)
    found = await visit.wings.bookings.book_on(visit.org, request_id, custom_id, wanted)
    server = (await visit.wings.orders.get(visit.org, request_id)) if found.server is not None else None
    return SessionRequest(
        session_id=found.room.id,
        custom_id=custom_id,
        app=found.app_name,
        version="" if server is None else version_of(server),
        deployment_request_id=request_id,
        selectors=selectors_of(found),
        webhook_url=url,
    )


async def _end(visit: Visit, found: Booked) -> SessionDelete:
    return deleted(await visit.wings.bookings.end(found, f"ended by {visit.by}"))


@implements(CustomSessions.create_custom_session)
async def create_custom_session(
    visit: Visit, params: CustomSessionModel, request_id: str, custom_id: str
) -> SessionRequest:
    """Its name is new on that server."""
    return await _open(visit, params, request_id, custom_id)


@implements(CustomSessions.get_custom_session)
async def get_custom_session(visit: Visit, request_id: str, custom_id: str) -> SessionGet:
    """With its players."""
    return await told(visit, await visit.wings.bookings.custom(visit.org, request_id, custom_id))


@implements(CustomSessions.update_custom_session)
async def update_custom_session(
    visit: Visit, params: CustomSessionModel, request_id: str, custom_id: str
) -> SessionGet:
    """Exactly these players from now on."""
    url = given(params.webhook_url)
    check_hooks(visit, url)
    found = await visit.wings.bookings.custom(visit.org, request_id, custom_id)
    guests = guests_of(visit, params.ip_list, None)
    changed = await visit.wings.bookings.set_guests(found, lambda _: guests, url)
    return await told(visit, changed)


@implements(CustomSessions.delete_custom_session)
async def delete_custom_session(visit: Visit, request_id: str, custom_id: str) -> SessionDelete:
    """Its sockets are free."""
    return await _end(visit, await visit.wings.bookings.custom(visit.org, request_id, custom_id))


@implements(CustomSessions.list_custom_sessions)
async def list_custom_sessions(
    visit: Visit, request_id: str, *, page: int | None = None, limit: int | None = None
) -> SessionList:
    """The oldest first."""
    part = slice_of(page, limit)
    found, count = await visit.wings.bookings.customs(visit.org, request_id, skip=part.skip, most=part.size)
    return SessionList(data=[context_of(one) for one in found], **paged(part, count))


@implements(CustomSessions.create_custom_sessions)
async def create_custom_sessions(visit: Visit, params: CustomBulkSessionsModel, request_id: str) -> BulkSessionPost:
    """Each by itself: why one was not opened is told, and the others are."""
    await visit.wings.orders.get(visit.org, request_id)
    opened: list[SessionRequest] = []
    errors: list[str] = []
    for one in given(params.sessions) or ():
        try:
            opened.append(await _open(visit, one, request_id, one.custom_id))
        except (Gone, Invalid, LimitReached, Taken) as error:
            errors.append(f"{one.custom_id}: {error}")
    return BulkSessionPost(sessions=opened, errors=errors)


@implements(CustomSessions.delete_custom_sessions)
async def delete_custom_sessions(visit: Visit, params: CustomSessionDeleteModel, request_id: str) -> BulkSessionDelete:
    """Each by itself."""
    await visit.wings.orders.get(visit.org, request_id)
    ended: list[SessionDelete] = []
    errors: list[str] = []
    for custom_id in params.sessions:
        try:
            ended.append(await _end(visit, await visit.wings.bookings.custom(visit.org, request_id, custom_id)))
        except (Gone, NotFound) as error:
            errors.append(f"{custom_id}: {error}")
    return BulkSessionDelete(sessions=ended, errors=errors)
