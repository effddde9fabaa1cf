"""Secrets of webhooks, and signatures by the Standard Webhooks specification. Pure. Called by ``sending.py``.

A receiver checks them with ``innkeeper.sdk.verify_webhook``, or with a library of that specification in its language.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from innkeeper.kit.clock import SECOND
from innkeeper.kit.ids import Chance

PREFIX = "whsec_"
#: Bytes of a secret.
_BYTES = 32


def make_secret(chance: Chance) -> str:
    """A new secret, as its owner is shown it."""
    return PREFIX + base64.b64encode(bytes.fromhex(chance.hex(2 * _BYTES))).decode()


def signed_headers(secrets: Sequence[str], event_id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that prove that we sent this body at this time (microseconds): one signature for each secret."""
    stamp = str(at // SECOND)
    said = f"{event_id}.{stamp}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{_mark(secret, said)}" for secret in secrets),
    }


def _mark(secret: str, said: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
