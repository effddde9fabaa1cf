"""Lobbies with a first config and a state. Declared in ``contract/hathora/lobbies_v2.py``.

A first config is JSON here and text to the rest of the house: the room's config is its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.lobbies_v2 import (
    CreateLobbyParams,
    LobbiesV2,
    LobbyParams,
    SetLobbyStateParams,
)
from innkeeper.contract.hathora.lobbies_v2 import Lobby as LobbyV2
from innkeeper.contract.hathora.lobbies_v3 import LobbyVisibility
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.shape import GLOBAL
from innkeeper.kit.errors import Invalid, TooLarge
from innkeeper.kit.stamps import moment
from innkeeper.matchmaking.model import Lobby, Visibility

from .words import location_of, region_of

#: Bytes of JSON that are too many.
TOO_LARGE_CONFIG = 64 << 10
TOO_LARGE_STATE = 1 << 20
#: Lists and objects inside one another. What is told to everybody has to be read by every client, and decoders have
#: limits of their own: that of old Unity plugins is 64 for the whole answer.
MOST_DEEP = 50


def json_text(field: str, value: Any, too_large: int) -> str:
    """The JSON text of what a client sent. Raises TooLarge, and Invalid for what is nested too deep."""
    if _is_deeper(value, MOST_DEEP):
        raise Invalid(f"{field}: at most {MOST_DEEP} lists and objects may be nested in one another")
    text = msgspec.json.encode(value)
    if len(text) >= too_large:
        raise TooLarge(f"{field}: must be smaller than {too_large:,} bytes, and has {len(text):,}")
    return text.decode()


def json_of(text: str | None) -> Any:
    """What a config says, as it is to be told: its JSON where it is JSON, else the text itself."""
    if text is None:
        return None
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    # The text is told as it stands: no number loses digits on its way.
    return text if _is_deeper(value, MOST_DEEP) else msgspec.Raw(text.encode())


def _is_deeper(value: Any, most: int) -> bool:
    """Whether more than so many lists and objects are nested in one another."""
    layer = [value]
    for _ in range(most + 1):
        inner = [each for each in layer if isinstance(each, list | dict)]
        if not inner:
            return False
        layer = [item for each in inner for item in (each.values() if isinstance(each, dict) else each)]
    return True


async def lobbies_data(visit: Visit, lobbies: Sequence[Lobby]) -> list[LobbyV2]:
    """Lobbies as the V1 and V2 of Hathora tell them."""
    return [lobby_data(lobby, state) for lobby, state in await visit.wings.lobbies.with_states(lobbies)]


def lobby_data(lobby: Lobby, state: str | None) -> LobbyV2:
    """A lobby and its state, which is JSON."""
    return LobbyV2(
        app_id=lobby.app_id,
        room_id=lobby.room_id,
        region=region_of(lobby.location),
        visibility=LobbyVisibility(lobby.visibility.value),
        local=lobby.visibility is Visibility.LOCAL,
        short_code=lobby.short_code,
        initial_config=json_of(lobby.first_config),
        state=None if state is None else msgspec.Raw(state.encode()),
        created_at=moment(lobby.created_at),
        created_by=lobby.created_by,
    )


async def _create(
    visit: Visit, params: LobbyParams, visibility: Visibility, app_id: str, room_id: str | None
) -> LobbyV2:
    config = json_text("initialConfig", params.initial_config, TOO_LARGE_CONFIG)
    location = location_of(params.region)
    lobby = await visit.wings.lobbies.create(
        app_id, visit.player.id, location, visibility, config=config, room_id=room_id
    )
    return lobby_data(lobby, None)


@implements(LobbiesV2.create_lobby)
async def create_lobby(
    visit: Visit, params: CreateLobbyParams, app_id: str = GLOBAL, *, room_id: str | None = None
) -> LobbyV2:
    return await _create(visit, params, Visibility(params.visibility.value), app_id, room_id)


@implements(LobbiesV2.create_local_lobby)
async def create_local_lobby(
    visit: Visit, params: LobbyParams, app_id: str = GLOBAL, *, room_id: str | None = None
) -> LobbyV2:
    return await _create(visit, params, Visibility.LOCAL, app_id, room_id)


@implements(LobbiesV2.create_private_lobby)
async def create_private_lobby(
    visit: Visit, params: LobbyParams, app_id: str = GLOBAL, *, room_id: str | None = None
) -> LobbyV2:
    return await _create(visit, params, Visibility.PRIVATE, app_id, room_id)


@implements(LobbiesV2.create_public_lobby)
async def create_public_lobby(
    visit: Visit, params: LobbyParams, app_id: str = GLOBAL, *, room_id: str | None = None
) -> LobbyV2:
    return await _create(visit, params, Visibility.PUBLIC, app_id, room_id)


@implements(LobbiesV2.get_lobby_info)
async def get_lobby_info(visit: Visit, room_id: str, app_id: str = GLOBAL) -> LobbyV2:
    [found] = await lobbies_data(visit, [await visit.wings.lobbies.of_room(app_id, room_id)])
    return found


@implements(LobbiesV2.list_active_public_lobbies)
async def list_active_public_lobbies(
    visit: Visit, app_id: str = GLOBAL, *, region: Region | None = None
) -> list[LobbyV2]:
    location = None if region is None else location_of(region)
    return await lobbies_data(visit, await visit.wings.lobbies.public(app_id, location))


@implements(LobbiesV2.set_lobby_state)
async def set_lobby_state(visit: Visit, room_id: str, params: SetLobbyStateParams, app_id: str = GLOBAL) -> LobbyV2:
    app = await visit.wings.apps.get(visit.org, app_id)
    state = json_text("state", params.state, TOO_LARGE_STATE)
    return lobby_data(await visit.wings.lobbies.set_state(app.id, room_id, state), state)
