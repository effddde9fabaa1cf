"""Verbs on components: the programs of matchmakers that run their owner's own matching. Called by the doors."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import msgspec

from innkeeper.db.database import Database, Duplicate
from innkeeper.kit.bell import Bell
from innkeeper.kit.clock import Clock
from innkeeper.kit.errors import Taken
from innkeeper.kit.ids import Chance
from innkeeper.kit.secrets import Box

from .queries import components as queries
from .records import Component, ComponentChange, Variable

T = TypeVar("T")

#: Who we are to a registry: user and password.
Login = tuple[str, str]


class Components:
    """Create, find, change and delete components and their variables. ``bell`` wakes who runs them."""

    def __init__(self, db: Database, clock: Clock, chance: Chance, box: Box, bell: Bell) -> None:
        self._db, self._clock, self._chance, self._box, self._bell = db, clock, chance, box, bell

    async def create(
        self, org_id: str, name: str, registry: str, image: str, tag: str, login: Login | None
    ) -> Component:
        """A new one. Raises Taken."""
        now, id = self._clock.now(), self._chance.uuid()
        new = Component(id, org_id, name, registry, image, tag, self._sealed(id, login), now, now)
        await unique(self._db.write(queries.add_component, new), f"there is a component {name} already")
        return new

    async def get(self, org_id: str, name: str) -> Component:
        """One of them. Raises NotFound."""
        return await self._db.read(queries.component, org_id, name)

    async def all(self, org_id: str) -> list[Component]:
        """The organisation's, the oldest first."""
        return await self._db.read(queries.components, org_id)

    async def change(
        self,
        org_id: str,
        name: str,
        *,
        new_name: str | None = None,
        registry: str | None = None,
        image: str | None = None,
        tag: str | None = None,
        login: Login | None = None,
    ) -> Component:
        """Change what is given. What runs it is started again with it. Raises NotFound, Taken."""
        found = await self.get(org_id, name)
        change = ComponentChange(new_name, registry, image, tag, self._sealed(found.id, login))
        writing = self._db.write(queries.change_component, org_id, name, found.id, change, self._clock.now())
        changed = await unique(writing, f"there is a component {new_name} already")
        self._bell.ring()
        return changed

    async def delete(self, org_id: str, name: str) -> None:
        """Forget one and its variables. Raises NotFound, and Invalid for one that a setup runs."""
        await self._db.write(queries.remove_component, org_id, name)

    def login_of(self, component: Component) -> Login | None:
        """Who we are to the registry of its image; None for a public image."""
        if component.login_sealed is None:
            return None
        user, password = msgspec.json.decode(self._box.open(component.login_sealed, place=component.id), type=Login)
        return user, password

    def _sealed(self, id: str, login: Login | None) -> str | None:
        return None if login is None else self._box.seal(msgspec.json.encode(login).decode(), place=id)

    # -- variables --------------------------------------------------------------------------------------------------

    async def add_variable(self, org_id: str, component: str, name: str, value: str) -> Variable:
        """Raises NotFound, Taken."""
        id = self._chance.uuid()
        writing = self._db.write(
            queries.add_variable, org_id, component, id, name, self._box.seal(value, place=id), self._clock.now()
        )
        added = await unique(writing, f"the component {component} has a variable {name} already")
        self._bell.ring()
        return added

    async def variable(self, org_id: str, component: str, name: str) -> Variable:
        """One of them. Raises NotFound."""
        return await self._db.read(queries.variable, org_id, component, name)

    async def variables(self, org_id: str, component: str) -> list[Variable]:
        """All of them, the oldest first. Raises NotFound."""
        return await self._db.read(queries.variables_named, org_id, component)

    async def change_variable(
        self, org_id: str, component: str, name: str, *, new_name: str | None = None, value: str | None = None
    ) -> Variable:
        """Change what is given. Raises NotFound, Taken."""
        found = await self.variable(org_id, component, name)
        sealed = None if value is None else self._box.seal(value, place=found.id)
        writing = self._db.write(
            queries.change_variable, org_id, component, found.id, new_name, sealed, self._clock.now()
        )
        changed = await unique(writing, f"the component {component} has a variable {new_name} already")
        self._bell.ring()
        return changed

    async def remove_variable(self, org_id: str, component: str, name: str) -> None:
        """Raises NotFound."""
        await self._db.write(queries.remove_variable, org_id, component, name, self._clock.now())
        self._bell.ring()

    def value_of(self, variable: Variable) -> str:
        """What it is set to."""
        return self._box.open(variable.value_sealed, place=variable.id)


async def unique(writing: Awaitable[T], text: str) -> T:
    """The outcome of a write; a name that somebody took in the same moment is Taken too."""
    try:
        return await writing
    except Duplicate:
        raise Taken(f"{text}; choose another name") from None
