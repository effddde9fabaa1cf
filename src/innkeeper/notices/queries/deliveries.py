"""Deliveries: owed, due, recorded, listed, forgotten.

Deliveries of one subject to one webhook are a *line*: the first that is pending has a time for its next attempt
(``next_at``), those behind it have none. Whoever adds to a line or ends its first holds the webhook's row, so that no
line is left without a first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from innkeeper.db.database import Many, Statement, Steps, Value
from innkeeper.db.sql import FOR_UPDATE, tabled
from innkeeper.kit.errors import NotFound
from innkeeper.notices.model import TRIED, Delivery, DeliveryState, Due, Event, Line
from innkeeper.notices.schedule import in_a_row

from . import webhooks

_DELIVERY = (
    "d.id, d.webhook_id, d.event_id, e.number, e.kind, e.subject, d.state, d.attempts, d.next_at, d.last_at,"
    " d.last_status, d.last_error, d.created_at, d.ended_at, d.replay_of,"
    " case when d.state = 'pending' and d.next_at is null then (select h.id from deliveries h"
    " where h.webhook_id = d.webhook_id and h.subject = d.subject and h.state = 'pending' and h.next_at is not null"
    " order by h.place limit 1) end"
)
_EVENT = "e.id, e.org_id, e.number, e.app_id, e.kind, e.subject, e.at, e.data"
#: An attempt as a row: its columns are those of ``record``.
_ATTEMPTS = tabled(
    "$1", delivery_id="text", state="text", next_at="bigint", last_at="bigint", status="bigint", error="text",
    ended_at="bigint",
)  # fmt: skip
_WEBHOOK = "w.org_id, w.url, w.secret_sealed, w.old_secret_sealed, w.old_until"


class Owed(NamedTuple):
    """A delivery to be made."""

    id: str
    webhook_id: str
    event_id: str
    subject: str
    replay_of: str | None


class Attempt(NamedTuple):
    """What is recorded of an attempt, and what follows from it."""

    delivery_id: str
    webhook_id: str
    subject: str
    state: DeliveryState
    next_at: int | None
    at: int
    status: int | None
    error: str | None
    disabled_why: str | None = None  #: the receiver wants nothing more, ever, and why


def add(owed: Sequence[Owed], now: int) -> Steps[None]:
    """Owe them, in this order. The webhooks' rows are held."""
    if not owed:
        return
    rows: list[Sequence[Value]] = [
        (one.id, one.webhook_id, one.event_id, one.subject, now, one.replay_of) for one in owed
    ]
    yield Many(
        "insert into deliveries (id, webhook_id, event_id, subject, state, attempts, created_at, replay_of)"
        " values ($1, $2, $3, $4, 'pending', 0, $5, $6)",
        rows,
    )
    yield from _lead({(one.webhook_id, one.subject) for one in owed}, now)


def _lead(lines: set[tuple[str, str]], now: int) -> Steps[None]:
    """The first of each of these lines is due, where it has no time yet."""
    if not lines:
        return
    yield Statement(
        "update deliveries set next_at = $2 where next_at is null and state = 'pending' and place in (select"
        " (select min(d.place) from deliveries d where d.webhook_id = l.webhook_id and d.subject = l.subject"
        f" and d.state = 'pending') from ({tabled('$1', webhook_id='text', subject='text')}) as l)",
        (json.dumps(sorted(lines)), now),
    )


def due_times() -> Steps[list[tuple[str, int]]]:
    """For each webhook that something waits for and that is enabled, when the first attempt is due."""
    rows = yield Statement(
        "select w.id, (select min(d.next_at) from deliveries d where d.webhook_id = w.id and d.next_at is not null)"
        " from webhooks w where w.enabled = 1 and w.deleted_at is null and exists"
        " (select 1 from deliveries d where d.webhook_id = w.id and d.next_at is not null) order by w.id"
    )
    return [(row[0], row[1]) for row in rows]


def due(webhook_id: str, now: int, limit: int) -> Steps[list[Due]]:
    """What is due for a webhook, the longest due first."""
    rows = yield Statement(
        f"select d.id, d.webhook_id, {_WEBHOOK}, d.attempts, d.created_at, {_EVENT} from deliveries d"
        " join webhooks w on w.id = d.webhook_id join events e on e.id = d.event_id"
        " where d.webhook_id = $1 and d.next_at <= $2 and w.enabled = 1 and w.deleted_at is null"
        " order by d.next_at, d.place limit $3",
        (webhook_id, now, limit),
    )
    return [Due._make([*row[:9], Event(*row[9:])]) for row in rows]


def record(attempts: Sequence[Attempt], away: int) -> Steps[None]:
    """Write down what came of attempts for one webhook, in the order in which they ended. ``away`` failures in a row
    mean that the receiver was away: with the first delivery after them, all that waits is due.

    A delivery that somebody ended meanwhile stays as it is; so does all of a webhook that was deleted.
    """
    webhook_id, now = attempts[0].webhook_id, max(one.at for one in attempts)
    for one in attempts:
        if one.disabled_why is not None:
            yield from webhooks.disable(webhook_id, one.disabled_why, one.at)
    rows = yield Statement(
        f"select failures from webhooks where id = $1 and deleted_at is null {FOR_UPDATE}", (webhook_id,)
    )
    if not rows:
        return
    ended = [None if one.state is DeliveryState.PENDING else one.at for one in attempts]
    table = [
        (one.delivery_id, one.state, one.next_at, one.at, one.status, one.error, end)
        for one, end in zip(attempts, ended, strict=True)
    ]
    done = yield Statement(
        "update deliveries set state = a.state, attempts = attempts + 1, next_at = a.next_at, last_at = a.last_at,"
        f" last_status = a.status, last_error = a.error, ended_at = a.ended_at from ({_ATTEMPTS}) as a"
        " where deliveries.id = a.delivery_id and deliveries.state = 'pending' returning deliveries.id",
        (json.dumps(table),),
    )
    known = {row[0] for row in done}
    recorded = [one for one in attempts if one.delivery_id in known]
    if not recorded:
        return
    yield from _lead({(webhook_id, one.subject) for one in recorded if one.state is not DeliveryState.PENDING}, now)
    row = in_a_row([one.state is DeliveryState.DELIVERED for one in recorded], rows[0][0], away)
    delivered_at = max((one.at for one in recorded if one.state is DeliveryState.DELIVERED), default=None)
    yield Statement(
        "update webhooks set failures = $2, delivered_at = coalesce(cast($3 as bigint), delivered_at) where id = $1",
        (webhook_id, row.failures, delivered_at),
    )
    if row.is_back:
        yield Statement("update deliveries set next_at = $2 where webhook_id = $1 and next_at > $2", (webhook_id, now))


