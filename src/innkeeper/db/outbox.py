"""Tells what happened, in the transaction in which it happens. Called by the steps of every wing that has news.

What is told waits in the table ``outbox`` until the notices wing passes it on; nothing is written for organisations
that nobody listens for, which costs two look-ups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from .database import Many, Statement, Steps, Value

_encode = msgspec.json.Encoder().encode

#: The organisation is named, or is that of the app, or is the one that the first start made (for hosts). Whoever passes
#: news on hears of it by ``Database.when_written`` of this statement.
TELL = (
    "insert into outbox (kind, subject, at, data, app_id, org_id)"
    " select cast($1 as text), cast($2 as text), cast($3 as bigint), cast($4 as text), cast($5 as text), l.org_id"
    " from listeners l where l.org_id = coalesce(cast($6 as text), case when cast($5 as text) is null"
    " then (select org_id from founding) else (select org_id from apps where id = cast($5 as text)) end)"
)


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
