"""Verbs on callbacks: what was told, what is still to be told, once more; and the secret that they are signed with.

Called by the doors. They are owed by ``db/outbox.py``; what is owed goes out by ``calling.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box

from .destinations import check_url
from .model import BOTH_SECRETS, Callback, DeliveryState, SealedSecret, Target
from .queries import callbacks as queries
from .signing import make_secret

MOST_LISTED = 200
USUALLY_LISTED = 50


class Shown(NamedTuple):
    """An organisation's secret for callbacks."""

    secret: str
    old_until: int | None  #: the one before signs as well until then (microseconds); None where none does


class CallbackSecrets:
    """One secret for each organisation, made when it is needed first. Used by the verbs and by the keeper."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, box: Box) -> None:
        self._db, self._clock, self._chance, self._box = db, clock, chance, box

    async def target(self, org_id: str, url: str) -> Target:
        """A URL, with what the organisation's callbacks are signed with now."""
        return Target(org_id, org_id, url, *await self._current(org_id))

    async def shown(self, org_id: str) -> Shown:
        """The secret as its owner is shown it."""
        return self._open(org_id, await self._current(org_id))

    async def rotate(self, org_id: str) -> Shown:
        """Another secret; for a day the one before signs as well."""
        now, sealed = self._clock.now(), self._sealed(org_id)
        return self._open(org_id, await self._db.write(queries.rotate, org_id, sealed, now, now + BOTH_SECRETS))

    async def _current(self, org_id: str) -> SealedSecret:
        found = await self._db.read(queries.secret, org_id)
        if found is None:
            found = await self._db.write(queries.add_secret, org_id, self._sealed(org_id), self._clock.now())
        return found

    def _sealed(self, org_id: str) -> str:
        return self._box.seal(make_secret(self._chance), place=org_id)

    def _open(self, org_id: str, found: SealedSecret) -> Shown:
        until = found.old_until
        still = until is not None and found.old_secret_sealed is not None and self._clock.now() < until
        return Shown(self._box.open(found.secret_sealed, place=org_id), until if still else None)


class Callbacks:
    """Verbs on the callbacks of one organisation. ``anywhere`` says of an organisation whether it may name private
    addresses.
    """

    def __init__(
        self, db: Database, clock: Clock, secrets: CallbackSecrets, bell: Bell, anywhere: Callable[[str], bool]
    ) -> None:
        self._db, self._clock, self._secrets, self._bell, self._anywhere = db, clock, secrets, bell, anywhere

    def check(self, org_id: str, url: str) -> str:
        """A URL that the organisation's callbacks may go to, for doors that take one in a request. Raises Invalid."""
        return check_url(url, anywhere=self._anywhere(org_id))

    async def list(
        self,
        org_id: str,
        *,
        state: DeliveryState | None,
        subject: str | None,
        before: str | None,
        limit: int | None,
    ) -> tuple[list[Callback], bool]:
        """The organisation's callbacks, the newest first, and whether there are older ones.

        Raises NotFound and Invalid.
        """
        most = USUALLY_LISTED if limit is None else limit
        if not 1 <= most <= MOST_LISTED:
            raise Invalid(f"limit: must be from 1 to {MOST_LISTED}")
        found = await self._db.read(queries.page, org_id, state, subject, before, most + 1)
        return found[:most], len(found) > most

    async def retry(self, org_id: str, callback_id: str) -> Callback:
        """Have it told once more, in the same words; one that is on its way still is tried now. Raises NotFound."""
        found = await self._db.write(queries.retry, org_id, callback_id, self._clock.now())
        self._bell.ring()
        return found

    async def secret(self, org_id: str) -> Shown:
        """What the organisation's callbacks are signed with."""
        return await self._secrets.shown(org_id)

    async def rotate(self, org_id: str) -> Shown:
        """Another secret; for a day the one before signs as well."""
        return await self._secrets.rotate(org_id)
