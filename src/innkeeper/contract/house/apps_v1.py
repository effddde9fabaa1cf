"""Apps that bring their id and secret, and secrets that change. Declared here, answered in ``api/house/apps_v1.py``."""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Camel, UnsetType, checked, private

from . import operation

KeptId = Annotated[str, checked(min_length=1, max_length=100, pattern="^[a-zA-Z0-9_-]+$")]
#: Of a secret.
FEWEST_CHARACTERS, MOST_CHARACTERS = 8, 500
AppSecret = Annotated[str, checked(min_length=FEWEST_CHARACTERS, max_length=MOST_CHARACTERS), private()]


class AdoptedApp(Camel):
    """An app as its clients know it already."""

    app_name: Annotated[str, checked(min_length=1, max_length=64, pattern="^[a-z0-9-]+$")]  #: new in the organisation
    app_id: KeptId  #: new in the house, or that of a deleted app of the organisation
    app_secret: AppSecret | UnsetType = UNSET  #: signs its players' tokens; made up when left out
    org_id: str | UnsetType = UNSET  #: the organisation it shall belong to; the operator's own when left out
    anonymous: bool = True  #: whether players can log in without saying who they are
    nickname: bool = False  #: whether players can log in with a name of their choice
    google_client_id: str | UnsetType = UNSET  #: the game's id at Google, where players log in there


class App(Camel):
    """An app of the house."""

    app_id: str
    app_name: str
    org_id: str


class ChangedSecret(Camel):
    """The secret that an app shall have."""

    app_secret: AppSecret | UnsetType = UNSET  #: signs its players' tokens; made up when left out


class AppsV1(Resource[M]):
    """What no vendor does with apps: ids and secrets that come from elsewhere, and secrets that change."""

    @operation("POST", "/house/v1/apps", status=201, scope="hosts:read-write", errors=(400, 401, 404, 422))
    def adopt_app(self, params: AdoptedApp) -> App:
        """Make an app under the id, and with the secret, that shipped clients and backends know it by.

        Players' tokens that were signed with that secret stay good. Everything else is as for any app. The id of an app
        that was deleted brings that one back, with its history and deployments, once all its servers have ended; in its
        own organisation alone. For admins of the organisation that runs the house.
        """
        ...

    @operation(
        "POST", "/house/v1/apps/{appId}/secret", scope="applications:read-write", errors=(400, 401, 404, 422),
        idempotent=False,
    )  # fmt: skip
    def set_secret(self, app_id: str, params: ChangedSecret) -> App:
        """Have another secret sign an app's player tokens: one that is given, or one that is made up.

        Tokens that the one before has signed are refused from now on, and players log in again. Servers that run
        were told the one before, and keep it until they end. For whoever may change the app.
        """
        ...
