"""Matchmakers and setups. Called by ``matchmaking/setups.py``, ``tickets.py`` and the keepers beside."""

from __future__ import annotations

from dataclasses import dataclass

from innkeeper.db.database import Row, Statement, Steps
from innkeeper.db.sql import FOR_UPDATE, listed
from innkeeper.kit.errors import NotFound, Taken
from innkeeper.matchmaking.records import Component, Matchmaker, NewSetup, Part, Rulebook, Setup, ToldSetup, Variable

from .components import COMPONENT, component, variables
from .rulebooks import RULEBOOK, rulebook

_MATCHMAKER = "id, org_id, name, created_at, changed_at"
_SETUP = (
    "id, matchmaker_id, name, app_name, label_name, rulebook_id, frontend_id, director_id, function_id, created_at,"
    " changed_at"
)
_WIDTH = _SETUP.count(",") + 1
_TOLD = (
    "select "
    + ", ".join(f"s.{name.strip()}" for name in _SETUP.split(","))
    + ", r.name, f.name, d.name, m.name from setups s left join rulebooks r on r.id = s.rulebook_id"
    " left join components f on f.id = s.frontend_id left join components d on d.id = s.director_id"
    " left join components m on m.id = s.function_id"
)
#: Which of several setups a matchmaker runs: the one that was made or changed last.
_LIVE = (
    "s.id = (select o.id from setups o where o.matchmaker_id = s.matchmaker_id"
    " order by o.changed_at desc, o.created_at desc, o.id desc limit 1)"
)


def _told(row: Row) -> ToldSetup:
    return ToldSetup(Setup(*row[:_WIDTH]), *row[_WIDTH:])


# -- matchmakers ----------------------------------------------------------------------------------------------------


def matchmaker(org_id: str, name: str, lock: str = "") -> Steps[Matchmaker]:
    """A matchmaker of the organisation, by its name. Raises NotFound."""
    rows = yield Statement(
        f"select {_MATCHMAKER} from matchmakers where org_id = $1 and name = $2 {lock}", (org_id, name)
    )
    if not rows:
        raise NotFound(f"there is no matchmaker {name}")
    return Matchmaker(*rows[0])


def matchmakers(org_id: str) -> Steps[list[Matchmaker]]:
    """The organisation's matchmakers, the oldest first."""
    rows = yield Statement(
        f"select {_MATCHMAKER} from matchmakers where org_id = $1 order by created_at, id", (org_id,)
    )
    return [Matchmaker(*row) for row in rows]


def add_matchmaker(new: Matchmaker) -> Steps[None]:
    """Keep one. Raises Taken for a name that another one has."""
    yield from _free_matchmaker(new.org_id, new.name)
    yield Statement(
        f"insert into matchmakers ({_MATCHMAKER}) values ($1, $2, $3, $4, $5)",
        (new.id, new.org_id, new.name, new.created_at, new.changed_at),
    )


def _free_matchmaker(org_id: str, name: str) -> Steps[None]:
    if (yield Statement("select 1 from matchmakers where org_id = $1 and name = $2", (org_id, name))):
        raise Taken(f"there is a matchmaker {name} already; choose another name")


def rename_matchmaker(org_id: str, name: str, new_name: str, now: int) -> Steps[Matchmaker]:
    """Raises NotFound, and Taken for a name that another one has."""
    found = yield from matchmaker(org_id, name, FOR_UPDATE)
    if new_name != name:
        yield from _free_matchmaker(org_id, new_name)
    yield Statement("update matchmakers set name = $2, changed_at = $3 where id = $1", (found.id, new_name, now))
    return (yield from matchmaker(org_id, new_name))


def remove_matchmaker(org_id: str, name: str) -> Steps[None]:
    """Forget one, with its setups and its tickets. Its servers are ended by who keeps them. Raises NotFound."""
    found = yield from matchmaker(org_id, name, FOR_UPDATE)
    yield Statement("delete from tickets where matchmaker_id = $1", (found.id,))
    yield Statement("delete from setups where matchmaker_id = $1", (found.id,))
    yield Statement("delete from matchmakers where id = $1", (found.id,))


# -- setups ---------------------------------------------------------------------------------------------------------


def setup(org_id: str, matchmaker_name: str, name: str, *, managed: bool) -> Steps[ToldSetup]:
    """A setup with a rulebook (``managed``) or with components. Raises NotFound."""
    found = yield from matchmaker(org_id, matchmaker_name)
    rows = yield Statement(f"{_TOLD} where s.matchmaker_id = $1 and s.name = $2", (found.id, name))
    if not rows or (rows[0][5] is not None) != managed:
        kind = "managed setup" if managed else "setup"
        raise NotFound(f"the matchmaker {matchmaker_name} has no {kind} {name}")
    return _told(rows[0])


def setups(org_id: str, matchmaker_name: str) -> Steps[list[ToldSetup]]:
    """All setups of a matchmaker, the oldest first. Raises NotFound."""
    found = yield from matchmaker(org_id, matchmaker_name)
    rows = yield Statement(f"{_TOLD} where s.matchmaker_id = $1 order by s.created_at, s.id", (found.id,))
    return [_told(row) for row in rows]


def add_setup(org_id: str, matchmaker_name: str, id: str, said: NewSetup, now: int) -> Steps[ToldSetup]:
    """Keep one, and have the matchmaker run it. Raises NotFound for what it names, Taken for a name it has already."""
    of = yield from matchmaker(org_id, matchmaker_name, FOR_UPDATE)
    name = said.name or ""
    yield from _free_setup(of, name)
    rules, parts = yield from _made_of(org_id, said)
    yield Statement(
        f"insert into setups ({_SETUP}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        (
            id, of.id, name, said.app_name or "", said.label_name or "", rules, parts[Part.FRONTEND],
            parts[Part.DIRECTOR], parts[Part.FUNCTION], now,
        ),
    )  # fmt: skip
    return (yield from setup(org_id, matchmaker_name, name, managed=rules is not None))


