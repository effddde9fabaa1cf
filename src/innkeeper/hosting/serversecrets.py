"""What a server proves itself with when it asks about itself, or wants to end. Made by ``inn.py``; used by doors, and
by whoever makes a server's variables.

Nothing is kept: each secret follows from the house's key and the server's id.
"""

from __future__ import annotations

import hmac

from innkeeper.kit.secrets import derive_key

STOP, ASK = "stop", "ask"


class ServerSecrets:
    """One secret and one number for each server and each use."""

    def __init__(self, key: bytes) -> None:
        self._key = derive_key(key, "secrets of servers")

    def secret(self, server_id: str, use: str) -> str:
        """32 hexadecimal digits."""
        return self._made(server_id, f"{use} secret").hex()[:32]

    def number(self, server_id: str, use: str) -> int:
        """A number of up to nine digits, which stands in the address that the server calls."""
        return int.from_bytes(self._made(server_id, f"{use} number")[:4]) % 1_000_000_000

    def fits(self, server_id: str, use: str, number: int, secret: str) -> bool:
        """Whether somebody who shows these is the server. Both are compared in a time that tells nothing."""
        right = hmac.compare_digest(self.secret(server_id, use).encode(), secret.encode("utf-8", "replace"))
        return right & (number == self.number(server_id, use))

    def _made(self, server_id: str, use: str) -> bytes:
        return hmac.digest(self._key, f"{use} {server_id}".encode(), "sha256")
