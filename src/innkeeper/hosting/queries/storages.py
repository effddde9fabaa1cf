"""Storages, their pull profiles and the labels that these are linked to. Called by ``hosting/storages.py``, and by
``hosting/pulling.py`` for what a server is about to get.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from innkeeper.db.database import Row, Statement, Steps
from innkeeper.db.sql import FOR_UPDATE
from innkeeper.hosting.storing.model import (
    MOST_LINKS,
    MOST_PROFILES,
    MOST_STORAGES,
    Link,
    OutputForm,
    Profile,
    Pull,
    PullKind,
    Storage,
)
from innkeeper.kit.errors import LimitReached, NotFound, Taken

from .apps import named_app
from .labels import label

STORAGE = "id, org_id, name, endpoint, bucket, key_id, secret_sealed, form, created_at, created_by, changed_at"
PROFILE = "id, storage_id, name, source, kind, destination, created_at, changed_at"
STORAGE_WIDTH = STORAGE.count(",") + 1


def columns(names: str, table: str) -> str:
    """The columns as those of a table that is called so in a statement."""
    return ", ".join(f"{table}.{name.strip()}" for name in names.split(","))


def storage_of(row: Row) -> Storage:
    """A row of :data:`STORAGE`."""
    values = list(row)
    values[7] = OutputForm(row[7])
    return Storage(*values)


def _profile_of(row: Row) -> Profile:
    values = list(row)
    values[4] = PullKind(row[4])
    return Profile(*values)


# -- storages -------------------------------------------------------------------------------------------------------


def storages(org_id: str) -> Steps[list[Storage]]:
    """The organisation's storages, by name."""
    rows = yield Statement(f"select {STORAGE} from storages where org_id = $1 order by name", (org_id,))
    return [storage_of(row) for row in rows]


def storage(org_id: str, name: str, lock: str = "") -> Steps[Storage]:
    """One of them. Raises NotFound."""
    rows = yield Statement(f"select {STORAGE} from storages where org_id = $1 and name = $2 {lock}", (org_id, name))
    if not rows:
        raise NotFound(f"there is no endpoint storage {name}")
    return storage_of(rows[0])


def add(new: Storage) -> Steps[Storage]:
    """Keep a new one. Raises Taken and LimitReached."""
    yield Statement(f"select id from orgs where id = $1 {FOR_UPDATE}", (new.org_id,))
    there = yield Statement("select name from storages where org_id = $1", (new.org_id,))
    if any(row[0] == new.name for row in there):
        raise _taken(new.name)
    if len(there) >= MOST_STORAGES:
        raise LimitReached(f"the organisation has {MOST_STORAGES} endpoint storages: delete one that is not needed")
    yield Statement(
        f"insert into storages ({STORAGE}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        (
            new.id, new.org_id, new.name, new.endpoint, new.bucket, new.key_id, new.secret_sealed, new.form.value,
            new.created_at, new.created_by, new.changed_at,
        ),
    )  # fmt: skip
    return new


def change(org_id: str, name: str, change: Callable[[Storage], Storage]) -> Steps[Storage]:
    """Change one. Raises NotFound, and Taken for a name that another one has."""
    before = yield from storage(org_id, name, FOR_UPDATE)
    new = change(before)
    if new.name != name:
        other = yield Statement("select 1 from storages where org_id = $1 and name = $2", (org_id, new.name))
        if other:
            raise _taken(new.name)
    yield Statement(
        "update storages set name = $2, endpoint = $3, bucket = $4, key_id = $5, secret_sealed = $6, form = $7,"
        " changed_at = $8 where id = $1",
        (
            new.id, new.name, new.endpoint, new.bucket, new.key_id, new.secret_sealed, new.form.value, new.changed_at,
        ),
    )  # fmt: skip
    return new


def delete(org_id: str, name: str, now: int) -> Steps[None]:
    """Forget one, with its secret, its profiles and their links. What waits for it is given up. Raises NotFound."""
    found = yield from storage(org_id, name, FOR_UPDATE)
    yield Statement(
        "update saved_outputs set state = 'given up', next_at = null, ended_at = $2, error = $3"
        " where storage_id = $1 and state = 'waiting'",
        (found.id, now, f"endpoint storage {name} was deleted"),
    )
    yield Statement(
        "delete from pull_links where profile_id in (select id from pull_profiles where storage_id = $1)", (found.id,)
    )
    yield Statement("delete from pull_profiles where storage_id = $1", (found.id,))
    yield Statement("delete from storages where id = $1", (found.id,))


def _taken(name: str) -> Taken:
    return Taken(f"name: the organisation has an endpoint storage {name} already")


# -- profiles -------------------------------------------------------------------------------------------------------


def profiles(org_id: str, storage_name: str) -> Steps[list[Profile]]:
    """A storage's profiles, by name. Raises NotFound."""
    of = yield from storage(org_id, storage_name)
    rows = yield Statement(f"select {PROFILE} from pull_profiles where storage_id = $1 order by name", (of.id,))
    return [_profile_of(row) for row in rows]


