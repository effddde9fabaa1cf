"""Callbacks: due, put together, recorded, listed, forgotten; and the secrets that they are signed with.

They are owed by ``db/outbox.py``, in the transaction in which something happens. Those of one subject to one receiver
are a *line*: the first that is pending has a time for its next attempt, those behind it have none. Whoever adds to a
line holds its pending rows, and who ends one of them leads the line on after it, so that none is left without a first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import FOR_UPDATE
from innkeeper.kit.errors import NotFound
from innkeeper.notices.model import Callback, DeliveryState, DueCallback, SealedSecret

_CALLBACK = (
    "id, kind, subject, occasion, url, state, attempts, next_at, last_at, last_status, last_error, created_at, ended_at"
)


class Tried(NamedTuple):
    """What is recorded of an attempt, and what follows from it."""

    callback_id: str
    state: DeliveryState
    next_at: int | None
    at: int
    status: int | None
    error: str | None


def due_times() -> Steps[list[tuple[str, str, int]]]:
    """For each organisation and each receiver that something waits for, when the first attempt is due."""
    rows = yield Statement(
        "select org_id, receiver, min(next_at) from callbacks where next_at is not null"
        " group by org_id, receiver order by org_id, receiver"
    )
    return [(row[0], row[1], row[2]) for row in rows]


def due(org_id: str, receiver: str, now: int, limit: int) -> Steps[list[DueCallback]]:
    """What an organisation's receiver is due, the longest due first."""
    rows = yield Statement(
        "select id, org_id, kind, subject, url, receiver, body, attempts, tried_since from callbacks"
        " where org_id = $1 and receiver = $2 and next_at <= $3 order by next_at, place limit $4",
        (org_id, receiver, now, limit),
    )
    return [DueCallback._make(row) for row in rows]


def keep_body(callback_id: str, body: str) -> Steps[str]:
    """Keep what is sent at every attempt: this, or what is kept already."""
    yield Statement("update callbacks set body = $2 where id = $1 and body is null", (callback_id, body))
    rows = yield Statement("select body from callbacks where id = $1", (callback_id,))
    kept: str | None = rows[0][0] if rows else None
    return body if kept is None else kept


def record(one: Tried) -> Steps[None]:
    """Write down what came of an attempt. A callback that has ended meanwhile stays as it is."""
    ended = None if one.state is DeliveryState.PENDING else one.at
    rows = yield Statement(
        "update callbacks set state = $2, attempts = attempts + 1, next_at = $3, last_at = $4, last_status = $5,"
        " last_error = $6, ended_at = $7 where id = $1 and state = 'pending' returning kind, subject, receiver",
        (one.callback_id, one.state, one.next_at, one.at, one.status, one.error, ended),
    )
    for kind, subject, receiver in rows:
        if ended is not None:
            yield from _lead(kind, subject, receiver, one.at)


def _lead(kind: str, subject: str, receiver: str, now: int) -> Steps[None]:
    """The first that is pending of a line is due, and has all its time from now on, where it has none yet."""
    yield Statement(
        "update callbacks set next_at = $4, tried_since = $4 where next_at is null and place = (select min(c.place)"
        " from callbacks c where c.kind = $1 and c.subject = $2 and c.receiver = $3 and c.state = 'pending')",
        (kind, subject, receiver, now),
    )


def page(
    org_id: str, state: DeliveryState | None, subject: str | None, before: str | None, limit: int
) -> Steps[list[Callback]]:
    """An organisation's callbacks, the newest first, those older than ``before`` where it is given. A ``subject`` may
    be named by its last twelve digits. Raises NotFound.
    """
    place = None
    if before is not None:
        rows = yield Statement("select place from callbacks where id = $1 and org_id = $2", (before, org_id))
        if not rows:
            raise NotFound(f"there is no callback {before}, or it is not kept any more")
        place = rows[0][0]
    rows = yield Statement(
        f"select {_CALLBACK} from callbacks where org_id = $1 and (cast($2 as text) is null or state = $2)"
        " and (cast($3 as text) is null or subject = $3 or substr(subject, 25) = $3)"
        " and (cast($4 as bigint) is null or place < $4) order by place desc limit $5",
        (org_id, state, subject, place, limit),
    )
    return [_callback_of(row) for row in rows]


def one(org_id: str, callback_id: str, lock: str = "") -> Steps[Callback]:
    """One callback of the organisation. Raises NotFound."""
    rows = yield Statement(
        f"select {_CALLBACK} from callbacks where id = $1 and org_id = $2 {lock}", (callback_id, org_id)
    )
    if not rows:
        raise NotFound(f"there is no callback {callback_id}, or it is not kept any more")
    return _callback_of(rows[0])


def retry(org_id: str, callback_id: str, now: int) -> Steps[Callback]:
    """Have it told once more, as it was told before; one that is on its way is tried now, unless another one of its
    subject is before it. Raises NotFound.
    """
    found = yield from one(org_id, callback_id, FOR_UPDATE)
    if found.state is DeliveryState.PENDING:
        yield Statement("update callbacks set next_at = $2 where id = $1 and next_at > $2", (callback_id, now))
    else:
        yield Statement(
            "update callbacks set state = 'pending', next_at = $2, tried_since = $2, ended_at = null where id = $1",
            (callback_id, now),
        )
    return (yield from one(org_id, callback_id))


def pending() -> Steps[int]:
    """How many are on their way, of the whole house."""
    rows = yield Statement("select count(*) from callbacks where state = 'pending'")
    count: int = rows[0][0]
    return count


def sweep(before: int, most: int) -> Steps[int]:
    """Forget callbacks that ended before a time, a portion of them: how many. Those of servers that are alive stay:
    by them it is known that they were told.
    """
    rows = yield Statement(
        "delete from callbacks where place in (select c.place from callbacks c where c.ended_at < $1 and not exists"
        " (select 1 from servers s where s.id = c.subject and s.state not in ('stopped', 'failed')) limit $2)"
        " returning 1",
        (before, most),
    )
    return len(rows)


# -- secrets --------------------------------------------------------------------------------------------------------


def secret(org_id: str) -> Steps[SealedSecret | None]:
    """What the organisation's callbacks are signed with, where it was needed already."""
    rows = yield Statement(
        "select secret_sealed, old_secret_sealed, old_until from callback_secrets where org_id = $1", (org_id,)
    )
    return SealedSecret._make(rows[0]) if rows else None


def add_secret(org_id: str, sealed: str, now: int) -> Steps[SealedSecret]:
    """Keep a first secret, unless there is one: the one that holds."""
    yield Statement(
        "insert into callback_secrets (org_id, secret_sealed, created_at) values ($1, $2, $3)"
        " on conflict (org_id) do nothing",
        (org_id, sealed, now),
    )
    found = yield from secret(org_id)
    assert found is not None
    return found


def rotate(org_id: str, sealed: str, now: int, old_until: int) -> Steps[SealedSecret]:
    """Sign with another secret, and until a time with the one before as well, where there was one."""
    yield Statement(
        "insert into callback_secrets (org_id, secret_sealed, created_at) values ($1, $2, $3)"
        " on conflict (org_id) do update set old_secret_sealed = callback_secrets.secret_sealed, old_until = $4,"
        " secret_sealed = excluded.secret_sealed",
        (org_id, sealed, now, old_until),
    )
    found = yield from secret(org_id)
    assert found is not None
    return found


def _callback_of(row: Sequence[Any]) -> Callback:
    return Callback._make([*row[:5], DeliveryState(row[5]), *row[6:]])
