"""Events, webhooks and deliveries, and the rules that they keep. Used by the whole wing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec

from innkeeper.kit.clock import HOUR, MINUTE
from innkeeper.kit.errors import Invalid
from innkeeper.kit.stamps import moment

from .kinds import Kinds

#: Webhooks of one organisation.
MOST_WEBHOOKS = 20
#: Characters of a URL, and of a note.
MOST_URL = 2000
MOST_NOTE = 200
#: Events that one call of the replay sends again.
MOST_REPLAYED = 1000
#: Who reads events by a stream or by asking is listened for so long after their last sign of life (microseconds).
LISTENED = 10 * MINUTE
#: After a rotation the secret before it signs as well, for so long (microseconds): the receiver has time to change.
BOTH_SECRETS = 24 * HOUR
#: An attempt is made for so long after the event was there to be told; every delivery has one attempt at least.
TRIED = 72 * HOUR
#: The same for a callback, after it was owed or asked for once more.
CALLED = 24 * HOUR
#: Characters that are kept of what a receiver answered to a failed attempt.
MOST_TOLD = 500

_encode = msgspec.json.Encoder().encode


class DeliveryState(StrEnum):
    """How an event's way to a webhook stands."""

    PENDING = "pending"  #: waits for its first attempt, for the next one, or for the one before it
    DELIVERED = "delivered"  #: the receiver answered with a 2xx
    GIVEN_UP = "given_up"  #: it was tried for three days, cannot be tried any more, or somebody skipped it


class Event(NamedTuple):
    """One thing that happened, as it is told."""

    id: str  #: the same wherever it is told, however often
    org_id: str
    number: int  #: counts the organisation's events, without gaps
    app_id: str | None
    kind: str
    subject: str  #: the id of what it happened to
    at: int  #: microseconds
    data: str  #: a JSON object

    def body(self) -> bytes:
        """What is told of it: JSON without blanks, the same bytes at every attempt."""
        told = {"id": self.id, "type": self.kind, "number": self.number, "at": moment(self.at)}
        if self.app_id is not None:
            told["app"] = self.app_id
        return _encode({**told, "data": msgspec.Raw(self.data.encode())})


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where an organisation wants to be told. Its secrets are no part of it."""

    id: str
    org_id: str
    app_id: str | None  #: events of this app alone
    url: str
    kinds: Kinds
    note: str
    enabled: bool
    disabled_why: str | None  #: what disabled it, where nobody did
    failures: int  #: attempts that failed since the last delivery
    delivered_at: int | None
    created_at: int
    created_by: str

    def wants(self, kind: str, app_id: str | None) -> bool:
        """Whether it is to be told of such an event."""
        return (self.app_id is None or self.app_id == app_id) and self.kinds.match(kind)


class Seen(NamedTuple):
    """An event that a reader has read: by it the house notices that its own numbers are others by now."""

    number: int
    event_id: str

    @staticmethod
    def of(text: str) -> Seen:
        """As readers write it, ``115:evt-...``. Raises Invalid."""
        number, _, event_id = text.partition(":")
        if not (number.isascii() and number.isdecimal() and len(number) < 19 and event_id.startswith("evt-")):
            raise Invalid("seen: write the number and the id of an event that you have read, such as 115:evt-...")
        return Seen(int(number), event_id)


class Delivery(NamedTuple):
    """One event on its way to one webhook, as its owner sees it."""

    id: str
    webhook_id: str
    event_id: str
    number: int
    kind: str
    subject: str
    state: DeliveryState
    attempts: int  #: that were made
    next_at: int | None  #: of the next attempt; None also where another event of the subject is before it
    last_at: int | None
    last_status: int | None  #: of the last answer, where there was one
    last_error: str | None  #: why the last attempt failed
    created_at: int
    ended_at: int | None
    replay_of: str | None
    waits_for: str | None  #: the delivery of the same subject that has to end before it


class Line(NamedTuple):
    """Deliveries of one subject to one webhook: they go out one after the other."""

    first: Delivery  #: the one that the others wait for
    behind: int  #: how many these are


class Target(NamedTuple):
    """Where requests go, and what they are signed with."""

    place: str  #: what the secrets are sealed for: the webhook's id, for callbacks the organisation's
    org_id: str
    url: str
    secret_sealed: str
    old_secret_sealed: str | None
    old_until: int | None  #: the secret before the last rotation signs as well until then (microseconds)


class Due(NamedTuple):
    """A delivery whose time has come, with what it takes to make it."""

    id: str
    webhook_id: str
    org_id: str
    url: str
    secret_sealed: str
    old_secret_sealed: str | None
    old_until: int | None
    attempts: int
    created_at: int
    event: Event

    @property
    def queue(self) -> str:
        """Whose limit it counts for."""
        return self.webhook_id

    @property
    def target(self) -> Target:
        """Where it goes."""
        return Target(
            self.webhook_id, self.org_id, self.url, self.secret_sealed, self.old_secret_sealed, self.old_until
        )

    @property
    def line(self) -> tuple[str, str]:
        """Deliveries of one line are made one after the other."""
        return self.webhook_id, self.event.subject


class Callback(NamedTuple):
    """What is told once of one thing, to a URL that came with a request, as its owner sees it."""

    id: str
    kind: str
    subject: str
    occasion: str
    url: str
    state: DeliveryState
    attempts: int  #: that were made
    next_at: int | None  #: of the next attempt; None also while another one of the subject is before it
    last_at: int | None
    last_status: int | None  #: of the last answer, where there was one
    last_error: str | None  #: why the last attempt failed
    created_at: int
    ended_at: int | None


class DueCallback(NamedTuple):
    """A callback whose time has come."""

    id: str
    org_id: str
    kind: str
    subject: str
    url: str
    receiver: str
    body: str | None  #: None: not put together yet
    attempts: int
    tried_since: int

    @property
    def queue(self) -> str:
        """Whose limit it counts for: that of its organisation's receiver."""
        return f"{self.org_id} {self.receiver}"

    @property
    def line(self) -> tuple[str, str]:
        """Callbacks of one line are made one after the other."""
        return f"{self.kind} {self.subject}", self.receiver


class SealedSecret(NamedTuple):
    """What an organisation's callbacks are signed with."""

    secret_sealed: str
    old_secret_sealed: str | None
    old_until: int | None  #: the secret before the last rotation signs as well until then (microseconds)


def check_note(text: str) -> str:
    """What people call a webhook. Raises Invalid."""
    if len(text) > MOST_NOTE:
        raise Invalid(f"note: must have at most {MOST_NOTE} characters")
    return text