def profile(org_id: str, storage_name: str, name: str, lock: str = "") -> Steps[Profile]:
    """One of them. Raises NotFound."""
    of = yield from storage(org_id, storage_name, lock)  # its row stands for its profiles: they change one by one
    rows = yield Statement(f"select {PROFILE} from pull_profiles where storage_id = $1 and name = $2", (of.id, name))
    if not rows:
        raise NotFound(f"endpoint storage {storage_name} has no pull profile {name}")
    return _profile_of(rows[0])


def add_profile(org_id: str, storage_name: str, make: Callable[[Storage], Profile]) -> Steps[Profile]:
    """Keep a new one. Raises NotFound, Taken and LimitReached."""
    of = yield from storage(org_id, storage_name, FOR_UPDATE)
    new = make(of)
    there = yield Statement("select name from pull_profiles where storage_id = $1", (of.id,))
    if any(row[0] == new.name for row in there):
        raise _profile_taken(storage_name, new.name)
    if len(there) >= MOST_PROFILES:
        raise LimitReached(f"endpoint storage {storage_name} has {MOST_PROFILES} pull profiles: delete one first")
    yield Statement(
        f"insert into pull_profiles ({PROFILE}) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        (
            new.id, new.storage_id, new.name, new.source, new.kind.value, new.destination, new.created_at,
            new.changed_at,
        ),
    )  # fmt: skip
    return new


def change_profile(org_id: str, storage_name: str, name: str, change: Callable[[Profile], Profile]) -> Steps[Profile]:
    """Change one. Raises NotFound, and Taken for a name that another one has."""
    before = yield from profile(org_id, storage_name, name, FOR_UPDATE)
    new = change(before)
    if new.name != name:
        other = yield Statement(
            "select 1 from pull_profiles where storage_id = $1 and name = $2", (new.storage_id, new.name)
        )
        if other:
            raise _profile_taken(storage_name, new.name)
    yield Statement(
        "update pull_profiles set name = $2, source = $3, kind = $4, destination = $5, changed_at = $6 where id = $1",
        (new.id, new.name, new.source, new.kind.value, new.destination, new.changed_at),
    )
    return new


def delete_profile(org_id: str, storage_name: str, name: str) -> Steps[None]:
    """Forget one, with its links. Raises NotFound."""
    found = yield from profile(org_id, storage_name, name, FOR_UPDATE)
    yield Statement("delete from pull_links where profile_id = $1", (found.id,))
    yield Statement("delete from pull_profiles where id = $1", (found.id,))


def _profile_taken(storage_name: str, name: str) -> Taken:
    return Taken(f"name: endpoint storage {storage_name} has a pull profile {name} already")


# -- links ----------------------------------------------------------------------------------------------------------


def _label(org_id: str, app_name: str, name: str) -> Steps[str]:
    app = yield from named_app(org_id, app_name)
    found = yield from label(app.id, name)
    if found is None:
        raise NotFound(f"app {app_name} has no label {name}")
    return found.id


def link(org_id: str, storage_name: str, name: str, app_name: str, to: str, now: int) -> Steps[Link]:
    """Servers of the label get it from now on. Once more changes nothing. Raises NotFound and LimitReached."""
    found = yield from profile(org_id, storage_name, name, FOR_UPDATE)
    label_id = yield from _label(org_id, app_name, to)
    rows = yield Statement("select profile_id, created_at from pull_links where label_id = $1", (label_id,))
    for profile_id, created_at in rows:
        if profile_id == found.id:
            return Link(app_name, to, created_at)
    if len(rows) >= MOST_LINKS:
        raise LimitReached(f"label {to} of app {app_name} has {MOST_LINKS} pull profiles: unlink one first")
    yield Statement(
        "insert into pull_links (profile_id, label_id, created_at) values ($1, $2, $3)", (found.id, label_id, now)
    )
    return Link(app_name, to, now)


def unlink(org_id: str, storage_name: str, name: str, app_name: str, to: str) -> Steps[None]:
    """Servers of the label get it no more. Raises NotFound, also where they did not get it."""
    found = yield from profile(org_id, storage_name, name, FOR_UPDATE)
    label_id = yield from _label(org_id, app_name, to)
    rows = yield Statement(
        "delete from pull_links where profile_id = $1 and label_id = $2 returning label_id", (found.id, label_id)
    )
    if not rows:
        raise NotFound(f"pull profile {name} is not linked to label {to} of app {app_name}")


def pulls_of(label_id: str) -> Steps[Sequence[Pull]]:
    """What servers of a label get before they start, in the order in which it was linked."""
    rows = yield Statement(
        f"select {columns(STORAGE, 's')}, {columns(PROFILE, 'p')} from pull_links k"
        " join pull_profiles p on p.id = k.profile_id join storages s on s.id = p.storage_id"
        " where k.label_id = $1 order by k.created_at, p.id",
        (label_id,),
    )
    return [Pull(_profile_of(row[STORAGE_WIDTH:]), storage_of(row[:STORAGE_WIDTH])) for row in rows]
