"""Webhooks: made, found, changed, deleted; and with them whether their organisation is listened for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from innkeeper.db.database import Row, Statement, Steps
from innkeeper.db.sql import FOR_UPDATE
from innkeeper.kit.errors import LimitReached, NotFound
from innkeeper.notices.kinds import Kinds
from innkeeper.notices.model import LISTENED, MOST_WEBHOOKS, Target, Webhook

WEBHOOK = "id, org_id, app_id, url, kinds, note, enabled, disabled_why, failures, delivered_at, created_at, created_by"


def webhook_of(row: Row) -> Webhook:
    """A row of the columns above."""
    fields: list[Any] = list(row)
    fields[4], fields[6] = Kinds.stored(row[4]), bool(row[6])
    return Webhook(*fields)


def webhooks(org_id: str) -> Steps[list[Webhook]]:
    """An organisation's webhooks, the oldest first."""
    rows = yield Statement(
        f"select {WEBHOOK} from webhooks where org_id = $1 and deleted_at is null order by created_at, id", (org_id,)
    )
    return [webhook_of(row) for row in rows]


def webhook(org_id: str, webhook_id: str, lock: str = "") -> Steps[Webhook]:
    """One webhook of the organisation. Raises NotFound."""
    rows = yield Statement(
        f"select {WEBHOOK} from webhooks where id = $1 and org_id = $2 and deleted_at is null {lock}",
        (webhook_id, org_id),
    )
    if not rows:
        raise NotFound(f"there is no webhook {webhook_id}")
    return webhook_of(rows[0])


def target(org_id: str, webhook_id: str) -> Steps[Target]:
    """Where a webhook's requests go, and its sealed secrets. Raises NotFound."""
    rows = yield Statement(
        "select id, org_id, url, secret_sealed, old_secret_sealed, old_until from webhooks"
        " where id = $1 and org_id = $2 and deleted_at is null",
        (webhook_id, org_id),
    )
    if not rows:
        raise NotFound(f"there is no webhook {webhook_id}")
    return Target(*rows[0])


def add(new: Webhook, sealed: str) -> Steps[Webhook]:
    """Keep a new webhook, and listen for its organisation. Raises LimitReached, and NotFound for its app."""
    yield from _listen(new.org_id)  # its row is held from here on: nobody else counts meanwhile
    yield from require_app(new.org_id, new.app_id)
    rows = yield Statement("select count(*) from webhooks where org_id = $1 and deleted_at is null", (new.org_id,))
    if rows[0][0] >= MOST_WEBHOOKS:
        raise LimitReached(f"the organisation has {MOST_WEBHOOKS} webhooks, and may have no more: delete one first")
    yield Statement(
        f"insert into webhooks ({WEBHOOK}, secret_sealed)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        (
            new.id, new.org_id, new.app_id, new.url, new.kinds.text, new.note, int(new.enabled), new.disabled_why,
            new.failures, new.delivered_at, new.created_at, new.created_by, sealed,
        ),
    )  # fmt: skip
    return new


def require_app(org_id: str, app_id: str | None) -> Steps[None]:
    """An app that is named is one of the organisation. Raises NotFound."""
    if app_id is None:
        return
    rows = yield Statement("select 1 from apps where id = $1 and org_id = $2 and deleted_at is null", (app_id, org_id))
    if not rows:
        raise NotFound(f"there is no app {app_id}")


def change(org_id: str, webhook_id: str, change: Callable[[Webhook], Webhook], now: int) -> Steps[Webhook]:
    """Change a webhook. Raises NotFound for it, and for its app."""
    yield from _listen(org_id)
    before = yield from webhook(org_id, webhook_id, FOR_UPDATE)
    new = change(before)
    if new.app_id != before.app_id:
        yield from require_app(org_id, new.app_id)
    yield Statement(
        "update webhooks set app_id = $2, url = $3, kinds = $4, note = $5, enabled = $6, disabled_why = $7,"
        " failures = $8 where id = $1",
        (
            new.id, new.app_id, new.url, new.kinds.text, new.note, int(new.enabled), new.disabled_why, new.failures,
        ),
    )  # fmt: skip
    yield from _unlisten(org_id, now)
    return new


def rotate(org_id: str, webhook_id: str, sealed: str, old_until: int) -> Steps[Webhook]:
    """Sign with another secret, and until a time with the one before as well. Raises NotFound."""
    found = yield from webhook(org_id, webhook_id, FOR_UPDATE)
    yield Statement(
        "update webhooks set old_secret_sealed = secret_sealed, old_until = $3, secret_sealed = $2 where id = $1",
        (webhook_id, sealed, old_until),
    )
    return found


def delete(org_id: str, webhook_id: str, now: int) -> Steps[None]:
    """Delete a webhook with its secrets. Its deliveries are forgotten by the next sweep. Raises NotFound."""
    yield from _listen(org_id)
    yield from webhook(org_id, webhook_id, FOR_UPDATE)
    yield Statement(
        "update webhooks set deleted_at = $2, secret_sealed = '', old_secret_sealed = null where id = $1",
        (webhook_id, now),
    )
    yield from _unlisten(org_id, now)


def disable(webhook_id: str, why: str, now: int) -> Steps[None]:
    """The receiver wants nothing more."""
    rows = yield Statement("select org_id from webhooks where id = $1 and deleted_at is null", (webhook_id,))
    if rows:
        yield from _listen(rows[0][0])
        yield Statement(
            "update webhooks set enabled = 0, disabled_why = $2 where id = $1 and enabled = 1", (webhook_id, why)
        )
        yield from _unlisten(rows[0][0], now)


def sweep() -> Steps[None]:
    """Forget deleted webhooks that nothing is on record of any more."""
    yield Statement(
        "delete from webhooks where deleted_at is not null"
        " and not exists (select 1 from deliveries d where d.webhook_id = webhooks.id)"
    )


def _listen(org_id: str) -> Steps[None]:
    """The organisation is listened for; its row is held until the end of the transaction."""
    yield Statement(
        "insert into listeners (org_id, until) values ($1, null) on conflict (org_id) do update set until = null",
        (org_id,),
    )


def _unlisten(org_id: str, now: int) -> Steps[None]:
    """Listen no more where no webhook is left; a while longer, for streams that are open say so again within it."""
    yield Statement(
        "update listeners set until = $2 where org_id = $1 and not exists"
        " (select 1 from webhooks where org_id = $1 and enabled = 1 and deleted_at is null)",
        (org_id, now + LISTENED),
    )
