"""Lobbies: rooms that players find. Declared in ``contract/hathora/lobbies_v3.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbiesV3, LobbyV3, LobbyVisibility
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.shape import GLOBAL, given
from innkeeper.kit.stamps import moment
from innkeeper.matchmaking.model import Lobby, Visibility

from .words import location_of, region_of


def lobby_data(lobby: Lobby) -> LobbyV3:
    """A lobby as Hathora tells it."""
    return LobbyV3(
        app_id=lobby.app_id,
        room_id=lobby.room_id,
        region=region_of(lobby.location),
        visibility=LobbyVisibility(lobby.visibility.value),
        short_code=lobby.short_code,
        room_config=lobby.config,
        created_at=moment(lobby.created_at),
        created_by=lobby.created_by,
    )


@implements(LobbiesV3.create_lobby)
async def create_lobby(
    visit: Visit,
    params: CreateLobbyV3Params,
    app_id: str = GLOBAL,
    *,
    short_code: str | None = None,
    room_id: str | None = None,
) -> LobbyV3:
    lobby = await visit.wings.lobbies.create(
        app_id,
        visit.player.id,
        location_of(params.region),
        Visibility(params.visibility.value),
        config=given(params.room_config),
        room_id=room_id,
        short_code=short_code,
    )
    return lobby_data(lobby)


@implements(LobbiesV3.list_active_public_lobbies)
async def list_active_public_lobbies(
    visit: Visit, app_id: str = GLOBAL, *, region: Region | None = None
) -> list[LobbyV3]:
    location = None if region is None else location_of(region)
    return [lobby_data(lobby) for lobby in await visit.wings.lobbies.public(app_id, location)]


@implements(LobbiesV3.get_lobby_info_by_room_id)
async def get_lobby_info_by_room_id(visit: Visit, room_id: str, app_id: str = GLOBAL) -> LobbyV3:
    return lobby_data(await visit.wings.lobbies.of_room(app_id, room_id))


@implements(LobbiesV3.get_lobby_info_by_short_code)
async def get_lobby_info_by_short_code(visit: Visit, short_code: str, app_id: str = GLOBAL) -> LobbyV3:
    return lobby_data(await visit.wings.lobbies.by_short_code(app_id, short_code))
