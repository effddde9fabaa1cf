"""Verbs on webhooks: make, change, rotate, delete, try out; look at what was delivered, have it delivered again, skip.

Called by the doors. What is owed goes out by ``keeper.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from innkeeper.db.database import Database, Steps
from innkeeper.db.sql import FOR_UPDATE
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid, RateLimited
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box

from .destinations import check_url
from .kinds import TEST, Kinds
from .model import BOTH_SECRETS, MOST_REPLAYED, Delivery, DeliveryState, Event, Line, Webhook, check_note
from .posting import Poster
from .queries import deliveries, events
from .queries import webhooks as queries
from .schedule import Answer
from .signing import make_secret

MOST_LISTED = 200
USUALLY_LISTED = 50
#: Lines that are told of.
_MOST_LINES = 20
#: Tries of one organisation that are under way at once.
_MOST_TRIES = 3


class Change(NamedTuple):
    """What is to be changed of a webhook; None leaves it. ``every_app`` takes the app away."""

    url: str | None = None
    kinds: Sequence[str] | None = None
    note: str | None = None
    enabled: bool | None = None
    app_id: str | None = None
    every_app: bool = False


class Tried(NamedTuple):
    """What came of a try."""

    event: Event
    answer: Answer
    milliseconds: int


class Replayed(NamedTuple):
    """How much is sent again, and the number to go on after where that was not all."""

    deliveries: int
    after: int | None


class Webhooks:
    """Verbs on the webhooks of one organisation. ``anywhere`` says of an organisation whether it may name private
    addresses; ``changed`` is called once one of them has changed: what was read of it is outdated.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        chance: Chance,
        box: Box,
        bell: Bell,
        poster: Poster,
        anywhere: Callable[[str], bool],
        changed: Callable[[], None],
    ) -> None:
        self._db, self._clock, self._chance, self._box, self._bell = db, clock, chance, box, bell
        self._poster, self._anywhere, self._changed = poster, anywhere, changed
        self._tries: Counter[str] = Counter()

    async def create(
        self, org_id: str, by: str, *, url: str, kinds: Iterable[str] | None, app_id: str | None, note: str
    ) -> tuple[Webhook, str]:
        """A new webhook and its secret, which is shown this once. Raises Invalid, LimitReached, NotFound (its app)."""
        new = Webhook(
            id=f"hook-{self._chance.uuid()}", org_id=org_id, app_id=app_id,
            url=check_url(url, anywhere=self._anywhere(org_id)), kinds=Kinds.of(kinds), note=check_note(note),
            enabled=True, disabled_why=None, failures=0, delivered_at=None, created_at=self._clock.now(), created_by=by,
        )  # fmt: skip
        secret = make_secret(self._chance)
        sealed = self._box.seal(secret, place=new.id)
        await self._db.write(queries.add, new, sealed)
        self._bell.ring()
        return new, secret

    async def all(self, org_id: str) -> list[Webhook]:
        """The organisation's webhooks, the oldest first."""
        return await self._db.read(queries.webhooks, org_id)

    async def get(self, org_id: str, webhook_id: str) -> Webhook:
        """One webhook. Raises NotFound."""
        return await self._db.read(queries.webhook, org_id, webhook_id)

    async def change(self, org_id: str, webhook_id: str, change: Change) -> Webhook:
        """Change what is given. What waits goes to the new URL. Raises NotFound and Invalid."""
        given: dict[str, Any] = {}
        if change.url is not None:
            given["url"] = check_url(change.url, anywhere=self._anywhere(org_id))
        if change.kinds is not None:
            given["kinds"] = Kinds.of(change.kinds)
        if change.note is not None:
            given["note"] = check_note(change.note)
        if change.app_id is not None or change.every_app:
            given["app_id"] = change.app_id
        if change.enabled is not None:
            given |= {"enabled": change.enabled, "disabled_why": None}
        if change.enabled:
            given["failures"] = 0
        now = self._clock.now()
        changed = await self._db.write(queries.change, org_id, webhook_id, lambda before: replace(before, **given), now)
        self._changed()
        return changed

    async def rotate(self, org_id: str, webhook_id: str) -> tuple[Webhook, str]:
        """Another secret, shown this once; for a day the one before signs as well. Raises NotFound."""
        secret = make_secret(self._chance)
        sealed = self._box.seal(secret, place=webhook_id)
        until = self._clock.now() + BOTH_SECRETS
        rotated = await self._db.write(queries.rotate, org_id, webhook_id, sealed, until)
        self._changed()
        return rotated, secret

    async def delete(self, org_id: str, webhook_id: str) -> None:
        """Delete a webhook, with all that waits for it and its history. Raises NotFound."""
        await self._db.write(queries.delete, org_id, webhook_id, self._clock.now())
        self._changed()

    async def test(self, org_id: str, webhook_id: str) -> Tried:
        """Send an event that is none, now and once, and tell what came of it. It is not kept. Raises NotFound, and
        RateLimited where several tries are under way.
        """
        webhook = await self._db.read(queries.webhook, org_id, webhook_id)
        target = await self._db.read(queries.target, org_id, webhook_id)
        if self._tries[org_id] >= _MOST_TRIES:
            raise RateLimited(f"{_MOST_TRIES} tests of webhooks are under way: wait for one to end", 5.0)
        now = self._clock.now()
        data = f'{{"webhook":"{webhook.id}"}}'
        event = Event(f"evt-{self._chance.uuid()}", org_id, 0, webhook.app_id, TEST, webhook.id, now, data)
        self._tries[org_id] += 1
        try:
            answer = await self._poster.post(target, event)
        finally:
            self._tries[org_id] -= 1
        return Tried(event, answer, (self._clock.now() - now) // 1000)

    async def deliveries(
        self, org_id: str, webhook_id: str, *, state: DeliveryState | None, before: str | None, limit: int | None
    ) -> tuple[list[Delivery], bool]:
        """A webhook's deliveries, the newest first, and whether there are older ones. Raises NotFound and Invalid."""
        most = USUALLY_LISTED if limit is None else limit
        if not 1 <= most <= MOST_LISTED:
            raise Invalid(f"limit: must be from 1 to {MOST_LISTED}")
        found = await self._db.read(_page, org_id, webhook_id, state, before, most + 1)
        return found[:most], len(found) > most

    async def lines(self, org_id: str, webhook_id: str) -> tuple[list[Line], int]:
        """Which deliveries hold back others of their subject, and how many wait in all. Raises NotFound."""
        return await self._db.read(_lines, org_id, webhook_id)

    async def skip(self, org_id: str, by: str, webhook_id: str, delivery_id: str) -> Delivery:
        """Give up a delivery that is on its way, so that the next of its subject goes out.

        Raises NotFound, and Invalid for one that has ended.
        """
        skipped = await self._db.write(_skip, org_id, webhook_id, delivery_id, f"skipped by {by}", self._clock.now())
        self._bell.ring()
        return skipped

    async def redeliver(self, org_id: str, webhook_id: str, delivery_id: str) -> Delivery:
        """Have an event delivered again; one that is still on its way is tried now. Raises NotFound and Invalid."""
        again = f"dlv-{self._chance.uuid()}"
        found = await self._db.write(_redeliver, org_id, webhook_id, delivery_id, again, self._clock.now())
        self._bell.ring()
        return found

    async def replay(self, org_id: str, webhook_id: str, *, after: int | None, since: int | None) -> Replayed:
        """Have the events behind a number, or since a time, delivered again: those kept that the webhook is for, a
        thousand at most. Raises NotFound and Invalid.
        """
        if (after is None) == (since is None):
            if after is not None:
                raise Invalid("say from where by one of the two alone: after, the number of an event, or since, a time")
            raise Invalid("say from where: either after, the number of an event, or since, a time")
        ids = [f"dlv-{self._chance.uuid()}" for _ in range(MOST_REPLAYED)]
        replayed = await self._db.write(_replay, org_id, webhook_id, after or 0, since or 0, ids, self._clock.now())
        self._bell.ring()
        return replayed


def _page(
    org_id: str, webhook_id: str, state: DeliveryState | None, before: str | None, limit: int
) -> Steps[list[Delivery]]:
    yield from queries.webhook(org_id, webhook_id)
    return (yield from deliveries.page(webhook_id, state, before, limit))


def _lines(org_id: str, webhook_id: str) -> Steps[tuple[list[Line], int]]:
    yield from queries.webhook(org_id, webhook_id)
    found = yield from deliveries.lines(webhook_id, _MOST_LINES)
    return found, (yield from deliveries.waiting(webhook_id))


def _skip(org_id: str, webhook_id: str, delivery_id: str, why: str, now: int) -> Steps[Delivery]:
    yield from queries.webhook(org_id, webhook_id, FOR_UPDATE)
    skipped = yield from deliveries.skip(webhook_id, delivery_id, why, now)
    found = yield from deliveries.one(webhook_id, delivery_id)
    if not skipped:
        how = "delivered" if found.state is DeliveryState.DELIVERED else "given up"
        raise Invalid(f"delivery {delivery_id} was {how} already: only one that is on its way can be skipped")
    return found


def _redeliver(org_id: str, webhook_id: str, delivery_id: str, again: str, now: int) -> Steps[Delivery]:
    webhook = yield from queries.webhook(org_id, webhook_id, FOR_UPDATE)
    _require_enabled(webhook)
    found = yield from deliveries.one(webhook_id, delivery_id)
    if found.state is DeliveryState.PENDING:
        yield from deliveries.hurry(webhook_id, delivery_id, now)
        return (yield from deliveries.one(webhook_id, delivery_id))
    owed = deliveries.Owed(again, webhook_id, found.event_id, found.subject, found.id)
    yield from deliveries.add([owed], now)
    return (yield from deliveries.one(webhook_id, again))


def _replay(org_id: str, webhook_id: str, after: int, since: int, ids: Sequence[str], now: int) -> Steps[Replayed]:
    webhook = yield from queries.webhook(org_id, webhook_id, FOR_UPDATE)
    _require_enabled(webhook)
    last = yield from events.latest(org_id)
    if after > last:
        raise Invalid(f"after: there is no event {after} on this Innkeeper, the last one is {last}")
    found = yield from events.replayable(webhook, after, since, len(ids) + 1)
    chosen = found[: len(ids)]
    yield from deliveries.add(
        [
            deliveries.Owed(delivery_id, webhook_id, event_id, subject, None)
            for delivery_id, (event_id, subject, _) in zip(ids, chosen, strict=False)
        ],
        now,
    )
    return Replayed(len(chosen), chosen[-1][2] if len(found) > len(chosen) else None)


def _require_enabled(webhook: Webhook) -> None:
    if not webhook.enabled:
        raise Invalid(f"webhook {webhook.id} is disabled: enable it first")
