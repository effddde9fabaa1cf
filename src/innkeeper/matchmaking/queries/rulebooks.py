"""Rulebooks. Called by ``matchmaking/setups.py`` and ``setups.py`` beside."""

from __future__ import annotations

from innkeeper.db.database import Statement, Steps
from innkeeper.db.sql import FOR_UPDATE
from innkeeper.kit.errors import Invalid, NotFound, Taken
from innkeeper.matchmaking.records import Rulebook

RULEBOOK = "id, org_id, name, text_sealed, rules_sealed, created_at, changed_at"


def rulebook(org_id: str, name: str, lock: str = "") -> Steps[Rulebook]:
    """A rulebook of the organisation, by its name. Raises NotFound."""
    rows = yield Statement(f"select {RULEBOOK} from rulebooks where org_id = $1 and name = $2 {lock}", (org_id, name))
    if not rows:
        raise NotFound(f"there is no rulebook {name}")
    return Rulebook(*rows[0])


def rulebooks(org_id: str) -> Steps[list[Rulebook]]:
    """The organisation's rulebooks, the oldest first."""
    rows = yield Statement(f"select {RULEBOOK} from rulebooks where org_id = $1 order by created_at, id", (org_id,))
    return [Rulebook(*row) for row in rows]


def add_rulebook(new: Rulebook) -> Steps[None]:
    """Keep one. Raises Taken for a name that another one has."""
    yield from _free_rulebook(new.org_id, new.name)
    yield Statement(
        f"insert into rulebooks ({RULEBOOK}) values ($1, $2, $3, $4, $5, $6, $7)",
        (new.id, new.org_id, new.name, new.text_sealed, new.rules_sealed, new.created_at, new.changed_at),
    )


def _free_rulebook(org_id: str, name: str) -> Steps[None]:
    if (yield Statement("select 1 from rulebooks where org_id = $1 and name = $2", (org_id, name))):
        raise Taken(f"there is a rulebook {name} already; choose another name")


def change_rulebook(
    org_id: str, name: str, new_name: str | None, sealed: tuple[str, str] | None, now: int
) -> Steps[Rulebook]:
    """Change what is given: the name, or text and rules. Raises NotFound, and Taken for a name that is another's."""
    found = yield from rulebook(org_id, name, FOR_UPDATE)
    if new_name is not None and new_name != name:
        yield from _free_rulebook(org_id, new_name)
    text, rules = sealed or (found.text_sealed, found.rules_sealed)
    yield Statement(
        "update rulebooks set name = $2, text_sealed = $3, rules_sealed = $4, changed_at = $5 where id = $1",
        (found.id, new_name or name, text, rules, now),
    )
    return (yield from rulebook(org_id, new_name or name))


def remove_rulebook(org_id: str, name: str) -> Steps[None]:
    """Forget one. Raises NotFound, and Invalid for one that a setup goes by."""
    found = yield from rulebook(org_id, name, FOR_UPDATE)
    used = yield Statement(
        "select m.name, s.name from setups s join matchmakers m on m.id = s.matchmaker_id where s.rulebook_id = $1"
        " order by m.name, s.name limit 1",
        (found.id,),
    )
    if used:
        matchmaker, setup = used[0]
        raise Invalid(
            f"the rulebook {name} is used by the setup {setup} of the matchmaker {matchmaker}: delete that one first"
        )
    yield Statement("delete from rulebooks where id = $1", (found.id,))
