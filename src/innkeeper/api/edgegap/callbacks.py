"""What callbacks of Edgegap's API say: put together when they are told for the first time. Called by the keeper of
callbacks, through ``inn.py``.

Each kind is composed by the module that knows its things, which registers itself with :func:`composes`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from innkeeper.api.visits import Wings

#: Kinds of callbacks, as they are owed: of a server, by its full id; of a room; of what was measured for players.
DEPLOYMENT = "edgegap.deployment"
SESSION = "edgegap.session"
TELEMETRY = "edgegap.telemetry"

Composer = Callable[[Wings, str], Awaitable[bytes | None]]

_composers: dict[str, Composer] = {}


def composes(kind: str) -> Callable[[Composer], Composer]:
    """Registers what makes the body of callbacks of a kind, from their subject. None: nothing is left to tell of."""

    def register(composer: Composer) -> Composer:
        assert kind not in _composers, f"{kind} has a composer already"
        _composers[kind] = composer
        return composer

    return register


async def compose(wings: Wings, kind: str, subject: str) -> bytes | None:
    """The body of a callback, in the vendor's words."""
    return await _composers[kind](wings, subject)
