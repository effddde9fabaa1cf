"""Servers that run the components of matchmakers. Called by ``matchmaking/programs.py`` and ``setups.py``."""

from __future__ import annotations

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import listed
from innkeeper.matchmaking.records import Part, Program

_PROGRAM = (
    "matchmaker_id, part, org_id, app_name, told, starts, failures, server_id, address, reason, started_at, retry_at"
)


def programs() -> Steps[dict[str, dict[Part, Program]]]:
    """All of them, by the ids of their matchmakers."""
    rows = yield Statement(f"select {_PROGRAM} from programs")
    found: dict[str, dict[Part, Program]] = {}
    for row in rows:
        found.setdefault(row[0], {})[Part(row[1])] = Program(row[0], Part(row[1]), *row[2:])
    return found


def put(program: Program) -> Steps[None]:
    """Keep how one runs now."""
    p = program
    yield Statement(
        f"insert into programs ({_PROGRAM}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        " on conflict (matchmaker_id, part) do update set app_name = excluded.app_name, told = excluded.told,"
        " starts = excluded.starts, failures = excluded.failures, server_id = excluded.server_id,"
        " address = excluded.address, reason = excluded.reason, started_at = excluded.started_at,"
        " retry_at = excluded.retry_at",
        (
            p.matchmaker_id, p.part, p.org_id, p.app_name, p.told, p.starts, p.failures, p.server_id, p.address,
            p.reason, p.started_at, p.retry_at,
        ),
    )  # fmt: skip


def remove(matchmaker_id: str) -> Steps[None]:
    """Forget those of a matchmaker."""
    yield Statement("delete from programs where matchmaker_id = $1", (matchmaker_id,))


def frontends(matchmaker_ids: str) -> Steps[dict[str, str]]:
    """The addresses of the frontends that run, by the ids of their matchmakers (a JSON list)."""
    rows = yield Statement(
        "select matchmaker_id, address from programs where part = 'frontend' and address is not null"
        f" and matchmaker_id in ({listed('$1')})",
        (matchmaker_ids,),
    )
    return {row[0]: row[1] for row in rows}
