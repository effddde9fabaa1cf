"""Verbs on rooms. Called by the doors and, as a handed-in verb, by matchmaking."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from innkeeper.db.batcher import Batcher
from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.ids import Chance

from .hosts import Spaces
from .model import RoomState, Seat, ServerState, Stay
from .queries import rooms as many
from .queries import seats as single

#: How many characters a made-up room id has; 36 to this power is about 10 to the 20.
_ID_LENGTH = 13
#: How many rooms that left a server are told, the latest ones.
GONE_ROOMS_TOLD = 1000


class Rooms:
    """Open, find, change and close rooms. Opening and closing share transactions with others that wait."""

    def __init__(
        self, db: Database, clock: Clock, chance: Chance, bell: Bell, spaces: Spaces, *, placing_seconds: float
    ) -> None:
        self._db, self._clock, self._chance, self._bell, self._spaces = db, clock, chance, bell, spaces
        self._placing = round(placing_seconds * SECOND)
        self._opening = Batcher(db, many.open_rooms)
        self._closing = Batcher(db, many.close_rooms)

    async def open(
        self,
        app_id: str,
        org_id: str | None,
        location: str,
        *,
        config: str | None = None,
        room_id: str | None = None,
        release_id: str | None = None,
        client_ips: Sequence[str] | None = None,
    ) -> Seat:
        """Seat a new room on the fullest server with space, wanting a new server if there is none.

        ``org_id`` None is for players, whose token belongs to the app. The seat is on record when this returns.
        Raises Taken for an id that was used before, NotFound, or Invalid where the app has nothing to run.
        """
        chance, now = self._chance, self._clock.now()
        ask = many.OpenAsk(
            app_id=app_id,
            org_id=org_id,
            location=location,
            config=config,
            client_ips=None if client_ips is None else json.dumps(list(client_ips)),
            release_id=release_id,
            room_id=room_id or chance.base36(_ID_LENGTH),
            chosen_id=room_id is not None,
            stay_id=chance.uuid(),
            server_id=chance.uuid(),
            now=now,
            until=now + self._placing,
            lacking=self._spaces.lacking(location),
        )
        seat = await self._opening.ask(ask)
        if seat.server is not None and seat.server.state == ServerState.WANTED:
            self._bell.ring()
        return seat

    async def close(self, app_id: str, org_id: str | None, room_id: str, reason: str) -> None:
        """End a room and free its seat. Raises NotFound, also for a room that is over already."""
        await self._closing.ask(many.CloseAsk(app_id, org_id, room_id, self._clock.now(), reason))

    async def seat(self, app_id: str, room_id: str) -> Seat:
        """A room and its server, for anybody who knows both ids. Raises NotFound."""
        return await self._db.read(single.seat, app_id, room_id)

    async def info(self, app_id: str, org_id: str, room_id: str) -> tuple[Seat, list[Stay]]:
        """A room, its server and its past stays, for its owner."""
        return await self._db.read(single.seat_and_stays, app_id, org_id, room_id)

    async def on_server(self, app_id: str, org_id: str, server_id: str) -> list[Seat]:
        """The rooms that sit on a server, the oldest first."""
        return await self._db.read(single.rooms_on, app_id, org_id, server_id)

    async def gone_from(self, app_id: str, org_id: str, server_id: str) -> list[tuple[Seat, Stay]]:
        """The rooms that have left a server and are still remembered, the latest first."""
        return await self._db.read(single.rooms_gone_from, app_id, org_id, server_id, GONE_ROOMS_TOLD)

    async def standing(self, room_ids: Sequence[str]) -> Mapping[str, str | None]:
        """The configs of those rooms that are not over."""
        return await self._db.read(single.standing_configs, room_ids)

    async def set_config(self, app_id: str, org_id: str, room_id: str, config: str) -> None:
        """Change what a room's server and players are told about it."""
        await self._db.write(single.set_config, app_id, org_id, room_id, config, self._clock.now())

    async def suspend(self, app_id: str, org_id: str, room_id: str) -> None:
        """Take a room off its server and keep its id and config."""
        await self._db.write(single.suspend, app_id, org_id, room_id, self._clock.now())

    async def resume(self, app_id: str, org_id: str | None, room_id: str) -> Seat:
        """Seat a suspended room again; a seated one stays. ``org_id`` None: for anybody who knows both ids."""
        now = self._clock.now()
        if org_id is None:
            standing = await self._db.read(single.seat, app_id, room_id)
        else:
            standing = await self._db.read(single.owned_seat, app_id, org_id, room_id)
        ask = many.OpenAsk(
            app_id=app_id, org_id=org_id, location="", config=None, client_ips=None, release_id=None, room_id=room_id,
            chosen_id=True, stay_id=self._chance.uuid(), server_id=self._chance.uuid(), now=now,
            until=now + self._placing, lacking=self._spaces.lacking(standing.room.location),
        )  # fmt: skip
        seat = await self._db.write(single.resume, ask)
        self._bell.ring()
        return seat


def is_ready(seat: Seat) -> bool:
    """Whether players can connect to the room now."""
    return (
        seat.room.state == RoomState.SEATED
        and seat.server is not None
        and seat.server.state in (ServerState.RUNNING, ServerState.DRAINING)
    )
