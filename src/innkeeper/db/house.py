"""What a house calls itself to others: made once for a database, kept as long as it. Called by ``inn.py``.

Containers and images carry this name, so that two houses that share an engine know their own. It belongs to the
database and not to the data folder, because the servers that containers are for are on record there.
"""

from __future__ import annotations

from innkeeper.kit.ids import Chance

from .database import Database, Statement, Steps


async def name_of_house(db: Database, chance: Chance) -> str:
    """Twelve hexadecimal digits, the same at every start."""
    return await db.write(_name, chance.hex(12))


def _name(fresh: str) -> Steps[str]:
    yield Statement("insert into house (one, id) values (1, $1) on conflict do nothing", (fresh,))
    rows = yield Statement("select id from house where one = 1")
    name: str = rows[0][0]
    return name


def beat(letters: int) -> Steps[None]:
    """Write something: a little, with so many letters that need room. Bears being carried out at any time."""
    yield Statement("update house set beat = beat + 1, filler = $1 where one = 1", ("x" * letters,))
