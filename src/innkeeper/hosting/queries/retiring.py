"""Which servers should end, and what is forgotten after a while. Called by ``hosting/passes``."""

from __future__ import annotations

from collections.abc import Sequence

from innkeeper.db.database import Many, Statement, Steps
from innkeeper.hosting.model import App, Server, ServerState
from innkeeper.hosting.plans import read_plan

from .apps import APP
from .columns import ALIVE, SERVER, server_of
from .newest import serving_of_labels
from .placing import over


def never_placed(server: Server, reason: str, now: int) -> Steps[bool]:
    """No host took it: its rooms end with the reason."""
    return (yield from over(server, ServerState.FAILED, reason, now, now))


def stopping(most: int) -> Steps[list[tuple[Server, int | None]]]:
    """Servers that were asked to end, the oldest first, each with its plan's seconds of grace, if that says any."""
    names = ", ".join(f"s.{name.strip()}" for name in SERVER.split(","))
    rows = yield Statement(
        f"select q.plan, {names} from servers s left join orders q on q.server_id = s.id where s.state = 'stopping'"
        " order by s.created_at, s.id limit $1",
        (most,),
    )
    return [(server_of(row[1:]), read_plan(row[0]).grace_seconds) for row in rows]


def stop_longer(server_id: str, until: int) -> Steps[None]:
    """Give a stopping server another while."""
    yield Statement("update servers set until = $2 where id = $1 and state = 'stopping'", (server_id, until))


def drained() -> Steps[list[tuple[str, str | None, str | None]]]:
    """Draining servers without rooms, each with its host and, where that was said, why it drains."""
    rows = yield Statement("select id, host_id, stop_reason from servers where state = 'draining' and taken = 0")
    return [(row[0], row[1], row[2]) for row in rows]


def worn_out(now: int) -> Steps[list[tuple[str, float]]]:
    """Running servers that are older than their organisation's may be, and the hours that those may."""
    rows = yield Statement(
        "select s.id, o.server_hours from servers s join apps a on a.id = s.app_id join orgs o on o.id = a.org_id"
        " where s.state = 'running' and o.server_hours is not null"
        " and s.ready_at + o.server_hours * 3600000000 <= cast($1 as bigint)",
        (now,),
    )
    return [(row[0], row[1]) for row in rows]


