"""Events of an organisation, listed and streamed. Declared in ``contract/house/events_v1.py``."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

from innkeeper.api.serve import credential, implements
from innkeeper.api.visits import Visit
from innkeeper.contract.house.events_v1 import Event, EventPage, EventsV1
from innkeeper.kit.clock import SECOND
from innkeeper.kit.errors import Invalid, Unauthorized
from innkeeper.notices import model
from innkeeper.notices.events import Batch
from innkeeper.notices.kinds import Kinds

#: A stream looks so often whether its token is good still, in seconds.
_LOOK = 15.0
_MOST_NUMBER = (1 << 63) - 1

_read = msgspec.json.Decoder(Event).decode


@implements(EventsV1.get_events)
async def get_events(
    visit: Visit,
    *,
    after: int | None = None,
    kinds: list[str] | None = None,
    app_id: str | None = None,
    limit: int | None = None,
    seen: str | None = None,
) -> EventPage:
    page = await visit.wings.events.list(
        visit.org, after=after, seen=_seen(seen), kinds=Kinds.of(kinds), app_id=app_id, limit=limit
    )
    return EventPage(events=[_read(event.body()) for event in page.events], upto=page.upto, more=page.more)


@implements(EventsV1.stream_events)
async def stream_events(
    visit: Visit,
    *,
    after: int | None = None,
    kinds: list[str] | None = None,
    app_id: str | None = None,
    seen: str | None = None,
) -> AsyncGenerator[bytes, None]:
    last = visit.headers.get(b"last-event-id")
    if last is not None:
        after = _number(last)
    batches = await visit.wings.events.follow(
        visit.org, after=after, seen=_seen(seen), kinds=Kinds.of(kinds), app_id=app_id
    )
    # A proxy in front that gathered the pieces would hold events back.
    visit.answer_headers += [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
    return _pieces(visit, batches)


async def _pieces(visit: Visit, batches: AsyncGenerator[Batch, None]) -> AsyncGenerator[bytes, None]:
    clock, token = visit.wings.clock, credential(visit.headers)
    looked = clock.now()
    try:
        async for batch in batches:
            if clock.now() - looked >= _LOOK * SECOND:
                looked = clock.now()
                try:
                    await visit.wings.callers.recognise(token)
                except Unauthorized:  # it was revoked: who comes back is told so
                    return
            yield piece_of(batch)
    finally:
        await batches.aclose()


def piece_of(batch: Batch) -> bytes:
    """A batch in the form of server-sent events. Its end tells how far was looked, so that nothing is read twice."""
    events = b"".join(map(_block, batch.events))
    if batch.events and batch.events[-1].number == batch.upto:
        return events
    return events + b": listening\nid: %d\n\n" % batch.upto


def _block(event: model.Event) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.number, event.kind.encode(), event.body())


def _seen(text: str | None) -> model.Seen | None:
    return None if text is None else model.Seen.of(text)


def _number(header: bytes) -> int:
    text = header.strip()
    if not text.isdigit() or len(text) > 19 or int(text) > _MOST_NUMBER:
        raise Invalid("Last-Event-ID: must be the number of an event")
    return int(text)
