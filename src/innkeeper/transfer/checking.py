"""Whether a row of a file fits its table: a decision about one line at a time. Called by ``opening.py``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from innkeeper.kit.errors import HouseError, Invalid
from innkeeper.kit.secrets import Box

from .rows import Column
from .tables import Table

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_IMAGE = re.compile(r"localhost/innkeeper-([0-9a-z]{12}):(.+)")
_ROW = msgspec.json.Decoder(list[str | int | float | None])


class Unsound(Invalid):
    """The file is not what a house has written. The text goes on after the file's name and a colon."""


class RowCheck:
    """Checks the rows of one table. ``columns`` are those of the file, in its order; ``box`` opens its secrets."""

    def __init__(self, table: Table, columns: Sequence[Column], box: Box) -> None:
        self._table, self._columns, self._box = table, columns, box
        #: of builds: the name of the house in each image's name, by key; None for a program
        self.images: dict[str, str | None] = {}

    def row(self, line: bytes) -> None:
        """Raises :class:`Unsound` for a row that is not sound."""
        name = self._table.name
        try:
            values = _ROW.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise Unsound(f"its table {name} has a row that cannot be read") from None
        if len(values) != len(self._columns):
            raise Unsound(f"its table {name} has a row with {len(values)} values for {len(self._columns)} columns")
        for column, value in zip(self._columns, values, strict=True):
            if not column.takes(value):
                raise Unsound(f"its table {name} has a row whose {column.name} is no {column.kind}")
        row = dict(zip((column.name for column in self._columns), values, strict=True))
        self._secrets(row)
        if name == "builds":
            self._build(row)

    def _secrets(self, row: Mapping[str, object]) -> None:
        for column in self._table.sealed:
            value, place = row[column], row[self._table.key[0]]
            if value is not None:
                try:
                    self._box.open(str(value), str(place))
                except HouseError:
                    raise Unsound(
                        f"a secret in its table {self._table.name} cannot be opened: it was changed"
                    ) from None

    def _build(self, row: Mapping[str, object]) -> None:
        """A build's key becomes a path, and its image a name that engines are asked for."""
        key, image = str(row["key"]), row["image"]
        if not _UUID.fullmatch(key):
            raise Unsound("it has a build whose key is none")
        found = None if image is None else _IMAGE.fullmatch(str(image))
        if image is not None and (found is None or found[2] != key):
            raise Unsound("it has a build with an image of another name than the house gives")
        if row["state"] == "succeeded" and row["deleted_at"] is None:
            self.images[key] = found and found[1]
