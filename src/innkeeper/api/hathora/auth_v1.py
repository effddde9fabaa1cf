"""Logins of players. Declared in ``contract/hathora/auth_v1.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.hathora.auth_v1 import AuthV1, GoogleIdTokenObject, NicknameObject, PlayerTokenObject
from innkeeper.contract.shape import GLOBAL
from innkeeper.kit.errors import NotFound, Unauthorized


@implements(AuthV1.login_anonymous)
async def login_anonymous(visit: Visit, app_id: str = GLOBAL) -> PlayerTokenObject:
    wings = visit.wings
    wings.rates.login(visit.client_ip)
    if not (await wings.apps.login_rules(app_id)).anonymous:
        raise NotFound(f"app {app_id} does not allow anonymous logins")
    return PlayerTokenObject(token=await wings.players.anonymous(await wings.apps.secret(app_id)))


@implements(AuthV1.login_nickname)
async def login_nickname(visit: Visit, params: NicknameObject, app_id: str = GLOBAL) -> PlayerTokenObject:
    wings = visit.wings
    wings.rates.login(visit.client_ip)
    if not (await wings.apps.login_rules(app_id)).nickname:
        raise NotFound(f"app {app_id} does not allow logins by nickname")
    return PlayerTokenObject(token=await wings.players.nickname(await wings.apps.secret(app_id), params.nickname))


@implements(AuthV1.login_google)
async def login_google(visit: Visit, params: GoogleIdTokenObject, app_id: str = GLOBAL) -> PlayerTokenObject:
    wings = visit.wings
    wings.rates.login(visit.client_ip)
    client_id = (await wings.apps.login_rules(app_id)).google
    if client_id is None:
        raise Unauthorized(f"app {app_id} does not allow logins with Google")
    token = await wings.players.google(await wings.apps.secret(app_id), client_id, params.id_token)
    return PlayerTokenObject(token=token)
