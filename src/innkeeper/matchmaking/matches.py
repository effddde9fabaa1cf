"""Keeps matches: makes them of players who wait, gets each a server, and tells its players where to go.

A match is written down before its server is asked for, and that is asked for by the match's id: a pass that was cut off
anywhere is repeated. Run by ``inn.py``'s loops.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence

import msgspec

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import HOUR, SECOND, Clock
from innkeeper.kit.errors import HouseError, LimitReached, NotFound, Unavailable
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box

from .grounds import Ground, Grounds
from .holding import Holding
from .matching import Waiting, matches
from .queries import setups as setup_queries
from .queries import tickets as queries
from .queries.setups import Live
from .records import Match, MatchState, Ticket
from .rules import Profile, Rules

log = logging.getLogger(__name__)

#: What a match's server is told of it, in the words of those who made the game: variables.
Tell = Callable[[str, Profile, Sequence[Ticket]], Sequence[tuple[str, str]]]

_decode = msgspec.json.Decoder(Rules).decode
#: Players of one profile that are looked at in one pass, the oldest.
MOST_LOOKED_AT = 10_000
#: How often servers that start are looked at, in seconds.
_WATCH = 1.0
#: The longest pause between two passes, in seconds: tickets that are over are forgotten.
_SWEEP = 60.0
#: How long matches are kept when they are over and no ticket tells of them, in microseconds.
_MATCH_KEPT = HOUR
_EXPIRED = "no match was found in time; ask again"
#: Told instead of what may hold a program's last words, or what a registry or a store said: players are anybody.
_REFUSED = "no server can be started for a match now; who runs the game is told why when a deployment is asked for"
_ENDED = "the server of the match ended before players could join; who runs the game finds why among its deployments"


class Matches:
    """The keeper of matches. ``bell`` is rung when somebody comes to wait."""

    def __init__(
        self, db: Database, clock: Clock, chance: Chance, box: Box, grounds: Grounds, tell: Tell, bell: Bell
    ) -> None:
        self._db, self._clock, self._chance, self._box = db, clock, chance, box
        self._grounds, self._tell = grounds, tell
        self.bell = bell
        self._held = Holding(clock)
        self._looked: dict[tuple[str, str], int] = {}  # matchmaker and profile -> when it was looked at last

    async def keep(self) -> float | None:
        """One pass; the seconds until the next one."""
        now = self._clock.now()
        await self._db.write(queries.expire, now, _EXPIRED)
        await self._db.write(queries.forget, now)
        await self._db.write(queries.forget_matches, now - _MATCH_KEPT)
        pause = await self._form(now)
        found = await self._db.read(queries.open_matches)
        seen = await self._grounds.look([match.server_id for match in found if match.server_id is not None])
        for match in filter(lambda match: self._held.free(match.id), found):
            with self._held.one(match.id, "match"):
                if match.state is MatchState.WANTED:
                    await self._start(match)
                else:
                    await self._watch(match, seen.get(match.server_id or ""))
        return min(pause, _WATCH) if found else pause

    # -- making them ------------------------------------------------------------------------------------------------

    async def _form(self, now: int) -> float:
        """Make matches wherever it is time to look; the seconds until it is time again somewhere."""
        pause = _SWEEP
        lives = await self._db.read(setup_queries.lives)
        self._looked = {key: at for key, at in self._looked.items() if now - at <= HOUR}  # none is looked at less often
        for live in filter(lambda live: self._held.free(live.matchmaker.id), lives):
            with self._held.one(live.matchmaker.id, "matchmaker"):
                pause = min(pause, await self._form_in(live, now))
        expiry = await self._db.read(queries.next_expiry)
        return pause if expiry is None else max(0.0, min(pause, (expiry - now) / SECOND))

    async def _form_in(self, live: Live, now: int) -> float:
        """Make matches in one matchmaker; the seconds until it is time again."""
        pause = _SWEEP
        rules = _decode(self._box.open(live.rulebook.rules_sealed, place=live.rulebook.id))
        for profile in rules.profiles:
            key = (live.matchmaker.id, profile.id)
            due = max(
                self._looked.get(key, 0) + round(profile.every * SECOND),
                live.setup.changed_at + round(profile.pause * SECOND),
            )
            if due <= now:
                await self._form_of(live, profile, now)
                self._looked[key] = now
                due = now + round(profile.every * SECOND)
            pause = min(pause, (due - now) / SECOND)
        return pause

    async def _form_of(self, live: Live, profile: Profile, now: int) -> None:
        tickets = await self._db.read(queries.waiting, live.matchmaker.id, profile.id, MOST_LOOKED_AT)
        by_id = {ticket.id: ticket for ticket in tickets}
        waiting = [waiting_of(profile, ticket) for ticket in tickets]
        # Players whom nobody fits, or many tickets of one, take seconds, in which the house has others to answer.
        for match in await asyncio.to_thread(matches, profile, waiting, now):
            players = [by_id[one.id] for one in match]
            await self._db.write(queries.add_match, self._match(live, profile, players, now), [p.id for p in players])

    def _match(self, live: Live, profile: Profile, players: Sequence[Ticket], now: int) -> Match:
        id = self._chance.uuid()
        env = [*told_of(profile, players), *self._tell(id, profile, players)]
        return Match(
            id=id,
            matchmaker_id=live.matchmaker.id,
            org_id=live.matchmaker.org_id,
            profile=profile.id,
            app_name=profile.app or live.setup.app_name,
            label_name=profile.label or live.setup.label_name,
            port=profile.port,
            env_sealed=self._box.seal(json.dumps(env), place=id),
            tries=profile.tries,
            server_id=None,
            state=MatchState.WANTED,
            reason=None,
            created_at=now,
            changed_at=now,
        )

    # -- getting them servers ---------------------------------------------------------------------------------------

    async def _start(self, match: Match) -> None:
        players = await self._db.read(queries.players_of, match.id)
        if not players:  # its server may have been asked for nevertheless, if we were cut off before that was noted
            await self._leave(match, await self._grounds.find(match.org_id, match.id))
            return
        env = msgspec.json.decode(self._box.open(match.env_sealed, place=match.id), type=list[tuple[str, str]])
        try:
            server_id = await self._grounds.start(
                match.org_id, match.app_name, match.label_name or None, mark=match.id,
                players=[player.ip for player in players if player.ip], env=env,
                tags=[player.id for player in players],
            )  # fmt: skip
        except Unavailable:
            raise  # what the house stands on does not answer: the pass is repeated
        except HouseError as error:
            known = isinstance(error, LimitReached | NotFound)
            told = str(error) if known else _REFUSED
            await self._fail(match, str(error), told, 0 if isinstance(error, LimitReached) else 1)
            return
        await self._db.write(queries.asked, match.id, server_id, self._clock.now())

    async def _watch(self, match: Match, ground: Ground | None) -> None:
        if ground is None or ground.over is not None:
            await self._fail(match, "its server is gone" if ground is None else ground.over or "it ended", _ENDED)
            return
        if not await self._db.read(queries.players_of, match.id):
            await self._leave(match, ground.id)
        elif ground.ready:
            address = ground.address(match.port)
            if address is None:
                there = ", ".join(door.name for door in ground.doors) or "none"
                text = f"the server has no port {match.port}, which the rules send players to; it has {there}"
                await self._grounds.stop(match.org_id, ground.id, text)
                await self._fail(match, text, text)
            else:
                await self._db.write(queries.place, match.id, address, self._clock.now())

    async def _leave(self, match: Match, server_id: str | None) -> None:
        if server_id is not None:
            await self._grounds.stop(match.org_id, server_id, "all players of its match had left before it was ready")
        await self._db.write(queries.leave, match.id, self._clock.now())

    async def _fail(self, match: Match, reason: str, told: str, tried: int = 1) -> None:
        log.info("match %s of the profile %s has no server: %s", match.id, match.profile, reason)
        await self._db.write(queries.fail, match, reason, told, self._clock.now(), tried)


def waiting_of(profile: Profile, ticket: Ticket) -> Waiting:
    """A ticket for the eyes of the kernel. What a newer rulebook asks for and the ticket never said is unsaid."""
    choices: dict[str, str] = json.loads(ticket.choices)
    numbers: dict[str, float] = json.loads(ticket.numbers)
    return Waiting(
        ticket.id,
        ticket.player,
        ticket.created_at,
        tuple(choices.get(choice.key, choice.fallback) for choice in profile.choices),
        tuple(numbers.get(span.key, span.fallback) for span in profile.spans),
    )


def told_of(profile: Profile, players: Sequence[Ticket]) -> list[tuple[str, str]]:
    """What the rules give a match's server: the choice that all its players share, and the numbers of all of them."""
    first = waiting_of(profile, players[0])
    env = [
        (choice.key, value)
        for choice, value in zip(profile.choices, first.choices, strict=True)
        if choice.told and value is not None
    ]
    for at, span in enumerate(profile.spans):
        if span.told:
            numbers = [waiting_of(profile, player).numbers[at] for player in players]
            env.append((span.key, json.dumps([number for number in numbers if number is not None])))
    return env
