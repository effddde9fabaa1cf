"""The bytes of a build's archive as they are read: inflated if need be, counted, held to limits. For ``tarball.py``."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Protocol

from innkeeper.kit.errors import Invalid, TooLarge

CHUNK = 256 * 1024
HOW_TO_PACK = "Pack it with `tar czf build.tar.gz -C DIRECTORY .` or upload it with `innkeeper deploy`."

#: How other archives begin, so that a wrong one can be called by its name.
_OTHERS = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "an empty zip archive",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ\x00": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
}


class Readable(Protocol):
    """Where the archive comes from. An empty answer is the end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may ask for. A build past one of them is refused, and nothing of it stays."""

    unpacked_bytes: int = 16 << 30  #: the whole tar, headers included
    entries: int = 200_000  #: files, directories (also those only named in paths) and links
    path_bytes: int = 1024  #: of one path or link target
    names_bytes: int = 32 << 20  #: of all paths and targets together: they are held in memory
    depth: int = 64  #: directories within each other
    link_steps: int = 2_000_000  #: path parts to follow for all links together: more is an attack on our time
    extra_bytes: int = 1 << 20  #: one extended header
    ratio: int = 250  #: unpacked bytes for one compressed byte ...
    ratio_from: int = 256 << 20  #: ... once so many are unpacked: well-meant small archives may be mostly zeros


def cut_off() -> Invalid:
    """What to say of an archive that ends too early."""
    return Invalid("The archive ends in the middle: it was cut off. Pack and upload it again.")


class Inflow:
    """The bytes of the tar: inflated if need be, counted, and held to the limits."""

    def __init__(self, source: Readable, limits: Limits) -> None:
        head = b""
        while len(head) < 8 and (piece := source.read(CHUNK)):
            head += piece
        if not head:
            raise Invalid(f"The build is empty: nothing was uploaded. {HOW_TO_PACK}")
        for magic, what in _OTHERS.items():
            if head.startswith(magic):
                raise Invalid(f"The build is {what}; a gzipped tar archive is needed. {HOW_TO_PACK}")
        self._source, self._input, self._limits = source, head, limits
        self._gzipped = head.startswith(b"\x1f\x8b")
        self._inflate = zlib.decompressobj(31) if self._gzipped else None
        self._taken, self._given = len(head), 0

    @property
    def checked(self) -> bool:
        """Whether all was read and a gzip trailer vouches for it."""
        return self._gzipped and self._inflate is None

    def some(self, most: int) -> bytes:
        """From 1 to ``most`` bytes; none at the end."""
        data = self._inflated(most) if self._gzipped else self._plain(most)
        self._given += len(data)
        if self._given > self._limits.unpacked_bytes:
            raise TooLarge(f"The build unpacks to more than {self._limits.unpacked_bytes} bytes.")
        if self._given > self._limits.ratio_from and self._given > self._limits.ratio * self._taken:
            raise TooLarge(f"The archive unpacks to more than {self._limits.ratio} times its size, as no game does.")
        return data

    def upto(self, size: int) -> bytes:
        """``size`` bytes, fewer only at the end."""
        data = b""
        while len(data) < size and (piece := self.some(size - len(data))):
            data = data + piece if data else piece
        return data

    def finish(self) -> None:
        """Read on to the real end: there is padding only, and the gzip checksum holds."""
        while piece := self.some(CHUNK):
            if piece.count(0) != len(piece):
                raise Invalid(f"Something follows the end of the archive. {HOW_TO_PACK}")

    def _refill(self) -> bool:
        if not self._input:
            self._input = self._source.read(CHUNK)
            self._taken += len(self._input)
        return bool(self._input)

    def _plain(self, most: int) -> bytes:
        if not self._refill():
            return b""
        data, self._input = self._input[:most], self._input[most:]
        return data

    def _inflated(self, most: int) -> bytes:
        while True:
            if not self._refill():
                if self._inflate is not None:
                    raise cut_off()
                return b""
            if self._inflate is None:  # after one gzip member: another one, or zeros that fill up a tape block
                self._input = self._input.lstrip(b"\0")
                if not self._input:
                    continue
                self._inflate = zlib.decompressobj(31)
            try:
                data = self._inflate.decompress(self._input, most)
            except zlib.error as error:
                raise Invalid(
                    f"The archive is damaged: its gzip data cannot be read ({error}). Upload it again."
                ) from None
            if self._inflate.eof:
                self._input, self._inflate = self._inflate.unused_data, None
            else:
                self._input = self._inflate.unconsumed_tail
            if data:
                return data
