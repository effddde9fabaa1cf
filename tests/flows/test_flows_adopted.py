"""Apps that come from elsewhere with the id and secret that shipped clients and backends know."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from factories import TestInn
from innkeeper.contract.errors import CallError
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbyVisibility
from innkeeper.contract.hathora.words import Region
from innkeeper.contract.house.apps_v1 import AdoptedApp

OLD = "e2d8571e-eb89-4a38-b0b2-2fd4c3f3c5e3"  # as apps of 2023 were called
SECRET = "secret-0b6e2f7c-6c0f-4d58-9a5f-3f2f5b1f0c55"


async def test_a_player_whose_token_the_old_secret_signed_plays_on(inn: TestInn) -> None:
    made = await inn.client().house.apps_v1.adopt_app(AdoptedApp(app_name="old", app_id=OLD, app_secret=SECRET))
    assert made.app_id == OLD
    assert (await inn.client().apps_v2.get_app(OLD)).app_secret == SECRET
    await inn.release(OLD, await inn.build())
    claims = {"type": "anonymous", "id": "wh08ycwy2p9", "name": "jittery-salmon-gull", "iat": 1700000000}
    token = jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey.import_key(SECRET))
    player = inn.client(None, app_id=OLD, player_token=token)
    params = CreateLobbyV3Params(visibility=LobbyVisibility.PUBLIC, region=Region.TOKYO)
    assert (await player.lobbies_v3.create_lobby(params)).created_by == "wh08ycwy2p9"


async def test_an_id_is_taken_once_whoever_has_it(inn: TestInn) -> None:
    cloud = inn.client()
    await cloud.house.apps_v1.adopt_app(AdoptedApp(app_name="old", app_id=OLD))
    for name in ("old", "another"):
        with pytest.raises(CallError, match="already"):
            await cloud.house.apps_v1.adopt_app(AdoptedApp(app_name=name, app_id=OLD))
    await cloud.apps_v2.delete_app(OLD)
    with pytest.raises(CallError, match="there is, or was"):
        await cloud.house.apps_v1.adopt_app(AdoptedApp(app_name="new", app_id=OLD))


@pytest.mark.parametrize(("app_id", "secret"), [("a/b", SECRET), ("", SECRET), ("app-1", "short")])
async def test_ids_that_cannot_stand_in_a_path_and_weak_secrets_are_refused(
    inn: TestInn, app_id: str, secret: str
) -> None:
    with pytest.raises(CallError) as refused:
        await inn.client().house.apps_v1.adopt_app(AdoptedApp(app_name="x", app_id=app_id, app_secret=secret))
    assert refused.value.status == 422


async def test_only_the_operator_may(inn: TestInn) -> None:
    rival = inn.client(await inn.another_org())
    with pytest.raises(CallError) as refused:
        await rival.house.apps_v1.adopt_app(AdoptedApp(app_name="x", app_id=OLD))
    assert refused.value.status == 404
