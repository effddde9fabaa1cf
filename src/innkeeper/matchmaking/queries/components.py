"""Components and their variables. Called by ``matchmaking/components.py``."""

from __future__ import annotations

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import FOR_UPDATE
from innkeeper.kit.errors import Invalid, NotFound, Taken
from innkeeper.matchmaking.records import Component, ComponentChange, Variable

COMPONENT = "id, org_id, name, registry, image, tag, login_sealed, created_at, changed_at"
_VARIABLE = "id, component_id, name, value_sealed, created_at, changed_at"


def component(org_id: str, name: str, lock: str = "") -> Steps[Component]:
    """A component of the organisation, by its name. Raises NotFound."""
    rows = yield Statement(f"select {COMPONENT} from components where org_id = $1 and name = $2 {lock}", (org_id, name))
    if not rows:
        raise NotFound(f"there is no component {name}")
    return Component(*rows[0])


def components(org_id: str) -> Steps[list[Component]]:
    """The organisation's components, the oldest first."""
    rows = yield Statement(f"select {COMPONENT} from components where org_id = $1 order by created_at, id", (org_id,))
    return [Component(*row) for row in rows]


def add_component(new: Component) -> Steps[None]:
    """Keep one. Raises Taken for a name that another one has."""
    yield from _free_name(new.org_id, new.name)
    c = new
    yield Statement(
        f"insert into components ({COMPONENT}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        (c.id, c.org_id, c.name, c.registry, c.image, c.tag, c.login_sealed, c.created_at, c.changed_at),
    )


def _free_name(org_id: str, name: str) -> Steps[None]:
    if (yield Statement("select 1 from components where org_id = $1 and name = $2", (org_id, name))):
        raise Taken(f"there is a component {name} already; choose another name")


def change_component(org_id: str, name: str, id: str, change: ComponentChange, now: int) -> Steps[Component]:
    """Change what is given of the one with this id. Raises NotFound, and Taken for a name that another one has."""
    found = yield from component(org_id, name, FOR_UPDATE)
    if found.id != id:
        raise NotFound(f"the component {name} is another one by now")
    if change.name is not None and change.name != name:
        yield from _free_name(org_id, change.name)
    yield Statement(
        "update components set name = $2, registry = $3, image = $4, tag = $5, login_sealed = $6, changed_at = $7"
        " where id = $1",
        (
            id, change.name or name, change.registry or found.registry, change.image or found.image,
            change.tag or found.tag, change.login_sealed or found.login_sealed, now,
        ),
    )  # fmt: skip
    return (yield from component(org_id, change.name or name))


def remove_component(org_id: str, name: str) -> Steps[None]:
    """Forget one and its variables. Raises NotFound, and Invalid for one that a setup runs."""
    found = yield from component(org_id, name, FOR_UPDATE)
    used = yield Statement(
        "select m.name, s.name from setups s join matchmakers m on m.id = s.matchmaker_id"
        " where s.frontend_id = $1 or s.director_id = $1 or s.function_id = $1 order by m.name, s.name limit 1",
        (found.id,),
    )
    if used:
        matchmaker, setup = used[0]
        raise Invalid(
            f"the component {name} is run by the setup {setup} of the matchmaker {matchmaker}: delete that one first"
        )
    yield Statement("delete from component_variables where component_id = $1", (found.id,))
    yield Statement("delete from components where id = $1", (found.id,))


# -- variables ------------------------------------------------------------------------------------------------------


def variables(component_id: str) -> Steps[list[Variable]]:
    """The variables of a component, the oldest first."""
    rows = yield Statement(
        f"select {_VARIABLE} from component_variables where component_id = $1 order by created_at, id", (component_id,)
    )
    return [Variable(*row) for row in rows]


def variables_named(org_id: str, component_name: str) -> Steps[list[Variable]]:
    """The same of the component with this name. Raises NotFound."""
    found = yield from component(org_id, component_name)
    return (yield from variables(found.id))


def variable(org_id: str, component_name: str, name: str) -> Steps[Variable]:
    """One of them. Raises NotFound."""
    found = yield from component(org_id, component_name)
    rows = yield Statement(
        f"select {_VARIABLE} from component_variables where component_id = $1 and name = $2", (found.id, name)
    )
    if not rows:
        raise NotFound(f"the component {component_name} has no variable {name}")
    return Variable(*rows[0])


def add_variable(org_id: str, component_name: str, id: str, name: str, sealed: str, now: int) -> Steps[Variable]:
    """Keep one. Raises NotFound, and Taken for a name that another one has."""
    found = yield from component(org_id, component_name, FOR_UPDATE)
    yield from _free_variable(found, name)
    new = Variable(id, found.id, name, sealed, now, now)
    yield Statement(
        f"insert into component_variables ({_VARIABLE}) values ($1, $2, $3, $4, $5, $6)",
        (new.id, new.component_id, new.name, new.value_sealed, new.created_at, new.changed_at),
    )
    yield from _touch(found.id, now)
    return new


def change_variable(
    org_id: str, component_name: str, variable_id: str, name: str | None, sealed: str | None, now: int
) -> Steps[Variable]:
    """Change what is given. Raises NotFound, and Taken for a name that another one has."""
    found = yield from component(org_id, component_name, FOR_UPDATE)
    rows = yield Statement(f"select {_VARIABLE} from component_variables where id = $1", (variable_id,))
    if not rows:
        raise NotFound(f"the component {component_name} has no such variable any more")
    before = Variable(*rows[0])
    if name is not None and name != before.name:
        yield from _free_variable(found, name)
    yield Statement(
        "update component_variables set name = $2, value_sealed = $3, changed_at = $4 where id = $1",
        (variable_id, name or before.name, sealed or before.value_sealed, now),
    )
    yield from _touch(found.id, now)
    return (yield from variable(org_id, component_name, name or before.name))


def remove_variable(org_id: str, component_name: str, name: str, now: int) -> Steps[None]:
    """Forget one. Raises NotFound."""
    found = yield from variable(org_id, component_name, name)
    yield Statement("delete from component_variables where id = $1", (found.id,))
    yield from _touch(found.component_id, now)


def _free_variable(of: Component, name: str) -> Steps[None]:
    if (yield Statement("select 1 from component_variables where component_id = $1 and name = $2", (of.id, name))):
        raise Taken(f"the component {of.name} has a variable {name} already: change that one")


def _touch(component_id: str, now: int) -> Steps[None]:
    yield Statement("update components set changed_at = $2 where id = $1", (component_id, now))
