"""Lobbies of the first two generations, seen by the third, and the other way round."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from api.wire import ask
from factories import TOKYO, TestInn
from innkeeper.contract.hathora.lobbies_v2 import CreateLobbyParams, Lobby, LobbyParams, SetLobbyStateParams
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbyVisibility
from innkeeper.contract.hathora.rooms_v2 import UpdateRoomConfigParams
from innkeeper.contract.hathora.words import Region
from innkeeper.sdk import AsyncHathoraCloud, NotFound, StatusError, Unauthorized

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. use :DeprecationWarning")

PUBLIC, PRIVATE, LOCAL = LobbyVisibility.PUBLIC, LobbyVisibility.PRIVATE, LobbyVisibility.LOCAL
CONFIG = {"mode": "ffa", "teams": [2, 2.5], "name": "ünï", "big": 2**70, "none": None}


def made_of(config: Any, region: Region = TOKYO) -> LobbyParams:
    return LobbyParams(region=region, initial_config=config)


async def v2_list(player: AsyncHathoraCloud, region: Region | None = None) -> list[str]:
    return [found.room_id for found in await player.lobbies_v2.list_active_public_lobbies(region=region)]


async def v1_list(player: AsyncHathoraCloud, **filters: Any) -> list[str]:
    return [found.room_id for found in await player.lobbies_v1.list_active_public_lobbies(**filters)]


async def v3_list(player: AsyncHathoraCloud) -> list[str]:
    return [found.room_id for found in await player.lobbies_v3.list_active_public_lobbies()]


async def test_a_lobby_of_the_second_generation_is_one_to_the_third(inn: TestInn) -> None:
    game = await inn.game()
    player, friend = await game.player("ann"), inn.client(None, app_id=game.app_id)
    made = await player.lobbies_v2.create_public_lobby(made_of(CONFIG), room_id="mine")
    assert (made.room_id, made.visibility, made.local, made.region) == ("mine", PUBLIC, False, TOKYO)
    assert (made.initial_config, made.state) == (CONFIG, None)
    await inn.settle()
    text = '{"mode":"ffa","teams":[2,2.5],"name":"ünï","big":1180591620717411303424,"none":null}'
    process_id = (await game.processes())[0].process_id
    assert inn.engine.launches[process_id].env["HATHORA_INITIAL_ROOM_CONFIG"] == text
    seen = await friend.lobbies_v3.get_lobby_info_by_room_id("mine")
    assert (seen.room_config, seen.short_code, seen.created_by) == (text, made.short_code, made.created_by)
    assert await friend.lobbies_v3.get_lobby_info_by_short_code(made.short_code or "") == seen
    assert await v1_list(friend) == await v2_list(friend) == await v3_list(friend) == ["mine"]
    assert await v2_list(friend, Region.SYDNEY) == []

    await game.cloud.rooms_v2.update_room_config("mine", UpdateRoomConfigParams(room_config="2 of 8"))
    assert (await friend.lobbies_v3.get_lobby_info_by_room_id("mine")).room_config == "2 of 8"
    assert await friend.lobbies_v2.get_lobby_info("mine") == made
    [listed] = await friend.lobbies_v2.list_active_public_lobbies()
    assert listed == made

    await game.cloud.rooms_v2.destroy_room("mine")
    assert await v1_list(friend) == await v2_list(friend) == []
    with pytest.raises(NotFound):
        await friend.lobbies_v2.get_lobby_info("mine")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ('{"map": "dust", "size": 1.50}', {"map": "dust", "size": 1.5}),
        ("[1,2]", [1, 2]),
        ("7", 7),
        ("null", None),
        ("dust", "dust"),
        ('{"map":', '{"map":'),
        ("", ""),
        (None, None),
    ],
)
async def test_a_lobby_of_the_third_generation_is_one_to_the_second(
    small_inn: TestInn, config: str | None, told: Any
) -> None:
    game = await small_inn.game()
    player = await game.player()
    params = CreateLobbyV3Params(visibility=PUBLIC, region=TOKYO)
    if config is not None:
        params.room_config = config
    made = await player.lobbies_v3.create_lobby(params, short_code="FUN")
    await game.cloud.rooms_v2.update_room_config(made.room_id, UpdateRoomConfigParams(room_config="later"))
    expected = Lobby(
        app_id=game.app_id, room_id=made.room_id, region=TOKYO, visibility=PUBLIC, local=False, short_code="FUN",
        initial_config=told, state=None, created_at=made.created_at, created_by=made.created_by,
    )  # fmt: skip
    assert await player.lobbies_v2.get_lobby_info(made.room_id) == expected
    assert await player.lobbies_v1.list_active_public_lobbies() == [expected]


async def test_what_is_created_is_seen_by_whom_it_is_for(inn: TestInn) -> None:
    game = await inn.game(seats=10)
    player = await game.player()
    lobbies = player.lobbies_v2
    public = await lobbies.create_lobby(CreateLobbyParams(region=TOKYO, initial_config=[], visibility=PUBLIC))
    await inn.advance(1)
    private = await lobbies.create_private_lobby(made_of("hush"))
    local = await lobbies.create_local_lobby(made_of({"my": "laptop"}))
    chosen = await lobbies.create_lobby(CreateLobbyParams(region=TOKYO, initial_config=1, visibility=LOCAL))
    assert [each.visibility for each in (public, private, local, chosen)] == [PUBLIC, PRIVATE, LOCAL, LOCAL]
    assert [each.local for each in (public, private, local, chosen)] == [False, False, True, True]
    await inn.settle()
    assert await v1_list(player) == await v2_list(player) == await v3_list(player) == [public.room_id]
    assert set(await v1_list(player, local=True)) == {local.room_id, chosen.room_id}
    assert await v1_list(player, local=True, region=Region.SYDNEY) == []
    for each in (public, private, local, chosen):
        assert await lobbies.get_lobby_info(each.room_id) == each
    seen = await player.lobbies_v3.get_lobby_info_by_room_id(local.room_id)
    assert (seen.visibility, seen.room_config) == (LOCAL, '{"my":"laptop"}')
    with pytest.raises(NotFound):  # its server runs elsewhere
        await game.connection(local.room_id)
    assert len(await game.processes()) == 1


async def test_the_first_clients_are_told_a_room_and_nothing_else(inn: TestInn) -> None:
    inn.locations = frozenset({"tokyo", "chicago", "dallas"})
    await inn.restart()
    game = await inn.game(seats=10)
    player = await game.player("ann")
    path = f"/lobby/v1/{game.app_id}/create"
    [token] = [(await inn.client(None, app_id=game.app_id).auth_v1.login_anonymous()).token]
    bare = {"authorization": token, "content-type": "application/json"}  # without Bearer, and without a body
    public = await ask(inn, "POST", f"{path}/public", headers=bare)
    private = await ask(inn, "POST", f"{path}/private?region=Tokyo", b"{}", headers=bare)
    assert (public.status, private.status) == (200, 200)
    lobby = await player.lobbies_v2.get_lobby_info(public.json)
    assert (lobby.visibility, lobby.region, lobby.initial_config) == (PUBLIC, Region.CHICAGO, None)
    hidden = await player.lobbies_v3.get_lobby_info_by_room_id(private.json)
    assert (hidden.visibility, hidden.region, hidden.room_config) == (PRIVATE, TOKYO, None)
    await inn.settle()
    assert (await game.cloud.rooms_v1.get_connection_info(public.json)).status == "active"
    assert await v1_list(player) == await v2_list(player) == await v3_list(player) == [public.json]
    assert await v1_list(player, region=TOKYO) == []
    with pytest.raises(StatusError) as refused:  # no host is there
        await player.lobbies_v1.create_public_lobby(region=Region.SYDNEY)
    assert refused.value.status == 402


async def test_local_lobbies_of_the_first_clients(inn: TestInn) -> None:
    game = await inn.game()
    player = await game.player()
    lobbies = player.lobbies_v1
    shown = await lobbies.create_public_lobby(local=True, region=TOKYO)
    hidden = await lobbies.create_private_lobby(local=True)
    assert await v1_list(player, local=True) == [shown]
    assert await v1_list(player, local=True, region=TOKYO) == [shown]
    assert await v1_list(player) == await v1_list(player, local=False) == []
    told = await player.lobbies_v2.get_lobby_info(hidden)
    assert (told.visibility, told.local, told.region) == (LOCAL, True, Region.SEATTLE)
    assert await game.processes() == []


async def test_a_state_is_kept_and_told(inn: TestInn) -> None:
    game = await inn.game(seats=10)
    player = await game.player()
    made = await player.lobbies_v2.create_public_lobby(made_of({}))
    other = await player.lobbies_v2.create_public_lobby(made_of({}))
    at_home = await player.lobbies_v2.create_local_lobby(made_of({}))
    state = {"players": 3, "best": [1.5, None]}
    for lobby in (made, at_home):
        answer = await game.cloud.lobbies_v2.set_lobby_state(lobby.room_id, SetLobbyStateParams(state=state))
        lobby.state = state
        assert answer == lobby
    await inn.restart()
    assert await player.lobbies_v2.get_lobby_info(made.room_id) == made
    assert await player.lobbies_v2.get_lobby_info(at_home.room_id) == at_home
    found = {each.room_id: each.state for each in await player.lobbies_v2.list_active_public_lobbies()}
    assert found == {made.room_id: state, other.room_id: None}
    for changed in ("over", None, [], 0):
        await game.cloud.lobbies_v2.set_lobby_state(made.room_id, SetLobbyStateParams(state=changed))
        assert (await player.lobbies_v2.get_lobby_info(made.room_id)).state == changed
    assert (await player.lobbies_v3.get_lobby_info_by_room_id(made.room_id)).room_config == "{}"
    await game.cloud.rooms_v2.destroy_room(made.room_id)
    with pytest.raises(NotFound):
        await game.cloud.lobbies_v2.set_lobby_state(made.room_id, SetLobbyStateParams(state=1))


async def test_a_state_is_set_by_the_owner_of_the_app_alone(inn: TestInn) -> None:
    game, other = await inn.game(), await inn.game()
    player = await game.player()
    made = await player.lobbies_v2.create_public_lobby(made_of({}))
    params = SetLobbyStateParams(state="mine")
    rival = inn.client(await inn.another_org(), app_id=game.app_id).lobbies_v2
    never = (await asyncio.gather(rival.set_lobby_state("never", params), return_exceptions=True))[0]
    with pytest.raises(NotFound) as missing:
        await rival.set_lobby_state(made.room_id, params)
    assert str(missing.value) == str(never)
    with pytest.raises(NotFound):  # a lobby of another app of theirs
        await other.cloud.lobbies_v2.set_lobby_state(made.room_id, params)
    with pytest.raises(NotFound):
        await game.cloud.lobbies_v2.set_lobby_state("never", params)
    room = await game.room()
    with pytest.raises(NotFound):  # a room without a lobby
        await game.cloud.lobbies_v2.set_lobby_state(room.room_id, params)
    with pytest.raises(Unauthorized):
        await player.lobbies_v2.set_lobby_state.options(token=None)(made.room_id, params)
    assert (await player.lobbies_v2.get_lobby_info(made.room_id)).state is None


def text_of(size: int) -> str:
    """A text whose JSON has so many bytes."""
    return "x" * (size - 2)


async def test_how_large_configs_and_states_may_be(inn: TestInn) -> None:
    game = await inn.game(seats=10)
    player = await game.player()
    largest = await player.lobbies_v2.create_public_lobby(made_of(text_of((64 << 10) - 1)))
    await inn.settle()
    assert len((await game.info(largest.room_id)).room_config or "") == (64 << 10) - 1
    set_state = game.cloud.lobbies_v2.set_lobby_state
    state = text_of((1 << 20) - 1)
    told = await set_state(largest.room_id, SetLobbyStateParams(state=state))
    assert (await player.lobbies_v2.get_lobby_info(largest.room_id)).state == told.state == state
    # An umlaut is one character and two bytes.
    for config in (text_of(64 << 10), "ä" * (32 << 10)):
        with pytest.raises(StatusError, match="initialConfig: must be smaller than 65,536 bytes") as refused:
            await player.lobbies_v2.create_public_lobby(made_of(config))
        assert refused.value.status == 422
    with pytest.raises(StatusError, match="state: must be smaller than 1,048,576 bytes") as refused:
        await set_state(largest.room_id, SetLobbyStateParams(state=text_of(1 << 20)))
    assert refused.value.status == 422
    assert await v2_list(player) == [largest.room_id]


async def test_a_list_with_large_states_ends_early(inn: TestInn) -> None:
    game = await inn.game(seats=30)
    player = await game.player()
    made = []
    for _ in range(18):
        creator = await game.player()  # one alone may not create so many at once
        made.append((await creator.lobbies_v2.create_public_lobby(made_of("x"))).room_id)
        await inn.advance(1)
    for room_id in made[:17]:
        await game.cloud.lobbies_v2.set_lobby_state(room_id, SetLobbyStateParams(state=text_of((1 << 20) - 1)))
    newest = made[::-1]
    assert await v2_list(player) == await v1_list(player) == newest[:16]  # 16 MiB hold the first, and 15 with states
    assert await v3_list(player) == newest


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"region": "Tokyo"}, 422, "initialConfig: is required"),
        ({"initialConfig": {}}, 422, "region: is required"),
        ({"region": "Mars", "initialConfig": {}}, 422, "Mars"),
        ({"region": "Tokyo", "initialConfig": None}, 201, ""),
        ({"region": "Tokyo", "initialConfig": {}, "visibility": "odd"}, 201, ""),  # unknown here, so ignored
    ],
)
async def test_a_body_says_what_it_has_to(small_inn: TestInn, body: Any, status: int, text: str) -> None:
    game = await small_inn.game()
    login = await small_inn.client(None, app_id=game.app_id).auth_v1.login_anonymous()
    path = f"/lobby/v2/{game.app_id}/create/public"
    answer = await ask(small_inn, "POST", path, json.dumps(body).encode(), token=login.token)
    assert answer.status == status
    assert status == 201 or text in answer.message


async def test_deep_configs_do_not_stand_in_lists_that_others_read(small_inn: TestInn) -> None:
    game = await small_inn.game(seats=10)
    player = await game.player()
    deep = "[" * 900 + "]" * 900
    with pytest.raises(StatusError, match="initialConfig: at most 50") as refused:
        await player.lobbies_v2.create_public_lobby(made_of(json.loads(deep)))
    assert refused.value.status == 422
    params = CreateLobbyV3Params(visibility=PUBLIC, region=TOKYO, room_config=deep)
    await player.lobbies_v3.create_lobby(params)
    [found] = await player.lobbies_v2.list_active_public_lobbies()
    assert found.initial_config == deep  # a text, as it was given
    body = b'{"region":"Tokyo","initialConfig":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    login = await small_inn.client(None, app_id=game.app_id).auth_v1.login_anonymous()
    answer = await ask(small_inn, "POST", f"/lobby/v2/{game.app_id}/create/public", body, token=login.token)
    assert answer.status in (400, 422)


async def test_tokens_of_other_apps_and_of_owners_create_no_lobby(inn: TestInn) -> None:
    game, other = await inn.game(), await inn.game()
    stranger, owner = await other.player(), inn.client(None, app_id=game.app_id, player_token=inn.token)
    for client in (stranger, owner, inn.client(None)):
        for call in (
            client.lobbies_v1.create_public_lobby(game.app_id),
            client.lobbies_v1.create_private_lobby(game.app_id, local=True),
            client.lobbies_v2.create_local_lobby(made_of({}), game.app_id),
            client.lobbies_v2.create_public_lobby(made_of({}), game.app_id),
        ):
            with pytest.raises(Unauthorized):
                await call
    assert await v1_list(inn.client(None, app_id=game.app_id), local=True) == []
