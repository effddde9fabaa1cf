"""Reading a tar archive that may be hostile, as a stream. Called by ``unpacking.py``; the bytes come
through ``inflow.py``.

Python's ``tarfile`` is not used: it reads headers of any size into memory, follows offsets backwards and has been
talked round its own filters more than once. What a build needs is small: files, directories and links, with long
names in the pax and GNU spellings. Everything else is refused by name. Nothing here touches the disk, and never more
than a few hundred KiB are held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from innkeeper.kit.errors import Invalid, TooLarge

from .inflow import CHUNK, HOW_TO_PACK, Inflow, Limits, Readable, cut_off

BLOCK = 512


class Kind(Enum):
    """What an entry is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symbolic link"
    HARDLINK = "hard link"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the archive, as the archive puts it: nothing about the path is checked yet."""

    path: str
    kind: Kind
    size: int  #: bytes of content; 0 for all but files
    executable: bool
    target: str  #: of a link


_KINDS = {
    b"0": Kind.FILE, b"\0": Kind.FILE, b"7": Kind.FILE,
    b"1": Kind.HARDLINK, b"2": Kind.SYMLINK, b"5": Kind.DIRECTORY,
}  # fmt: skip

_REFUSED = {
    b"3": "a character device", b"4": "a block device", b"6": "a named pipe",
    b"S": "a sparse file: pack again without --sparse", b"M": "a piece of an archive of many volumes",
}  # fmt: skip


def shown(name: str) -> str:
    """A name from an archive, fit for an error text or a log line."""
    text = "".join(letter if letter.isprintable() else "?" for letter in name[:200])
    return f"`{text}...`" if len(name) > 200 else f"`{text}`"


class Tarball:
    """The entries of an archive, one after the other. After each, :meth:`content` gives its bytes.

    Raises :class:`Invalid` for whatever is not a sound ``.tar.gz`` or ``.tar``.
    """

    def __init__(self, source: Readable, limits: Limits) -> None:
        self._stream = Inflow(source, limits)
        self._limits = limits
        self._left = 0  # bytes of the current entry's content not read yet
        self._padding = 0

    def entries(self) -> Iterator[Entry]:
        """Read entry by entry to the end of the archive; content that was not asked for is skipped."""
        extras: dict[str, str] = {}
        headers = 0
        while (block := self._next_header()) is not None:
            headers += 1
            if headers > 3 * self._limits.entries + 1000:
                raise TooLarge(f"The archive has more than {self._limits.entries} entries.")
            flag, size = _check(block, headers)
            if flag in (b"x", b"X", b"g"):
                found = _pax_records(self._extra(size))
                if flag != b"g":
                    extras |= found
                elif found.keys() & {"path", "linkpath", "size"}:
                    raise Invalid(
                        f"The archive names its entries in a global header, which is not taken. {HOW_TO_PACK}"
                    )
            elif flag in (b"L", b"K"):
                extras["path" if flag == b"L" else "linkpath"] = _text(self._extra(size).split(b"\0", 1)[0])
            else:
                entry = self._entry(block, flag, size, extras)
                self._left, self._padding = entry.size, -entry.size % BLOCK
                extras = {}
                yield entry
        if extras:
            raise cut_off()
        self._stream.finish()

    def content(self) -> Iterator[bytes]:
        """The bytes of the entry that was yielded last."""
        while self._left:
            piece = self._stream.some(min(self._left, CHUNK))
            if not piece:
                raise cut_off()
            self._left -= len(piece)
            yield piece

    def _next_header(self) -> bytes | None:
        for _ in self.content():
            pass
        self._exactly(self._padding)
        self._padding = 0
        block = self._stream.upto(BLOCK)
        if not block and self._stream.checked:
            return None  # some tools leave the end mark out; the gzip trailer has said that nothing is missing
        if len(block) < BLOCK:
            raise cut_off()
        return None if not any(block) else block

    def _exactly(self, size: int) -> bytes:
        data = self._stream.upto(size)
        if len(data) < size:
            raise cut_off()
        return data

    def _extra(self, size: int) -> bytes:
        if size > self._limits.extra_bytes:
            raise TooLarge(f"An extended header of the archive has {size} bytes; {self._limits.extra_bytes} are taken.")
        data = self._exactly(size)
        self._exactly(-size % BLOCK)
        return data

    def _entry(self, block: bytes, flag: bytes, size: int, extras: dict[str, str]) -> Entry:
        path = extras.get("path")
        if path is None:
            name, prefix = _field(block, 0, 100), _field(block, 345, 500) if block[257:263] == b"ustar\0" else b""
            path = _text(prefix + b"/" + name if prefix else name)
        if any(key.startswith(("GNU.sparse.", "SCHILY.realsize")) for key in extras):
            raise Invalid(f"{shown(path)} is {_REFUSED[b'S']}.")
        kind = _KINDS.get(flag)
        if kind is None:
            what = _REFUSED.get(flag, f"of a kind that is not known ({flag!r})")
            raise Invalid(f"{shown(path)} is {what}; a build holds files, directories and links only.")
        if kind is Kind.FILE and path.endswith("/"):
            kind = Kind.DIRECTORY  # how the oldest tars spell it
        if "size" in extras:
            if not (extras["size"].isascii() and extras["size"].isdigit()) or len(extras["size"]) > 20:
                raise Invalid(f"{shown(path)} has a size that is not a number.")
            size = int(extras["size"])
        size = size if kind is Kind.FILE else 0
        if size > self._limits.unpacked_bytes:
            raise TooLarge(f"{shown(path)} has {size} bytes; a build may have {self._limits.unpacked_bytes} in all.")
        target = extras.get("linkpath") if "linkpath" in extras else _text(_field(block, 157, 257))
        mode = _number(block[100:108]) or 0
        return Entry(path, kind, size, bool(mode & 0o111), target or "")


def _check(block: bytes, ordinal: int) -> tuple[bytes, int]:
    """The type and size a header states, once its checksum holds."""
    stated, size = _number(block[148:156]), _number(block[124:136])
    total = sum(block) - sum(block[148:156]) + 8 * 32
    if stated is None or stated != total:
        if ordinal == 1:
            raise Invalid(f"The build is not a tar archive. {HOW_TO_PACK}")
        raise Invalid(
            f"The archive is damaged: header {ordinal} does not match its checksum. Pack and upload it again."
        )
    if size is None or size < 0:
        raise Invalid(
            f"The archive is damaged: {shown(_text(_field(block, 0, 100)))} has no sound size. Pack it again."
        )
    return block[156:157], size


def _number(field: bytes) -> int | None:
    """An octal or base-256 number; None when it is neither."""
    if field[0] in (0x80, 0xFF):
        return int.from_bytes(field[1:], "big") - (1 << (8 * (len(field) - 1)) if field[0] == 0xFF else 0)
    digits = field.split(b"\0", 1)[0].strip(b" ")
    if not digits:
        return 0
    return int(digits, 8) if all(0x30 <= digit <= 0x37 for digit in digits) else None


def _field(block: bytes, start: int, end: int) -> bytes:
    return block[start:end].split(b"\0", 1)[0]


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise Invalid(
            f"The name {shown(name.decode(errors='replace'))} is not UTF-8: rename it and pack again."
        ) from None


def _pax_records(data: bytes) -> dict[str, str]:
    """The records of a pax header that matter; names of sparse files are kept so that they can be refused."""
    records: dict[str, str] = {}
    at = 0
    while at < len(data) and data[at] != 0:
        space = data.find(b" ", at, at + 8)
        length = int(data[at:space]) if space > at and data[at:space].isdigit() else 0
        record = data[space + 1 : at + length]
        key, equals, value = record.partition(b"=")
        if length <= 0 or at + length > len(data) or not equals or not value.endswith(b"\n"):
            raise Invalid(f"The archive is damaged: an extended header cannot be read. {HOW_TO_PACK}")
        if key in (b"path", b"linkpath", b"size") or key.startswith((b"GNU.sparse.", b"SCHILY.realsize")):
            records[_text(key)] = _text(value[:-1])
        at += length
    return records
