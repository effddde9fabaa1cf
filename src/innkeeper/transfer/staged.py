"""Rows that wait beside the house for their way into it. Made by ``arriving.py``, read by ``merging.py``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from innkeeper.kit.secrets import Box

from .rows import Column
from .words import Rows

_decode = msgspec.json.Decoder(list[Any]).decode
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows that were taken out of a file and found to be sound."""

    folder: Path
    tables: Sequence[Rows]
    columns: dict[str, list[Column]]  #: of our tables
    lock: Box  #: opens what is sealed in the file
    house: Box  #: seals for the house
    name: str  #: of the house
    operator: str | None = None  #: the organisation that shall run the house, by id or name, where one was named

    def records(self, rows: Rows) -> Iterator[Record]:
        """The rows of a table, as the house would have them, but for what is sealed."""
        doubles = {column.name for column in self.columns[rows.name] if column.kind == "double precision"}
        with (self.folder / f"{rows.name}.jsonl").open("rb") as file:
            for line in file:
                record = dict(zip(rows.columns, _decode(line), strict=True))
                for name in doubles:
                    record[name] = None if record[name] is None else float(record[name])
                if rows.name == "builds" and record["image"] is not None:
                    record["image"] = f"localhost/innkeeper-{self.name}:{record['key']}"
                yield record
