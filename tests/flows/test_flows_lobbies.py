"""Players: logins, lobbies and how they are found."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from factories import TOKYO, Game, TestInn
from innkeeper.contract.hathora.apps_v2 import (
    AuthConfiguration,
    GoogleLogin,
    PartialAppConfigWithServiceConfig,
    RecordStringNever,
)
from innkeeper.contract.hathora.auth_v1 import GoogleIdTokenObject, NicknameObject
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbyV3, LobbyVisibility
from innkeeper.contract.hathora.rooms_v2 import UpdateRoomConfigParams
from innkeeper.contract.hathora.words import Region, RoomReadyStatus
from innkeeper.kit.clock import SECOND
from innkeeper.sdk import AsyncHathoraCloud, NotFound, StatusError, Unauthorized

PUBLIC, PRIVATE, LOCAL = LobbyVisibility.PUBLIC, LobbyVisibility.PRIVATE, LobbyVisibility.LOCAL


async def lobby(
    player: AsyncHathoraCloud,
    visibility: LobbyVisibility = PUBLIC,
    *,
    region: Region = TOKYO,
    config: str = "",
    **ids: str,
) -> LobbyV3:
    params = CreateLobbyV3Params(visibility=visibility, region=region, room_config=config)
    return await player.lobbies_v3.create_lobby(params, **ids)


async def listed(player: AsyncHathoraCloud, region: Region | None = None) -> list[str]:
    return [found.room_id for found in await player.lobbies_v3.list_active_public_lobbies(region=region)]


async def test_a_lobby_is_a_room_that_players_find(inn: TestInn) -> None:
    game = await inn.game()
    player, friend = await game.player("ann"), inn.client(None, app_id=game.app_id)
    made = await lobby(player, config="deathmatch", short_code="FUN")
    assert (made.short_code, made.room_config, made.visibility) == ("FUN", "deathmatch", PUBLIC)
    await inn.settle()
    assert (await game.connection(made.room_id)).status == RoomReadyStatus.ACTIVE
    assert await friend.lobbies_v3.get_lobby_info_by_short_code("FUN") == made
    assert await friend.lobbies_v3.get_lobby_info_by_room_id(made.room_id) == made
    assert await listed(friend) == [made.room_id]
    assert await listed(friend, Region.SYDNEY) == []
    await game.cloud.rooms_v2.update_room_config(made.room_id, UpdateRoomConfigParams(room_config="2 of 8 players"))
    assert (await friend.lobbies_v3.get_lobby_info_by_short_code("FUN")).room_config == "2 of 8 players"


async def test_the_newest_lobby_with_a_short_code_is_found(inn: TestInn) -> None:
    game = await inn.game(seats=10)
    player = await game.player()
    first = await lobby(player, short_code="AAAA")
    await inn.advance(1)
    second = await lobby(player, PRIVATE, short_code="AAAA")
    assert (await player.lobbies_v3.get_lobby_info_by_short_code("AAAA")).room_id == second.room_id
    await game.cloud.rooms_v2.destroy_room(second.room_id)
    assert (await player.lobbies_v3.get_lobby_info_by_short_code("AAAA")).room_id == first.room_id
    await game.cloud.rooms_v2.destroy_room(first.room_id)
    for call in (
        player.lobbies_v3.get_lobby_info_by_short_code("AAAA"),
        player.lobbies_v3.get_lobby_info_by_room_id(first.room_id),
    ):
        with pytest.raises(NotFound):
            await call
    assert await listed(player) == []


async def test_private_and_local_lobbies_are_not_listed(inn: TestInn) -> None:
    game = await inn.game(seats=10)
    player = await game.player()
    private, local = await lobby(player, PRIVATE), await lobby(player, LOCAL, config="my laptop")
    assert await listed(player) == []
    assert (await player.lobbies_v3.get_lobby_info_by_room_id(private.room_id)).visibility == PRIVATE
    assert (await player.lobbies_v3.get_lobby_info_by_room_id(local.room_id)).room_config == "my laptop"
    with pytest.raises(NotFound):  # its server runs elsewhere
        await game.connection(local.room_id)
    assert len(await game.processes()) == 1


async def test_lists_hold_the_newest_first(inn: TestInn) -> None:
    game = await inn.game(seats=10)
    player = await game.player()
    made = []
    for number in range(4):
        made.append((await lobby(player, region=Region.SYDNEY if number == 2 else TOKYO)).room_id)
        await inn.advance(1)
    assert await listed(player) == made[::-1]
    assert await listed(player, TOKYO) == [made[3], made[1], made[0]]


async def test_a_room_that_cannot_be_opened_leaves_no_lobby(inn: TestInn) -> None:
    game, other = await inn.game(), await inn.game()
    player = await game.player()
    await other.room("taken")
    with pytest.raises(StatusError, match="taken") as refused:
        await lobby(player, room_id="taken")
    assert refused.value.status in (400, 422)
    await game.cloud.builds_v3.delete_build(game.deployment.build_id)
    with pytest.raises(StatusError, match="deleted"):
        await lobby(player, room_id="fresh")
    for room_id in ("taken", "fresh"):
        with pytest.raises(NotFound):
            await player.lobbies_v3.get_lobby_info_by_room_id(room_id)
    assert await listed(player) == []


async def test_a_room_without_a_lobby_has_none(inn: TestInn) -> None:
    game = await inn.game()
    room = await game.room()
    with pytest.raises(NotFound):
        await inn.client(None, app_id=game.app_id).lobbies_v3.get_lobby_info_by_room_id(room.room_id)


async def test_old_lobbies_are_forgotten_with_their_rooms(inn: TestInn) -> None:
    game = await inn.game(seats=5)
    player = await game.player()
    over, stands = await lobby(player), await lobby(player)
    await game.cloud.rooms_v2.destroy_room(over.room_id)
    await inn.advance(73 * 3600)
    await inn.sweep()
    await inn.sweep()
    assert await listed(player) == [stands.room_id]
    with pytest.raises(NotFound):
        await game.info(over.room_id)
    assert (await lobby(player, room_id=over.room_id)).room_id == over.room_id  # the id can be used again


async def test_a_token_of_another_app_is_none(inn: TestInn) -> None:
    game, other = await inn.game(), await inn.game()
    player = await other.player()
    with pytest.raises(Unauthorized):
        await player.lobbies_v3.create_lobby(CreateLobbyV3Params(visibility=PUBLIC, region=TOKYO), game.app_id)


async def configure(game: Game, **logins: object) -> None:
    config = PartialAppConfigWithServiceConfig(auth_configuration=AuthConfiguration(**logins))  # type: ignore[arg-type]
    await game.cloud.apps_v2.patch_app(config)


async def test_only_the_logins_that_an_app_allows_are_served(inn: TestInn) -> None:
    game = await inn.game()
    auth = inn.client(None, app_id=game.app_id).auth_v1
    await configure(game, nickname=RecordStringNever())
    with pytest.raises(NotFound, match="anonymous"):
        await auth.login_anonymous()
    assert (await auth.login_nickname(NicknameObject(nickname="bob"))).token.count(".") == 2
    await configure(game)
    with pytest.raises(NotFound):
        await auth.login_nickname(NicknameObject(nickname="bob"))
    with pytest.raises(Unauthorized):
        await auth.login_google(GoogleIdTokenObject(id_token="a.b.c"))
    with pytest.raises(NotFound):
        await auth.login_anonymous("app-none")


@pytest.fixture
async def google(tmp_path: Path) -> AsyncIterator[tuple[str, RSAKey]]:
    """A stand-in for Google's key set on loopback: its URL, and the key that signs."""
    key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"}, private=True)

    async def keys(request: web.Request) -> web.Response:
        return web.json_response({"keys": [key.as_dict(private=False)]})

    app = web.Application()
    app.router.add_get("/keys", keys)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}/keys", key
    await runner.cleanup()


