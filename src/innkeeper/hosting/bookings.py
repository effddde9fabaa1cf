"""Verbs on rooms that are asked for with their players. Called by doors.

Such a room goes to a server of its label with enough seats near its players, or has one started for it, or is told that
there is none: then it is over at once, and says why for as long as rooms are remembered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import MINUTE, Clock
from innkeeper.kit.errors import Invalid, LimitReached, NotFound
from innkeeper.kit.ids import Chance

from .choosing import Wishes
from .model import RoomState
from .orders import Ask, Orders
from .plans import Booking, Guest, Plan, SeatKind, Serving
from .queries import bookings as queries
from .queries.bookings import Booked
from .searching import Condition, where

_encode = msgspec.json.Encoder().encode
#: Locations that are looked at for a seat, the nearest ones.
_NEAREST = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A room with players that somebody wants."""

    guests: Sequence[Guest] = ()
    wishes: Wishes = field(default_factory=Wishes)
    server: str | None = None  #: the short name of the server it goes to, and no other
    tags: frozenset[str] = frozenset()  #: only servers with rooms marked so will do
    selectors: Sequence[Mapping[str, Any]] = ()  #: what the room is marked with, to be told again
    env: Sequence[tuple[str, str]] = ()  #: for a server that is started for it
    hook: str | None = None


class Bookings:
    """Book rooms, say who plays, end them."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, bell: Bell, orders: Orders) -> None:
        self._db, self._clock, self._chance, self._bell, self._orders = db, clock, chance, bell, orders

    async def book(self, org_id: str, app_name: str, label: str | None, wanted: Wanted) -> tuple[Booked, Serving]:
        """A new room. Raises NotFound, Invalid, and for a server that was named Gone and LimitReached."""
        serving = await self._orders.serving(org_id, app_name, label)
        if serving.plan.seat_kind is SeatKind.SERVER:
            raise Invalid(f"{serving.name} of app {app_name} has no sessions: each deployment of it is one match")
        booking = self._booking(serving.app.org_id, serving.app.id, serving.plan.seat_kind, wanted)
        booking = replace(booking, label_id=None if serving.label is None else serving.label.id)
        near = list(self._orders.chooser.nearest_first(wanted.wishes))[:_NEAREST]
        want, why = None, "no server has seats left for it, and none is started: its label does not say so"
        if wanted.server is None and serving.plan.starts_servers:
            want, why = await self._want(serving, wanted)
        ask = queries.Book(
            booking, serving.release.id, [serving.release.id], near, wanted.tags, wanted.server, want, why,
            self._chance.uuid(),
        )  # fmt: skip
        await self._db.write(queries.book, ask)
        self._bell.ring()
        return await self._db.read(queries.booked, org_id, booking.room_id), serving

    async def _want(self, serving: Serving, wanted: Wanted) -> tuple[Any, str]:
        """The server to be started where there is no seat; or None, and why there can be none: servers that stand
        have seats all the same."""
        ask = Ask(wishes=wanted.wishes, env=wanted.env)
        try:
            return await self._orders.wanted(serving, ask), ""
        except (Invalid, LimitReached) as error:
            return None, str(error)

    async def book_on(self, org_id: str, server: str, custom_id: str, wanted: Wanted) -> Booked:
        """A room on a server, under a name of the caller's. Raises NotFound, Gone, Taken, LimitReached."""
        told = await self._orders.get(org_id, server)
        plan = told.plan
        if plan.seat_kind is SeatKind.SERVER and told.ordered.order is not None:
            raise LimitReached(f"deployment {server} has no sockets: its version has no sessions")
        kind = SeatKind.ROOM if plan.seat_kind is SeatKind.SERVER else plan.seat_kind
        found = told.ordered
        booking = self._booking(org_id, found.server.app_id, kind, wanted)
        booking = replace(booking, label_id=found.label_id, server_id=found.server.id, custom_id=custom_id)
        ask = queries.Book(
            booking, found.server.release_id, [found.server.release_id], [], frozenset(), server, None, "",
            self._chance.uuid(),
        )  # fmt: skip
        await self._db.write(queries.book, ask)
        self._bell.ring()
        return await self._db.read(queries.custom, org_id, server, custom_id)

    def _booking(self, org_id: str, app_id: str, kind: SeatKind, wanted: Wanted) -> Booking:
        return Booking(
            room_id=f"{self._chance.hex(12)}-S", org_id=org_id, app_id=app_id, label_id=None, server_id=None,
            custom_id=None, kind=kind, players=_encode(list(wanted.guests)).decode(),
            selectors=json.dumps([dict(one) for one in wanted.selectors]), hook=wanted.hook, reason=None,
            created_at=self._clock.now(),
        )  # fmt: skip

    async def get(self, org_id: str, room_id: str) -> Booked:
        """One room. Raises NotFound, also for one whose server ended so long ago that it is told no more."""
        found = await self._db.read(queries.booked, org_id, room_id)
        if not is_told(found, self._clock.now()):
            raise NotFound(f"there is no room {room_id}")
        return found

    async def whoever(self, room_id: str) -> Booked | None:
        """One room, whosever it is: for the house itself."""
        return await self._db.read(queries.whoever, room_id)

    async def custom(self, org_id: str, server: str, custom_id: str) -> Booked:
        """One that its caller has named. Raises NotFound."""
        found = await self._db.read(queries.custom, org_id, server, custom_id)
        if not is_told(found, self._clock.now()):
            raise NotFound(f"server {server} has no room {custom_id}")
        return found

    async def customs(self, org_id: str, server: str, *, skip: int, most: int) -> tuple[list[Booked], int]:
        """Those that callers have named on a server. Raises NotFound."""
        return await self._db.read(queries.customs, org_id, server, skip, most)

    async def page(self, org_id: str, *, skip: int, most: int) -> tuple[list[Booked], int]:
        """The organisation's rooms that are not over, the newest first, and how many there are."""
        return await self._db.read(queries.standing, org_id, skip, most)

    async def chosen(self, org_id: str, conditions: Sequence[Condition], *, most: int) -> list[Booked]:
        """Those of them that fulfil all conditions."""
        text, values = where(conditions, 2)
        return await self._db.read(queries.chosen, org_id, text, values, most)

    async def on(self, server_ids: Sequence[str]) -> Mapping[str, list[Booked]]:
        """The rooms that sit on servers, by server."""
        return await self._db.read(queries.on_servers, server_ids)

    async def set_guests(
        self, found: Booked, revise: Callable[[Sequence[Guest]], Sequence[Guest]], hook: str | None = None
    ) -> Booked:
        """Have ``revise``, which is pure, say who plays, of those who do at that moment. Raises NotFound, Gone,
        LimitReached."""
        return await self._db.write(queries.set_guests, found.room.id, revise, hook)

    async def end(self, found: Booked, reason: str) -> Booked:
        """End it; its server runs on. Raises Gone where it was over."""
        ended = await self._db.write(queries.end, found.room.id, reason, self._clock.now())
        self._bell.ring()
        return ended


def is_told(found: Booked, now: int) -> bool:
    """Whether a room that is over is still told of: for as long after its server's end as its label says."""
    if found.room.state is not RoomState.DESTROYED or found.room.left_at is None:
        return True
    plan = Plan() if found.plan is None else msgspec.json.decode(found.plan, type=Plan)
    return now < found.room.left_at + plan.room_kept_minutes * MINUTE
