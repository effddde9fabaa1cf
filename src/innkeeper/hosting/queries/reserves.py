"""Reserves, their policies, the labels that these keep servers of, and those servers. Called by ``hosting/reserves.py``
and by the passes that keep and end servers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from innkeeper.db.database import Row, Statement, Steps
from innkeeper.db.sql import FOR_UPDATE
from innkeeper.hosting.model import ALIVE, ServerState
from innkeeper.hosting.plans import SeatKind, read_plan
from innkeeper.hosting.policies import Bounds, InForce, Policy, PolicyKind, Reserve, Reserved, missing
from innkeeper.kit.errors import LimitReached, NotFound, Taken

from .apps import named_app
from .labels import label
from .orders import Want, want

RESERVE = "id, org_id, name, enabled, created_at, created_by, changed_at"
POLICY = "id, reserve_id, name, enabled, kind, least, most, threshold, aim, said, created_at, changed_at"
_WIDTH = POLICY.count(",") + 1
_POLICY = ", ".join(f"p.{name.strip()}" for name in POLICY.split(","))
_ALIVE = ", ".join(f"'{state.value}'" for state in sorted(ALIVE))
#: How many there are at most: reserves of an organisation, policies of a reserve, labels of a reserve.
MOST_RESERVES = MOST_POLICIES = MOST_LABELS = 100
#: Policies ``p`` that count, with the labels ``l`` that they count for, in apps ``a``.
_COUNTS = (
    " from policies p join reserves v on v.id = p.reserve_id join reserve_labels j on j.reserve_id = v.id"
    " join labels l on l.id = j.label_id join apps a on a.id = l.app_id join releases r on r.id = l.release_id"
    " where p.enabled = 1 and v.enabled = 1 and l.deleted_at is null and a.deleted_at is null"
)


class Link(NamedTuple):
    """A label that a reserve keeps servers of."""

    app_name: str
    label: str
    created_at: int


def _policy_of(row: Row) -> Policy:
    values = list(row)
    values[4] = PolicyKind(row[4])
    return Policy(*values)


# -- reserves -------------------------------------------------------------------------------------------------------


def reserves(org_id: str) -> Steps[list[Reserve]]:
    """The organisation's reserves, by name."""
    rows = yield Statement(f"select {RESERVE} from reserves where org_id = $1 order by name", (org_id,))
    return [Reserve(*row) for row in rows]


def reserve(org_id: str, name: str, lock: str = "") -> Steps[Reserve]:
    """One of them. Raises NotFound."""
    rows = yield Statement(f"select {RESERVE} from reserves where org_id = $1 and name = $2 {lock}", (org_id, name))
    if not rows:
        raise NotFound(f"there is no reserve {name}")
    return Reserve(*rows[0])


def add(new: Reserve) -> Steps[Reserve]:
    """Keep a new one. Raises Taken and LimitReached."""
    yield Statement(f"select id from orgs where id = $1 {FOR_UPDATE}", (new.org_id,))
    there = yield Statement("select name from reserves where org_id = $1", (new.org_id,))
    if any(row[0] == new.name for row in there):
        raise _taken(new.name)
    if len(there) >= MOST_RESERVES:
        raise LimitReached(f"the organisation has {MOST_RESERVES} of them: delete a reserve that is not needed")
    yield Statement(
        f"insert into reserves ({RESERVE}) values ($1, $2, $3, $4, $5, $6, $7)",
        (new.id, new.org_id, new.name, new.enabled, new.created_at, new.created_by, new.changed_at),
    )
    return new


def change(org_id: str, name: str, change: Callable[[Reserve], Reserve]) -> Steps[Reserve]:
    """Change one. Raises NotFound, and Taken for a name that another one has."""
    new = change((yield from reserve(org_id, name, FOR_UPDATE)))
    if new.name != name:
        other = yield Statement("select 1 from reserves where org_id = $1 and name = $2", (org_id, new.name))
        if other:
            raise _taken(new.name)
    yield Statement(
        "update reserves set name = $2, enabled = $3, changed_at = $4 where id = $1",
        (new.id, new.name, new.enabled, new.changed_at),
    )
    return new


def delete(org_id: str, name: str) -> Steps[None]:
    """Forget one, with its policies and links. Their servers go on. Raises NotFound."""
    found = yield from reserve(org_id, name, FOR_UPDATE)
    yield Statement(
        "delete from reserved_servers where policy_id in (select id from policies where reserve_id = $1)", (found.id,)
    )
    yield Statement("delete from reserve_labels where reserve_id = $1", (found.id,))
    yield Statement("delete from policies where reserve_id = $1", (found.id,))
    yield Statement("delete from reserves where id = $1", (found.id,))


