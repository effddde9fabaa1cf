"""Verbs on matchmakers, their rulebooks and their setups. Called by the doors."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec

from innkeeper.db.database import Database
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Invalid
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box

from .components import unique
from .queries import programs as program_queries
from .queries import rulebooks as rulebook_queries
from .queries import setups as queries
from .records import Matchmaker, NewSetup, Rulebook, ToldSetup
from .rules import Rules

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Rules).decode


class Setups:
    """Create, find, change and delete matchmakers, rulebooks and setups. ``bell`` wakes who runs them."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, box: Box, bell: Bell) -> None:
        self._db, self._clock, self._chance, self._box, self._bell = db, clock, chance, box, bell

    # -- matchmakers ------------------------------------------------------------------------------------------------

    async def create_matchmaker(self, org_id: str, name: str) -> Matchmaker:
        """A new one, which does nothing until it has a setup. Raises Taken."""
        now = self._clock.now()
        new = Matchmaker(self._chance.uuid(), org_id, name, now, now)
        await unique(self._db.write(queries.add_matchmaker, new), f"there is a matchmaker {name} already")
        return new

    async def matchmaker(self, org_id: str, name: str) -> Matchmaker:
        """One of them. Raises NotFound."""
        return await self._db.read(queries.matchmaker, org_id, name)

    async def matchmakers(self, org_id: str) -> list[Matchmaker]:
        """The organisation's, the oldest first."""
        return await self._db.read(queries.matchmakers, org_id)

    async def rename_matchmaker(self, org_id: str, name: str, new_name: str) -> Matchmaker:
        """Raises NotFound, Taken."""
        writing = self._db.write(queries.rename_matchmaker, org_id, name, new_name, self._clock.now())
        return await unique(writing, f"there is a matchmaker {new_name} already")

    async def delete_matchmaker(self, org_id: str, name: str) -> None:
        """Forget one with its setups and tickets; its servers end. Raises NotFound."""
        await self._db.write(queries.remove_matchmaker, org_id, name)
        self._bell.ring()

    async def addresses(self, matchmakers: Sequence[Matchmaker], base_url: str) -> dict[str, str]:
        """Where players ask for tickets, by the ids of those that have something running."""
        ids = json.dumps([one.id for one in matchmakers])
        ours = await self._db.read(queries.managed_now, ids)
        theirs = await self._db.read(program_queries.frontends, ids)
        return {id: f"{base_url}/aom/{id}" for id in ours} | {
            id: f"http://{address}" for id, address in theirs.items() if id not in ours
        }

    # -- rulebooks --------------------------------------------------------------------------------------------------

    async def create_rulebook(self, org_id: str, name: str, text: str, rules: Rules) -> Rulebook:
        """A new one; ``text`` is how its owner wrote it. Raises Taken."""
        now, id = self._clock.now(), self._chance.uuid()
        new = Rulebook(id, org_id, name, *self._sealed(id, text, rules), now, now)
        await unique(self._db.write(rulebook_queries.add_rulebook, new), f"there is a rulebook {name} already")
        return new

    async def rulebook(self, org_id: str, name: str) -> Rulebook:
        """One of them. Raises NotFound."""
        return await self._db.read(rulebook_queries.rulebook, org_id, name)

    async def rulebooks(self, org_id: str) -> list[Rulebook]:
        """The organisation's, the oldest first."""
        return await self._db.read(rulebook_queries.rulebooks, org_id)

    async def change_rulebook(
        self, org_id: str, name: str, *, new_name: str | None = None, written: tuple[str, Rules] | None = None
    ) -> Rulebook:
        """Change what is given; whoever waits is matched by it from now on. Raises NotFound, Taken."""
        found = await self.rulebook(org_id, name)
        sealed = None if written is None else self._sealed(found.id, *written)
        writing = self._db.write(rulebook_queries.change_rulebook, org_id, name, new_name, sealed, self._clock.now())
        changed = await unique(writing, f"there is a rulebook {new_name} already")
        self._bell.ring()
        return changed

    async def delete_rulebook(self, org_id: str, name: str) -> None:
        """Raises NotFound, and Invalid for one that a setup goes by."""
        await self._db.write(rulebook_queries.remove_rulebook, org_id, name)

    def text_of(self, rulebook: Rulebook) -> str:
        """What its owner wrote."""
        return self._box.open(rulebook.text_sealed, place=rulebook.id)

    def rules_of(self, rulebook: Rulebook) -> Rules:
        """What it says."""
        return _decode(self._box.open(rulebook.rules_sealed, place=rulebook.id))

    def _sealed(self, id: str, text: str, rules: Rules) -> tuple[str, str]:
        return self._box.seal(text, place=id), self._box.seal(_encode(rules).decode(), place=id)

    # -- setups -----------------------------------------------------------------------------------------------------

    async def create(self, org_id: str, matchmaker: str, said: NewSetup) -> ToldSetup:
        """A new one, which the matchmaker runs from now on. Raises NotFound for what it names, Taken, Invalid."""
        await self._check(org_id, said)
        id = self._chance.uuid()
        writing = self._db.write(queries.add_setup, org_id, matchmaker, id, said, self._clock.now())
        made = await unique(writing, f"the matchmaker {matchmaker} has a setup {said.name} already")
        self._bell.ring()
        return made

    async def get(self, org_id: str, matchmaker: str, name: str, *, managed: bool) -> ToldSetup:
        """One of a matchmaker, with a rulebook (``managed``) or with components. Raises NotFound."""
        return await self._db.read(queries.setup, org_id, matchmaker, name, managed=managed)

    async def all(self, org_id: str, matchmaker: str) -> list[ToldSetup]:
        """All of a matchmaker, of both kinds, the oldest first. Raises NotFound."""
        return await self._db.read(queries.setups, org_id, matchmaker)

    async def change(self, org_id: str, matchmaker: str, name: str, said: NewSetup, *, managed: bool) -> ToldSetup:
        """Change what is given; the matchmaker runs it from now on. Raises NotFound, Taken, Invalid."""
        if managed:
            before = await self.get(org_id, matchmaker, name, managed=True)
            named = NewSetup(
                app_name=said.app_name or before.setup.app_name, rulebook=said.rulebook or before.rulebook or ""
            )
            await self._check(org_id, named)
        now = self._clock.now()
        writing = self._db.write(queries.change_setup, org_id, matchmaker, name, said, now, managed=managed)
        changed = await unique(writing, f"the matchmaker {matchmaker} has a setup {said.name} already")
        self._bell.ring()
        return changed

    async def delete(self, org_id: str, matchmaker: str, name: str, *, managed: bool) -> None:
        """Forget one; the matchmaker runs the one before it, if there is one. Raises NotFound."""
        await self._db.write(queries.remove_setup, org_id, matchmaker, name, managed=managed)
        self._bell.ring()

    async def _check(self, org_id: str, said: NewSetup) -> None:
        """That it is known which app is played."""
        if said.rulebook is None or said.app_name:
            return
        rules = self.rules_of(await self.rulebook(org_id, said.rulebook))
        for profile in rules.profiles:
            if not profile.app:
                raise Invalid(
                    f"app_name: the profile {profile.id} of the rulebook {said.rulebook} names no app to play;"
                    " name one there, or with the setup"
                )
