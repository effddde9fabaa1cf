"""Events: what happened to rooms, servers, builds and hosts. Declared here, answered in ``api/house/events_v1.py``."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Camel, Moment, UnsetType, told

from . import operation, stream

_READ = (401, 410, 422, 429)

After = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]


class Event(Camel):
    """One thing that happened. Webhooks are sent the same object, and so is the stream."""

    id: str  #: the same wherever it is told, however often: what was seen already can be left out by it
    type: str  #: what happened, such as `room.ended`; new words may come
    number: int  #: counts the organisation's events, without gaps; 0 for a test
    at: Moment  #: when it happened
    app: str | UnsetType = UNSET  #: id of the app that it belongs to, where it belongs to one
    data: dict[str, Any]  #: what it happened to, and how; new fields may come


class EventPage(Camel):
    """Some of the events that are kept."""

    events: list[Event]  #: the oldest first
    upto: int  #: the number to ask on after, even where no event is told
    more: bool  #: whether there may be more already


def _following(page: EventPage) -> dict[str, Any] | None:
    return {"after": page.upto} if page.more else None


class EventsV1(Resource[M]):
    """What happened to rooms, servers, builds and hosts. Written down while somebody listens: while the organisation
    has a webhook that is enabled, or has read events in the last ten minutes. News of hosts are for the organisation
    that the first start made.
    """

    @operation("GET", "/house/v1/events", scope="processes:read", errors=_READ, paging=_following)
    def get_events(
        self,
        *,
        after: After | None = None,
        kinds: list[str] | None = None,
        app_id: str | None = None,
        limit: Annotated[int, Meta(ge=1, le=500), told(default=100)] | None = None,
        seen: str | None = None,
    ) -> EventPage:
        """List the events behind a number, or the newest ones; the oldest of them first.

        A number that no event has had here yet is refused with 410: this Innkeeper was restored from an older backup,
        or the number comes from another one. So is a place behind which another event stands than the one ``seen``.
        """
        ...

    @stream("GET", "/house/v1/events/stream", scope="processes:read", errors=_READ, media="text/event-stream")
    def stream_events(
        self,
        *,
        after: After | None = None,
        kinds: list[str] | None = None,
        app_id: str | None = None,
        seen: str | None = None,
    ) -> None:
        """Follow events as they come, as server-sent events: from now on, or those behind a number first.

        The `id` of each is its number, `event` its type and `data` the whole event. A comment comes every 15 seconds
        at least. Who comes back goes on by the header `Last-Event-ID`, which counts more than ``after``. A number that
        no event has had here yet is refused with 410, as when they are listed.
        """
        ...
