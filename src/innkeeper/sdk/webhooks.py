"""What the receiver of a webhook or a callback does: see that what came is from its Innkeeper, and read it.

``from innkeeper.sdk import verify_webhook, verify_callback``. Signatures are by the Standard Webhooks specification, so
a receiver in another language takes a library of that.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence

import msgspec

from innkeeper.contract.house.events_v1 import Event

_PREFIX = "whsec_"


class WebhookRejected(ValueError):
    """A request that is not to be believed: answer it with 401, and do nothing of what it says."""


def verify_webhook(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    tolerance: float = 300.0,
    *,
    now: float | None = None,
) -> Event:
    """The event of a request that a webhook made. Raises :class:`WebhookRejected` for one that is not signed right.

    ``secret`` is the webhook's, or several while it is rotated. ``headers`` may be spelt in any case; ``body`` is the
    request's, byte by byte as it came. ``tolerance`` is how many seconds its time may be off, before or after ``now``
    (Unix time, the machine's unless told): who records a request cannot send it later. An event may come more than
    once, and always with the same ``id``.
    """
    verify_callback(secret, headers, body, tolerance, now=now)
    try:
        return msgspec.json.decode(body, type=Event)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WebhookRejected(f"the body is no event: {error}") from None


def verify_callback(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    tolerance: float = 300.0,
    *,
    now: float | None = None,
) -> bytes:
    """The body of a callback, which is in the words of the API that was asked. Raises :class:`WebhookRejected` for one
    that is not signed right.

    ``secret`` is the organisation's for callbacks, as ``innkeeper callbacks secret`` prints it, or several while it is
    rotated; the rest is as for :func:`verify_webhook`. A callback may come more than once, always with the same header
    ``webhook-id`` and the same body.
    """
    told = {name.lower(): value for name, value in headers.items() if name.lower().startswith("webhook-")}
    try:
        event_id, stamp, signature = (told[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as missing:
        raise WebhookRejected(f"the header {missing.args[0]} is missing") from None
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 16):
        raise WebhookRejected("the header webhook-timestamp is no time")
    if abs((time.time() if now is None else now) - int(stamp)) > tolerance:
        raise WebhookRejected("its time is too far from now: it is old, or a clock is wrong")
    said = f"{event_id}.{stamp}.".encode() + body
    # All are compared, each in a time that does not tell how much of it is right.
    right = [
        hmac.compare_digest(_mark(one, said).encode(), mark.encode("utf-8", "replace"))
        for one in ([secret] if isinstance(secret, str) else secret)
        for version, _, mark in (word.partition(",") for word in signature.split(" "))
        if version == "v1"
    ]
    if not any(right):
        raise WebhookRejected("the signature is not one of this secret")
    return body


def _mark(secret: str, said: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the secret is not one of a webhook: it is whsec_ and base64") from None
    return base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
