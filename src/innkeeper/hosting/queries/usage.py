"""What servers used: sums that stay, how far each server is counted, and what is not counted yet. Called by
``hosting/usage.py``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from innkeeper.db.database import Many, Row, Statement, Steps
from innkeeper.db.sql import listed
from innkeeper.kit.clock import MINUTE

#: A measurement taken just before a server ended may be written so long after, in microseconds.
LATE = MINUTE

_UNCOUNTED = (
    "select s.id, s.app_id, a.org_id, coalesce(q.cpu, r.cpu), s.ready_at,"
    " coalesce(s.stopping_at, s.ended_at), s.ended_at,"
    " coalesce(m.until, 0), coalesce(m.sampled_at, -1), coalesce(m.egress_bytes, 0) from servers s"
    " join apps a on a.id = s.app_id join releases r on r.id = s.release_id left join orders q on q.server_id = s.id"
    " left join usage_marks m on m.server_id = s.id where s.counted = 0"
)

Samples = dict[str, list[tuple[int, int]]]


def hold_counting(now: int) -> Steps[None]:
    """From here to the end of the transaction nobody else counts."""
    yield Statement("update usage_counting set at = $1 where one = 1", (now,))


def uncounted(after: str, most: int) -> Steps[tuple[list[Row], Samples]]:
    """Servers that are not counted to their end (as ``usage.Uncounted``), by id, and their later measurements."""
    rows = yield Statement(f"{_UNCOUNTED} and s.id > $1 order by s.id limit $2", (after, most))
    samples = yield from _samples_of([row[0] for row in rows])
    return rows, samples


def month(org_id: str, month: int) -> Steps[tuple[list[Row], list[Row], Samples]]:
    """What is counted of an organisation's month (app, processor microseconds, bytes), and what is not yet."""
    stored = yield Statement(
        "select app_id, cpu_micros, egress_bytes from usage_months where org_id = $1 and month = $2 order by app_id",
        (org_id, month),
    )
    rows = yield Statement(f"{_UNCOUNTED} and a.org_id = $1", (org_id,))
    samples = yield from _samples_of([row[0] for row in rows])
    return stored, rows, samples


def app_names(app_ids: Sequence[str]) -> Steps[dict[str, str]]:
    """How apps are called, by id; deleted ones too, under their last name."""
    rows = yield Statement(f"select id, name from apps where id in ({listed('$1')})", (json.dumps(list(app_ids)),))
    return {row[0]: row[1] for row in rows}


def _samples_of(server_ids: Sequence[str]) -> Steps[Samples]:
    """Measurements of bytes sent that are not counted: time and count, the earliest first."""
    found: Samples = {}
    if server_ids:
        rows = yield Statement(
            "select x.server_id, x.at, x.egress_bytes from usage_samples x left join usage_marks m"
            f" on m.server_id = x.server_id where x.server_id in ({listed('$1')})"
            " and x.at > coalesce(m.sampled_at, -1) and x.egress_bytes is not null order by x.server_id, x.at",
            (json.dumps(list(server_ids)),),
        )
        for server_id, at, sent in rows:
            found.setdefault(server_id, []).append((at, sent))
    return found


def add_counted(
    sums: Sequence[tuple[str, int, str, int, int]], marks: Sequence[tuple[str, int, int, int]], done: Sequence[str]
) -> Steps[None]:
    """Add to the sums (app, month, organisation, processor microseconds, bytes), and note how far each is counted."""
    if sums:
        yield Many(
            "insert into usage_months (app_id, month, org_id, cpu_micros, egress_bytes) values ($1, $2, $3, $4, $5)"
            " on conflict (app_id, month) do update set cpu_micros = usage_months.cpu_micros + excluded.cpu_micros,"
            " egress_bytes = usage_months.egress_bytes + excluded.egress_bytes",
            sums,
        )
    if marks:
        yield Many(
            "insert into usage_marks (server_id, until, sampled_at, egress_bytes) values ($1, $2, $3, $4)"
            " on conflict (server_id) do update set until = excluded.until, sampled_at = excluded.sampled_at,"
            " egress_bytes = excluded.egress_bytes",
            marks,
        )
    if done:
        keys = [(server_id,) for server_id in done]
        yield Many("update servers set counted = 1 where id = $1", keys)
        yield Many("delete from usage_marks where server_id = $1", keys)


def months_before(month: int) -> Steps[list[tuple[str, int]]]:
    """Organisations and months before one, in which anything was counted."""
    rows = yield Statement(
        "select distinct org_id, month from usage_months where month < $1 order by month, org_id", (month,)
    )
    return [(row[0], row[1]) for row in rows]


def spans(org_id: str, first: int, now: int) -> Steps[list[Row]]:
    """When an organisation's servers ran that did so after a time: begin, end (now for those that run), processors."""
    return (
        yield Statement(
            "select s.ready_at, coalesce(s.stopping_at, s.ended_at, $3), coalesce(q.cpu, r.cpu) from servers s"
            " join apps a on a.id = s.app_id join releases r on r.id = s.release_id"
            " left join orders q on q.server_id = s.id"
            " where a.org_id = $1 and s.ready_at is not null and coalesce(s.stopping_at, s.ended_at, $3) > $2",
            (org_id, first, now),
        )
    )
