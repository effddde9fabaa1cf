"""JWTs made without any library. Used by the tests of players' and Google's logins."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def by_hand(secret: str, header: Any, claims: Any, hash_name: str = "sha256") -> str:
    """A JWT made without any library: what a studio's own code might send, and what an attacker might."""
    said = f"{segment(header)}.{segment(claims)}"
    mark = hmac.digest(secret.encode(), said.encode(), hash_name)
    return f"{said}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"
