"""Rules of access, and whose servers they hold for. Called by ``hosting/access.py`` and ``passes/guarding.py``."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import FOR_UPDATE, listed
from innkeeper.hosting.model import Server
from innkeeper.kit.errors import LimitReached, NotFound

from .apps import named_app
from .columns import SERVER, server_of
from .labels import label

_RULE = "id, label_id, cidr, note, active, created_at"
#: Of the JSON of a plan, what says that its servers are guarded.
SAYS_GUARDED = """like '%"guarded":true%'"""
#: The plan that a server was started by; without an order it is that of its label now.
_PLANNED = (
    " left join orders q on q.server_id = s.id left join releases e on e.id = s.release_id and q.server_id is null"
    " left join labels l on l.id = e.label_id"
)
GUARDED = f"coalesce(q.plan, l.plan) {SAYS_GUARDED}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Addresses that reach the servers of a label."""

    id: str
    label_id: str
    cidr: str  #: as its owner wrote it
    note: str | None  #: its owner's own word for it
    active: int  #: 0: it is kept, and lets nobody in
    created_at: int


def label_id(org_id: str, app_name: str, name: str, lock: str = "") -> Steps[str]:
    """The label of that name. Raises NotFound."""
    app = yield from named_app(org_id, app_name, lock)
    found = yield from label(app.id, name)
    if found is None:
        raise NotFound(f"app {app_name} has nothing to run that is called {name}")
    return found.id


def add(org_id: str, app_name: str, name: str, rule: Rule, most: int) -> Steps[Rule]:
    """Keep a rule; its label is that of the name. Raises NotFound, and LimitReached for one too many."""
    found = yield from label_id(org_id, app_name, name, FOR_UPDATE)
    count = yield Statement("select count(*) from access_rules where label_id = $1", (found,))
    if count[0][0] >= most:
        raise LimitReached(f"{name} has {most} rules of access, which is the most: delete one, or join some in one")
    yield Statement(
        f"insert into access_rules ({_RULE}) values ($1, $2, $3, $4, $5, $6)",
        (rule.id, found, rule.cidr, rule.note, rule.active, rule.created_at),
    )
    return Rule(rule.id, found, rule.cidr, rule.note, rule.active, rule.created_at)


def rules(org_id: str, app_name: str, name: str) -> Steps[list[Rule]]:
    """The rules of a label, the oldest first. Raises NotFound."""
    found = yield from label_id(org_id, app_name, name)
    rows = yield Statement(f"select {_RULE} from access_rules where label_id = $1 order by created_at, id", (found,))
    return [Rule(*row) for row in rows]


def rule(org_id: str, app_name: str, name: str, rule_id: str) -> Steps[Rule]:
    """One rule of a label. Raises NotFound."""
    found = yield from label_id(org_id, app_name, name)
    rows = yield Statement(f"select {_RULE} from access_rules where label_id = $1 and id = $2", (found, rule_id))
    if not rows:
        raise NotFound(f"{name} has no rule of access {rule_id}")
    return Rule(*rows[0])


def remove(org_id: str, app_name: str, name: str, rule_id: str) -> Steps[Rule]:
    """Delete a rule: what it was. Raises NotFound."""
    found = yield from rule(org_id, app_name, name, rule_id)
    yield Statement("delete from access_rules where id = $1", (rule_id,))
    return found


# -- whose servers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Guarded:
    """A server that nobody reaches but who is listed."""

    server: Server
    label_id: str | None  #: whose list it is; None: nobody's, and so nobody is listed


_GUARDED_SERVERS = (
    "select "
    + ", ".join(f"s.{name.strip()}" for name in SERVER.split(","))
    + f", coalesce(q.label_id, e.label_id) from servers s{_PLANNED}"
)


def guarded_servers() -> Steps[list[Guarded]]:
    """Those that have a place."""
    rows = yield Statement(
        f"{_GUARDED_SERVERS} where s.state in ('starting', 'running', 'draining', 'stopping') and {GUARDED}"
        " order by s.id"
    )
    return [Guarded(server_of(row[:-1]), row[-1]) for row in rows]


def left_on(host_ids: Collection[str]) -> Steps[list[Guarded]]:
    """Those that are over on record, on hosts that nobody can ask, and whose ports nobody was given since."""
    rows = yield Statement(
        f"{_GUARDED_SERVERS} where s.state in ('stopped', 'failed') and s.host_id in ({listed('$1')}) and {GUARDED}"
        " and exists (select 1 from held_ports h where h.server_id = s.id) order by s.id",
        (json.dumps(sorted(host_ids)),),
    )
    return [Guarded(server_of(row[:-1]), row[-1]) for row in rows]


def ever_guarded() -> Steps[bool]:
    """Whether this house has had a server that is guarded, as far as it remembers."""
    rows = yield Statement(f"select 1 from orders where plan {SAYS_GUARDED} limit 1")
    if not rows:
        rows = yield Statement(f"select 1 from labels where plan {SAYS_GUARDED} limit 1")
    return bool(rows)


def listed_addresses(label_ids: Sequence[str]) -> Steps[dict[str, list[str]]]:
    """Who is listed by the rules of each label that are active; nothing for one without any."""
    rows = yield Statement(
        f"select label_id, cidr from access_rules where active = 1 and label_id in ({listed('$1')})"
        " order by label_id, cidr",
        (json.dumps(list(label_ids)),),
    )
    found: dict[str, list[str]] = {}
    for owner, cidr in rows:
        found.setdefault(owner, []).append(cidr)
    return found
