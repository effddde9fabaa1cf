"""Who is listened for, and what happened: passed on from the outbox, read again, and forgotten after its time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID, uuid5

from innkeeper.db.database import Many, Row, Statement, Steps
from innkeeper.db.sql import FOR_UPDATE, listed
from innkeeper.notices.kinds import Kinds, topic_of
from innkeeper.notices.model import LISTENED, Event, Webhook

from . import deliveries, webhooks

EVENT = "id, org_id, number, app_id, kind, subject, at, data"


class Passed(NamedTuple):
    """What one transaction passed on."""

    orgs: Sequence[str]  #: those who have news
    events: int


def mark(org_id: str, now: int) -> Steps[None]:
    """Somebody of this organisation reads events: what happens is written down from now on."""
    yield Statement(
        "insert into listeners (org_id, until) values ($1, $2) on conflict (org_id) do update"
        " set until = excluded.until where listeners.until is not null and listeners.until < excluded.until",
        (org_id, now + LISTENED),
    )


def listening() -> Steps[bool]:
    """Whether anybody is listened for."""
    rows = yield Statement("select 1 from listeners limit 1")
    return bool(rows)


def latest(org_id: str) -> Steps[int]:
    """The number of the organisation's last event; 0 before the first."""
    rows = yield Statement("select max(number) from events where org_id = $1", (org_id,))
    return rows[0][0] or 0


def id_of(org_id: str, number: int) -> Steps[str | None]:
    """The id of the event that has a number; None where there is none, or it is not kept any more."""
    rows = yield Statement("select id from events where org_id = $1 and number = $2", (org_id, number))
    return rows[0][0] if rows else None


def told() -> Steps[bool]:
    """Whether anything waits to be passed on."""
    rows = yield Statement("select 1 from outbox limit 1")
    return bool(rows)


def pass_on(now: int, event_ids: Sequence[str]) -> Steps[Passed]:
    """Number the oldest of what was told, at most as many as there are ids, and owe them to the webhooks they are for.

    One transaction: cut off, it is simply repeated. One keeper alone may do it.
    """
    news = yield Statement(
        "select id, kind, subject, at, data, app_id, org_id from outbox order by id limit $1", (len(event_ids),)
    )
    if not news:
        return Passed((), 0)
    orgs = sorted({row[6] for row in news})
    their = (json.dumps(orgs),)
    rows = yield Statement(
        f"select org_id, max(number) from events where org_id in ({listed('$1')}) group by org_id", their
    )
    events = numbered(news, {row[0]: row[1] for row in rows}, event_ids)
    yield Many(
        f"insert into events ({EVENT}, topic) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [(*event, topic_of(event.kind)) for event in events],
    )
    # Locked, in one order: a webhook that is changed or deleted meanwhile waits for us, or we for it.
    rows = yield Statement(
        f"select {webhooks.WEBHOOK} from webhooks where org_id in ({listed('$1')})"
        f" and enabled = 1 and deleted_at is null order by id {FOR_UPDATE}",
        their,
    )
    owed = owed_to([webhooks.webhook_of(row) for row in rows], events)
    yield from deliveries.add(owed, now)
    yield Statement(
        f"delete from outbox where id in ({listed('$1', 'bigint')})", (json.dumps([row[0] for row in news]),)
    )
    return Passed(orgs, len(events))


def numbered(news: Sequence[Row], last: Mapping[str, int], event_ids: Sequence[str]) -> list[Event]:
    """News as events, each organisation's numbered on from its last. Pure."""
    numbers, events = dict(last), list[Event]()
    for (_, kind, subject, at, data, app_id, org_id), event_id in zip(news, event_ids, strict=False):
        numbers[org_id] = numbers.get(org_id, 0) + 1
        events.append(Event(event_id, org_id, numbers[org_id], app_id, kind, subject, at, data))
    return events


def owed_to(hooks: Sequence[Webhook], events: Sequence[Event]) -> list[deliveries.Owed]:
    """The deliveries that follow from events, in their order. Pure: the same event and webhook give the same id."""
    return [
        deliveries.Owed(
            f"dlv-{uuid5(UUID(event.id.removeprefix('evt-')), hook.id)}", hook.id, event.id, event.subject, None
        )
        for event in events
        for hook in hooks
        if hook.org_id == event.org_id and hook.wants(event.kind, event.app_id)
    ]


def after(org_id: str, number: int, kinds: Kinds, app_id: str | None, limit: int) -> Steps[tuple[list[Event], int]]:
    """The first events behind a number, and how far was looked: at most ``limit`` events, wanted or not."""
    rows = yield Statement(
        f"select {EVENT} from events where org_id = $1 and number > $2 order by number limit $3",
        (org_id, number, limit),
    )
    events = [Event(*row) for row in rows]
    wanted = [one for one in events if app_id in (None, one.app_id) and kinds.match(one.kind)]
    return wanted, events[-1].number if events else number


def last(org_id: str, kinds: Kinds, app_id: str | None, limit: int) -> Steps[list[Event]]:
    """The newest events of those wanted, in their order."""
    every, topics, exact = _places(kinds)
    rows = yield Statement(
        f"select {EVENT} from events where org_id = $1 and ($2 = 1 or topic in ({listed('$3')})"
        f" or kind in ({listed('$4')})) and (cast($5 as text) is null or app_id = $5) order by number desc limit $6",
        (org_id, every, topics, exact, app_id, limit),
    )
    return [Event(*row) for row in reversed(rows)]


def replayable(webhook: Webhook, after: int, since: int, limit: int) -> Steps[list[tuple[str, str, int]]]:
    """``(id, subject, number)`` of the events that a webhook is for, that happened since, and are not on their way."""
    every, topics, exact = _places(webhook.kinds)
    rows = yield Statement(
        f"select id, subject, number from events e where org_id = $1 and number > $2 and at >= $3"
        f" and ($4 = 1 or topic in ({listed('$5')}) or kind in ({listed('$6')}))"
        f" and (cast($7 as text) is null or app_id = $7) and not exists (select 1 from deliveries d"
        f" where d.event_id = e.id and d.webhook_id = $8 and d.state = 'pending') order by number limit $9",
        (webhook.org_id, after, since, every, topics, exact, webhook.app_id, webhook.id, limit),
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _places(kinds: Kinds) -> tuple[int, str, str]:
    return int(kinds.every), json.dumps(kinds.topics), json.dumps(kinds.words)


def prune(now: int) -> Steps[None]:
    """Forget who has not been heard of, and see that those with webhooks are listened for, and no others for ever."""
    yield Statement("delete from listeners where until < $1", (now,))
    yield Statement(
        "update listeners set until = $1 where until is null and not exists (select 1 from webhooks w"
        " where w.org_id = listeners.org_id and w.enabled = 1 and w.deleted_at is null)",
        (now + LISTENED,),
    )
    yield Statement(
        "insert into listeners (org_id, until) select distinct org_id, cast(null as bigint) from webhooks"
        " where enabled = 1 and deleted_at is null on conflict (org_id) do update set until = null"
        " where listeners.until is not null"
    )


def sweep(before: int, most: int) -> Steps[int]:
    """Forget events of before a time, a portion of them: how many. Those that a delivery tells of stay, and the last
    of each organisation, which its next one is numbered by.
    """
    rows = yield Statement(
        "delete from events where id in (select id from events e where at < $1"
        " and not exists (select 1 from deliveries d where d.event_id = e.id)"
        " and number < (select max(number) from events l where l.org_id = e.org_id) limit $2) returning 1",
        (before, most),
    )
    return len(rows)