def planned_ends() -> Steps[list[tuple[str, int, int | None, str]]]:
    """Servers that run and whose order may end them: id, when it was ready, since when it has no rooms, its plan."""
    rows = yield Statement(
        "select s.id, s.ready_at, s.idle_since, q.plan from servers s join orders q on q.server_id = s.id"
        " where s.state in ('running', 'draining')"
        " and (q.plan like '%\"life_minutes\"%' or q.plan like '%\"empty_minutes\"%')"
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def of_deleted_apps() -> Steps[list[str]]:
    """Living servers of deleted apps."""
    rows = yield Statement(
        "select s.id from servers s join apps a on a.id = s.app_id where a.deleted_at is not null"
        " and s.state in ('wanted', 'starting', 'running', 'draining')"
    )
    return [row[0] for row in rows]


def idle(since: int) -> Steps[list[Server]]:
    """Running servers that have had no rooms since a time, whose release says that such are ended, and which no
    standing order keeps."""
    names = ", ".join(f"s.{name.strip()}" for name in SERVER.split(","))
    rows = yield Statement(
        f"select {names} from servers s join releases r on r.id = s.release_id join apps a on a.id = s.app_id"
        " where s.idle_since <= $1 and s.state = 'running' and s.taken = 0 and r.idle_rule = 1"
        " and (a.service is null or s.cause <> 'standing')",
        (since,),
    )
    return [server_of(row) for row in rows]


def apps_with_orders() -> Steps[list[App]]:
    """Living apps that have standing orders."""
    rows = yield Statement(
        f"select {APP} from apps where service is not null and deleted_at is null order by created_at"
    )
    return [App(*row) for row in rows]


def standing(app_id: str) -> Steps[tuple[tuple[str, int] | None, list[Server]]]:
    """The release that serves (and its seats), and the living servers of an app that nobody asked for by themselves."""
    newest = yield Statement(
        "select id, seats, label_id from releases where app_id = $1 order by number desc limit 1", (app_id,)
    )
    serving = (newest[0][0], newest[0][1]) if newest else None
    if newest and newest[0][2] is not None:
        serving = yield from serving_of_labels(app_id)
    rows = yield Statement(
        f"select {SERVER} from servers where app_id = $1 and state in {ALIVE}"
        " and not exists (select 1 from orders q where q.server_id = servers.id) order by created_at, id",
        (app_id,),
    )
    return serving, [server_of(row) for row in rows]


def short_lives(app_id: str, release_id: str, since: int) -> Steps[list[tuple[str, int, int]]]:
    """Location, beginning and end of a release's standing servers that ended unasked since a time, latest first."""
    rows = yield Statement(
        "select location, created_at, ended_at from servers where app_id = $1 and created_at > $3 and release_id = $2"
        " and cause = 'standing' and ended_at is not null and stop_why is null order by ended_at desc",
        (app_id, release_id, since),
    )
    return [(location, created_at, ended_at) for location, created_at, ended_at in rows]


def add_samples(samples: Sequence[Sequence[str | int | float | None]]) -> Steps[None]:
    """Keep measurements: server, time, CPU seconds, memory, connections, egress."""
    yield Many(
        "insert into usage_samples (server_id, at, cpu_seconds, memory_bytes, connections, egress_bytes)"
        " values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        samples,
    )


def samples(server_id: str, first: int, last: int) -> Steps[list[Sequence[float | int | None]]]:
    """Measurements of a server in a span of time, the earliest first."""
    rows = yield Statement(
        "select at, cpu_seconds, memory_bytes, connections, egress_bytes from usage_samples"
        " where server_id = $1 and at >= $2 and at <= $3 order by at limit 100000",
        (server_id, first, last),
    )
    return list(rows)


def outdated_output(before: int, most: int) -> Steps[list[str]]:
    """Servers that ended before a time and whose output is still kept."""
    rows = yield Statement(
        "select id from servers where state in ('stopped', 'failed') and output_gone = 0 and ended_at < $1 limit $2",
        (before, most),
    )
    return [row[0] for row in rows]


def output_gone(ids: Sequence[str]) -> Steps[None]:
    """Their output was deleted."""
    yield Many("update servers set output_gone = 1 where id = $1", [(server_id,) for server_id in ids])


def is_output_gone(server_id: str) -> Steps[bool]:
    """Whether the output of a server was kept its time and deleted."""
    rows = yield Statement("select output_gone from servers where id = $1", (server_id,))
    return bool(rows and rows[0][0])


def forget_servers(before: int, most: int) -> Steps[int]:
    """Delete the records of servers that ended before a time, with their measurements and past stays.

    What they used has to be counted first (``hosting/usage.py``).
    """
    rows = yield Statement(
        "select id from servers where state in ('stopped', 'failed') and output_gone = 1 and counted = 1"
        " and ended_at < $1 limit $2",
        (before, most),
    )
    keys = [(row[0],) for row in rows]
    if keys:
        yield Many("delete from usage_samples where server_id = $1", keys)
        yield Many("delete from stays where server_id = $1", keys)
        yield Many("delete from orders where server_id = $1", keys)
        yield Many("delete from saved_outputs where server_id = $1", keys)
        yield Many("delete from server_tags where server_id = $1", keys)
        yield Many("delete from reserved_servers where server_id = $1", keys)
        yield Many("delete from held_ports where server_id = $1 and freed_at is not null", keys)
        yield Many("delete from servers where id = $1 and state in ('stopped', 'failed')", keys)
    return len(keys)


def forget_rooms(before: int, most: int) -> Steps[int]:
    """Delete rooms that were destroyed before a time; their ids can be used again."""
    rows = yield Statement("select id from rooms where left_at < $1 and state = 'destroyed' limit $2", (before, most))
    keys = [(row[0],) for row in rows]
    if keys:
        yield Many("delete from bookings where room_id = $1", keys)
        yield Many("delete from rooms where id = $1", keys)
    return len(keys)


def forget_samples(before: int, most: int) -> Steps[int]:
    """Delete measurements made before a time, as far as they are counted."""
    rows = yield Statement(
        "delete from usage_samples where (server_id, at) in"
        " (select x.server_id, x.at from usage_samples x where x.at < $1 and not exists (select 1 from servers s"
        " left join usage_marks m on m.server_id = s.id where s.id = x.server_id and s.counted = 0"
        " and x.at > coalesce(m.sampled_at, -1) and x.egress_bytes is not null) limit $2)"
        " returning at",
        (before, most),
    )
    return len(rows)
