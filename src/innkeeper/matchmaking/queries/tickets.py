"""Tickets, and the matches that are made of them. Called by ``matchmaking/tickets.py`` and ``matches.py``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from innkeeper.db.database import Many, Row, Statement, Steps
from innkeeper.db.sql import FOR_UPDATE, listed
from innkeeper.kit.errors import LimitReached, NotFound
from innkeeper.matchmaking.records import Match, MatchState, Ticket, TicketState

_TICKET = (
    "id, matchmaker_id, profile, player, ip, choices, numbers, state, match_id, address, reason, tries, created_at,"
    " expires_at, changed_at, kept, forget_at"
)
_MATCH = (
    "id, matchmaker_id, org_id, profile, app_name, label_name, port, env_sealed, tries, server_id, state, reason,"
    " created_at, changed_at"
)


def _ticket(row: Row) -> Ticket:
    values: list[Any] = [*row[:7], TicketState(row[7]), *row[8:]]
    return Ticket(*values)


def _match(row: Row) -> Match:
    values: list[Any] = [*row[:10], MatchState(row[10]), *row[11:]]
    return Match(*values)


# -- tickets --------------------------------------------------------------------------------------------------------


def add_ticket(ticket: Ticket, most: int) -> Steps[None]:
    """Keep one. Raises LimitReached where so many wait already."""
    rows = yield Statement(
        "select count(*) from (select 1 from tickets where matchmaker_id = $1 and profile = $2 and state = 'waiting'"
        " limit $3) as waiting",
        (ticket.matchmaker_id, ticket.profile, most),
    )
    if rows[0][0] >= most:
        raise LimitReached(f"{most} players wait already; try again in a moment")
    t = ticket
    yield Statement(
        f"insert into tickets ({_TICKET})"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        (
            t.id, t.matchmaker_id, t.profile, t.player, t.ip, t.choices, t.numbers, t.state, t.match_id, t.address,
            t.reason, t.tries, t.created_at, t.expires_at, t.changed_at, t.kept, t.forget_at,
        ),
    )  # fmt: skip


def ticket(matchmaker_id: str, ticket_id: str) -> Steps[Ticket]:
    """A ticket of a matchmaker. Raises NotFound."""
    rows = yield Statement(
        f"select {_TICKET} from tickets where id = $1 and matchmaker_id = $2", (ticket_id, matchmaker_id)
    )
    if not rows:
        raise NotFound(f"there is no ticket {ticket_id}")
    return _ticket(rows[0])


def remove_ticket(matchmaker_id: str, ticket_id: str) -> Steps[Ticket]:
    """Forget a ticket; how it stood. Raises NotFound."""
    found = yield from ticket(matchmaker_id, ticket_id)
    yield Statement("delete from tickets where id = $1", (ticket_id,))
    return found


def waiting(matchmaker_id: str, profile: str, most: int) -> Steps[list[Ticket]]:
    """Those who wait, the oldest first."""
    rows = yield Statement(
        f"select {_TICKET} from tickets where matchmaker_id = $1 and profile = $2 and state = 'waiting'"
        " order by created_at, id limit $3",
        (matchmaker_id, profile, most),
    )
    return [_ticket(row) for row in rows]


def expire(now: int, reason: str) -> Steps[None]:
    """Tickets that have waited as long as they may are over."""
    yield Statement(
        "update tickets set state = 'expired', reason = coalesce(reason, $2), changed_at = $1, forget_at = $1 + kept"
        " where state = 'waiting' and expires_at <= $1",
        (now, reason),
    )


def forget(now: int) -> Steps[None]:
    """Remove tickets that are told no more."""
    yield Statement("delete from tickets where forget_at <= $1", (now,))


def next_expiry() -> Steps[int | None]:
    """When the next ticket that waits has waited too long."""
    rows = yield Statement("select min(expires_at) from tickets where state = 'waiting'")
    found: int | None = rows[0][0]
    return found


# -- matches --------------------------------------------------------------------------------------------------------


def add_match(match: Match, ticket_ids: Sequence[str]) -> Steps[bool]:
    """Keep a match of players who all wait still; whether they do."""
    rows = yield Statement(
        f"select id from tickets where id in ({listed('$1')}) and state = 'waiting' {FOR_UPDATE}",
        (json.dumps(list(ticket_ids)),),
    )
    if len(rows) < len(ticket_ids):
        return False
    m = match
    yield Statement(
        f"insert into matches ({_MATCH}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        (
            m.id, m.matchmaker_id, m.org_id, m.profile, m.app_name, m.label_name, m.port, m.env_sealed, m.tries,
            m.server_id, m.state, m.reason, m.created_at, m.changed_at,
        ),
    )  # fmt: skip
    yield Many(
        "update tickets set state = 'matched', match_id = $2, changed_at = $3 where id = $1",
        [(id, m.id, m.created_at) for id in ticket_ids],
    )
    return True


def open_matches() -> Steps[list[Match]]:
    """Those whose players do not know where to go yet, the oldest first."""
    rows = yield Statement(
        f"select {_MATCH} from matches where state in ('wanted', 'starting') order by created_at, id"
    )
    return [_match(row) for row in rows]


def players_of(match_id: str) -> Steps[list[Ticket]]:
    """The tickets of a match that are there still, the oldest first."""
    rows = yield Statement(f"select {_TICKET} from tickets where match_id = $1 order by created_at, id", (match_id,))
    return [_ticket(row) for row in rows]


def asked(match_id: str, server_id: str, now: int) -> Steps[None]:
    """Its server was asked for."""
    yield Statement(
        "update matches set state = 'starting', server_id = $2, changed_at = $3 where id = $1 and state = 'wanted'",
        (match_id, server_id, now),
    )


def place(match_id: str, address: str, now: int) -> Steps[None]:
    """Its server is ready: its players are told so."""
    yield Statement("update matches set state = 'ready', changed_at = $2 where id = $1", (match_id, now))
    yield Statement(
        "update tickets set state = 'placed', address = $2, changed_at = $3, forget_at = $3 + kept"
        " where match_id = $1 and state = 'matched'",
        (match_id, address, now),
    )


def fail(match: Match, reason: str, told: str, now: int, tried: int = 1) -> Steps[None]:
    """Its server could not be had: its players wait again, where they were; who has tried too often has failed.

    ``reason`` is kept for those who run the game, and ``told`` is what players may know of it.
    ``tried`` is how many tries it counts for: 0 where there was no place for a server, which nobody's game is to blame
    for.
    """
    yield Statement(
        "update matches set state = 'failed', reason = $2, changed_at = $3 where id = $1", (match.id, reason, now)
    )
    yield Statement(
        "update tickets set state = 'failed', reason = $2, tries = tries + 1, changed_at = $3, forget_at = $3 + kept"
        " where match_id = $1 and state = 'matched' and $5 > 0 and tries + 1 >= $4",
        (match.id, told, now, match.tries, tried),
    )
    yield Statement(
        "update tickets set state = 'waiting', reason = $2, tries = tries + $4, match_id = null, changed_at = $3"
        " where match_id = $1 and state = 'matched'",
        (match.id, told, now, tried),
    )


def leave(match_id: str, now: int) -> Steps[None]:
    """All its players have gone."""
    yield Statement("update matches set state = 'left', changed_at = $2 where id = $1", (match_id, now))


def forget_matches(before: int) -> Steps[None]:
    """Remove matches that were over then, and that no ticket tells of any more."""
    yield Statement(
        "delete from matches where state in ('ready', 'failed', 'left') and changed_at < $1"
        " and not exists (select 1 from tickets where tickets.match_id = matches.id)",
        (before,),
    )