def change_setup(
    org_id: str, matchmaker_name: str, name: str, said: NewSetup, now: int, *, managed: bool
) -> Steps[ToldSetup]:
    """Change what is given, and have the matchmaker run it. Raises NotFound, Taken."""
    of = yield from matchmaker(org_id, matchmaker_name, FOR_UPDATE)
    before = (yield from setup(org_id, matchmaker_name, name, managed=managed)).setup
    if said.name is not None and said.name != name:
        yield from _free_setup(of, said.name)
    rules, parts = yield from _made_of(org_id, said)
    yield Statement(
        "update setups set name = $2, app_name = $3, label_name = $4, rulebook_id = $5, frontend_id = $6,"
        " director_id = $7, function_id = $8, changed_at = $9 where id = $1",
        (
            before.id, said.name or name, said.app_name or before.app_name, said.label_name or before.label_name,
            rules or before.rulebook_id, parts[Part.FRONTEND] or before.frontend_id,
            parts[Part.DIRECTOR] or before.director_id, parts[Part.FUNCTION] or before.function_id, now,
        ),
    )  # fmt: skip
    return (yield from setup(org_id, matchmaker_name, said.name or name, managed=managed))


def remove_setup(org_id: str, matchmaker_name: str, name: str, *, managed: bool) -> Steps[None]:
    """Forget one. Its servers are ended by who keeps them. Raises NotFound."""
    yield from matchmaker(org_id, matchmaker_name, FOR_UPDATE)
    found = yield from setup(org_id, matchmaker_name, name, managed=managed)
    yield Statement("delete from setups where id = $1", (found.setup.id,))


def _free_setup(of: Matchmaker, name: str) -> Steps[None]:
    if (yield Statement("select 1 from setups where matchmaker_id = $1 and name = $2", (of.id, name))):
        raise Taken(f"the matchmaker {of.name} has a setup {name} already; choose another name")


def _made_of(org_id: str, said: NewSetup) -> Steps[tuple[str | None, dict[Part, str | None]]]:
    """The ids of what a setup names: its rulebook, its components. Locked, so that nobody takes them away now."""
    rules = None if said.rulebook is None else (yield from rulebook(org_id, said.rulebook, FOR_UPDATE)).id
    parts: dict[Part, str | None] = {}
    for part, name in said.components.items():
        parts[part] = None if name is None else (yield from component(org_id, name, FOR_UPDATE)).id
    return rules, parts


# -- what runs ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Live:
    """A matchmaker with the rulebook setup that it runs."""

    matchmaker: Matchmaker
    setup: Setup
    rulebook: Rulebook


def live(matchmaker_id: str) -> Steps[Live | None]:
    """What a matchmaker runs, where that is a rulebook."""
    found = yield from _lives("m.id = $1", (matchmaker_id,))
    return found[0] if found else None


def lives() -> Steps[list[Live]]:
    """All matchmakers that run a rulebook and have somebody waiting."""
    waiting = "exists (select 1 from tickets t where t.matchmaker_id = m.id and t.state = 'waiting')"
    return (yield from _lives(waiting, ()))


def _lives(condition: str, values: tuple[str, ...]) -> Steps[list[Live]]:
    columns = [f"{table}.{name.strip()}" for table, names in (("m", _MATCHMAKER), ("s", _SETUP), ("r", RULEBOOK))
               for name in names.split(",")]  # fmt: skip
    rows = yield Statement(
        f"select {', '.join(columns)} from matchmakers m join setups s on s.matchmaker_id = m.id and {_LIVE}"
        f" join rulebooks r on r.id = s.rulebook_id where {condition} order by m.id",
        values,
    )
    return [Live(Matchmaker(*row[:5]), Setup(*row[5 : 5 + _WIDTH]), Rulebook(*row[5 + _WIDTH :])) for row in rows]


@dataclass(frozen=True, slots=True)
class LiveParts:
    """A matchmaker with the setup of three components that it runs."""

    matchmaker: Matchmaker
    setup: Setup
    parts: dict[Part, tuple[Component, list[Variable]]]


def lives_of_components() -> Steps[list[LiveParts]]:
    """All matchmakers that run components."""
    columns = [f"{table}.{name.strip()}" for table, names in (("m", _MATCHMAKER), ("s", _SETUP))
               for name in names.split(",")]  # fmt: skip
    rows = yield Statement(
        f"select {', '.join(columns)} from matchmakers m join setups s on s.matchmaker_id = m.id and {_LIVE}"
        " where s.rulebook_id is null order by m.id"
    )
    found: list[LiveParts] = []
    for row in rows:
        running = Setup(*row[5:])
        parts: dict[Part, tuple[Component, list[Variable]]] = {}
        for part, id in (
            (Part.FUNCTION, running.function_id), (Part.FRONTEND, running.frontend_id),
            (Part.DIRECTOR, running.director_id),
        ):  # fmt: skip
            one = yield Statement(f"select {COMPONENT} from components where id = $1", (id,))
            if one:
                parts[part] = (Component(*one[0]), (yield from variables(one[0][0])))
        found.append(LiveParts(Matchmaker(*row[:5]), running, parts))
    return found


def managed_now(matchmaker_ids: str) -> Steps[set[str]]:
    """Which of these matchmakers (a JSON list of ids) run a rulebook."""
    rows = yield Statement(
        f"select s.matchmaker_id from setups s where s.matchmaker_id in ({listed('$1')}) and {_LIVE}"
        " and s.rulebook_id is not null",
        (matchmaker_ids,),
    )
    return {row[0] for row in rows}
