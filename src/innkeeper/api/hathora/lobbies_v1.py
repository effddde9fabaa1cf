"""Lobbies as the first clients know them. Declared in ``contract/hathora/lobbies_v1.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.lobbies_v1 import LobbiesV1
from innkeeper.contract.hathora.lobbies_v2 import Lobby
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.shape import GLOBAL
from innkeeper.matchmaking.model import Visibility

from .discovery_v2 import served_regions
from .lobbies_v2 import lobbies_data
from .words import location_of


async def _create(visit: Visit, visibility: Visibility, app_id: str, local: bool | None, region: Region | None) -> str:
    lobby = await visit.wings.lobbies.create(
        app_id,
        visit.player.id,
        location_of(region or next(iter(served_regions(visit)), Region.SEATTLE)),
        Visibility.LOCAL if local else visibility,
        hidden=bool(local) and visibility is Visibility.PRIVATE,
    )
    return lobby.room_id


@implements(LobbiesV1.create_private_lobby)
async def create_private_lobby(
    visit: Visit, app_id: str = GLOBAL, *, local: bool | None = None, region: Region | None = None
) -> str:
    return await _create(visit, Visibility.PRIVATE, app_id, local, region)


@implements(LobbiesV1.create_public_lobby)
async def create_public_lobby(
    visit: Visit, app_id: str = GLOBAL, *, local: bool | None = None, region: Region | None = None
) -> str:
    return await _create(visit, Visibility.PUBLIC, app_id, local, region)


@implements(LobbiesV1.list_active_public_lobbies)
async def list_active_public_lobbies(
    visit: Visit, app_id: str = GLOBAL, *, local: bool | None = None, region: Region | None = None
) -> list[Lobby]:
    lobbies, location = visit.wings.lobbies, None if region is None else location_of(region)
    return await lobbies_data(visit, await (lobbies.local if local else lobbies.public)(app_id, location))
