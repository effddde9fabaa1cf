"""Comparisons of running servers, and what is compared. Called by ``hosting/comparing.py``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from innkeeper.db.database import Statement, Steps
from innkeeper.db.outbox import Owed, owe
from innkeeper.db.sql import listed
from innkeeper.kit.errors import NotFound


class Comparison(NamedTuple):
    """What came of one. A row of the table."""

    id: str
    org_id: str
    ranked: str  #: JSON list of the twelve digits that servers are called by, the best first
    partial: int  #: 1: not all could be compared, or not all players are known
    created_at: int
    until: int  #: how long it is kept


def standing(org_id: str, shorts: Sequence[str]) -> Steps[dict[str, str | None]]:
    """Where servers of the organisation are, by their twelve digits; None for one that nobody can be sent to."""
    rows = yield Statement(
        "select substr(s.id, 25), s.location, s.state, s.ready_at from servers s join apps a on a.id = s.app_id"
        f" where a.org_id = $1 and substr(s.id, 25) in ({listed('$2')})",
        (org_id, json.dumps(list(shorts))),
    )
    return {
        short: location if state in ("running", "draining") and ready_at is not None else None
        for short, location, state, ready_at in rows
    }


def add(comparison: Comparison, callback: Owed | None) -> Steps[None]:
    """Keep it, and owe it to who asked to be told. Those whose time is over are forgotten."""
    yield Statement("delete from comparisons where until <= $1", (comparison.created_at,))
    yield Statement(
        "insert into comparisons (id, org_id, ranked, partial, created_at, until) values ($1, $2, $3, $4, $5, $6)",
        tuple(comparison),
    )
    if callback is not None:
        yield from owe([callback])


def find(org_id: str, comparison_id: str, now: int) -> Steps[Comparison]:
    """One of the organisation that is kept still. Raises NotFound."""
    found = yield from kept(comparison_id, now)
    if found is None or found.org_id != org_id:
        raise NotFound(f"there is no result {comparison_id}; one is kept for an hour")
    return found


def kept(comparison_id: str, now: int) -> Steps[Comparison | None]:
    """One that is kept still, whosever it is."""
    rows = yield Statement(
        "select id, org_id, ranked, partial, created_at, until from comparisons where id = $1 and until > $2",
        (comparison_id, now),
    )
    return Comparison(*rows[0]) if rows else None
