"""Labels: names of an app under which releases follow one another. Called by ``hosting/labels.py``, and by those who
start servers by one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import msgspec

from innkeeper.db.database import Row, Statement, Steps
from innkeeper.db.sql import FOR_UPDATE, listed
from innkeeper.hosting.model import App, Build, BuildState, Release
from innkeeper.hosting.plans import Label, Plan, Serving, out_of_use, release_number
from innkeeper.kit.errors import Invalid, NotFound, Taken

from .apps import delete_app, named_app
from .builds import add_build, delete_build, start_build
from .releases import RELEASE, add_release

LABEL = (
    "id, app_id, number, name, release_id, plan, said, login_sealed, active, created_at, created_by, changed_at,"
    " deleted_at"
)
_RELEASES = (
    "select "
    + ", ".join(f"r.{name.strip()}" for name in RELEASE.split(","))
    + ", b.state, b.detail, coalesce(b.started_at, b.created_at), b.image, b.deleted_at from releases r"
    " join builds b on b.key = r.build_key"
)
_decode_plan = msgspec.json.Decoder(Plan).decode


def label_of(row: Row) -> Label:
    """A row of LABEL."""
    return Label(*row)


def plan_of(label: Label | None) -> Plan:
    """How servers of a label are run; of none: as the house does."""
    return Plan() if label is None else _decode_plan(label.plan)


def label(app_id: str, name: str) -> Steps[Label | None]:
    """A label of an app, by its name."""
    rows = yield Statement(
        f"select {LABEL} from labels where app_id = $1 and name = $2 and deleted_at is null", (app_id, name)
    )
    return label_of(rows[0]) if rows else None


def last_label(app_id: str) -> Steps[Label | None]:
    """The label that was made last."""
    rows = yield Statement(
        f"select {LABEL} from labels where app_id = $1 and deleted_at is null order by number desc limit 1", (app_id,)
    )
    return label_of(rows[0]) if rows else None


def serving(org_id: str, app_name: str, label_name: str | None) -> Steps[Serving]:
    """What new servers are started by.

    Without a name it is the label that was made last, and where an app has none, its newest release. Raises NotFound,
    and Invalid for what its owner has put out of use.
    """
    told = yield from standing(org_id, app_name, label_name, own=True)
    why = out_of_use(told)
    if why is not None:
        raise Invalid(why)
    return told


def standing(org_id: str, app_name: str, label_name: str | None, *, own: bool = False) -> Steps[Serving]:
    """The same whether or not servers may be started by it. With ``own`` not what a label has left behind."""
    app = yield from named_app(org_id, app_name)
    found = yield from (last_label(app.id) if label_name is None else label(app.id, label_name))
    return (yield from _served(app, found, label_name, own))


def standings(org_id: str, app_name: str, skip: int, most: int) -> Steps[tuple[list[Serving], int]]:
    """Some of the labels of an app, the newest first, and how many there are. Raises NotFound."""
    app = yield from named_app(org_id, app_name)
    rows = yield Statement(
        f"select {LABEL} from labels where app_id = $1 and deleted_at is null order by number desc"
        f" limit {int(most)} offset {int(skip)}",
        (app.id,),
    )
    count = yield Statement("select count(*) from labels where app_id = $1 and deleted_at is null", (app.id,))
    found = [label_of(row) for row in rows]
    releases = yield Statement(
        f"{_RELEASES} where r.id in ({listed('$1')})", (json.dumps([one.release_id for one in found]),)
    )
    by_id = {row[0]: row for row in releases}
    return [_serving(app, one, by_id[one.release_id]) for one in found], count[0][0]


def serving_label(label_id: str) -> Steps[Serving | None]:
    """What new servers of a label are started by, whether its owner has put it out of use or not; None: it is gone."""
    rows = yield Statement(f"select {LABEL} from labels where id = $1 and deleted_at is null", (label_id,))
    if not rows:
        return None
    found = label_of(rows[0])
    apps = yield Statement("select org_id, name from apps where id = $1 and deleted_at is null", (found.app_id,))
    if not apps:
        return None
    app = yield from named_app(*apps[0])
    return (yield from _served(app, found, None, True))


def _served(app: App, found: Label | None, name: str | None, own: bool) -> Steps[Serving]:
    if found is not None:
        rows = yield Statement(f"{_RELEASES} where r.id = $1", (found.release_id,))
    elif name is None:
        rows = yield Statement(
            f"{_RELEASES} where r.app_id = $1 and r.label_id is null order by r.number desc limit 1", (app.id,)
        )
        if not rows:
            raise NotFound(f"app {app.name} has nothing to run yet")
    else:
        # One that a label has left behind is run by nobody: what else is to be heeded of it has gone with the label.
        number = release_number(name)
        rows = yield Statement(
            f"{_RELEASES} where r.app_id = $1 and r.number = $2" + (" and r.label_id is null" if own else ""),
            (app.id, number or 0),
        )
        if not rows:
            raise NotFound(f"app {app.name} has nothing to run that is called {name}")
    return _serving(app, found, rows[0])


def _serving(app: App, found: Label | None, row: Row) -> Serving:
    *release, state, detail, since, image, deleted_at = row
    gone = deleted_at is not None
    return Serving(app, found, Release(*release), plan_of(found), BuildState(state), detail, since, image, gone)


# -- changing ---------------------------------------------------------------------------------------------------------


class Overtaken(Exception):
    """A label is not any more as it was when somebody decided how to change it."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """A build of an image that is to be on record as being run, together with what needs it."""

    build: Build
    reference: str  #: of its image
    login_sealed: str | None
    until: int  #: when its run is called off


@dataclass(frozen=True, slots=True)
class Put:
    """How a label is to be. All chance is in it, so that the transaction can be repeated."""

    org_id: str
    app_id: str
    label: Label  #: with 0 for its number where it is new
    before: Label | None  #: how it was; None: it is new
    release: Release | None  #: a new one; None: it keeps the one that it has
    fetching: Fetching | None  #: the build of that, where there is none yet
    now: int


def put(ask: Put) -> Steps[tuple[Build | None, Build | None]]:
    """Make a label, or change one: the build that is to be run now, and the one that nobody needs any more.

    Raises NotFound for an app or build that is gone, Taken for a name that another label has, and
    :class:`Overtaken`.
    """
    wanted, before = ask.label, ask.before
    rows = yield Statement(f"select id from apps where id = $1 and deleted_at is null {FOR_UPDATE}", (ask.app_id,))
    if not rows:
        raise NotFound("the app was deleted meanwhile")
    other = yield from label(ask.app_id, wanted.name)
    if other is not None and other.id != wanted.id:
        raise Taken(f"the app has something named {wanted.name} already; choose another name, or change that one")
    if before is not None:
        rows = yield Statement(f"select {LABEL} from labels where id = $1", (wanted.id,))
        if not rows or label_of(rows[0]) != before:
            raise Overtaken
    begun: Build | None = None
    if ask.fetching is not None:
        begun = yield from _begin(ask.fetching, ask.org_id, ask.now)
    if ask.release is not None:
        yield from add_release(ask.release, ask.org_id, wanted.id)
    if before is None:
        last = yield Statement("select coalesce(max(number), 0) from labels where app_id = $1", (ask.app_id,))
        kept = replace(wanted, number=last[0][0] + 1)
        yield Statement(
            f"insert into labels ({LABEL}) values ({', '.join(f'${n + 1}' for n in range(LABEL.count(',') + 1))})",
            [getattr(kept, name.strip()) for name in LABEL.split(",")],
        )
        return begun, None
    w = wanted
    yield Statement(
        "update labels set name = $2, release_id = $3, plan = $4, said = $5, login_sealed = $6, active = $7,"
        " changed_at = $8 where id = $1",
        (w.id, w.name, w.release_id, w.plan, w.said, w.login_sealed, w.active, w.changed_at),
    )
    return begun, (yield from _leave(before, ask.org_id, ask.now))


def delete_label(org_id: str, app_name: str, name: str, now: int) -> Steps[Build | None]:
    """Delete a label. Its servers go on. The build that nobody needs any more, deleted too. Raises NotFound."""
    app = yield from named_app(org_id, app_name, FOR_UPDATE)
    found = yield from label(app.id, name)
    if found is None:
        raise NotFound(f"app {app_name} has nothing to run that is called {name}")
    yield Statement("update labels set deleted_at = $2 where id = $1", (found.id, now))
    return (yield from _leave(found, org_id, now))


def end_app(org_id: str, app_id: str, by: str, now: int) -> Steps[None]:
    """Delete an app with its labels, and the builds that nobody needs any more. Raises NotFound."""
    yield from delete_app(org_id, app_id, by, now)
    rows = yield Statement(f"select {LABEL} from labels where app_id = $1 and deleted_at is null", (app_id,))
    yield Statement("update labels set deleted_at = $2 where app_id = $1 and deleted_at is null", (app_id, now))
    for row in rows:
        yield from _leave(label_of(row), org_id, now)


def _begin(fetching: Fetching, org_id: str, now: int) -> Steps[Build]:
    build = yield from add_build(fetching.build)
    return (yield from start_build(org_id, build.id, now, fetching.until, fetching.reference, fetching.login_sealed))


def _leave(left: Label, org_id: str, now: int) -> Steps[Build | None]:
    """Delete the build of the release that a label has left, if it was made for labels alone and none has it now."""
    rows = yield Statement(
        "select b.id from releases r join builds b on b.key = r.build_key where r.id = $1 and b.deleted_at is null"
        " and b.org_id = $2 and b.app_id = r.app_id and b.kind = 'image' and b.source is not null"
        " and not exists (select 1 from releases o left join labels l on l.release_id = o.id and l.deleted_at is null"
        " where o.build_key = b.key and (o.label_id is null or l.id is not null))",
        (left.release_id, org_id),
    )
    return (yield from delete_build(org_id, rows[0][0], now)) if rows else None
