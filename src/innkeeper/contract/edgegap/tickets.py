"""Tickets of a managed matchmaker: what players ask at its ``url``. Answered in ``api/edgegap/tickets.py``.

Each matchmaker of the vendor's had a host of its own; here each is a path of the house, which is why the vendor's
documents do not have these operations. What travels is as its players' clients know it.
"""

from __future__ import annotations

from typing import Annotated

from innkeeper.contract.resource import M, Resource
from innkeeper.contract.shape import UNSET, Snake, UnsetType, checked

from . import operation

_Key = Annotated[str, checked(min_length=1, max_length=255)]


class TicketMatchmakingData(Snake):
    """What a player is matched by, under the keys of the profile's selectors and filters."""

    selector_data: dict[_Key, Annotated[str, checked(max_length=1024)]] | UnsetType | None = UNSET
    filter_data: dict[_Key, float] | UnsetType | None = UNSET


class TicketCreate(Snake):
    """A player who wants a match."""

    edgegap_profile_id: str  #: which kind of match: a profile of the matchmaker's configuration
    #: who it is, as the game calls the player: two tickets of one player are never in one match
    player_id: Annotated[str, checked(max_length=255)] | UnsetType | None = UNSET
    matchmaking_data: TicketMatchmakingData | UnsetType | None = UNSET


class TicketAssignment(Snake):
    """Where the match is played."""

    server_host: str  #: host and port, with ``:`` between them


class TicketData(Snake):
    """A ticket."""

    ticket_id: str
    assignment: TicketAssignment | None  #: None until the match's deployment is ready


class TicketResponse(Snake):
    """How a ticket stands."""

    request_id: str  #: of this answer
    data: TicketData
    error: str | None  #: why there is no match, for people; None while one is looked for


class Tickets(Resource[M]):
    """Tickets of a managed matchmaker. Players ask for them at the matchmaker's ``url``."""

    @operation(
        "POST", "/aom/{matchmaker_id}/v1/tickets", id="ticket-create", key="none", errors=(400, 401, 404, 422, 429),
        public=False,
    )  # fmt: skip
    def create_ticket(self, params: TicketCreate, matchmaker_id: str) -> TicketResponse:
        """Wait for a match."""
        ...

    @operation(
        "GET", "/aom/{matchmaker_id}/v1/tickets/{ticket_id}", id="ticket-get", key="none",
        errors=(400, 401, 404, 429), public=False,
    )  # fmt: skip
    def get_ticket(self, matchmaker_id: str, ticket_id: str) -> TicketResponse:
        """Ask how a ticket stands: every second or so, until it has an assignment or an error."""
        ...

    @operation(
        "DELETE", "/aom/{matchmaker_id}/v1/tickets/{ticket_id}", id="ticket-delete", key="none",
        errors=(400, 401, 404, 429), public=False,
    )  # fmt: skip
    def delete_ticket(self, matchmaker_id: str, ticket_id: str) -> TicketResponse:
        """Give a ticket back: the player waits no more, or leaves the match."""
        ...
