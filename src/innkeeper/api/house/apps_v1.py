"""Apps that come from elsewhere, and secrets that change. Declared in ``contract/house/apps_v1.py``."""

from __future__ import annotations

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.house.apps_v1 import AdoptedApp, App, AppsV1, ChangedSecret
from innkeeper.contract.shape import given
from innkeeper.hosting import model
from innkeeper.hosting.model import LoginRules

from .operator import require_operator


def _app(app: model.App) -> App:
    return App(app_id=app.id, app_name=app.name, org_id=app.org_id)


@implements(AppsV1.adopt_app)
async def adopt_app(visit: Visit, params: AdoptedApp) -> App:
    require_operator(visit)
    rules = LoginRules(params.anonymous, params.nickname, given(params.google_client_id))
    org_id = given(params.org_id) or visit.org
    await visit.wings.organisations.get(org_id)
    app = await visit.wings.apps.create(
        org_id, visit.by, params.app_name, rules, app_id=params.app_id, secret=given(params.app_secret)
    )
    return _app(app)


@implements(AppsV1.set_secret)
async def set_secret(visit: Visit, app_id: str, params: ChangedSecret) -> App:
    return _app(await visit.wings.apps.set_secret(visit.org, app_id, given(params.app_secret)))
