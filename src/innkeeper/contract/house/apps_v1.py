"""Apps that come from elsewhere with their id and secret. Declared here, answered in ``api/house/apps_v1.py``."""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Camel, UnsetType, checked

from . import operation


class AdoptedApp(Camel):
    """An app as its clients know it already."""

    app_name: Annotated[str, checked(min_length=1, max_length=64, pattern="^[a-z0-9-]+$")]  #: new in the organisation
    app_id: Annotated[str, checked(min_length=1, max_length=100, pattern="^[a-zA-Z0-9_-]+$")]  #: new in the house
    app_secret: Annotated[str, checked(min_length=8, max_length=500)] | UnsetType = (
        UNSET  #: signs its players' tokens; made up when left out
    )
    anonymous: bool = True  #: whether players can log in without saying who they are
    nickname: bool = False  #: whether players can log in with a name of their choice
    google_client_id: str | UnsetType = UNSET  #: the game's id at Google, where players log in there


class App(Camel):
    """An app of the house."""

    app_id: str
    app_name: str
    org_id: str


class AppsV1(Resource[M]):
    """Apps that come from elsewhere. For admins of the organisation that the first start made alone."""

    @operation("POST", "/house/v1/apps", status=201, scope="hosts:read-write", errors=(400, 401, 404, 422))
    def adopt_app(self, params: AdoptedApp) -> App:
        """Make an app under the id, and with the secret, that shipped clients and backends know it by.

        Players' tokens that were signed with that secret stay good. Everything else is as for any app.
        """
        ...
