"""Output that is kept in a bucket once its server has ended: asked for, tried, kept or given up.

The intent is on record from when the server was asked for, so that no crash forgets it. Called by ``queries/orders.py``
within its own transactions, by ``hosting/storages.py`` and by ``passes/saving.py``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import listed
from innkeeper.hosting.model import Server
from innkeeper.hosting.storing.model import DueOutput, SaveState, Storage

from .columns import SERVER, server_of
from .storages import STORAGE, STORAGE_WIDTH, columns, storage_of

_SERVER_WIDTH = SERVER.count(",") + 1


def keep_output(server_id: str, storage: str | None, now: int) -> Steps[None]:
    """What the server prints is kept in its organisation's storage of this name when it has ended; None: nowhere.

    Where there is no storage of that name it is kept nowhere, too. What is kept already stays.
    """
    rows = yield Statement(
        "select g.id, g.org_id from storages g join apps a on a.org_id = g.org_id join servers s on s.app_id = a.id"
        " where s.id = $1 and g.name = $2",
        (server_id, storage or ""),
    )
    if not rows:
        yield Statement(
            "delete from saved_outputs where server_id = $1 and state = 'waiting' and key is null", (server_id,)
        )
        return
    yield Statement(
        "insert into saved_outputs (server_id, org_id, storage_id, state, next_at, created_at)"
        " values ($1, $2, $3, 'waiting', $4, $4) on conflict (server_id) do update set storage_id = excluded.storage_id"
        " where saved_outputs.state = 'waiting' and saved_outputs.key is null",
        (server_id, rows[0][1], rows[0][0], now),
    )


class Due(NamedTuple):
    """One that is due, with its server."""

    output: DueOutput
    server: Server


def due(now: int, most: int, but: Sequence[str] = ()) -> Steps[Sequence[Due]]:
    """Outputs of servers that have ended whose next attempt is due, but for those of some organisations: those that
    wait longest first."""
    rows = yield Statement(
        f"select {columns(SERVER, 's')}, {columns(STORAGE, 'g')}, o.org_id, o.attempts, o.key, a.name, l.name, r.number"
        # A cross join, which SQLite begins with its first table: with what waits, not with all servers that have ended.
        " from saved_outputs o cross join servers s left join storages g on g.id = o.storage_id"
        " join apps a on a.id = s.app_id join releases r on r.id = s.release_id"
        " left join orders q on q.server_id = s.id left join labels l on l.id = q.label_id"
        " where o.state = 'waiting' and o.next_at <= $1 and s.id = o.server_id and s.state in ('stopped', 'failed')"
        f" and o.org_id not in ({listed('$3')}) order by o.next_at, o.server_id limit $2",
        (now, most, json.dumps(list(but))),
    )
    found: list[Due] = []
    for row in rows:
        server, storage = server_of(row[:_SERVER_WIDTH]), row[_SERVER_WIDTH : _SERVER_WIDTH + STORAGE_WIDTH]
        org_id, attempts, key, app_name, label, number = row[_SERVER_WIDTH + STORAGE_WIDTH :]
        found.append(
            Due(
                DueOutput(
                    server.id, org_id, attempts, key, server.ended_at or now, app_name, label or f"release-{number}",
                    None if storage[0] is None else storage_of(storage),
                ),
                server,
            )
        )  # fmt: skip
    return found


def begin(server_id: str, key: str) -> Steps[None]:
    """An attempt is about to be made, the first or a later one, under this key."""
    yield Statement("update saved_outputs set key = $2 where server_id = $1 and state = 'waiting'", (server_id, key))


def kept(server_id: str, size: int, now: int) -> Steps[None]:
    """It is in the bucket; or, without bytes, there was nothing to be kept."""
    state = SaveState.KEPT if size else SaveState.NOTHING
    yield Statement(
        "update saved_outputs set state = $2, bytes = $3, attempts = attempts + 1, next_at = null, error = null,"
        " ended_at = $4 where server_id = $1 and state = 'waiting'",
        (server_id, state.value, size, now),
    )


def failed(server_id: str, state: SaveState, next_at: int | None, error: str, now: int) -> Steps[None]:
    """An attempt failed: it waits for the next one, or is given up."""
    yield Statement(
        "update saved_outputs set state = $2, attempts = attempts + 1, next_at = $3, error = $4, ended_at = $5"
        " where server_id = $1 and state = 'waiting'",
        (server_id, state.value, next_at, error, None if state is SaveState.WAITING else now),
    )


class Saved(NamedTuple):
    """How it stands with the output of a server."""

    state: SaveState
    key: str | None
    size: int | None  #: bytes
    attempts: int
    error: str | None  #: why the last attempt failed
    storage: Storage | None  #: None: it was deleted


def saved(org_id: str, server_id: str) -> Steps[Saved | None]:
    """How it stands; None where nobody asked for its output to be kept."""
    rows = yield Statement(
        f"select o.state, o.key, o.bytes, o.attempts, o.error, {columns(STORAGE, 'g')} from saved_outputs o"
        " left join storages g on g.id = o.storage_id where o.server_id = $1 and o.org_id = $2",
        (server_id, org_id),
    )
    if not rows:
        return None
    state, key, size, attempts, error, *storage = rows[0]
    found = None if storage[0] is None else storage_of(storage)
    return Saved(SaveState(state), key, size, attempts, error, found)
