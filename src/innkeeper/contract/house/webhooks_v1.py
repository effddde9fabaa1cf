"""Webhooks: where to tell an organisation of events. Declared here, answered in ``api/house/webhooks_v1.py``."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Camel, Moment, UnsetType, checked, told
from innkeeper.contract.words import Word

from . import operation
from .events_v1 import After

_READ = (401, 404)
_CHANGED = (401, 404, 422)

Url = Annotated[str, checked(min_length=1, max_length=2000)]
Note = Annotated[str, checked(max_length=200)]


class DeliveryState(Word):
    """How an event's way to a webhook stands."""

    PENDING = "pending"  #: waits for its first attempt, for the next one, or for the one before it
    DELIVERED = "delivered"  #: the receiver answered with a 2xx
    GIVEN_UP = "given_up"  #: it was tried for three days, the receiver said that it is gone, or it was skipped


class NewWebhook(Camel):
    """Where to send what."""

    url: Url  #: `http` or `https`, without user and password; events are posted to it
    kinds: list[str] | UnsetType = UNSET  #: such as `room.*`, `build.failed` or `*`; all when left out
    app_id: str | UnsetType = UNSET  #: events of this app alone; those of all, and of none, when left out
    note: Note | UnsetType = UNSET  #: for people


class WebhookChange(Camel):
    """What shall be changed; what is left out stays as it is."""

    url: Url | UnsetType = UNSET  #: what waits goes there, too
    kinds: list[str] | UnsetType = UNSET  #: such as `room.*`, `build.failed` or `*`, which is all
    app_id: str | UnsetType | None = UNSET  #: None: events of all apps
    note: Note | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET  #: while it is not, nothing is owed to it, and what waits goes on waiting


class Webhook(Camel):
    """A webhook as it stands. Its secret is told when it is made, and when it is rotated."""

    webhook_id: str
    url: str
    kinds: list[str]
    app_id: str | None  #: None: events of all apps
    note: str
    enabled: bool
    disabled_why: str | None  #: why it is not enabled, where nobody said so
    failures: int  #: attempts that failed since the last delivery
    delivered_at: Moment | None  #: the last delivery
    created_at: Moment
    created_by: str


class WebhookWithSecret(Webhook):
    """A webhook with its secret, which is shown this once."""

    secret: str  #: `whsec_` and base64: what the receiver checks signatures with


class WebhookList(Camel):
    """All webhooks of the organisation."""

    webhooks: list[Webhook]  #: the oldest first


class WebhookTest(Camel):
    """What came of a test."""

    event_id: str  #: as the receiver was told it
    delivered: bool
    status: int | None  #: of the answer; None where nobody answered
    told: str  #: how the answer begins; where nobody answered, why
    milliseconds: int


class Delivery(Camel):
    """One event on its way to one webhook."""

    delivery_id: str
    event_id: str
    number: int  #: of the event
    type: str  #: of the event
    subject: str  #: id of what the event is about; events of one subject go out one after the other
    state: DeliveryState
    attempts: int  #: that were made
    next_at: Moment | None  #: of the next attempt; None also while another event of its subject is before it
    last_at: Moment | None  #: of the last attempt
    last_status: int | None  #: of the last answer, where there was one
    last_error: str | None  #: why the last attempt failed: how the answer begins, or why there was none
    created_at: Moment
    ended_at: Moment | None
    replay_of: str | None  #: id of the delivery that this one repeats
    waits_for: str | None  #: id of the delivery of its subject that has to end before; None where none is before it


class DeliveryPage(Camel):
    """Some deliveries of a webhook."""

    deliveries: list[Delivery]  #: the newest first
    before: str | UnsetType = UNSET  #: id to ask on before; left out on the last page


class Line(Camel):
    """Deliveries of one subject that are on their way: they go out one after the other."""

    first: Delivery  #: the one that the others wait for
    behind: int  #: how many wait for it


class LineList(Camel):
    """What waits for a webhook's receiver, or for other deliveries."""

    lines: list[Line]  #: those in which something waits behind the first; the longest first, 20 at most
    waiting: int  #: deliveries that are on their way, of these lines and all others