async def test_players_log_in_with_google(small_inn: TestInn, google: tuple[str, RSAKey]) -> None:
    import msgspec

    inn, (url, key) = small_inn, google
    await inn.stop()
    inn.settings = msgspec.structs.replace(inn.settings, google_keys_url=url)
    await inn.start()
    game = await inn.game()
    await configure(game, google=GoogleLogin(client_id="mine"))
    now = inn.clock.now() // SECOND
    assert abs(now - time.time()) > 3600  # the inn's clock counts, not the machine's

    def token(**changes: object) -> GoogleIdTokenObject:
        claims = {"iss": "https://accounts.google.com", "aud": "mine", "sub": "g-1", "name": "Ann", "iat": now,
                  "exp": now + 3600, **changes}  # fmt: skip
        return GoogleIdTokenObject(id_token=jwt.encode({"alg": "RS256", "kid": "k1"}, claims, key))

    auth = inn.client(None, app_id=game.app_id).auth_v1
    login = await auth.login_google(token())
    player = inn.client(None, app_id=game.app_id, player_token=login.token)
    assert await lobby(player)
    for wrong in (token(aud="theirs"), token(exp=now - 3600, iat=now - 7200), GoogleIdTokenObject(id_token="x")):
        with pytest.raises(Unauthorized, match="idToken"):
            await auth.login_google(wrong)
