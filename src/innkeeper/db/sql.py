"""What the two stores say differently, and how one text is turned into what each of them reads.

Wings write a statement once. Where SQLite and PostgreSQL part they put a mark, ``[[...]]``, by way of the names below;
``sqlite.py`` and ``postgres.py`` replace the marks once for each text and remember the result.

Habits that keep one text true on both stores:

- A parameter in a bare ``select $1`` has no type on PostgreSQL: write ``cast($1 as bigint)``.
- Names for PostgreSQL's sake: ``from (select ...) as x`` always has its ``as``.
- ``for update`` may not stand beside an outer join, ``group by`` or ``distinct``.
- ``like`` heeds case on both. Only ``order by`` of plain ASCII text is the same on both.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["text", "bigint", "double precision"]

#: Lock the rows found until the transaction ends. SQLite has one writer at a time and needs none.
FOR_UPDATE = "[[for update]]"

#: The type of a key that counts up by itself and is never given out twice: ``id [[serial]]`` in a migration.
SERIAL = "[[serial]]"

_SQLITE = {FOR_UPDATE: "", SERIAL: "integer primary key autoincrement"}
_POSTGRES = {FOR_UPDATE: "for update", SERIAL: "bigint generated always as identity primary key"}
_MARK = re.compile(r"\[\[.*?\]\]")
_LISTED = re.compile(r"\[\[listed \$(\d+) ([a-z ]+)\]\]")
_TABLED = re.compile(r"\[\[tabled \$(\d+) ([a-z_0-9 ,]+)\]\]")
# Texts in quotes and comments are left as they stand; what remains to be seen to is a parameter.
_PARAMETER = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$(\d+)", re.DOTALL)


def listed(place: str, kind: Kind = "text") -> str:
    """A ``select value`` of the items of the JSON array in parameter ``place``: ``id in (listed("$1"))``."""
    return f"[[listed {place} {kind}]]"


def tabled(place: str, **columns: Kind) -> str:
    """A ``select`` of rows from the JSON array of arrays in parameter ``place``; ``position`` counts them from 0.

    ``insert into rooms (id, at) select id, at from (tabled("$1", id="text", at="bigint")) as new``
    """
    return f"[[tabled {place} {', '.join(f'{name} {kind}' for name, kind in columns.items())}]]"


def for_sqlite(text: str) -> str:
    """The text as SQLite reads it: marks replaced, ``$1`` as ``?1``, which is a place and not a name to it."""
    text = _LISTED.sub(r"select value from json_each($\1)", text)
    text = _TABLED.sub(_sqlite_table, text)
    text = _MARK.sub(lambda mark: _word(_SQLITE, mark), text)
    return _PARAMETER.sub(lambda found: f"?{found[1]}" if found[1] else found[0], text)


def for_postgres(text: str) -> str:
    """The text as PostgreSQL reads it: marks replaced."""
    text = _LISTED.sub(
        r"select cast(value as \2) as value from json_array_elements_text(cast($\1 as json)) as value", text
    )
    text = _TABLED.sub(_postgres_table, text)
    return _MARK.sub(lambda mark: _word(_POSTGRES, mark), text)


def _word(words: dict[str, str], mark: re.Match[str]) -> str:
    if mark[0] not in words:
        raise ValueError(f"no store knows the mark {mark[0]}; db/sql.py has those there are")
    return words[mark[0]]


def _columns(mark: re.Match[str]) -> list[tuple[str, str]]:
    return [(name, kind) for name, _, kind in (column.strip().partition(" ") for column in mark[2].split(","))]


def _sqlite_table(mark: re.Match[str]) -> str:
    # json_each decodes each row once; `->>` gives text, number or null as it stands in the JSON.
    columns = ", ".join(f"value ->> {at} as {name}" for at, (name, _) in enumerate(_columns(mark)))
    return f"select {columns}, key as position from json_each(${mark[1]})"


def _postgres_table(mark: re.Match[str]) -> str:
    columns = ", ".join(f"cast(item ->> {at} as {kind}) as {name}" for at, (name, kind) in enumerate(_columns(mark)))
    source = f"json_array_elements(cast(${mark[1]} as json)) with ordinality as given (item, place)"
    return f"select {columns}, place - 1 as position from {source}"
