"""Tells what happened, in the transaction in which it happens. Called by the steps of every wing that has news.

What is told waits in the table ``outbox`` until the notices wing passes it on; nothing is written for organisations
that nobody listens for, which costs two look-ups. What a request asked to be told of at a URL of its own is owed there
as a callback, in the table ``callbacks``, whoever listens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid5

import msgspec

from .database import Many, Statement, Steps, Value
from .sql import FOR_UPDATE

_encode = msgspec.json.Encoder().encode

#: The organisation is named, or is that of the app, or is the one that the first start made (for hosts). Whoever passes
#: news on hears of it by ``Database.when_written`` of this statement.
TELL = (
    "insert into outbox (kind, subject, at, data, app_id, org_id)"
    " select cast($1 as text), cast($2 as text), cast($3 as bigint), cast($4 as text), cast($5 as text), l.org_id"
    " from listeners l where l.org_id = coalesce(cast($6 as text), case when cast($5 as text) is null"
    " then (select org_id from founding) else (select org_id from apps where id = cast($5 as text)) end)"
)

#: Owed once for each id. One that stands behind another of its subject, to the same receiver, has no time yet. Who
#: sends hears of it by ``Database.when_written`` of this statement.
OWE = (
    "insert into callbacks (id, org_id, kind, subject, occasion, url, receiver, state, attempts, tried_since, next_at,"
    " created_at) values ($1, $2, $3, $4, $5, $6, $7, 'pending', 0, $8,"
    " case when exists (select 1 from callbacks b where b.kind = $3 and b.subject = $4 and b.receiver = $7"
    " and b.state = 'pending') then null else cast($8 as bigint) end, $8) on conflict (id) do nothing"
)
_OWED = UUID("5a0c9f6e-6f0b-4a51-9d3c-0c6a8a2a9f41")


class News(NamedTuple):
    """One thing that happened."""

    kind: str  #: such as ``room.ended``
    subject: str  #: the id of what it happened to; news of one subject are told in their order
    at: int  #: microseconds since the epoch
    data: dict[str, Any]  #: in the house's words; becomes JSON
    app_id: str | None = None
    org_id: str | None = None  #: with neither: the organisation whose admins run the house


def listened_to() -> Steps[bool]:
    """Whether anybody listens at all. Who tells much asks first."""
    rows = yield Statement("select 1 from listeners limit 1")
    return bool(rows)


def tell(news: Sequence[News]) -> Steps[None]:
    """Tell it to those who listen."""
    if news:
        rows: list[Sequence[Value]] = [
            (one.kind, one.subject, one.at, _encode(one.data).decode(), one.app_id, one.org_id) for one in news
        ]
        yield Many(TELL, rows)


class Owed(NamedTuple):
    """A callback: what one thing has come to, told once to a URL that came with a request."""

    org_id: str  #: signed by its secret for callbacks
    kind: str  #: in whose words, and of what: ``edgegap.deployment``
    subject: str  #: the id of what it is about; those of one subject to one receiver keep their order
    occasion: str  #: what it has come to, such as ``ready``: each is owed once
    url: str  #: checked before
    at: int  #: microseconds since the epoch

    @property
    def id(self) -> str:
        """The same for the same subject and occasion, for ever."""
        return f"cbk-{uuid5(_OWED, ' '.join((self.kind, self.subject, self.occasion)))}"

    @property
    def receiver(self) -> str:
        """Who is sent to: the scheme, host and port of the URL."""
        try:
            parts = urlsplit(self.url)
            return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
        except ValueError:
            return ""  # the attempt will say what is wrong with it


def owe(callbacks: Sequence[Owed]) -> Steps[None]:
    """Owe them, in this order. One that is or was owed already is left as it is, as long as it is kept."""
    # Held until the end, so that none that is just done with is taken for one to wait for.
    for kind, subject in sorted({(one.kind, one.subject) for one in callbacks}):
        yield Statement(
            "select place from callbacks where kind = $1 and subject = $2 and state = 'pending' order by place"
            f" {FOR_UPDATE}",
            (kind, subject),
        )
    if callbacks:
        rows: list[Sequence[Value]] = [
            (one.id, one.org_id, one.kind, one.subject, one.occasion, one.url, one.receiver, one.at)
            for one in callbacks
        ]
        yield Many(OWE, rows)
