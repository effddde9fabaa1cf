"""Verbs on lobbies. Called by the doors, and by ``inn.py``'s sweeping loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from innkeeper.db.database import Database, Duplicate
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.errors import NotFound, Taken
from innkeeper.kit.ids import Chance

from .model import Lobby, OpenRoom, StandingRooms, Visibility
from .queries import lobbies as queries

#: A made-up short code has so many letters and digits.
_CODE_LENGTH = 7
_ROOM_ID_LENGTH = 13
#: Lobbies on a list, and lobbies looked through for one short code.
MOST_LISTED = 1000
#: Characters of first configs and states on a list that tells them: anybody may ask for it, and it is made in memory.
MOST_TOLD = 16 << 20
_AT_ONCE = 500


class Lobbies:
    """Create and find lobbies. A lobby stands as long as its room does."""

    def __init__(
        self, db: Database, clock: Clock, chance: Chance, open_room: OpenRoom, standing_rooms: StandingRooms
    ) -> None:
        self._db, self._clock, self._chance = db, clock, chance
        self._open_room, self._standing_rooms = open_room, standing_rooms
        self._swept_to = (0, "")  #: time and room of the lobby that was looked at last

    async def create(
        self,
        app_id: str,
        player_id: str | int,
        location: str,
        visibility: Visibility,
        *,
        config: str | None = None,
        room_id: str | None = None,
        short_code: str | None = None,
        hidden: bool = False,
    ) -> Lobby:
        """A new lobby and its room. The lobby is on record before its room is opened, and taken back if that fails.

        A local lobby has no room here; a ``hidden`` one is not listed among the local ones either.
        """
        lobby = Lobby(
            room_id or self._chance.base36(_ROOM_ID_LENGTH), app_id, short_code or self._chance.base36(_CODE_LENGTH),
            visibility, player_id, location, config, self._clock.now(), hidden, config,
        )  # fmt: skip
        try:
            await self._db.write(queries.add_lobby, lobby)
        except Duplicate:
            raise Taken(f"room id: there is, or was, a lobby {lobby.room_id} already; choose another id") from None
        if visibility is not Visibility.LOCAL:
            try:
                await self._open_room(app_id, location, room_id=lobby.room_id, config=config)
            except Exception:
                await self._db.write(queries.remove_lobbies, [lobby.room_id])
                raise
        return lobby

    async def of_room(self, app_id: str, room_id: str) -> Lobby:
        """The lobby of a room that stands. Raises NotFound."""
        found = await self._db.read(queries.lobby, app_id, room_id)
        standing = await self._standing([found] if found is not None else [])
        if not standing:
            raise NotFound(f"room {room_id} has no lobby")
        return standing[0]

    async def by_short_code(self, app_id: str, short_code: str) -> Lobby:
        """The newest lobby with a short code whose room stands. Raises NotFound."""
        standing = await self._standing(await self._db.read(queries.by_short_code, app_id, short_code, _AT_ONCE))
        if not standing:
            raise NotFound(f"there is no lobby with the short code {short_code}")
        return standing[0]

    async def public(self, app_id: str, location: str | None = None) -> list[Lobby]:
        """Public lobbies whose rooms stand, the newest first."""
        found = await self._db.read(queries.shown, app_id, Visibility.PUBLIC, location, MOST_LISTED)
        return await self._standing(found)

    async def local(self, app_id: str, location: str | None = None) -> list[Lobby]:
        """Local lobbies that are not hidden, the newest first."""
        return await self._db.read(queries.shown, app_id, Visibility.LOCAL, location, MOST_LISTED)

    async def set_state(self, app_id: str, room_id: str, state: str) -> Lobby:
        """Keep what a lobby's server tells of it: JSON, for everybody to read. Raises NotFound.

        That the app is the caller's has been seen to.
        """
        lobby = await self.of_room(app_id, room_id)
        if not await self._db.write(queries.set_state, app_id, room_id, state):
            raise NotFound(f"room {room_id} has no lobby")  # swept away in between
        return lobby

    async def with_states(
        self, lobbies: Sequence[Lobby], most_characters: int = MOST_TOLD
    ) -> list[tuple[Lobby, str | None]]:
        """Lobbies and their states, None where none was set: from the first, as many as fit in so many characters.

        First configs count too.
        """
        sizes = await self._db.read(queries.state_sizes, [lobby.room_id for lobby in lobbies])
        sums = accumulate(len(lobby.first_config or "") + sizes.get(lobby.room_id, 0) for lobby in lobbies)
        told = lobbies[: sum(1 for characters in sums if characters <= most_characters)]
        states = await self._db.read(queries.states, [lobby.room_id for lobby in told if lobby.room_id in sizes])
        return [(lobby, states.get(lobby.room_id)) for lobby in told]

    async def _standing(self, lobbies: Sequence[Lobby]) -> list[Lobby]:
        """Those that stand, with their rooms' present configs."""
        opened = [lobby.room_id for lobby in lobbies if lobby.visibility is not Visibility.LOCAL]
        configs = await self._standing_rooms(opened) if opened else {}
        return [
            lobby if lobby.visibility is Visibility.LOCAL else replace(lobby, config=configs[lobby.room_id])
            for lobby in lobbies
            if lobby.visibility is Visibility.LOCAL or lobby.room_id in configs
        ]

    async def sweep(self, keep_seconds: float) -> None:
        """Forget lobbies created long ago whose rooms are over. Looks through some at a time, round and round."""
        before = self._clock.now() - round(keep_seconds * SECOND)
        lobbies = await self._db.read(queries.created_between, self._swept_to, before, _AT_ONCE)
        last = lobbies[-1] if len(lobbies) == _AT_ONCE else None
        self._swept_to = (last.created_at, last.room_id) if last else (0, "")
        standing = {
            lobby.room_id for lobby in await self._standing(lobbies) if lobby.visibility is not Visibility.LOCAL
        }
        over = [lobby.room_id for lobby in lobbies if lobby.room_id not in standing]
        if over:
            await self._db.write(queries.remove_lobbies, over)
