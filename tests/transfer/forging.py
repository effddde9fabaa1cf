"""Files taken apart and written anew: by somebody who does not know the passphrase, and by one who does."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import msgspec

from innkeeper.transfer.parcel import Parcel
from innkeeper.transfer.sealing import key_of
from innkeeper.transfer.words import Manifest, Rows

from .houses import PASSPHRASE

Members = list[tuple[tarfile.TarInfo, bytes]]


def members_of(path: Path) -> Members:
    with tarfile.open(path) as archive:
        return [(entry, archive.extractfile(entry).read() if entry.isfile() else b"") for entry in archive]  # type: ignore[union-attr]


def written(path: Path, members: Members) -> Path:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry, data in members:
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    path.write_bytes(gzip.compress(stream.getvalue(), 1))
    return path


def named(members: Members, name: str) -> int:
    return next(at for at, (entry, _) in enumerate(members) if entry.name == name)


class Forger:
    """Writes files that are whole and vouched for, with whatever in them."""

    def __init__(self, made: Path) -> None:
        self.members = members_of(made)
        self.manifest = msgspec.json.decode(self.members[0][1], type=Manifest)
        self.key = key_of(self.manifest.lock, PASSPHRASE)
        self.tables = {
            one.name: [msgspec.json.decode(line) for line in self.content(f"tables/{one.name}.jsonl").splitlines()]
            for one in self.manifest.tables
        }
        self.columns = {one.name: one.columns for one in self.manifest.tables}

    def content(self, name: str) -> bytes:
        return self.members[named(self.members, name)][1]

    def set(self, table: str, column: str, value: Any, row: int = 0) -> None:
        self.tables[table][row][self.columns[table].index(column)] = value

    def get(self, table: str, column: str, row: int = 0) -> Any:
        return self.tables[table][row][self.columns[table].index(column)]

    def write(self, path: Path, *, build: list[tuple[tarfile.TarInfo, bytes]] | None = None) -> Path:
        """The file; ``build`` is what the first program has in its folder instead."""
        lines = {name: b"".join(msgspec.json.encode(row) + b"\n" for row in rows) for name, rows in self.tables.items()}
        program = next(one for one in self.manifest.contents if not one.image)
        contents = [] if build is None else [msgspec.structs.replace(program, bytes=sum(len(d) for _, d in build))]
        manifest = msgspec.structs.replace(
            self.manifest,
            tables=[Rows(name, len(self.tables[name]), len(lines[name]), self.columns[name]) for name in lines],
            contents=contents,
        )
        with path.open("wb") as file:
            parcel = Parcel(file, lambda count: None)
            parcel.data("manifest.json", msgspec.json.encode(manifest))
            for name, data in lines.items():
                parcel.data(f"tables/{name}.jsonl", data)
            for entry, data in build or ():
                entry.name, entry.size = f"builds/{program.key}/{entry.name}", len(data)
                parcel._entry(entry)
                parcel._content(data)
                parcel._pad(len(data))
            parcel.close(self.key)
        return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info
