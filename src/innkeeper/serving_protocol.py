"""Uvicorn's HTTP protocol, tolerant of what clients of the vendors send. One is made for every connection.

Used by ``serving.py``. What is tolerated, and why nothing else is, stands in ``api/tolerance.py``.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from innkeeper.api.tolerance import LINE_FEED, UNFINISHED, WRONG, Mender


class TolerantProtocol(HttpToolsProtocol):
    """Reads requests as uvicorn does, with one misspelt header mended before the parser sees it."""

    _mender: Mender | None = None  # where it holds bytes back
    _last = LINE_FEED  # byte that came in

    def data_received(self, data: bytes) -> None:
        last = data[-1]
        # Nearly always. (`in` takes three times as long as `find`: it tries WRONG for a number first.)
        if self._mender is None and last not in UNFINISHED and data.find(WRONG) < 0:
            super().data_received(data)
        else:
            mender = self._mender or Mender(self._feed, self._in_head, self._last == LINE_FEED)
            self._mender = mender if mender.take(data) else None
        self._last = last

    def _feed(self, piece: bytes) -> bool:
        """Whether the parser takes more: not after a refusal, nor once the connection has become a WebSocket."""
        super().data_received(piece)
        return not self.transport.is_closing() and self.transport.get_protocol() is self

    def _in_head(self) -> bool:
        # Each request has a scope of its own from its first byte on; the method is written there at its head's end.
        return "method" not in (self.scope or {"method": ""})
