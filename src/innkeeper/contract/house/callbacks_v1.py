"""Callbacks: what is told once to a URL that came with a request. Declared here, answered in
``api/house/callbacks_v1.py``.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Camel, Moment, UnsetType, told
from innkeeper.contract.words import Word

from . import operation


class CallbackState(Word):
    """How a callback stands."""

    PENDING = "pending"  #: waits for its first attempt, for the next one, or for the one before it
    DELIVERED = "delivered"  #: the receiver answered with a 2xx
    GIVEN_UP = "given_up"  #: it was tried for a day, the receiver said that it is gone, or nothing is left to tell of


class Callback(Camel):
    """What is told once of one thing."""

    callback_id: str  #: as the receiver is told it: the header `webhook-id`
    kind: str  #: in whose words, and of what: `edgegap.deployment`, `edgegap.session`, `edgegap.telemetry`
    subject: str  #: id of what it is about; those of one subject go out to one receiver one after the other
    occasion: str  #: what it has come to, such as `ready`, `failed` or `ended`; each is told once
    url: str
    state: CallbackState
    attempts: int  #: that were made
    next_at: Moment | None  #: of the next attempt; None also while another one of its subject is before it
    last_at: Moment | None  #: of the last attempt
    last_status: int | None  #: of the last answer, where there was one
    last_error: str | None  #: why the last attempt failed: how the answer begins, or why there was none
    created_at: Moment
    ended_at: Moment | None


class CallbackPage(Camel):
    """Some callbacks of the organisation."""

    callbacks: list[Callback]  #: the newest first
    before: str | UnsetType = UNSET  #: id to ask on before; left out on the last page


class CallbackSecret(Camel):
    """What the organisation's callbacks are signed with."""

    secret: str  #: `whsec_` and base64: what receivers check signatures with
    old_until: Moment | None  #: until then the one before signs as well; None where none does


def _older(page: CallbackPage) -> dict[str, Any] | None:
    return None if isinstance(page.before, UnsetType) else {"before": page.before}


class CallbacksV1(Resource[M]):
    """Callbacks: what a request asked to be told of, posted to the URL that came with it, signed and tried again."""

    @operation("GET", "/house/v1/callbacks", scope="orgs:read", errors=(401, 404, 422), paging=_older)
    def get_callbacks(
        self,
        *,
        state: CallbackState | None = None,
        subject: str | None = None,
        before: str | None = None,
        limit: Annotated[int, Meta(ge=1, le=200), told(default=50)] | None = None,
    ) -> CallbackPage:
        """List what was told, is still to be told, or was given up; the newest first."""
        ...

    @operation("POST", "/house/v1/callbacks/{callbackId}/retry", scope="orgs:read-write", errors=(401, 404))
    def retry_callback(self, callback_id: str) -> Callback:
        """Have it told once more, byte for byte as before. One that is on its way still is tried now."""
        ...

    @operation("GET", "/house/v1/callbacks/secret", scope="orgs:read-write", errors=(401,))
    def get_callback_secret(self) -> CallbackSecret:
        """Tell the secret that the organisation's callbacks are signed with. It is made when it is needed first."""
        ...

    @operation("POST", "/house/v1/callbacks/secret/rotate", scope="orgs:read-write", errors=(401,))
    def rotate_callback_secret(self) -> CallbackSecret:
        """Make another secret, which is in the answer. For a day the one before signs as well."""
        ...
