"""Logins of players. Declared here, answered in ``api/hathora/auth_v1.py``."""

from __future__ import annotations

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import GLOBAL, Camel

from . import operation
from .words import PUBLIC_READ, AppId


class NicknameObject(Camel):
    """Who a player says to be."""

    nickname: str


class GoogleIdTokenObject(Camel):
    """Google's word for who a player is."""

    id_token: str  #: a signed OpenID Connect token, made for the client id in the application's settings


class PlayerTokenObject(Camel):
    """What a player shows from now on."""

    token: str  #: a JWT signed (HS256) with the application's secret: claims ``type``, ``id``, ``name`` and ``iat``


class AuthV1(Resource[M]):
    """Logins of players. Which are open is set with the application."""

    @operation("POST", "/auth/v1/{appId}/login/anonymous", key="none", errors=(404, 408, 429))
    def login_anonymous(self, app_id: AppId = GLOBAL) -> PlayerTokenObject:
        """Log a player in who does not say who they are, under a name that is made up."""
        ...

    @operation("POST", "/auth/v1/{appId}/login/nickname", key="none", errors=PUBLIC_READ)
    def login_nickname(self, params: NicknameObject, app_id: AppId = GLOBAL) -> PlayerTokenObject:
        """Log a player in under a name of their choice. Nobody checks it, and two may choose the same."""
        ...

    @operation("POST", "/auth/v1/{appId}/login/google", key="none", errors=(401, *PUBLIC_READ))
    def login_google(self, params: GoogleIdTokenObject, app_id: AppId = GLOBAL) -> PlayerTokenObject:
        """Log a player in with a Google account. The same account is the same player every time."""
        ...
