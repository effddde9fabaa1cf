"""Tar archives made byte by byte, so that they can be as wrong as a test wants. Used by the tests beside this file."""

from __future__ import annotations

import gzip
import io


def header(
    name: bytes,
    size: int | bytes = 0,
    kind: bytes = b"0",
    *,
    mode: int = 0o644,
    target: bytes = b"",
    prefix: bytes = b"",
    magic: bytes = b"ustar\x0000",
    checksum: int | None = None,
) -> bytes:
    """One header block; ``size`` may be the raw twelve bytes of the field."""
    size_field = size if isinstance(size, bytes) else b"%011o\0" % size
    fields = [
        name.ljust(100, b"\0"), b"%07o\0" % mode, b"0001750\0", b"0001750\0", size_field, b"%011o\0" % 1_700_000_000,
        b" " * 8, kind, target.ljust(100, b"\0"), magic, b"user".ljust(32, b"\0"), b"group".ljust(32, b"\0"),
        b"0000000\0", b"0000000\0", prefix.ljust(155, b"\0"), b"\0" * 12,
    ]  # fmt: skip
    block = b"".join(fields)
    assert len(block) == 512
    total = sum(block) if checksum is None else checksum
    return block[:148] + b"%06o\0 " % total + block[156:]


def padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 512)


def file(name: str | bytes, data: bytes = b"content", *, mode: int = 0o644) -> bytes:
    return header(name if isinstance(name, bytes) else name.encode(), len(data), mode=mode) + padded(data)


def directory(name: str, mode: int = 0o755) -> bytes:
    return header(name.encode(), kind=b"5", mode=mode)


def symlink(name: str, target: str) -> bytes:
    return header(name.encode(), kind=b"2", target=target.encode())


def hardlink(name: str, target: str) -> bytes:
    return header(name.encode(), kind=b"1", target=target.encode())


def pax(records: dict[str, str], kind: bytes = b"x") -> bytes:
    body = b""
    for key, value in records.items():
        text = f" {key}={value}\n".encode()
        length = len(text) + len(str(len(text)))
        length = len(text) + len(str(length))
        body += str(length).encode() + text
    return header(b"PaxHeader", len(body), kind) + padded(body)


def gnu_long(name: str, kind: bytes = b"L") -> bytes:
    data = name.encode() + b"\0"
    return header(b"././@LongLink", len(data), kind, magic=b"ustar  \0") + padded(data)


END = b"\0" * 1024


def tar(*members: bytes) -> io.BytesIO:
    """A plain tar of these members with its end mark."""
    return io.BytesIO(b"".join(members) + END)


def tgz(*members: bytes) -> io.BytesIO:
    """The same, gzipped."""
    return io.BytesIO(gzip.compress(b"".join(members) + END, mtime=0))
