"""The two sockets of a relay, as the event loop sees them. Made by ``relay.py``, which they tell what happens."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from .relay import Relay

#: Bytes taken from a socket, and out of TLS, at a time. What comes in lies in one place for all connections: it is used
#: up before the event loop reads the next.
CHUNK = 256 << 10
_buffer = memoryview(bytearray(CHUNK))
#: A player who vanished without a word is noticed after about two minutes: seconds, seconds, tries.
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))


class Side(asyncio.BufferedProtocol):
    """What the two sides share: the transport, and that a full one stops the reading of the other."""

    other: Side

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.transport: asyncio.Transport | None = None
        self.ended = False  #: has said that it sends no more
        self.full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        made = self.transport.get_extra_info("socket")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            made.setsockopt(socket.IPPROTO_TCP, option, value)

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return _buffer

    def pause_writing(self) -> None:
        self.full = True
        self.other.read(False)

    def resume_writing(self) -> None:
        self.full = False
        self.other.read(True)

    def read(self, on: bool) -> None:
        """Read from this side, or let it wait."""
        if self.transport is not None and not self.transport.is_closing() and not self.ended:
            if on:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def write(self, data: bytes) -> None:
        if data and self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def end(self) -> None:
        """No more comes from us, and what was written is sent first."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write_eof()

    def close(self, *, at_once: bool = False) -> None:
        if self.transport is not None:
            if at_once:
                self.transport.abort()
            else:
                self.transport.close()

    @property
    def unsent(self) -> int:
        return 0 if self.transport is None else self.transport.get_write_buffer_size()


class PlayerSide(Side):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.relay.begin()

    def buffer_updated(self, nbytes: int) -> None:
        self.relay.from_player(_buffer[:nbytes])

    def eof_received(self) -> bool:
        # Without TLS's own word for it: so do many clients, and so would TCP tell it to the game.
        self.relay.player_ended()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.relay.player_lost()


class GameSide(Side):
    def buffer_updated(self, nbytes: int) -> None:
        self.relay.from_game(_buffer[:nbytes])

    def eof_received(self) -> bool:
        self.relay.game_ended()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.relay.game_lost()
