"""What stands in a file beside the rows: its first entry, the manifest, and its last, the checksums.

Written by ``leaving.py`` and ``parcel.py``, read by ``opening.py``, shown by the command line.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

#: The format of files that this Innkeeper writes and reads.
FORMAT: Final = "innkeeper export"
VERSION: Final = 1

MANIFEST: Final = "manifest.json"
CHECKSUMS: Final = "checksums.json"


def table_file(name: str) -> str:
    """Where the rows of a table are."""
    return f"tables/{name}.jsonl"


def image_file(key: str) -> str:
    """Where the image of a build is."""
    return f"images/{key}.tar"


def folder_of(key: str) -> str:
    """What the paths of a build's program begin with."""
    return f"builds/{key}/"


class Rows(Struct, frozen=True):
    """The rows of one table: a line each, a JSON array with the values of these columns."""

    name: str
    rows: int
    bytes: int
    columns: list[str]


class Content(Struct, frozen=True):
    """What a build is run from."""

    key: str
    build_id: str
    image: bool  #: an archive that container engines load; else a folder of files
    bytes: int  #: in all of its files


class Lock(Struct, frozen=True):
    """How the key is made of the passphrase (scrypt), and a word that it opens."""

    salt: str  #: hexadecimal
    n: int
    r: int
    p: int
    check: str


class Manifest(Struct, frozen=True):
    """What is in a file, and what is not."""

    format: str
    version: int
    innkeeper: str  #: the version that wrote it
    schema: int  #: the number of the last migration of its tables
    made_at: int  #: microseconds since the epoch
    apps: list[str]  #: ids of the apps, where not all of the house is in it
    lock: Lock
    tables: list[Rows]
    contents: list[Content]
    left_out: list[str]  #: sentences about what should be in it and is not
    standing: dict[str, int]  #: how many of what is never moved there were

    @property
    def bytes(self) -> int:
        """Of all that is in it, unpacked."""
        return sum(one.bytes for one in self.tables) + sum(one.bytes for one in self.contents)


class Checksums(Struct, frozen=True):
    """Over all entries before this one: their paths, kinds, sizes and contents, in their order."""

    entries: int
    sha256: str
    mac: str  #: HMAC-SHA256 of that, by a key made of the passphrase: nobody else can write a file that is taken