def _taken(name: str) -> Taken:
    return Taken(f"name: the organisation has a reserve {name} already")


# -- labels ---------------------------------------------------------------------------------------------------------


def _label(org_id: str, app_name: str, name: str) -> Steps[str]:
    app = yield from named_app(org_id, app_name)
    found = yield from label(app.id, name)
    if found is None:
        raise NotFound(f"app {app_name} has nothing to run that is called {name}")
    return found.id


def link(org_id: str, name: str, app_name: str, to: str, now: int) -> Steps[Link]:
    """Keep servers of a label from now on. Once more changes nothing. Raises NotFound and LimitReached."""
    found = yield from reserve(org_id, name, FOR_UPDATE)
    label_id = yield from _label(org_id, app_name, to)
    rows = yield Statement(
        "select j.label_id, j.created_at from reserve_labels j join labels l on l.id = j.label_id"
        " where j.reserve_id = $1 and l.deleted_at is null",
        (found.id,),
    )
    for linked, created_at in rows:
        if linked == label_id:
            return Link(app_name, to, created_at)
    if len(rows) >= MOST_LABELS:
        raise LimitReached(f"reserve {name} keeps servers of {MOST_LABELS} already: unlink one first")
    yield Statement(
        "insert into reserve_labels (reserve_id, label_id, created_at) values ($1, $2, $3)", (found.id, label_id, now)
    )
    return Link(app_name, to, now)


def unlink(org_id: str, name: str, app_name: str, to: str) -> Steps[None]:
    """Keep no more of them. Raises NotFound, also where none were kept."""
    found = yield from reserve(org_id, name, FOR_UPDATE)
    label_id = yield from _label(org_id, app_name, to)
    rows = yield Statement(
        "delete from reserve_labels where reserve_id = $1 and label_id = $2 returning label_id", (found.id, label_id)
    )
    if not rows:
        raise NotFound(f"reserve {name} keeps no servers of {to} of app {app_name}")


# -- policies -------------------------------------------------------------------------------------------------------


def policies(org_id: str, reserve_name: str) -> Steps[list[Policy]]:
    """Those of a reserve, by name. Raises NotFound."""
    of = yield from reserve(org_id, reserve_name)
    rows = yield Statement(f"select {POLICY} from policies where reserve_id = $1 order by name", (of.id,))
    return [_policy_of(row) for row in rows]


def policy(org_id: str, reserve_name: str, name: str, lock: str = "") -> Steps[Policy]:
    """One of them. Raises NotFound."""
    of = yield from reserve(org_id, reserve_name, lock)  # its row stands for its policies: they change one by one
    rows = yield Statement(f"select {POLICY} from policies where reserve_id = $1 and name = $2", (of.id, name))
    if not rows:
        raise NotFound(f"reserve {reserve_name} has no policy {name}")
    return _policy_of(rows[0])


def add_policy(org_id: str, reserve_name: str, make: Callable[[Reserve], Policy]) -> Steps[Policy]:
    """Keep a new one. Raises NotFound, Taken and LimitReached."""
    of = yield from reserve(org_id, reserve_name, FOR_UPDATE)
    new = make(of)
    there = yield Statement("select name from policies where reserve_id = $1", (of.id,))
    if any(row[0] == new.name for row in there):
        raise _policy_taken(reserve_name, new.name)
    if len(there) >= MOST_POLICIES:
        raise LimitReached(f"reserve {reserve_name} has {MOST_POLICIES} policies: delete one first")
    yield Statement(
        f"insert into policies ({POLICY}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        (
            new.id, new.reserve_id, new.name, new.enabled, new.kind.value, new.least, new.most, new.threshold, new.aim,
            new.said, new.created_at, new.changed_at,
        ),
    )  # fmt: skip
    return new


