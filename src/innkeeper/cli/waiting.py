"""Why a room is not open yet: what keeps its server from its place. Used by what looks at a room again and again.

Only the operator of the house may ask that. With the token of anybody else nothing is told, and nothing goes wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .telling import aside

if TYPE_CHECKING:
    from innkeeper.contract.hathora.rooms_v2 import Room

    from .talk import Talk

_FIRST = 3.0  # seconds before the first question: most rooms are open by then
_SECONDS = 2.0  # for each question: somebody waits for the room, not for this


class Waiting:
    """Tells once why the server of a room waits, when that has taken a few seconds or when the time is up.

    ``ask`` takes a server's id and brings the reason, None where there is none; ``now`` is monotonic seconds. It is
    asked after 3 s, and then after twice as long each time, until it brings one.
    """

    def __init__(
        self,
        ask: Callable[[str], str | None],
        *,
        now: Callable[[], float] = time.monotonic,
        tell: Callable[[str], None] = aside,
    ) -> None:
        self._ask, self._now, self._tell = ask, now, tell
        self._began, self._due = now(), _FIRST
        self._is_over = False
        self.facts: dict[str, Any] = {}  #: the reason, for a failure that is told as JSON

    def look(self, room: Room, *, last: bool = False) -> None:
        """See to it that its person knows, given the room as it is now. ``last``: nobody looks any more."""
        seat = room.current_allocation
        if self._is_over or room.status != "scheduling" or seat is None:
            return
        passed = self._now() - self._began
        if passed < self._due and not last:
            return
        self._due = 2 * max(passed, self._due)
        why = self._asked(seat.process_id)
        if why is not None:
            self._is_over = True
            self.facts["waits"] = why
            self._tell(f"its server waits: {why}")

    def _asked(self, server_id: str) -> str | None:
        from innkeeper.contract.errors import CallError, ServerError, StatusError

        try:
            return self._ask(server_id)
        except CallError as error:  # whoever waits has not asked for this, and is not told that it cannot be had
            self._is_over = isinstance(error, StatusError) and not isinstance(error, ServerError)
            return None


def waiting(talk: Talk) -> Waiting:
    """Of the Innkeeper that the command speaks to. Results as JSON are not talked into."""

    def ask(server_id: str) -> str | None:
        from innkeeper.sdk import NO_RETRY

        get_servers = talk.client.house.servers_v1.get_servers.options(timeout=_SECONDS, retry=NO_RETRY)
        return next((one.waits for one in get_servers().servers if one.server_id == server_id), None)

    return Waiting(ask, tell=_nothing if talk.as_json else aside)


def _nothing(text: str) -> None:
    """Tell nobody."""
