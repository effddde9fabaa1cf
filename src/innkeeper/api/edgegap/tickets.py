"""Tickets of a managed matchmaker, for players. Declared in ``contract/edgegap/tickets.py``.

No login stands before them. Where the matchmaker's configuration has a token, that is what callers show: as it is, or
with the word ``token`` before it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from innkeeper.api.serve import implements
from innkeeper.api.visits import Visit
from innkeeper.contract.edgegap.tickets import (
    TicketAssignment,
    TicketCreate,
    TicketData,
    TicketResponse,
    Tickets,
)
from innkeeper.contract.shape import given
from innkeeper.matchmaking.records import Ticket
from innkeeper.matchmaking.rules import Profile

_WORD = "token "


def guard_of(visit: Visit) -> str | None:
    """What the caller shows, without the word before it."""
    value = visit.headers.get(b"authorization", b"").decode("latin-1").strip()
    if value.lower().startswith(_WORD):
        value = value[len(_WORD) :].strip()
    return value or None


def ticket_data(ticket: Ticket) -> TicketResponse:
    """A ticket as its players' clients know it. What went wrong is told once nothing else comes of it."""
    waits = ticket.state in ("waiting", "matched")
    return TicketResponse(
        request_id=ticket.id[-12:],
        data=TicketData(
            ticket_id=ticket.id,
            assignment=None if ticket.address is None else TicketAssignment(server_host=ticket.address),
        ),
        error=None if waits or ticket.address is not None else ticket.reason,
    )


@implements(Tickets.create_ticket)
async def create_ticket(visit: Visit, params: TicketCreate, matchmaker_id: str) -> TicketResponse:
    visit.wings.rates.ticket(matchmaker_id, visit.client_ip)
    said = given(params.matchmaking_data)
    choices = numbers = None
    if said is not None:
        choices, numbers = given(said.selector_data), given(said.filter_data)
    ticket = await visit.wings.tickets.create(
        matchmaker_id,
        guard_of(visit),
        params.edgegap_profile_id,
        player=given(params.player_id) or "",
        ip=visit.client_ip,
        choices=choices or {},
        numbers=numbers or {},
    )
    return ticket_data(ticket)


@implements(Tickets.get_ticket)
async def get_ticket(visit: Visit, matchmaker_id: str, ticket_id: str) -> TicketResponse:
    return ticket_data(await visit.wings.tickets.get(matchmaker_id, guard_of(visit), ticket_id))


@implements(Tickets.delete_ticket)
async def delete_ticket(visit: Visit, matchmaker_id: str, ticket_id: str) -> TicketResponse:
    return ticket_data(await visit.wings.tickets.delete(matchmaker_id, guard_of(visit), ticket_id))


def told(match_id: str, profile: Profile, players: Sequence[Ticket]) -> list[tuple[str, str]]:
    """What the server of a match is told, under the names that the vendor's newer matchmaker made known."""
    env = [
        ("MM_MATCH_ID", match_id),
        ("MM_MATCH_PROFILE", profile.id),
        ("MM_TICKET_IDS", json.dumps([player.id for player in players])),
    ]
    for player in players:
        attributes = {**json.loads(player.choices), **json.loads(player.numbers)}
        said = {"id": player.id, "player_id": player.player, "player_ip": player.ip, "attributes": attributes}
        env.append((f"MM_TICKET_{player.id}", json.dumps(said)))
    return env