def change_policy(org_id: str, reserve_name: str, name: str, change: Callable[[Policy], Policy]) -> Steps[Policy]:
    """Change one. Raises NotFound, and Taken for a name that another one has."""
    new = change((yield from policy(org_id, reserve_name, name, FOR_UPDATE)))
    if new.name != name:
        other = yield Statement(
            "select 1 from policies where reserve_id = $1 and name = $2", (new.reserve_id, new.name)
        )
        if other:
            raise _policy_taken(reserve_name, new.name)
    yield Statement(
        "update policies set name = $2, enabled = $3, kind = $4, least = $5, most = $6, threshold = $7, aim = $8,"
        " said = $9, changed_at = $10 where id = $1",
        (
            new.id, new.name, new.enabled, new.kind.value, new.least, new.most, new.threshold, new.aim, new.said,
            new.changed_at,
        ),
    )  # fmt: skip
    return new


def delete_policy(org_id: str, reserve_name: str, name: str) -> Steps[None]:
    """Forget one. Its servers go on. Raises NotFound."""
    found = yield from policy(org_id, reserve_name, name, FOR_UPDATE)
    yield Statement("delete from reserved_servers where policy_id = $1", (found.id,))
    yield Statement("delete from policies where id = $1", (found.id,))


def _policy_taken(reserve_name: str, name: str) -> Taken:
    return Taken(f"name: reserve {reserve_name} has a policy {name} already")


# -- servers --------------------------------------------------------------------------------------------------------

# A cross join, which SQLite begins with its first table: with the servers that stand, not with all that there were.
_SERVERS = (
    "select k.policy_id, k.label_id, s.id, s.state, s.seats, s.taken from servers s cross join reserved_servers k"
    f" where s.state in ({_ALIVE}) and k.server_id = s.id"
)


def due() -> Steps[tuple[list[InForce], dict[tuple[str, str], list[Reserved]]]]:
    """All policies that count with their labels, the oldest first; and by both, the living servers that they wanted."""
    rows = yield Statement(
        f"select {_POLICY}, l.id, l.changed_at, l.active, l.plan, r.seats, v.name, a.name, l.name{_COUNTS}"
        " order by p.created_at, p.id, l.id"
    )
    kept: list[InForce] = []
    for row in rows:
        found, (label_id, changed_at, active, plan, seats, *names) = _policy_of(row[:_WIDTH]), row[_WIDTH:]
        title = f"policy {found.name} of reserve {names[0]} for {names[2]} of app {names[1]}"
        each = None if read_plan(plan).seat_kind is SeatKind.SERVER else seats
        kept.append(InForce(found, label_id, changed_at, bool(active), each, title))
    if not kept:
        return [], {}
    return kept, _grouped((yield Statement(_SERVERS)))


def _grouped(rows: list[Row]) -> dict[tuple[str, str], list[Reserved]]:
    found: dict[tuple[str, str], list[Reserved]] = {}
    for policy_id, label_id, server_id, state, seats, taken in rows:
        found.setdefault((policy_id, label_id), []).append(Reserved(server_id, ServerState(state), seats, taken))
    return found


def short_lives(policy_id: str, label_id: str, release_id: str, since: int) -> Steps[list[tuple[int, int]]]:
    """Beginning and end of servers of a release that a policy wanted and that ended unasked since a time, the latest
    first."""
    rows = yield Statement(
        "select s.created_at, s.ended_at from reserved_servers k join servers s on s.id = k.server_id"
        " where k.policy_id = $1 and k.label_id = $2 and s.release_id = $3 and k.created_at > $4"
        " and s.ended_at is not null and s.stop_why is null order by s.ended_at desc",
        (policy_id, label_id, release_id, since),
    )
    return [(row[0], row[1]) for row in rows]


def want_for(policy_id: str, label_id: str, ask: Want) -> Steps[bool]:
    """Want a server for a policy, if it still asks for one more. Raises as :func:`.orders.want` does.

    False: it does not any more, and nothing has happened.
    """
    yield Statement(
        "select id from reserves where id = (select reserve_id from policies where id = $1) " + FOR_UPDATE, (policy_id,)
    )
    rows = yield Statement(
        f"select p.least, p.most, p.threshold{_COUNTS} and p.id = $1 and l.id = $2", (policy_id, label_id)
    )
    if not rows:
        return False
    there = yield Statement(f"{_SERVERS} and k.policy_id = $1 and k.label_id = $2", (policy_id, label_id))
    servers = _grouped(there).get((policy_id, label_id), [])
    if not missing(Bounds(*rows[0]), None if ask.kind is SeatKind.SERVER else ask.seats, servers):
        return False
    server = yield from want(ask)
    yield Statement(
        "insert into reserved_servers (server_id, policy_id, label_id, created_at) values ($1, $2, $3, $4)",
        (server.id, policy_id, label_id, server.created_at),
    )
    return True
