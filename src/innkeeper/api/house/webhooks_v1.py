"""Webhooks of an organisation. Declared in ``contract/house/webhooks_v1.py``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, UnsetType

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.house.webhooks_v1 import (
    Delivery,
    DeliveryPage,
    DeliveryState,
    Line,
    LineList,
    NewWebhook,
    Replay,
    Replayed,
    Webhook,
    WebhookChange,
    WebhookList,
    WebhooksV1,
    WebhookTest,
    WebhookWithSecret,
)
from innkeeper.contract.shape import given
from innkeeper.kit.clock import SECOND
from innkeeper.kit.stamps import moment, moment_or_none
from innkeeper.notices import model
from innkeeper.notices.webhooks import Change

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _fields(webhook: model.Webhook) -> dict[str, Any]:
    return {
        "webhook_id": webhook.id,
        "url": webhook.url,
        "kinds": list(webhook.kinds.words),
        "app_id": webhook.app_id,
        "note": webhook.note,
        "enabled": webhook.enabled,
        "disabled_why": webhook.disabled_why,
        "failures": webhook.failures,
        "delivered_at": moment_or_none(webhook.delivered_at),
        "created_at": moment(webhook.created_at),
        "created_by": webhook.created_by,
    }


def delivery_data(one: model.Delivery) -> Delivery:
    """A delivery as this API tells it."""
    return Delivery(
        delivery_id=one.id,
        event_id=one.event_id,
        number=one.number,
        type=one.kind,
        subject=one.subject,
        state=DeliveryState(one.state.value),
        attempts=one.attempts,
        next_at=moment_or_none(one.next_at),
        last_at=moment_or_none(one.last_at),
        last_status=one.last_status,
        last_error=one.last_error,
        created_at=moment(one.created_at),
        ended_at=moment_or_none(one.ended_at),
        replay_of=one.replay_of,
        waits_for=one.waits_for,
    )


@implements(WebhooksV1.create_webhook)
async def create_webhook(visit: Visit, params: NewWebhook) -> WebhookWithSecret:
    webhook, secret = await visit.wings.webhooks.create(
        visit.org,
        visit.by,
        url=params.url,
        kinds=given(params.kinds),
        app_id=given(params.app_id),
        note=given(params.note) or "",
    )
    return WebhookWithSecret(**_fields(webhook), secret=secret)


@implements(WebhooksV1.get_webhooks)
async def get_webhooks(visit: Visit) -> WebhookList:
    return WebhookList(webhooks=[Webhook(**_fields(one)) for one in await visit.wings.webhooks.all(visit.org)])


@implements(WebhooksV1.get_webhook)
async def get_webhook(visit: Visit, webhook_id: str) -> Webhook:
    return Webhook(**_fields(await visit.wings.webhooks.get(visit.org, webhook_id)))


@implements(WebhooksV1.change_webhook)
async def change_webhook(visit: Visit, webhook_id: str, params: WebhookChange) -> Webhook:
    change = Change(
        url=given(params.url),
        kinds=given(params.kinds),
        note=given(params.note),
        enabled=given(params.enabled),
        app_id=given(params.app_id),
        every_app=params.app_id is None,
    )
    return Webhook(**_fields(await visit.wings.webhooks.change(visit.org, webhook_id, change)))


@implements(WebhooksV1.rotate_secret)
async def rotate_secret(visit: Visit, webhook_id: str) -> WebhookWithSecret:
    webhook, secret = await visit.wings.webhooks.rotate(visit.org, webhook_id)
    return WebhookWithSecret(**_fields(webhook), secret=secret)


@implements(WebhooksV1.delete_webhook)
async def delete_webhook(visit: Visit, webhook_id: str) -> None:
    await visit.wings.webhooks.delete(visit.org, webhook_id)


@implements(WebhooksV1.test_webhook)
async def test_webhook(visit: Visit, webhook_id: str) -> WebhookTest:
    tried = await visit.wings.webhooks.test(visit.org, webhook_id)
    return WebhookTest(
        event_id=tried.event.id,
        delivered=tried.answer.delivered,
        status=tried.answer.status,
        told=tried.answer.told,
        milliseconds=tried.milliseconds,
    )


@implements(WebhooksV1.get_deliveries)
async def get_deliveries(
    visit: Visit,
    webhook_id: str,
    *,
    state: DeliveryState | None = None,
    before: str | None = None,
    limit: int | None = None,
) -> DeliveryPage:
    found, more = await visit.wings.webhooks.deliveries(
        visit.org,
        webhook_id,
        state=None if state is None else model.DeliveryState(state.value),
        before=before,
        limit=limit,
    )
    return DeliveryPage(deliveries=[delivery_data(one) for one in found], before=found[-1].id if more else UNSET)


@implements(WebhooksV1.get_lines)
async def get_lines(visit: Visit, webhook_id: str) -> LineList:
    lines, waiting = await visit.wings.webhooks.lines(visit.org, webhook_id)
    return LineList(lines=[Line(first=delivery_data(one.first), behind=one.behind) for one in lines], waiting=waiting)


@implements(WebhooksV1.skip_delivery)
async def skip_delivery(visit: Visit, webhook_id: str, delivery_id: str) -> Delivery:
    return delivery_data(await visit.wings.webhooks.skip(visit.org, visit.by, webhook_id, delivery_id))


@implements(WebhooksV1.redeliver)
async def redeliver(visit: Visit, webhook_id: str, delivery_id: str) -> Delivery:
    return delivery_data(await visit.wings.webhooks.redeliver(visit.org, webhook_id, delivery_id))


@implements(WebhooksV1.replay_events)
async def replay_events(visit: Visit, webhook_id: str, params: Replay) -> Replayed:
    since = None if isinstance(params.since, UnsetType) else round((params.since - _EPOCH).total_seconds() * SECOND)
    replayed = await visit.wings.webhooks.replay(visit.org, webhook_id, after=given(params.after), since=since)
    return Replayed(deliveries=replayed.deliveries, after=replayed.after)
