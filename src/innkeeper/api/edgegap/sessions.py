"""Answers to ``contract/edgegap/sessions.py``: rooms that are asked for with their players."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit, Wings
from innkeeper.contract.edgegap.sessions import (
    PatchSessionModel,
    SessionBulkStopPayload,
    SessionBulkStopResponse,
    SessionDelete,
    SessionField,
    SessionGet,
    SessionList,
    SessionModel,
    SessionRequest,
    Sessions,
    SessionStopResponse,
    SessionUserContext,
)
from innkeeper.contract.edgegap.words import Selector, SelectorEnv
from innkeeper.contract.shape import given
from innkeeper.geoip import read_address
from innkeeper.hosting.bookings import Wanted
from innkeeper.hosting.choosing import Wishes
from innkeeper.hosting.plans import Guest, short_id
from innkeeper.hosting.queries.bookings import Booked
from innkeeper.hosting.searching import Field
from innkeeper.kit.errors import Gone

from .absent import or_nothing
from .asking import check_hooks, filters_of, guests_of, points_of
from .callbacks import SESSION, composes
from .linking import context_of, got, users_of
from .pages import paged, slice_of
from .statuses import Telling
from .stopping import AT_ONCE, conditions_of, stop_filters

#: What sessions to be stopped are found by.
_FIELDS = {
    SessionField.SESSION_ID: Field.ROOM,
    SessionField.REQUEST_ID: Field.NAME,
    SessionField.DEPLOYMENT_TAGS: Field.TAG,
}


def _wanted(visit: Visit, params: SessionModel) -> Wanted:
    guests = guests_of(visit, given(params.ip_list), given(params.geo_ip_list))
    selectors: list[Selector] = given(params.selectors) or []
    url = given(params.webhook_url)
    check_hooks(visit, url)
    return Wanted(
        guests=list({guest.ip: guest for guest in guests}.values()),
        wishes=Wishes(players=points_of(guests, given(params.location)), filters=filters_of(params)),
        server=given(params.deployment_request_id),
        tags=frozenset(one.tag for one in selectors if not given(one.tag_only)),
        selectors=[_kept(one) for one in selectors],
        env=[(env.key, env.value) for one in selectors if (env := given(one.env)) is not None],
        hook=url,
    )


def _kept(one: Selector) -> dict[str, Any]:
    env: SelectorEnv | None = given(one.env)
    return {
        "tag": one.tag,
        "tag_only": bool(given(one.tag_only)),
        **({"env": {"key": env.key, "value": env.value}} if env is not None else {}),
    }


def selectors_of(found: Booked) -> list[Selector] | None:
    """What a session is marked with."""
    if found.booking is None:
        return None
    return [
        Selector(
            tag=one["tag"],
            tag_only=one.get("tag_only", False),
            env=or_nothing(SelectorEnv(**one["env"]) if "env" in one else None),
        )
        for one in json.loads(found.booking.selectors)
    ]


@implements(Sessions.create_session)
async def create_session(visit: Visit, params: SessionModel) -> SessionRequest:
    """On a deployment that stands, on one that is started for it, or told that there is none."""
    found, serving = await visit.wings.bookings.book(
        visit.org, params.app_name, given(params.version_name), _wanted(visit, params)
    )
    return SessionRequest(
        session_id=found.room.id,
        custom_id=None,
        app=found.app_name,
        version=serving.name,
        deployment_request_id=None if found.server is None else short_id(found.server.id),
        selectors=selectors_of(found),
        webhook_url=None if found.booking is None else found.booking.hook,
    )


@implements(Sessions.get_session)
async def get_session(visit: Visit, session_id: str) -> SessionGet:
    """With its players, and its deployment where it has one."""
    return await told(visit, await visit.wings.bookings.get(visit.org, session_id))


async def told(visit: Visit, found: Booked) -> SessionGet:
    """A session with all that is known of it."""
    telling = Telling(visit.wings.atlas, visit.wings.settings.server_domain)
    servers = [] if found.server is None else [found.server.id]
    linked = await visit.wings.orders.every(servers)
    deployment = None if found.server is None else telling.deployment(linked[found.server.id])
    return got(found, visit.wings.clock.now(), deployment)


@composes(SESSION)
async def compose(wings: Wings, room_id: str) -> bytes | None:
    """What a webhook is sent: the session in short. Nothing where it was deleted: then nobody knows it any more."""
    found = await wings.bookings.whoever(room_id)
    return None if found is None or found.booking is None else msgspec.json.encode(context_of(found))


@implements(Sessions.delete_session)
async def delete_session(visit: Visit, session_id: str) -> SessionDelete:
    """Its sockets are free, and nothing of it is kept."""
    found = await visit.wings.bookings.get(visit.org, session_id)
    ended = await visit.wings.bookings.end(found, f"ended by {visit.by}")
    return deleted(ended)


def deleted(ended: Booked) -> SessionDelete:
    """What is told of a session that is over."""
    custom = None if ended.booking is None else ended.booking.custom_id
    return SessionDelete(message="the session is over", session_id=ended.room.id, custom_id=custom)


@implements(Sessions.get_session_users)
async def get_session_users(visit: Visit, session_id: str) -> SessionUserContext:
    """Those who play."""
    return SessionUserContext(session_users=users_of(await visit.wings.bookings.get(visit.org, session_id)))


@implements(Sessions.add_session_users)
async def add_session_users(visit: Visit, params: PatchSessionModel, session_id: str) -> SessionUserContext:
    """Those who were there already are there once."""
    found = await visit.wings.bookings.get(visit.org, session_id)
    new = guests_of(visit, params.ip_list, None)
    changed = await visit.wings.bookings.set_guests(found, lambda there: [*there, *new])
    return SessionUserContext(session_users=users_of(changed))


@implements(Sessions.remove_session_users)
async def remove_session_users(visit: Visit, params: PatchSessionModel, session_id: str) -> SessionUserContext:
    """Those who were not there are no mistake."""
    found = await visit.wings.bookings.get(visit.org, session_id)
    gone = {read_address(ip) for ip in params.ip_list}

    def left(there: Sequence[Guest]) -> Sequence[Guest]:
        return [guest for guest in there if guest.ip not in gone]

    return SessionUserContext(session_users=users_of(await visit.wings.bookings.set_guests(found, left)))


@implements(Sessions.list_sessions)
async def list_sessions(visit: Visit, *, page: int | None = None, limit: int | None = None) -> SessionList:
    """The newest first, with those that were opened through Hathora's API."""
    part = slice_of(page, limit)
    found, count = await visit.wings.bookings.page(visit.org, skip=part.skip, most=part.size)
    return SessionList(data=[context_of(one) for one in found], **paged(part, count))


@implements(Sessions.bulk_stop_sessions)
async def bulk_stop_sessions(visit: Visit, params: SessionBulkStopPayload) -> SessionBulkStopResponse:
    """All that every filter takes. Without any filter it is refused: nobody ends all by mistake."""
    wanted = [
        condition
        for one in stop_filters(params.filters, "sessions")
        for condition in conditions_of(_FIELDS[one.field], one.filter_type, one.values)
    ]
    bookings, ended = visit.wings.bookings, list[SessionStopResponse]()
    found = await bookings.chosen(visit.org, wanted, most=AT_ONCE)
    while found:
        for one in found:
            try:
                await bookings.end(one, f"ended by {visit.by}")
            except Gone:  # by itself, a moment ago
                continue
            ended.append(SessionStopResponse(session_id=one.room.id))
        found = await bookings.chosen(visit.org, wanted, most=AT_ONCE) if len(found) == AT_ONCE else []
    return SessionBulkStopResponse(processable=ended)
