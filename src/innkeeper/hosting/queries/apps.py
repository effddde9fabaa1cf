"""Apps. Called by ``hosting/apps.py``."""

from __future__ import annotations

from innkeeper.db.database import Statement, Steps
from innkeeper.hosting.model import App
from innkeeper.kit.errors import NotFound, Taken

APP = "id, org_id, name, secret_sealed, login, service, created_at, created_by, deleted_at, deleted_by"


def add_app(app: App) -> Steps[App]:
    """Keep a new app. Its name must be new among the living apps of its organisation."""
    yield from _require_name(app.org_id, app.name, app.id)
    if (yield Statement("select 1 from apps where id = $1", (app.id,))):
        raise Taken(f"there is, or was, an app {app.id} already")
    yield Statement(
        f"insert into apps ({APP}) values ($1, $2, $3, $4, $5, $6, $7, $8, null, null)",
        (app.id, app.org_id, app.name, app.secret_sealed, app.login, app.service, app.created_at, app.created_by),
    )
    return app


def app(org_id: str, app_id: str) -> Steps[App]:
    """A living app of the organisation."""
    rows = yield Statement(
        f"select {APP} from apps where id = $1 and org_id = $2 and deleted_at is null", (app_id, org_id)
    )
    if not rows:
        raise NotFound(f"there is no app {app_id}")
    return App(*rows[0])


def public_app(app_id: str) -> Steps[App | None]:
    """A living app, whoever asks: for player logins, which need no token."""
    rows = yield Statement(f"select {APP} from apps where id = $1 and deleted_at is null", (app_id,))
    return App(*rows[0]) if rows else None


def apps(org_id: str) -> Steps[list[App]]:
    """The organisation's living apps, the newest first."""
    rows = yield Statement(
        f"select {APP} from apps where org_id = $1 and deleted_at is null order by created_at desc, id", (org_id,)
    )
    return [App(*row) for row in rows]


def change_app(
    org_id: str, app_id: str, name: str | None, login: str | None, service: tuple[str | None] | None
) -> Steps[App]:
    """Change what is given; ``service`` is a tuple of one, because None inside it clears it."""
    found = yield from app(org_id, app_id)
    if name is not None and name != found.name:
        yield from _require_name(org_id, name, app_id)
    yield Statement(
        "update apps set name = $2, login = $3, service = $4 where id = $1",
        (app_id, name or found.name, login or found.login, service[0] if service is not None else found.service),
    )
    return (yield from app(org_id, app_id))


def delete_app(org_id: str, app_id: str, by: str, now: int) -> Steps[None]:
    """Mark an app deleted; the keeper stops its servers and ends its rooms."""
    yield from app(org_id, app_id)
    yield Statement("update apps set deleted_at = $2, deleted_by = $3 where id = $1", (app_id, now, by))


def _require_name(org_id: str, name: str, app_id: str) -> Steps[None]:
    rows = yield Statement(
        "select 1 from apps where org_id = $1 and name = $2 and deleted_at is null and id <> $3", (org_id, name, app_id)
    )
    if rows:
        raise Taken(f"the organisation has an app named {name} already")
