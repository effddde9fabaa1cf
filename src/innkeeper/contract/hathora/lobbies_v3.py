"""Lobbies: rooms that players find. Declared here, answered in ``api/hathora/lobbies_v3.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment, UnsetType
from innkeeper.contract.words import Word

from . import operation
from .words import (
    PUBLIC_READ,
    WRITE,
    AppId,
    Region,
    RoomConfig,
    RoomConfigTold,
    RoomId,
    RoomIdTold,
    ShortCode,
    ShortCodeTold,
)


class LobbyVisibility(Word):
    """Who finds a lobby."""

    PUBLIC = "public"  #: everybody, in the list of lobbies
    PRIVATE = "private"  #: who is told its room's id or its short code
    LOCAL = "local"  #: nobody: its server runs on the developer's machine


class CreateLobbyV3Params(Camel):
    """Where a lobby's room shall be, who finds it, and what its server is told about it."""

    visibility: LobbyVisibility
    region: Region
    room_config: RoomConfig | UnsetType = UNSET  #: opaque to the platform, at most 10,000 characters


class LobbyV3(Camel):
    """A room that players find."""

    app_id: AppId
    room_id: RoomIdTold
    region: Region
    visibility: LobbyVisibility
    short_code: ShortCodeTold
    room_config: RoomConfigTold | UnsetType | None = UNSET  #: None when there is none
    created_at: Moment
    created_by: str | int  #: the player who created it


class LobbiesV3(Resource[M]):
    """Lobbies: rooms that players create and find themselves."""

    @operation("POST", "/lobby/v3/{appId}/create", status=201, key="player", errors=(400, 402, *WRITE))
    def create_lobby(
        self,
        params: CreateLobbyV3Params,
        app_id: AppId = GLOBAL,
        *,
        short_code: ShortCode | None = None,
        room_id: RoomId | None = None,
    ) -> LobbyV3:
        """Create a lobby, and the room in it, for the player who calls.

        ``room_id`` must be new among all rooms, ``short_code`` need not be; either is made up when left out. Ask
        ``get_connection_info`` for the room until it is active.
        """
        ...

    @operation("GET", "/lobby/v3/{appId}/list/public", key="none", errors=(401, 408, 422, 429))
    def list_active_public_lobbies(self, app_id: AppId = GLOBAL, *, region: Region | None = None) -> list[LobbyV3]:
        """List the public lobbies whose rooms stand, the newest first, in one region or in all."""
        ...

    @operation("GET", "/lobby/v3/{appId}/info/roomid/{roomId}", key="none", errors=PUBLIC_READ)
    def get_lobby_info_by_room_id(self, room_id: RoomId, app_id: AppId = GLOBAL) -> LobbyV3:
        """Find the lobby of a room."""
        ...

    @operation("GET", "/lobby/v3/{appId}/info/shortcode/{shortCode}", key="none", errors=PUBLIC_READ)
    def get_lobby_info_by_short_code(self, short_code: ShortCode, app_id: AppId = GLOBAL) -> LobbyV3:
        """Find a lobby by what players tell each other. Of several with the same short code it is the newest."""
        ...