def page(webhook_id: str, state: DeliveryState | None, before: str | None, limit: int) -> Steps[list[Delivery]]:
    """A webhook's deliveries, the newest first, those older than ``before`` where it is given. Raises NotFound."""
    place = None
    if before is not None:
        rows = yield Statement("select place from deliveries where id = $1 and webhook_id = $2", (before, webhook_id))
        if not rows:
            raise NotFound(f"there is no delivery {before}, or it is not kept any more")
        place = rows[0][0]
    rows = yield Statement(
        f"select {_DELIVERY} from deliveries d join events e on e.id = d.event_id where d.webhook_id = $1"
        " and (cast($2 as text) is null or d.state = $2) and (cast($3 as bigint) is null or d.place < $3)"
        " order by d.place desc limit $4",
        (webhook_id, state, place, limit),
    )
    return [delivery_of(row) for row in rows]


def one(webhook_id: str, delivery_id: str) -> Steps[Delivery]:
    """One delivery. Raises NotFound."""
    rows = yield Statement(
        f"select {_DELIVERY} from deliveries d join events e on e.id = d.event_id where d.webhook_id = $1"
        " and d.id = $2",
        (webhook_id, delivery_id),
    )
    if not rows:
        raise NotFound(f"there is no delivery {delivery_id}, or it is not kept any more")
    return delivery_of(rows[0])


def lines(webhook_id: str, limit: int) -> Steps[list[Line]]:
    """The lines in which something waits behind the first, those with most of it before the others."""
    rows = yield Statement(
        f"select {_DELIVERY}, l.waiting - 1 from (select min(place) as first, count(*) as waiting from deliveries"
        " where webhook_id = $1 and state = 'pending' group by subject) as l"
        " join deliveries d on d.place = l.first join events e on e.id = d.event_id"
        " where l.waiting > 1 order by l.waiting desc, d.place limit $2",
        (webhook_id, limit),
    )
    return [Line(delivery_of(row[:-1]), row[-1]) for row in rows]


def waiting(webhook_id: str) -> Steps[int]:
    """How many are on their way to a webhook."""
    rows = yield Statement("select count(*) from deliveries where webhook_id = $1 and state = 'pending'", (webhook_id,))
    count: int = rows[0][0]
    return count


def skip(webhook_id: str, delivery_id: str, why: str, now: int) -> Steps[bool]:
    """Give up a pending delivery, so that the next of its line is due. False where it was not pending. The webhook's
    row is held. What comes of an attempt that is under way is not written down any more.
    """
    rows = yield Statement(
        "update deliveries set state = 'given_up', next_at = null, ended_at = $3,"
        " last_error = $4 || coalesce('; before: ' || last_error, '')"
        " where webhook_id = $1 and id = $2 and state = 'pending' returning subject",
        (webhook_id, delivery_id, now, why),
    )
    yield from _lead({(webhook_id, row[0]) for row in rows}, now)
    return bool(rows)


def hurry(webhook_id: str, delivery_id: str, now: int) -> Steps[None]:
    """Make a pending delivery's next attempt due; one that stands behind another in its line stays there."""
    yield Statement(
        "update deliveries set next_at = $3 where webhook_id = $1 and id = $2 and next_at > $3",
        (webhook_id, delivery_id, now),
    )


def pending() -> Steps[int]:
    """How many are on their way, of the whole house."""
    rows = yield Statement("select count(*) from deliveries where state = 'pending'")
    count: int = rows[0][0]
    return count


def give_up(now: int, most: int) -> Steps[int]:
    """Give up on what waited too long for a webhook that is disabled, a portion of it: how many."""
    rows = yield Statement(
        "update deliveries set state = 'given_up', next_at = null, ended_at = $1, last_error ="
        " coalesce(last_error, 'the webhook was disabled') where place in (select d.place from deliveries d"
        " join webhooks w on w.id = d.webhook_id where w.enabled = 0 and d.state = 'pending' and d.created_at < $2"
        " limit $3) returning 1",
        (now, now - TRIED, most),
    )
    return len(rows)


def sweep(before: int, most: int) -> Steps[int]:
    """Forget deliveries that ended before a time, and those of deleted webhooks, a portion of them: how many."""
    ended = yield Statement(
        "delete from deliveries where place in (select place from deliveries where ended_at < $1 limit $2) returning 1",
        (before, most),
    )
    orphaned = yield Statement(
        "delete from deliveries where place in (select d.place from deliveries d join webhooks w on w.id = d.webhook_id"
        " where w.deleted_at is not null limit $1) returning 1",
        (most,),
    )
    return max(len(ended), len(orphaned))


def delivery_of(row: Sequence[Any]) -> Delivery:
    """A row of the columns above."""
    return Delivery._make([*row[:6], DeliveryState(row[6]), *row[7:]])
