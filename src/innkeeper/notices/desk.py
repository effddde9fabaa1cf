"""Puts the parts of this wing together. Called by ``inn.py``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from innkeeper.db.database import Database
from innkeeper.db.outbox import OWE, TELL
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box
from innkeeper.settings import Settings

from .board import Board
from .callbacks import Callbacks, CallbackSecrets
from .calling import CallbacksKeeper, Compose
from .events import Events
from .keeper import NoticesKeeper
from .posting import Poster
from .sending import Sender
from .webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Notices:
    """What the house calls: verbs for its doors, and two keepers with bells."""

    webhooks: Webhooks
    events: Events
    callbacks: Callbacks
    keeper: NoticesKeeper
    calling: CallbacksKeeper
    poster: Poster

    @property
    def keepers(self) -> tuple[NoticesKeeper, CallbacksKeeper]:
        """Those whose loops run, and whose figures are read."""
        return self.keeper, self.calling

    async def close(self) -> None:
        """Let what is under way come to its end, and let go of all connections."""
        await asyncio.gather(self.keeper.close(), self.calling.close())
        await self.poster.close()

    async def count(self) -> None:
        """Count anew what waits, for metrics."""
        await self.keeper.count()
        await self.calling.count()


def notices_of(
    settings: Settings, db: Database, clock: Clock, chance: Chance, box: Box, operator: str, compose: Compose
) -> Notices:
    """The wing. ``operator`` is the organisation whose admins run the house: it may send to any address. ``compose``
    makes the bodies of callbacks.
    """
    bell, calling_bell, board = Bell(), Bell(), Board()

    def anywhere(org_id: str) -> bool:
        return settings.webhook_private_networks or org_id == operator

    poster = Poster(clock, box, Sender(clock), anywhere)
    keeper = NoticesKeeper(
        db,
        clock,
        chance,
        bell,
        board,
        poster,
        unit=settings.webhook_retry_seconds,
        keep_hours=settings.events_hours,
    )
    secrets = CallbackSecrets(db, clock, chance, box)
    calling = CallbacksKeeper(
        db,
        clock,
        chance,
        calling_bell,
        poster,
        secrets,
        compose,
        unit=settings.webhook_retry_seconds,
        keep_hours=settings.events_hours,
    )
    db.when_written(TELL, bell.ring)
    db.when_written(OWE, calling_bell.ring)
    return Notices(
        Webhooks(db, clock, chance, box, bell, poster, anywhere, keeper.changed),
        Events(db, clock, board, bell),
        Callbacks(db, clock, secrets, calling_bell, anywhere),
        keeper,
        calling,
        poster,
    )
