"""Puts together what Edgegap's API needs of hosting: servers asked for with wishes, what they are told at start, and
the registries of organisations.

Called by ``inn.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from innkeeper.api.edgegap.environment import Surroundings
from innkeeper.api.hathora.environment import environment
from innkeeper.db.database import Database
from innkeeper.hosting.beacons import Beacons
from innkeeper.hosting.bookings import Bookings
from innkeeper.hosting.choosing import Chooser
from innkeeper.hosting.geography import Atlas
from innkeeper.hosting.imagetags import ImageTags
from innkeeper.hosting.insiders import Insiders
from innkeeper.hosting.keeper import HostingKeeper, Rules
from innkeeper.hosting.launching import Environment, Starting
from innkeeper.hosting.orders import Orders
from innkeeper.hosting.passes.scaling import Scaling
from innkeeper.hosting.reserves import Reserves
from innkeeper.hosting.serversecrets import ServerSecrets
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box
from innkeeper.settings import Settings


class Ordering(NamedTuple):
    """Verbs for the doors."""

    orders: Orders
    bookings: Bookings
    insiders: Insiders
    reserves: Reserves


def ordering_of(
    db: Database, clock: Clock, chance: Chance, box: Box, bell: Bell, chooser: Chooser, keeper: HostingKeeper,
    rules: Rules, key: bytes,
) -> Ordering:  # fmt: skip
    """The verbs on servers that are asked for with wishes, who recognises servers, and what is kept ready."""
    orders = Orders(
        db, clock, chance, box, bell, chooser, keeper.placing.trouble.get,
        placing_seconds=rules.placing, stopping_seconds=rules.stopping,
    )  # fmt: skip
    scaling = keeper.scaling = Scaling(db, clock, bell, orders)
    return Ordering(
        orders, Bookings(db, clock, chance, bell, orders), Insiders(orders, ServerSecrets(key)),
        Reserves(db, clock, chance, bell, scaling.troubles),
    )  # fmt: skip


def environments(settings: Settings, atlas: Atlas, key: bytes, beacons: Beacons) -> Environment:
    """What every server is told, in the words of all APIs: a game is asked for through one, and may read another's."""
    edgegap = Surroundings(atlas, ServerSecrets(key), base_url(settings), beacons.of)

    def told(starting: Starting) -> Mapping[str, str]:
        return {**edgegap(starting), **environment(starting)}

    return told


def image_tags_of(settings: Settings, operator: str) -> ImageTags:
    """The verbs on images in registries. ``operator`` is the first organisation. Raises ``Invalid``."""
    known = {spec.organisation or operator: spec for spec in settings.registries}
    if len(known) < len(settings.registries):
        raise Invalid(
            f"the settings file: two registries are for the organisation {operator}: it is the first one, which a"
            " table [[registries]] without organisation is for"
        )
    return ImageTags(known)


def base_url(settings: Settings) -> str:
    """Where servers reach the house: they may be on another machine, or in a network of their own."""
    if settings.public_url:
        return settings.local_url
    address = settings.server_address
    return f"{settings.scheme}://{f'[{address}]' if ':' in address else address}:{settings.port}"
