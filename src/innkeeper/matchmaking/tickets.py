"""Verbs on tickets: players wait for a match of a matchmaker that runs a rulebook. Called by the doors.

Nobody has to log in for it. Where the rulebook names a guard, callers show it as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import SECOND, Clock
from innkeeper.kit.errors import Invalid, NotFound, Unauthorized
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box, same

from .queries import setups as setup_queries
from .queries import tickets as queries
from .records import Ticket, TicketState
from .rules import Rules, chosen, measured

_decode = msgspec.json.Decoder(Rules).decode
#: Players who wait in one profile at the same time.
MOST_WAITING = 100_000


class Tickets:
    """Ask for a ticket, read it, give it back. ``bell`` wakes who makes matches."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, box: Box, bell: Bell) -> None:
        self._db, self._clock, self._chance, self._box, self._bell = db, clock, chance, box, bell

    async def create(
        self,
        matchmaker_id: str,
        guard: str | None,
        profile_id: str,
        *,
        player: str,
        ip: str,
        choices: Mapping[str, str],
        numbers: Mapping[str, float],
    ) -> Ticket:
        """A player waits from now on. Raises NotFound, Unauthorized, LimitReached, and Invalid for what the rules
        refuse."""
        rules = await self._enter(matchmaker_id, guard)
        profile = rules.profile(profile_id)
        if profile is None:
            known = ", ".join(each.id for each in rules.profiles)
            raise Invalid(f"there is no profile {profile_id!r}; there is {known}")
        now = self._clock.now()
        ticket = Ticket(
            id=self._chance.uuid(),
            matchmaker_id=matchmaker_id,
            profile=profile.id,
            player=player,
            ip=ip,
            choices=json.dumps(chosen(profile, choices)),
            numbers=json.dumps(measured(profile, numbers)),
            state=TicketState.WAITING,
            match_id=None,
            address=None,
            reason=None,
            tries=0,
            created_at=now,
            expires_at=now + round(profile.patience * SECOND),
            changed_at=now,
            kept=round(profile.kept * SECOND),
            forget_at=None,
        )
        await self._db.write(queries.add_ticket, ticket, MOST_WAITING)
        self._bell.ring()
        return ticket

    async def get(self, matchmaker_id: str, guard: str | None, ticket_id: str) -> Ticket:
        """How a ticket stands. Raises NotFound, Unauthorized."""
        await self._enter(matchmaker_id, guard)
        return await self._db.read(queries.ticket, matchmaker_id, ticket_id)

    async def delete(self, matchmaker_id: str, guard: str | None, ticket_id: str) -> Ticket:
        """Give a ticket back, wherever it stands; how it stood. Raises NotFound, Unauthorized.

        Who is in a match already leaves it. A match that all have left before it was ready needs no server.
        """
        await self._enter(matchmaker_id, guard)
        found = await self._db.write(queries.remove_ticket, matchmaker_id, ticket_id)
        self._bell.ring()
        return found

    async def _enter(self, matchmaker_id: str, guard: str | None) -> Rules:
        """The rules that hold. Raises NotFound where none do, Unauthorized without what they ask for."""
        live = await self._db.read(setup_queries.live, matchmaker_id)
        if live is None:
            raise NotFound("there is no matchmaker here that takes tickets")
        rules = _decode(self._box.open(live.rulebook.rules_sealed, place=live.rulebook.id))
        if rules.guard is not None and (guard is None or not same(rules.guard, guard)):
            raise Unauthorized("this matchmaker wants its token: send it as the header Authorization")
        return rules
