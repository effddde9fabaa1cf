"""Callbacks of an organisation. Declared in ``contract/house/callbacks_v1.py``."""

from __future__ import annotations

from msgspec import UNSET

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.house.callbacks_v1 import (
    Callback,
    CallbackPage,
    CallbackSecret,
    CallbackState,
    CallbacksV1,
)
from innkeeper.kit.stamps import moment, moment_or_none
from innkeeper.notices import model
from innkeeper.notices.callbacks import Shown


def callback_data(one: model.Callback) -> Callback:
    """A callback as this API tells it."""
    return Callback(
        callback_id=one.id,
        kind=one.kind,
        subject=one.subject,
        occasion=one.occasion,
        url=one.url,
        state=CallbackState(one.state.value),
        attempts=one.attempts,
        next_at=moment_or_none(one.next_at),
        last_at=moment_or_none(one.last_at),
        last_status=one.last_status,
        last_error=one.last_error,
        created_at=moment(one.created_at),
        ended_at=moment_or_none(one.ended_at),
    )


def _secret_data(shown: Shown) -> CallbackSecret:
    return CallbackSecret(secret=shown.secret, old_until=moment_or_none(shown.old_until))


@implements(CallbacksV1.get_callbacks)
async def get_callbacks(
    visit: Visit,
    *,
    state: CallbackState | None = None,
    subject: str | None = None,
    before: str | None = None,
    limit: int | None = None,
) -> CallbackPage:
    found, more = await visit.wings.callbacks.list(
        visit.org,
        state=None if state is None else model.DeliveryState(state.value),
        subject=subject,
        before=before,
        limit=limit,
    )
    return CallbackPage(callbacks=[callback_data(one) for one in found], before=found[-1].id if more else UNSET)


@implements(CallbacksV1.retry_callback)
async def retry_callback(visit: Visit, callback_id: str) -> Callback:
    return callback_data(await visit.wings.callbacks.retry(visit.org, callback_id))


@implements(CallbacksV1.get_callback_secret)
async def get_callback_secret(visit: Visit) -> CallbackSecret:
    return _secret_data(await visit.wings.callbacks.secret(visit.org))


@implements(CallbacksV1.rotate_callback_secret)
async def rotate_callback_secret(visit: Visit) -> CallbackSecret:
    return _secret_data(await visit.wings.callbacks.rotate(visit.org))
