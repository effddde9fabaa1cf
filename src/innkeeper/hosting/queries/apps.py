"""Apps. Called by ``hosting/apps.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import FOR_UPDATE
from innkeeper.hosting.model import App
from innkeeper.hosting.plans import Details, details_of
from innkeeper.kit.errors import NotFound, Taken

APP = (
    "id, org_id, name, secret_sealed, login, service, created_at, created_by, deleted_at, deleted_by, details,"
    " changed_at"
)
_encode = msgspec.json.Encoder().encode


def add_app(app: App) -> Steps[App]:
    """Keep a new app. Its name must be new among the living apps of its organisation.

    A deleted app of the organisation that has the id comes back instead, with what is given now.
    """
    yield from _require_name(app.org_id, app.name, app.id)
    rows = yield Statement(f"select {APP} from apps where id = $1 {FOR_UPDATE}", (app.id,))
    if rows:
        return (yield from _bring_back(App(*rows[0]), app))
    yield Statement(
        f"insert into apps ({APP}) values ($1, $2, $3, $4, $5, $6, $7, $8, null, null, $9, $10)",
        (
            app.id, app.org_id, app.name, app.secret_sealed, app.login, app.service, app.created_at, app.created_by,
            app.details, app.changed_at,
        ),
    )  # fmt: skip
    return app


def _bring_back(before: App, app: App) -> Steps[App]:
    """An app that was deleted, under its id again. What it left, rooms and releases, is its own and nobody else's."""
    if before.org_id != app.org_id:
        raise Taken(
            f"the id {app.id} is that of an app of another organisation, {before.org_id}, or was: it would take over"
            " that one's players and history. Make the app in that organisation"
        )
    if before.deleted_at is None:
        raise Taken(f"there is an app {app.id} already, {before.name}: change that one, or delete it first")
    if (yield Statement("select 1 from servers where app_id = $1 and state not in ('stopped', 'failed')", (app.id,))):
        raise Taken(f"servers of the app {app.id}, which was deleted, have not all ended yet: try again in a moment")
    yield Statement(
        "update apps set name = $2, secret_sealed = $3, login = $4, service = $5, details = $6, deleted_at = null,"
        " deleted_by = null where id = $1",
        (app.id, app.name, app.secret_sealed, app.login, app.service, app.details),
    )
    return replace(app, created_at=before.created_at, created_by=before.created_by)


def app(org_id: str, app_id: str) -> Steps[App]:
    """A living app of the organisation."""
    rows = yield Statement(
        f"select {APP} from apps where id = $1 and org_id = $2 and deleted_at is null", (app_id, org_id)
    )
    if not rows:
        raise NotFound(f"there is no app {app_id}")
    return App(*rows[0])


def named_app(org_id: str, name: str, lock: str = "") -> Steps[App]:
    """A living app of the organisation, by its name."""
    rows = yield Statement(
        f"select {APP} from apps where org_id = $1 and name = $2 and deleted_at is null {lock}", (org_id, name)
    )
    if not rows:
        raise NotFound(f"there is no app {name}")
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


def page_of_apps(org_id: str, skip: int, most: int) -> Steps[tuple[list[App], int]]:
    """Some of the organisation's living apps, the newest first, and how many there are."""
    rows = yield Statement(
        f"select {APP} from apps where org_id = $1 and deleted_at is null order by created_at desc, id"
        f" limit {int(most)} offset {int(skip)}",
        (org_id,),
    )
    count = yield Statement("select count(*) from apps where org_id = $1 and deleted_at is null", (org_id,))
    return [App(*row) for row in rows], count[0][0]


def change_named_app(
    org_id: str, name: str, new_name: str | None, revise: Callable[[Details], Details], now: int
) -> Steps[App]:
    """Rename an app, and have ``revise`` say what else is said of it from now on."""
    found = yield from named_app(org_id, name, FOR_UPDATE)
    details = _encode(revise(details_of(found))).decode()
    yield from change_app(org_id, found.id, new_name, None, None, now, details)
    return (yield from app(org_id, found.id))


def change_app(
    org_id: str,
    app_id: str,
    name: str | None,
    login: str | None,
    service: tuple[str | None] | None,
    now: int,
    details: str | None = None,
) -> Steps[App]:
    """Change what is given; ``service`` is a tuple of one, because None inside it clears it."""
    found = yield from app(org_id, app_id)
    if name is not None and name != found.name:
        yield from _require_name(org_id, name, app_id)
    yield Statement(
        "update apps set name = $2, login = $3, service = $4, changed_at = $5, details = $6 where id = $1",
        (
            app_id, name or found.name, login or found.login, service[0] if service is not None else found.service,
            now, found.details if details is None else details,
        ),
    )  # fmt: skip
    return (yield from app(org_id, app_id))


def set_secret(org_id: str, app_id: str, sealed: str) -> Steps[App]:
    """Have an app's players be known by another secret from now on."""
    yield from app(org_id, app_id)
    yield Statement("update apps set secret_sealed = $2 where id = $1", (app_id, sealed))
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
