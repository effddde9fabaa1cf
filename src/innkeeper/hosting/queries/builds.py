"""Builds. Called by ``hosting/builds.py``, ``hosting/verdicts.py``, ``hosting/images.py`` and the passes."""

from __future__ import annotations

from dataclasses import replace

from innkeeper.db.database import Row, Statement, Steps
from innkeeper.hosting.model import Build, BuildState, Verdict
from innkeeper.kit.errors import Invalid, NotFound, Taken

from . import notices

BUILD = (
    "key, org_id, id, kind, tag, state, upload_bytes, bytes, content_hash, detail, command, created_at, created_by,"
    " started_at, finished_at, deleted_at, until, image, architecture, source, login_sealed, number, app_id"
)


def build_of(row: Row) -> Build:
    """A row of BUILD."""
    values = list(row)
    values[5] = BuildState(values[5])
    return Build(*values)


def add_build(build: Build) -> Steps[Build]:
    """Keep a new build, under the next number of its organisation. A chosen id must be new in its organisation."""
    rows = yield Statement("select 1 from builds where org_id = $1 and id = $2", (build.org_id, build.id))
    if rows:
        raise Taken(f"there is, or was, a build {build.id} already; choose another id")
    rows = yield Statement("select coalesce(max(number), 0) from builds where org_id = $1", (build.org_id,))
    kept = replace(build, number=rows[0][0] + 1)
    yield Statement(
        f"insert into builds ({BUILD})"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, null, '', null, $9, $10, null, null, null, $11, null, null, null,"
        " null, $12, $13)",
        (
            kept.key, kept.org_id, kept.id, kept.kind, kept.tag, kept.state, kept.upload_bytes, kept.bytes,
            kept.created_at, kept.created_by, kept.until, kept.number, kept.app_id,
        ),
    )  # fmt: skip
    yield from notices.build_moved(kept, "created", kept.created_at)
    return kept


def build(org_id: str, build_id: str) -> Steps[Build]:
    """A build of the organisation that is not deleted."""
    rows = yield Statement(
        f"select {BUILD} from builds where org_id = $1 and id = $2 and deleted_at is null", (org_id, build_id)
    )
    if not rows:
        raise NotFound(f"there is no build {build_id}")
    return build_of(rows[0])


def build_called(org_id: str, name: str) -> Steps[Build | None]:
    """The build of the organisation with this id; else the newest with this tag that can be released; else any."""
    rows = yield Statement(
        f"select {BUILD} from builds where org_id = $1 and (id = $2 or tag = $2) and deleted_at is null"
        " order by case when id = $2 then 0 else 1 end, case when state = 'succeeded' then 0 else 1 end, number desc"
        " limit 1",
        (org_id, name),
    )
    return build_of(rows[0]) if rows else None


def numbered_build(org_id: str, number: int) -> Steps[Build]:
    """A build of the organisation that is not deleted, by its number."""
    rows = yield Statement(
        f"select {BUILD} from builds where org_id = $1 and number = $2 and deleted_at is null", (org_id, number)
    )
    if not rows:
        raise NotFound(f"there is no build {number}")
    return build_of(rows[0])


def build_by_key(key: str) -> Steps[Build | None]:
    """A build, deleted or not, by its key in the house."""
    rows = yield Statement(f"select {BUILD} from builds where key = $1", (key,))
    return build_of(rows[0]) if rows else None


def builds(org_id: str, app_id: str | None = None) -> Steps[list[Build]]:
    """The organisation's builds, the newest first; with an app, without those that were made for another one."""
    rows = yield Statement(
        f"select {BUILD} from builds where org_id = $1 and deleted_at is null"
        + ("" if app_id is None else " and coalesce(app_id, $2) = $2")
        + " order by created_at desc, number desc",
        (org_id,) if app_id is None else (org_id, app_id),
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
    running = yield from build(org_id, build_id)
    yield from notices.build_moved(running, "running", now)
    return running


def finish_build(key: str, verdict: Verdict, now: int) -> Steps[bool]:
    """Move a running build to SUCCEEDED or FAILED. Who we are to a registry is forgotten with it."""
    v = verdict
    rows = yield Statement(
        "update builds set state = $2, bytes = $3, content_hash = $4, detail = $5, command = $6, image = $7,"
        " architecture = $8, finished_at = $9, login_sealed = null, until = null"
        " where key = $1 and state in ('running', 'created') returning key",
        (key, v.state, v.bytes, v.content_hash, v.detail, v.command, v.image, v.architecture, now),
    )
    if rows and (done := (yield from build_by_key(key))) is not None:
        yield from notices.build_moved(done, v.state.value, now)
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
    yield from notices.build_moved(found, "deleted", now)
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
