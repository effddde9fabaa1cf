"""How often callers may ask: players for lobbies, addresses for logins, tokens for anything. Asked by the doors.

The counts are in memory: a restart begins anew. Over the limit is ``RateLimited`` with the seconds to wait, which
becomes status 429 with ``Retry-After``.
"""

from __future__ import annotations

from collections.abc import Hashable

from innkeeper.kit.buckets import Buckets
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import RateLimited


class Rates:
    """The limits of the house, each by the minute; 0 is none."""

    def __init__(self, clock: Clock, *, lobbies: int, logins: int, requests: int) -> None:
        self._now = clock.now
        self._lobbies = Buckets(lobbies) if lobbies else None
        self._logins = Buckets(logins) if logins else None
        self._requests = Buckets(requests) if requests else None

    def lobby(self, app_id: str, player_id: str | int) -> None:
        """A player makes a lobby. Raises RateLimited."""
        if self._lobbies is not None:
            self._take(self._lobbies, (app_id, player_id), "this player has made too many lobbies")

    def login(self, address: str) -> None:
        """Somebody logs in, or has a mail sent, from this address. Raises RateLimited."""
        if self._logins is not None:
            self._take(self._logins, address, "too many logins from this address")

    def ticket(self, matchmaker_id: str, address: str) -> None:
        """A matchmaker is asked for a ticket from this address, as often as for logins at most. Raises RateLimited."""
        if self._logins is not None:
            self._take(self._logins, (matchmaker_id, address), "too many tickets for this address")

    def request(self, token_id: str) -> None:
        """An organisation's token is used. Raises RateLimited."""
        if self._requests is not None:
            self._take(self._requests, token_id, "too many requests with this token")

    def _take(self, buckets: Buckets, key: Hashable, text: str) -> None:
        wait = buckets.take(key, self._now())
        if wait:
            raise RateLimited(f"{text}; try again in {wait:.1f} s", wait)
