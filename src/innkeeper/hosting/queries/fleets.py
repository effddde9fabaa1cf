"""Fleets: what was asked for, what is lacking, how full they were. Called by ``hosting/fleets.py`` and the passes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from innkeeper.db.database import Many, Statement, Steps
from innkeeper.db.sql import FOR_UPDATE, listed
from innkeeper.hosting.capacity import Baseline, Fleet, Sample, Trouble, check_baseline, check_pause
from innkeeper.hosting.hosts import Lack
from innkeeper.kit.errors import NotFound, Taken

_FLEET = "id, org_id, name, shape, threshold, created_at, created_by"
#: States in which a server holds processors of a host.
_THERE = "('starting', 'running', 'draining', 'stopping')"
#: The name of a sample that is of all locations together.
EVERYWHERE = ""


def add(fleet: Fleet) -> Steps[Fleet]:
    """Keep a new fleet. Its name must be new in its organisation."""
    yield from _require_name(fleet.org_id, fleet.name, fleet.id)
    yield Statement(
        f"insert into fleets ({_FLEET}) values ($1, $2, $3, $4, $5, $6, $7)",
        (fleet.id, fleet.org_id, fleet.name, fleet.shape, fleet.threshold, fleet.created_at, fleet.created_by),
    )
    return fleet


def _require_name(org_id: str, name: str, fleet_id: str) -> Steps[None]:
    rows = yield Statement(
        "select 1 from fleets where org_id = $1 and name = $2 and id <> $3", (org_id, name, fleet_id)
    )
    if rows:
        raise Taken(f"name: the organisation has a fleet {name} already")


def fleet(org_id: str, fleet_id: str) -> Steps[Fleet]:
    """A fleet of the organisation."""
    return (yield from _fleet(org_id, fleet_id, ""))


def _fleet(org_id: str, fleet_id: str, lock: str) -> Steps[Fleet]:
    rows = yield Statement(f"select {_FLEET} from fleets where id = $1 and org_id = $2 {lock}", (fleet_id, org_id))
    if not rows:
        raise NotFound(f"there is no fleet {fleet_id}")
    return Fleet(*rows[0])


def fleets(org_id: str) -> Steps[list[Fleet]]:
    """The organisation's fleets, the newest first."""
    rows = yield Statement(f"select {_FLEET} from fleets where org_id = $1 order by created_at desc, id", (org_id,))
    return [Fleet(*row) for row in rows]


def change(org_id: str, fleet_id: str, name: str | None, shape: str | None, threshold: int) -> Steps[None]:
    """Change what is given."""
    found = yield from _fleet(org_id, fleet_id, FOR_UPDATE)
    if name is not None and name != found.name:
        yield from _require_name(org_id, name, fleet_id)
    yield Statement(
        "update fleets set name = $2, shape = $3, threshold = $4 where id = $1",
        (fleet_id, found.name if name is None else name, found.shape if shape is None else shape, threshold),
    )


def known(fleet_ids: Sequence[str]) -> Steps[set[str]]:
    """Those of the fleets that there are, whoever's they may be: for the operator, who sets hosts aside for them."""
    rows = yield Statement(f"select id from fleets where id in ({listed('$1')})", (json.dumps(list(fleet_ids)),))
    return {row[0] for row in rows}


def baseline(org_id: str, fleet_id: str, location: str) -> Steps[tuple[Fleet, Baseline]]:
    """A fleet of the organisation, and how many hosts it shall have at a location."""
    found = yield from fleet(org_id, fleet_id)
    return found, (yield from _baseline(found, location)) or Baseline(0, found.created_at)


def _baseline(of: Fleet, location: str) -> Steps[Baseline | None]:
    rows = yield Statement(
        "select baseline, changed_at from fleet_places where fleet_id = $1 and location = $2", (of.id, location)
    )
    return Baseline(*rows[0]) if rows else None


def set_baseline(org_id: str, fleet_id: str, location: str, hosts: int, most: int, now: int) -> Steps[bool]:
    """Change how many hosts a fleet shall have at a location. False: it is so already, and nothing has happened."""
    found = yield from _fleet(org_id, fleet_id, FOR_UPDATE)  # two changes at once: one waits, and is one too many
    check_baseline(hosts, most)
    last = yield from _baseline(found, location)
    if hosts == (0 if last is None else last.hosts):
        return False
    check_pause(None if last is None else last.changed_at, now)
    yield Statement(
        "insert into fleet_places (fleet_id, location, baseline, changed_at) values ($1, $2, $3, $4)"
        " on conflict (fleet_id, location) do update set baseline = excluded.baseline,"
        " changed_at = excluded.changed_at",
        (fleet_id, location, hosts, now),
    )
    return True


