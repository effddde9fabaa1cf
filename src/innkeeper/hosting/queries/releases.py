"""Builds and releases. Called by ``hosting/builds.py``, ``hosting/releases.py`` and the passes."""

from __future__ import annotations

from innkeeper.db.database import Row, Statement, Steps
from innkeeper.db.sql import FOR_UPDATE
from innkeeper.hosting.model import Build, BuildState, Release, Verdict
from innkeeper.kit.errors import Invalid, NotFound, Taken

from .seats import require_app

BUILD = (
    "key, org_id, id, kind, tag, state, upload_bytes, bytes, content_hash, detail, command, created_at, created_by,"
    " started_at, finished_at, deleted_at, until, image, architecture, source, login_sealed"
)
RELEASE = (
    "id, app_id, number, build_key, build_id, build_tag, tag, fleet_id, seats, cpu, memory_mb, gpu, ports, env_sealed,"
    " idle_rule, created_at, created_by"
)


def build_of(row: Row) -> Build:
    """A row of BUILD."""
    values = list(row)
    values[5] = BuildState(values[5])
    return Build(*values)


def add_build(build: Build) -> Steps[Build]:
    """Keep a new build. A chosen id must be new in its organisation."""
    rows = yield Statement("select 1 from builds where org_id = $1 and id = $2", (build.org_id, build.id))
    if rows:
        raise Taken(f"there is, or was, a build {build.id} already; choose another id")
    yield Statement(
        f"insert into builds ({BUILD})"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, null, '', null, $9, $10, null, null, null, $11, null, null, null,"
        " null)",
        (
            build.key, build.org_id, build.id, build.kind, build.tag, build.state, build.upload_bytes, build.bytes,
            build.created_at, build.created_by, build.until,
        ),
    )  # fmt: skip
    return build


def build(org_id: str, build_id: str) -> Steps[Build]:
    """A build of the organisation that is not deleted."""
    rows = yield Statement(
        f"select {BUILD} from builds where org_id = $1 and id = $2 and deleted_at is null", (org_id, build_id)
    )
    if not rows:
        raise NotFound(f"there is no build {build_id}")
    return build_of(rows[0])


def build_by_key(key: str) -> Steps[Build | None]:
    """A build, deleted or not, by its key in the house."""
    rows = yield Statement(f"select {BUILD} from builds where key = $1", (key,))
    return build_of(rows[0]) if rows else None


def builds(org_id: str) -> Steps[list[Build]]:
    """The organisation's builds, the newest first."""
    rows = yield Statement(
        f"select {BUILD} from builds where org_id = $1 and deleted_at is null order by created_at desc, key", (org_id,)
    )
    return [build_of(row) for row in rows]


def start_build(
    org_id: str, build_id: str, now: int, until: int, source: str | None = None, login_sealed: str | None = None
) -> Steps[Build]:
    """Move a build to RUNNING, with where its image comes from. One that runs or is finished is refused."""
    found = yield from build(org_id, build_id)
    rows = yield Statement(
        "update builds set state = 'running', started_at = $2, until = $3, source = $4, login_sealed = $5"
        " where key = $1 and state = 'created' returning key",
        (found.key, now, until, source, login_sealed),
    )
    if not rows:
        raise Invalid(f"build {build_id} is {found.state} already; create another one")
    return (yield from build(org_id, build_id))


def finish_build(key: str, verdict: Verdict, now: int) -> Steps[bool]:
    """Move a running build to SUCCEEDED or FAILED. Who we are to a registry is forgotten with it."""
    v = verdict
    rows = yield Statement(
        "update builds set state = $2, bytes = $3, content_hash = $4, detail = $5, command = $6, image = $7,"
        " architecture = $8, finished_at = $9, login_sealed = null, until = null"
        " where key = $1 and state in ('running', 'created') returning key",
        (key, v.state, v.bytes, v.content_hash, v.detail, v.command, v.image, v.architecture, now),
    )
    return bool(rows)


def overdue_builds(now: int) -> Steps[list[Build]]:
    """Builds whose upload or run missed its deadline."""
    rows = yield Statement(
        f"select {BUILD} from builds where until is not null and until <= $1 order by until limit 100", (now,)
    )
    return [build_of(row) for row in rows]


def builds_that_need_their_upload() -> Steps[list[str]]:
    """Keys of the builds that are not run yet, or are being run."""
    rows = yield Statement("select key from builds where state in ('created', 'running') and deleted_at is null")
    return [row[0] for row in rows]


def interrupted_builds() -> Steps[list[Build]]:
    """Builds that were being run when the house went down."""
    rows = yield Statement(f"select {BUILD} from builds where state = 'running' order by created_at")
    return [build_of(row) for row in rows]


def delete_build(org_id: str, build_id: str, now: int) -> Steps[Build]:
    """Mark a build deleted. Servers that run it go on; rooms that would need a new one are refused."""
    found = yield from build(org_id, build_id)
    yield Statement(
        "update builds set deleted_at = $2, login_sealed = null, until = null where key = $1", (found.key, now)
    )
    return found


def deleted_builds_unused(most: int) -> Steps[list[str]]:
    """Keys of deleted builds that no living server needs any more."""
    rows = yield Statement(
        "select b.key from builds b where b.deleted_at is not null and b.bytes > 0 and not exists"
        " (select 1 from releases r join servers s on s.release_id = r.id where r.build_key = b.key"
        " and s.state not in ('stopped', 'failed')) order by b.deleted_at limit $1",
        (most,),
    )
    return [row[0] for row in rows]


def build_removed(key: str) -> Steps[None]:
    """Its files are gone."""
    yield Statement("update builds set bytes = 0 where key = $1", (key,))


def add_release(release: Release, org_id: str) -> Steps[Release]:
    """Keep a new release, from now on the newest of its app. Its build must have succeeded."""
    yield from require_app(release.app_id, org_id)
    rows = yield Statement(
        "select key, tag, state from builds where org_id = $1 and id = $2 and deleted_at is null",
        (org_id, release.build_id),
    )
    if not rows:
        raise NotFound(f"buildId: there is no build {release.build_id}")
    key, tag, state = rows[0]
    if state != BuildState.SUCCEEDED:
        raise Invalid(f"buildId: build {release.build_id} is {state}; only one that has succeeded can be run")
    yield Statement(f"select id from apps where id = $1 {FOR_UPDATE}", (release.app_id,))
    last = yield Statement("select coalesce(max(number), 0) from releases where app_id = $1", (release.app_id,))
    number = last[0][0] + 1
    r = release
    yield Statement(
        f"insert into releases ({RELEASE}) values ({', '.join(f'${n}' for n in range(1, 18))})",
        (
            r.id, r.app_id, number, key, r.build_id, tag, r.tag, r.fleet_id, r.seats, r.cpu, r.memory_mb, r.gpu,
            r.ports, r.env_sealed, r.idle_rule, r.created_at, r.created_by,
        ),
    )  # fmt: skip
    rows = yield Statement(f"select {RELEASE} from releases where id = $1", (r.id,))
    return Release(*rows[0])


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
