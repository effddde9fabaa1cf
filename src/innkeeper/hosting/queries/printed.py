"""Servers whose output can be read. Called by ``hosting/manylogs.py``."""

from __future__ import annotations

from innkeeper.db.database import Statement, Steps, Value
from innkeeper.hosting.model import ALIVE, Server

from .columns import SERVER, server_of
from .seats import require_app

_ALIVE = ", ".join(f"'{state.value}'" for state in sorted(ALIVE))


def printed(
    app_id: str,
    org_id: str,
    release_id: str | None,
    location: str | None,
    since: int,
    most: int,
    *,
    alive: bool = False,
) -> Steps[list[Server]]:
    """Servers of an app that were started and whose output is kept, the newest first: those wanted since a time.

    Of one release, at one location, or alive ones alone, where that is said.
    """
    yield from require_app(app_id, org_id)
    values: list[Value] = [app_id, since, most]
    narrower = f" and state in ({_ALIVE})" if alive else ""
    for column, value in (("release_id", release_id), ("location", location)):
        if value is not None:
            values.append(value)
            narrower += f" and {column} = ${len(values)}"
    rows = yield Statement(
        f"select {SERVER} from servers where app_id = $1 and created_at >= $2 and output_gone = 0"
        # One that ended at once may never have been seen to run.
        " and host_id is not null and (booted_at is not null or state in ('stopped', 'failed'))"
        f"{narrower} order by created_at desc, id desc limit $3",
        values,
    )
    return [server_of(row) for row in rows]
