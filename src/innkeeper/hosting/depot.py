"""Puts together what reaches out to stores and registries that organisations have named. Called by ``inn.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box
from innkeeper.settings import Settings

from .logs import Logs
from .manifests import check_image
from .passes.saving import Saving
from .pulling import Pulls
from .registries import RegistrySource
from .registrytalk import asking_through
from .storages import StorageDoor, Storages
from .storing.bucket import Buckets
from .storing.guard import Guard


@dataclass(frozen=True, slots=True)
class Depot:
    """Verbs for doors, files for servers that start, a loop that keeps output, and a look for images."""

    storages: Storages
    pulls: Pulls
    saving: Saving
    guard: Guard
    anywhere: Callable[[str], bool]  #: whether an organisation may send the house to private addresses

    async def check_image(self, org_id: str, source: RegistrySource) -> None:
        """Return when the organisation can have the image. Raises :class:`innkeeper.kit.errors.Unobtainable`."""
        await check_image(source, asking_through(self.guard, anywhere=self.anywhere(org_id)))

    async def open(self) -> None:
        """Take away what a crash left behind."""
        await self.pulls.open()

    async def close(self) -> None:
        """Break off what is under way. The next house does it again."""
        await self.saving.close()
        await self.guard.close()


def depot_of(
    settings: Settings, db: Database, clock: Clock, chance: Chance, box: Box, logs: Logs, operator: str
) -> Depot:
    """The depot. ``operator`` is the organisation whose admins run the house: its buckets may be at any address."""

    def anywhere(org_id: str) -> bool:
        return settings.webhook_private_networks or org_id == operator

    guard = Guard(chance)
    door = StorageDoor(box, Buckets(guard), anywhere)
    return Depot(
        Storages(db, clock, chance, door),
        Pulls(db, door, settings.folder / "pulled"),
        Saving(db, clock, chance, Bell(), door, logs.whole),
        guard,
        anywhere,
    )
