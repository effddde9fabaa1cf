"""Lobbies with a first config and a state. Declared here, answered in ``api/hathora/lobbies_v2.py``."""

from __future__ import annotations

from typing import Any

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, UNSET, Camel, Moment

from . import operation
from .lobbies_v3 import LobbyVisibility
from .words import WRITE, AppId, Region, RoomId, RoomIdTold, ShortCodeTold


class LobbyParams(Camel):
    """Where a lobby's room shall be, and what its server is told about it."""

    region: Region
    initial_config: Any  #: any JSON smaller than 64 KiB; its text is the room's config


class CreateLobbyParams(LobbyParams):
    """The same, and who finds it."""

    visibility: LobbyVisibility


class SetLobbyStateParams(Camel):
    """What a room's server tells those who look for a room."""

    state: Any  #: any JSON smaller than 1 MiB


class Lobby(Camel):
    """A room that players find, with what it was created with and what its server tells of it."""

    app_id: AppId
    room_id: RoomIdTold
    region: Region
    visibility: LobbyVisibility
    local: bool  #: whether the visibility is ``local``
    short_code: ShortCodeTold | None
    initial_config: Any  #: what it was created with; a config that is not JSON is told as a text, none as None
    state: Any = UNSET  #: what the room's server set last; None until then
    created_at: Moment
    created_by: str | int  #: the player who created it


_CREATE = (400, 402, *WRITE)


class LobbiesV2(Resource[M]):
    """Lobbies, as older clients create and find them: with a first config, and a state that the room's server sets."""

    @operation(
        "POST", "/lobby/v2/{appId}/create", status=201, key="player", errors=_CREATE, id="CreateLobbyDeprecated",
        replaced_by="lobbies_v3.create_lobby",
    )  # fmt: skip
    def create_lobby(
        self, params: CreateLobbyParams, app_id: AppId = GLOBAL, *, room_id: RoomId | None = None
    ) -> Lobby:
        """Create a lobby, and the room in it, for the player who calls."""
        ...

    @operation(
        "POST", "/lobby/v2/{appId}/create/local", status=201, key="player", errors=_CREATE,
        replaced_by="lobbies_v3.create_lobby",
    )  # fmt: skip
    def create_local_lobby(
        self, params: LobbyParams, app_id: AppId = GLOBAL, *, room_id: RoomId | None = None
    ) -> Lobby:
        """Create a lobby whose server runs on the developer's machine. No room is opened."""
        ...

    @operation(
        "POST", "/lobby/v2/{appId}/create/private", status=201, key="player", errors=_CREATE,
        replaced_by="lobbies_v3.create_lobby",
    )  # fmt: skip
    def create_private_lobby(
        self, params: LobbyParams, app_id: AppId = GLOBAL, *, room_id: RoomId | None = None
    ) -> Lobby:
        """Create a lobby that stands in no list, and the room in it."""
        ...

    @operation(
        "POST", "/lobby/v2/{appId}/create/public", status=201, key="player", errors=_CREATE,
        replaced_by="lobbies_v3.create_lobby",
    )  # fmt: skip
    def create_public_lobby(
        self, params: LobbyParams, app_id: AppId = GLOBAL, *, room_id: RoomId | None = None
    ) -> Lobby:
        """Create a lobby that everybody finds in the list, and the room in it."""
        ...

    @operation(
        "GET", "/lobby/v2/{appId}/info/{roomId}", key="none", errors=(404, 408, 429),
        replaced_by="lobbies_v3.get_lobby_info_by_room_id",
    )  # fmt: skip
    def get_lobby_info(self, room_id: RoomId, app_id: AppId = GLOBAL) -> Lobby:
        """Find the lobby of a room."""
        ...

    @operation(
        "GET", "/lobby/v2/{appId}/list/public", key="none", errors=(401, 408, 429),
        id="ListActivePublicLobbiesDeprecatedV2", replaced_by="lobbies_v3.list_active_public_lobbies",
    )  # fmt: skip
    def list_active_public_lobbies(self, app_id: AppId = GLOBAL, *, region: Region | None = None) -> list[Lobby]:
        """List the public lobbies whose rooms stand, the newest first, in one region or in all."""
        ...

    @operation(
        "POST", "/lobby/v2/{appId}/setState/{roomId}", recorded=False, scope="processes:read-write",
        errors=(401, 404, 408, 422, 429), replaced_by="rooms_v2.update_room_config",
    )  # fmt: skip
    def set_lobby_state(self, room_id: RoomId, params: SetLobbyStateParams, app_id: AppId = GLOBAL) -> Lobby:
        """Change what the room's server tells those who look for a room: how many play, say, or who won."""
        ...
