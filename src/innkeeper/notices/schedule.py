"""When an attempt is made again, and which are made next. Pure decisions, called by ``keeper.py`` for deliveries and by
``calling.py`` for callbacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, TypeVar

from innkeeper.kit.clock import SECOND

from .model import TRIED, DeliveryState

#: Seconds between an attempt that failed and the next one, about; the last is repeated.
WAITS = (1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 3 * 3600.0, 6 * 3600.0)
#: The longest ``Retry-After`` that is waited for, in seconds.
MOST_ASKED = 3600.0
#: So many failed attempts in a row mean that a receiver is away: with the next delivery, all that waits is tried.
AWAY = 5
GONE = 410


class Answer(NamedTuple):
    """What came of one attempt."""

    status: int | None  #: None where nobody answered
    told: str  #: the beginning of the answer's body; where nobody answered, why
    retry_after: float | None = None  #: seconds that the receiver asks us to wait

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def error(self) -> str | None:
        """Why it was not delivered, for people."""
        if self.delivered:
            return None
        return self.told or f"the receiver answered {self.status}, and nothing else"


class Verdict(NamedTuple):
    """What becomes of a delivery after an attempt."""

    state: DeliveryState
    next_at: int | None
    gone: bool = False  #: the receiver wants nothing more, ever


class Limits(NamedTuple):
    """How many deliveries are made at once."""

    all: int = 128
    each_org: int = 32
    each_webhook: int = 8


class Queued(Protocol):
    """Something to be sent: a delivery, or a callback."""

    @property
    def org_id(self) -> str: ...

    @property
    def queue(self) -> str:
        """The webhook or the receiver whose limit it counts for."""
        ...

    @property
    def line(self) -> tuple[str, str]:
        """Those of one line are sent one after the other."""
        ...


Q = TypeVar("Q", bound=Queued)


def verdict(
    answer: Answer, attempts: int, since: int, now: int, chance: float, unit: float = 1.0, tried: int = TRIED
) -> Verdict:
    """What follows from the answer to attempt number ``attempts`` (from 1), ``chance`` being in [0, 1).

    ``unit`` is the first wait in seconds; the others are in proportion. It is tried for ``tried`` microseconds after
    ``since``.
    """
    if answer.delivered:
        return Verdict(DeliveryState.DELIVERED, None)
    if answer.status == GONE:
        return Verdict(DeliveryState.GIVEN_UP, None, gone=True)
    next_at = now + round(wait_after(attempts, answer.retry_after, chance, unit) * SECOND)
    if next_at > since + tried:
        return Verdict(DeliveryState.GIVEN_UP, None)
    return Verdict(DeliveryState.PENDING, next_at)


def wait_after(attempts: int, asked: float | None, chance: float, unit: float = 1.0) -> float:
    """Seconds until the next attempt: the schedule's, half of it to one and a half, or longer where asked to."""
    wait = WAITS[min(attempts, len(WAITS)) - 1] * unit * (0.5 + chance)
    return wait if asked is None else max(wait, min(asked, MOST_ASKED))


class Row(NamedTuple):
    """How a receiver has been answering."""

    failures: int  #: attempts in a row that failed, up to now
    is_back: bool  #: it was away, and is not any more


def in_a_row(delivered: Sequence[bool], failures: int, away: int = AWAY) -> Row:
    """What follows from attempts that ended in this order, after so many ``failures`` in a row before them."""
    is_back = False
    for one in delivered:
        is_back = is_back or (one and failures >= away)
        failures = 0 if one else failures + 1
    return Row(failures, is_back)


def retry_after(header: str | None, now: int) -> float | None:
    """The seconds that a ``Retry-After`` asks for, as a number or as a date; None when it says neither."""
    if header is None or len(header) > 100:
        return None
    text = header.strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    from email.utils import parsedate_to_datetime  # it brings much along, for what few receivers say

    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        return max(0.0, (date - datetime.fromtimestamp(now / SECOND, UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def choose(due: Mapping[str, Sequence[Q]], busy: Iterable[Q], limits: Limits) -> list[Q]:
    """What to begin now, of all that is due by queue, while those that are ``busy`` are under way.

    No line has two under way; no queue, organisation or house more than its limit. Queues take turns, those with the
    fewest under way first, so that a slow one holds up nobody else.
    """
    busy = list(busy)
    lines = {one.line for one in busy}
    of_queue = Counter(one.queue for one in busy)
    of_org = Counter(one.org_id for one in busy)
    left = limits.all - len(busy)
    waiting = {queue: iter(ones) for queue, ones in due.items()}
    chosen: list[Q] = []
    while waiting and left > 0:
        for queue in sorted(waiting, key=lambda each: (of_queue[each], each)):
            one = next((one for one in waiting[queue] if one.line not in lines), None)
            if one is None or of_queue[queue] >= limits.each_webhook or of_org[one.org_id] >= limits.each_org:
                del waiting[queue]
                continue
            chosen.append(one)
            lines.add(one.line)
            of_queue[queue] += 1
            of_org[one.org_id] += 1
            left -= 1
            if left == 0:
                break
    return chosen
