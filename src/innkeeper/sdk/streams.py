"""Answers that arrive bit by bit, as users read them. Made by ``clients.py``, typed in ``contract/resource.py``."""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterator, Iterator, Mapping

from .decoding import lowered
from .wire import AsyncPieces, Pieces, Response


class Lines:
    """Cuts pieces of bytes into whole lines of text. Bytes that are not UTF-8 become U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest: list[str] = []

    def feed(self, piece: bytes) -> list[str]:
        """The lines that this piece completes, without their ends (``\\n`` or ``\\r\\n``)."""
        first, *more = self._decoder.decode(piece).split("\n")
        self._rest.append(first)
        if not more:
            return []
        whole = ["".join(self._rest), *more[:-1]]
        self._rest = [more[-1]]
        return [line.removesuffix("\r") for line in whole]

    def end(self) -> list[str]:
        """The last line, when it has no end of its own."""
        rest = "".join(self._rest) + self._decoder.decode(b"", final=True)
        return [rest] if rest else []


class SyncStream:
    """A :class:`~innkeeper.contract.resource.ByteStream` over a transport's answer."""

    def __init__(self, response: Response) -> None:
        assert isinstance(response.stream, Pieces)
        self.status = response.status
        self.headers: Mapping[str, str] = lowered(response.headers)
        self._pieces = response.stream
        self._source = iter(response.stream)

    def __enter__(self) -> SyncStream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        return self._source

    def lines(self) -> Iterator[str]:
        """Whole lines, as they come."""
        cutter = Lines()
        for piece in self._source:
            yield from cutter.feed(piece)
        yield from cutter.end()

    def read(self) -> bytes:
        """All that is left; the connection is let go of."""
        try:
            return b"".join(self._source)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the connection. Harmless when done twice; another thread that reads is woken."""
        self._pieces.close()


class AsyncStream:
    """The same, awaited."""

    def __init__(self, response: Response) -> None:
        assert isinstance(response.stream, AsyncPieces)
        self.status = response.status
        self.headers: Mapping[str, str] = lowered(response.headers)
        self._pieces = response.stream
        self._source = aiter(response.stream)

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._source

    async def lines(self) -> AsyncIterator[str]:
        """Whole lines, as they come."""
        cutter = Lines()
        async for piece in self._source:
            for line in cutter.feed(piece):
                yield line
        for line in cutter.end():
            yield line

    async def read(self) -> bytes:
        """All that is left; the connection is let go of."""
        try:
            return b"".join([piece async for piece in self._source])
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of the connection. Harmless when done twice."""
        await self._pieces.close()