def baselines() -> Steps[list[tuple[str, str, int]]]:
    """Every fleet and location where somebody has said how many hosts there shall be, with their number."""
    rows = yield Statement("select fleet_id, location, baseline from fleet_places order by fleet_id, location")
    return [(row[0], row[1], row[2]) for row in rows]


def troubles(org_id: str | None = None) -> Steps[dict[tuple[str, str], Trouble]]:
    """By fleet and location, when there was last a lack of hosts: of one organisation's, or (None) all."""
    rows = yield Statement(
        "select t.fleet_id, t.location, t.text, t.began_at, t.ended_at from fleet_troubles t"
        " join fleets f on f.id = t.fleet_id" + ("" if org_id is None else " where f.org_id = $1"),
        () if org_id is None else (org_id,),
    )
    return {(row[0], row[1]): Trouble(*row[2:]) for row in rows}


def keep_troubles(changed: Mapping[tuple[str, str], Trouble]) -> Steps[None]:
    """Write down how it stands now."""
    yield Many(
        "insert into fleet_troubles (fleet_id, location, text, began_at, ended_at) values ($1, $2, $3, $4, $5)"
        " on conflict (fleet_id, location) do update set text = excluded.text, began_at = excluded.began_at,"
        " ended_at = excluded.ended_at",
        [(*key, trouble.text, trouble.began_at, trouble.ended_at) for key, trouble in changed.items()],
    )


def used() -> Steps[tuple[list[str], dict[tuple[str, str], float]]]:
    """All fleets, and the processors given to their releases' servers, by fleet and location."""
    every = yield Statement("select id from fleets order by id")
    rows = yield Statement(
        "select f.id, s.location, sum(coalesce(q.cpu, r.cpu)) from servers s join releases r on r.id = s.release_id"
        " left join orders q on q.server_id = s.id"
        " join apps a on a.id = s.app_id join fleets f on f.id = r.fleet_id and f.org_id = a.org_id"
        f" where s.state in {_THERE} and s.host_id is not null group by f.id, s.location"
    )
    return [row[0] for row in every], {(row[0], row[1]): row[2] for row in rows}


def add_samples(samples: Mapping[tuple[str, str], Sample], at: int) -> Steps[None]:
    """Keep what was found at a time, by fleet and location."""
    yield Many(
        "insert into fleet_samples (fleet_id, location, at, metal, cloud, used, overhead)"
        " values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        [(*key, at, sample.metal, sample.cloud, sample.used, sample.overhead) for key, sample in samples.items()],
    )


def samples(org_id: str, fleet_id: str, location: str | None, first: int, last: int) -> Steps[list[tuple[int, Sample]]]:
    """What was found at a location, or (None) at all together, in a span of time; the earliest first."""
    yield from fleet(org_id, fleet_id)
    rows = yield Statement(
        "select at, metal, cloud, used, overhead from fleet_samples"
        " where fleet_id = $1 and location = $2 and at >= $3 and at <= $4 order by at limit 100000",
        (fleet_id, EVERYWHERE if location is None else location, first, last),
    )
    return [(row[0], Sample(*row[1:])) for row in rows]


def forget_samples(before: int, most: int) -> Steps[int]:
    """Delete what was found before a time."""
    rows = yield Statement(
        "delete from fleet_samples where (fleet_id, location, at) in"
        " (select fleet_id, location, at from fleet_samples where at < $1 limit $2) returning at",
        (before, most),
    )
    return len(rows)


def why_none(release_id: str, lack: Lack | None) -> Steps[str | None]:
    """Why no server of a release can be started; None when one can be: nothing lacks, or its fleet has hosts."""
    if lack is None:
        return None
    fleet_id = (yield from fleets_of_releases([release_id])).get(release_id)
    if fleet_id is None:
        return lack.text
    return None if fleet_id in lack.fleets else f"{lack.text}, and its fleet has no host there that takes it"


def fleets_of_releases(release_ids: Sequence[str]) -> Steps[dict[str, str]]:
    """The fleet that each release names, of those that name one which its organisation has."""
    rows = yield Statement(
        "select r.id, f.id from releases r join apps a on a.id = r.app_id"
        f" join fleets f on f.id = r.fleet_id and f.org_id = a.org_id where r.id in ({listed('$1')})",
        (json.dumps(list(release_ids)),),
    )
    return {row[0]: row[1] for row in rows}