class Replay(Camel):
    """From where to send again; one of the two."""

    after: After | UnsetType = UNSET  #: the events behind this number
    since: Moment | UnsetType = UNSET  #: the events since this time


class Replayed(Camel):
    """How much is sent again."""

    deliveries: int
    after: int | None  #: number to go on after, where there is more; None where that was all


def _older(page: DeliveryPage) -> dict[str, Any] | None:
    return None if isinstance(page.before, UnsetType) else {"before": page.before}


class WebhooksV1(Resource[M]):
    """Webhooks: what happened, posted to a URL of yours and signed by the Standard Webhooks specification."""

    @operation("POST", "/house/v1/webhooks", status=201, scope="orgs:read-write", errors=(401, 402, 404, 422))
    def create_webhook(self, params: NewWebhook) -> WebhookWithSecret:
        """Have events sent to a URL. The secret is in the answer, this once."""
        ...

    @operation("GET", "/house/v1/webhooks", scope="orgs:read", errors=(401,))
    def get_webhooks(self) -> WebhookList:
        """List the organisation's webhooks."""
        ...

    @operation("GET", "/house/v1/webhooks/{webhookId}", scope="orgs:read", errors=_READ)
    def get_webhook(self, webhook_id: str) -> Webhook:
        """Look at one webhook."""
        ...

    @operation("PATCH", "/house/v1/webhooks/{webhookId}", scope="orgs:read-write", errors=_CHANGED, idempotent=True)
    def change_webhook(self, webhook_id: str, params: WebhookChange) -> Webhook:
        """Change a webhook, disable it, or enable it again."""
        ...

    @operation("POST", "/house/v1/webhooks/{webhookId}/rotate", scope="orgs:read-write", errors=_READ)
    def rotate_secret(self, webhook_id: str) -> WebhookWithSecret:
        """Give it another secret, which is in the answer, this once. For a day the one before signs as well."""
        ...

    @operation("DELETE", "/house/v1/webhooks/{webhookId}", status=204, scope="orgs:read-write", errors=_READ)
    def delete_webhook(self, webhook_id: str) -> None:
        """Delete a webhook, with all that waits for it and its history."""
        ...

    @operation("POST", "/house/v1/webhooks/{webhookId}/test", scope="orgs:read-write", errors=(401, 404, 429))
    def test_webhook(self, webhook_id: str) -> WebhookTest:
        """Send an event `webhook.test` now, once, and tell what came of it. It is no event and is not kept."""
        ...

    @operation("GET", "/house/v1/webhooks/{webhookId}/deliveries", scope="orgs:read", errors=_CHANGED, paging=_older)
    def get_deliveries(
        self,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        before: str | None = None,
        limit: Annotated[int, Meta(ge=1, le=200), told(default=50)] | None = None,
    ) -> DeliveryPage:
        """List what was delivered, is on its way, or was given up; the newest first."""
        ...

    @operation(
        "POST",
        "/house/v1/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver",
        scope="orgs:read-write",
        errors=_CHANGED,
    )
    def redeliver(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Have an event delivered again. One that is on its way still is tried now."""
        ...

    @operation("GET", "/house/v1/webhooks/{webhookId}/lines", scope="orgs:read", errors=_READ)
    def get_lines(self, webhook_id: str) -> LineList:
        """Tell which deliveries hold back others: those of one subject wait until the one before them has ended."""
        ...

    @operation(
        "POST",
        "/house/v1/webhooks/{webhookId}/deliveries/{deliveryId}/skip",
        scope="orgs:read-write",
        errors=_CHANGED,
    )
    def skip_delivery(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Give up a delivery that is on its way, so that the next of its subject goes out. It can be redelivered."""
        ...

    @operation("POST", "/house/v1/webhooks/{webhookId}/replay", scope="orgs:read-write", errors=_CHANGED)
    def replay_events(self, webhook_id: str, params: Replay) -> Replayed:
        """Have all events that the webhook is for delivered again, from somewhere on: at most 1,000 in one call."""
        ...
