"""Output as objects, one a line. Pure; used by ``passes/saving.py`` and by doors that tell output so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import msgspec

#: Bytes of a line that one object holds. What is longer goes on in the next one.
MOST_LINE = 1 << 16

_encode = msgspec.json.Encoder().encode


async def as_ndjson(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A stream of output as ``{"message": "..."}`` for each line, without its end. What is no UTF-8 is marked in it.

    A line that is longer than 64 KiB is told in several objects, all but the last with ``"partial": true``.
    """
    rest = b""
    async for piece in pieces:
        rest += piece
        *lines, rest = rest.split(b"\n")
        told = b"".join(each for line in lines for each in _objects(line))
        while len(rest) > MOST_LINE:
            head, rest = _cut(rest)
            told += _object(head, partial=True)
        if told:
            yield told
    if rest:
        yield b"".join(_objects(rest))


def _objects(line: bytes) -> Iterator[bytes]:
    while len(line) > MOST_LINE:
        head, line = _cut(line)
        yield _object(head, partial=True)
    yield _object(line.removesuffix(b"\r"))


def _cut(line: bytes) -> tuple[bytes, bytes]:
    """Its beginning, as long as may be without cutting a character in two, and the rest."""
    end = MOST_LINE
    while end > MOST_LINE - 4 and line[end] & 0xC0 == 0x80:
        end -= 1
    return line[:end], line[end:]


def _object(line: bytes, *, partial: bool = False) -> bytes:
    told: dict[str, str | bool] = {"message": line.decode("utf-8", "replace")}
    if partial:
        told["partial"] = True
    return _encode(told) + b"\n"
