"""Apps that come from elsewhere with the id and secret that shipped clients and backends know."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from msgspec.structs import replace

from factories import TestInn
from innkeeper.contract.errors import CallError
from innkeeper.contract.hathora.lobbies_v3 import CreateLobbyV3Params, LobbyVisibility
from innkeeper.contract.hathora.rooms_v2 import CreateRoomParams
from innkeeper.contract.hathora.tokens_v1 import CreateOrgToken
from innkeeper.contract.hathora.words import Region, Scope
from innkeeper.contract.house.apps_v1 import AdoptedApp, ChangedSecret

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


async def test_a_deleted_app_comes_back_to_its_own_organisation_alone(inn: TestInn) -> None:
    cloud, rival = inn.client(), await inn.another_org()
    [org] = (await inn.client(rival).organizations_v1.get_orgs()).orgs
    adopted = AdoptedApp(app_name="old", app_id=OLD, app_secret=SECRET)
    await cloud.house.apps_v1.adopt_app(adopted)
    await inn.release(OLD, await inn.build())
    room = await cloud.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), OLD)
    await inn.settle()
    with pytest.raises(CallError, match=r"there is an app .* already, old"):
        await cloud.house.apps_v1.adopt_app(replace(adopted, app_name="another"))
    await cloud.apps_v2.delete_app(OLD)
    with pytest.raises(CallError, match="have not all ended yet"):
        await cloud.house.apps_v1.adopt_app(adopted)
    await inn.settle()
    await inn.advance(30)
    await inn.settle()
    with pytest.raises(CallError, match="that of an app of another organisation"):
        await cloud.house.apps_v1.adopt_app(replace(adopted, org_id=org.org_id))
    made = await cloud.house.apps_v1.adopt_app(replace(adopted, app_name="new", app_secret="another secret"))
    assert (made.app_id, made.app_name) == (OLD, "new")
    assert (await cloud.apps_v2.get_app(OLD)).app_secret == "another secret"
    assert (await cloud.rooms_v2.get_room_info(room.room_id, OLD)).status == "destroyed"
    again = await cloud.rooms_v2.create_room(CreateRoomParams(region=Region.TOKYO), OLD)
    await inn.settle()
    assert (await cloud.rooms_v2.get_room_info(again.room_id, OLD)).status == "active"
    with pytest.raises(CallError, match="no app"):
        await inn.client(rival).apps_v2.get_app(OLD)


async def test_the_operator_adopts_for_another_organisation(inn: TestInn) -> None:
    rival = inn.client(await inn.another_org())
    [org] = (await rival.organizations_v1.get_orgs()).orgs
    adopted = AdoptedApp(app_name="old", app_id=OLD, app_secret=SECRET, org_id=org.org_id)
    assert (await inn.client().house.apps_v1.adopt_app(adopted)).org_id == org.org_id
    assert (await rival.apps_v2.get_app(OLD)).app_secret == SECRET
    with pytest.raises(CallError, match="there is no organisation"):
        await inn.client().house.apps_v1.adopt_app(replace(adopted, app_id="x", org_id="org-none"))


@pytest.mark.parametrize("secret", [" " * 20, f" {SECRET}", f"{SECRET}\n", "x" * 501])
async def test_blanks_are_no_secret(inn: TestInn, secret: str) -> None:
    cloud = inn.client()
    await cloud.house.apps_v1.adopt_app(AdoptedApp(app_name="x", app_id="app-x", app_secret=SECRET))
    for call in (
        cloud.house.apps_v1.adopt_app(AdoptedApp(app_name="y", app_id="app-y", app_secret=secret)),
        cloud.house.apps_v1.set_secret("app-x", ChangedSecret(app_secret=secret)),
    ):
        with pytest.raises(CallError) as refused:
            await call
        assert refused.value.status == 422
        assert secret.strip() not in str(refused.value) or not secret.strip()


async def test_a_wrong_secret_is_mended(inn: TestInn) -> None:
    """Players of the one before are refused at once, those of the right one play, and new servers are told it."""
    cloud = inn.client()
    await cloud.house.apps_v1.adopt_app(AdoptedApp(app_name="old", app_id=OLD, app_secret="a wrong secret"))
    await inn.release(OLD, await inn.build())
    wrong = inn.client(
        None, app_id=OLD, player_token=(await inn.client(None, app_id=OLD).auth_v1.login_anonymous()).token
    )
    params = CreateLobbyV3Params(visibility=LobbyVisibility.PUBLIC, region=Region.TOKYO)
    first = await wrong.lobbies_v3.create_lobby(params)
    await inn.settle()
    await cloud.house.apps_v1.set_secret(OLD, ChangedSecret(app_secret=SECRET))
    with pytest.raises(CallError) as refused:
        await wrong.lobbies_v3.create_lobby(params)
    assert refused.value.status == 401
    right = jwt.encode({"alg": "HS256", "typ": "JWT"}, {"type": "anonymous", "id": "me"}, OctKey.import_key(SECRET))
    player = inn.client(None, app_id=OLD, player_token=right)
    assert (await player.lobbies_v3.create_lobby(params)).created_by == "me"
    assert (await cloud.apps_v2.get_app(OLD)).app_secret == SECRET
    seat = (await cloud.rooms_v2.get_room_info(first.room_id, OLD)).current_allocation
    assert seat is not None
    assert inn.engine.launches[seat.process_id].env["HATHORA_APP_SECRET"] == "a wrong secret"
    await cloud.house.apps_v1.set_secret(OLD, ChangedSecret())
    assert (await cloud.apps_v2.get_app(OLD)).app_secret.startswith("secret-")
    rival = inn.client(await inn.another_org())
    lesser = CreateOrgToken(name="reads", scopes=[Scope("applications:read")])
    reads = (await cloud.tokens_v1.create_org_token(lesser, inn.inn.founded.org_id)).plain_text_token
    for client in (rival, inn.client(reads)):
        with pytest.raises(CallError) as refused:
            await client.house.apps_v1.set_secret(OLD, ChangedSecret())
        assert refused.value.status in (401, 404)
