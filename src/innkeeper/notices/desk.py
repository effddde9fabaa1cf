"""Puts the parts of this wing together. Called by ``inn.py``."""

from __future__ import annotations

from dataclasses import dataclass

from innkeeper.db.database import Database
from innkeeper.db.outbox import TELL
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box
from innkeeper.settings import Settings

from .board import Board
from .events import Events
from .keeper import NoticesKeeper
from .posting import Poster
from .sending import Sender
from .webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Notices:
    """What the house calls: verbs for its doors, and a keeper with a bell."""

    webhooks: Webhooks
    events: Events
    keeper: NoticesKeeper


def notices_of(settings: Settings, db: Database, clock: Clock, chance: Chance, box: Box, operator: str) -> Notices:
    """The wing. ``operator`` is the organisation whose admins run the house: it may send to any address."""
    bell, board = Bell(), Board()

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
    db.when_written(TELL, bell.ring)
    return Notices(
        Webhooks(db, clock, chance, box, bell, poster, anywhere, keeper.changed),
        Events(db, clock, board, bell),
        keeper,
    )
