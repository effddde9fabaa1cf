"""Releases. Called by ``hosting/releases.py`` and the passes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import FOR_UPDATE, listed
from innkeeper.hosting.model import BuildState, Release
from innkeeper.kit.errors import Invalid, NotFound

from .seats import require_app

RELEASE = (
    "id, app_id, number, build_key, build_id, build_tag, tag, fleet_id, seats, cpu, memory_mb, gpu, ports, env_sealed,"
    " idle_rule, created_at, created_by"
)


def add_release(release: Release, org_id: str, label_id: str | None = None) -> Steps[Release]:
    """Keep a new release, from now on the newest of its app. Its build must have succeeded.

    That of a label may still be fetched: its servers wait for it.
    """
    yield from require_app(release.app_id, org_id)
    rows = yield Statement(
        "select key, tag, state from builds where org_id = $1 and id = $2 and deleted_at is null",
        (org_id, release.build_id),
    )
    if not rows:
        raise NotFound(f"buildId: there is no build {release.build_id}")
    key, tag, state = rows[0]
    if state != BuildState.SUCCEEDED and (label_id is None or state != BuildState.RUNNING):
        raise Invalid(f"buildId: build {release.build_id} is {state}; only one that has succeeded can be run")
    if release.fleet_id is not None:
        yield from require_fleet(release.fleet_id, org_id)
    yield Statement(f"select id from apps where id = $1 {FOR_UPDATE}", (release.app_id,))
    last = yield Statement("select coalesce(max(number), 0) from releases where app_id = $1", (release.app_id,))
    number = last[0][0] + 1
    r = release
    yield Statement(
        f"insert into releases ({RELEASE}, label_id) values ({', '.join(f'${n}' for n in range(1, 19))})",
        (
            r.id, r.app_id, number, key, r.build_id, tag, r.tag, r.fleet_id, r.seats, r.cpu, r.memory_mb, r.gpu,
            r.ports, r.env_sealed, r.idle_rule, r.created_at, r.created_by, label_id,
        ),
    )  # fmt: skip
    rows = yield Statement(f"select {RELEASE} from releases where id = $1", (r.id,))
    return Release(*rows[0])


def require_fleet(fleet_id: str, org_id: str) -> Steps[None]:
    """Raises NotFound where the organisation has no such fleet."""
    found = yield Statement("select 1 from fleets where id = $1 and org_id = $2", (fleet_id, org_id))
    if not found:
        raise NotFound(f"fleetId: there is no fleet {fleet_id}")


def release(app_id: str, org_id: str, release_id: str | None) -> Steps[Release]:
    """A release of an app, or with None the one that serves new rooms."""
    yield from require_app(app_id, org_id)
    rows = yield Statement(
        f"select {RELEASE} from releases where app_id = $1"
        + (" and id = $2" if release_id is not None else " order by number desc limit 1"),
        (app_id,) if release_id is None else (app_id, release_id),
    )
    if not rows:
        raise NotFound(f"there is no release {release_id}" if release_id else "the app has nothing to run yet")
    return Release(*rows[0])


def numbered_release(app_id: str, org_id: str, number: int) -> Steps[Release]:
    """A release of an app, by its number."""
    yield from require_app(app_id, org_id)
    rows = yield Statement(f"select {RELEASE} from releases where app_id = $1 and number = $2", (app_id, number))
    if not rows:
        raise NotFound(f"there is no release {number}")
    return Release(*rows[0])


def numbers(ids: Sequence[str]) -> Steps[dict[str, int]]:
    """The numbers of releases, by id."""
    rows = yield Statement(f"select id, number from releases where id in ({listed('$1')})", (json.dumps(list(ids)),))
    return {row[0]: row[1] for row in rows}


def build_numbers(keys: Sequence[str]) -> Steps[dict[str, int]]:
    """The numbers of the builds that releases run, by key; of deleted ones too."""
    rows = yield Statement(f"select key, number from builds where key in ({listed('$1')})", (json.dumps(list(keys)),))
    return {row[0]: row[1] for row in rows}


def releases(
    app_id: str, org_id: str, below: int | None, most: int, tag: str | None, build_tag: str | None
) -> Steps[list[Release]]:
    """Releases of an app, the newest first, those with a number lower than ``below``."""
    yield from require_app(app_id, org_id)
    rows = yield Statement(
        f"select {RELEASE} from releases where app_id = $1 and number < $2"
        " and coalesce(tag, '') = coalesce($3, tag, '') and coalesce(build_tag, '') = coalesce($4, build_tag, '')"
        " order by number desc limit $5",
        (app_id, below if below is not None else 1 << 62, tag, build_tag, most),
    )
    return [Release(*row) for row in rows]


def newest_releases(org_id: str) -> Steps[dict[str, Release]]:
    """The release that serves, by app."""
    names = ", ".join(f"r.{name.strip()}" for name in RELEASE.split(","))
    rows = yield Statement(
        f"select {names} from releases r join apps a on a.id = r.app_id where a.org_id = $1 and a.deleted_at is null"
        " and r.number = (select max(number) from releases where app_id = r.app_id)",
        (org_id,),
    )
    return {row[1]: Release(*row) for row in rows}
