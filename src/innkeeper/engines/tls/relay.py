"""One player's encrypted connection and the plain one to the game, joined. Made by ``listening.py`` for each player.

TLS is done on bytes in memory (``ssl.SSLObject``), not by the event loop's own TLS, because only so can each direction
end by itself: a player who has said everything can still listen, and so can a game. What one side does not take stops
the reading from the other.

    player ──bytes──> TLS ──plain──> game        ``_from_player``, ``player_ended``
    player <──bytes── TLS <──plain── game        ``from_game``, ``game_ended``
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable

from .sides import CHUNK, GameSide, PlayerSide
from .wire import Backend, Limits


class Relay:
    """Joins a player and a game.

    ``gone`` is called once, when nothing of it is left; ``absent`` when no game answers, with why.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        backend: Backend,
        limits: Limits,
        gone: Callable[[Relay], None],
        absent: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._backend, self._limits, self._gone, self._absent = backend, limits, gone, absent
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.player, self._game = PlayerSide(self), GameSide(self)
        self.player.other, self._game.other = self._game, self.player
        self._shaken = False
        self._connecting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._patience = limits.silent
        self._heard = 0  # bytes from the player, ever
        self._over = False

    def begin(self) -> None:
        """The player is there: to shake hands, but not for ever."""
        self._timer = self._loop.call_later(self._limits.handshake, self.cut)

    def cut(self) -> None:
        """End both sides now, whatever is on its way."""
        self.player.close(at_once=True)
        self._game.close(at_once=True)

    def let_go(self) -> None:
        """Its server is gone, or the port leads elsewhere: what is on its way may arrive, and then it ends."""
        self._watch(self._limits.last)

    # -- from the player ---------------------------------------------------------------------------------------------

    def from_player(self, data: memoryview) -> None:
        """Encrypted bytes came."""
        if self.player.ended:  # nothing counts after the word that it was the last
            return
        self._heard += len(data)
        self._incoming.write(data)
        if not self._shaken:
            self._shake()
        elif self._game.transport is not None:
            self._decrypt()

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError:  # not TLS, or none that we speak: it is told so, as far as it understands
            self._flush()
            self._give_up()
            return
        self._flush()
        self._shaken = True
        self._stop_timer()
        self.player.read(False)
        self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        """Only now, so that whoever cannot speak TLS never reaches the game."""
        try:
            async with asyncio.timeout(self._limits.connect):
                await self._loop.create_connection(lambda: self._game, self._backend.host, self._backend.port)
        except (OSError, TimeoutError) as error:
            if self._over:
                return
            self._absent(f"{self._backend.host} port {self._backend.port} does not answer: {error or 'no answer'}")
            self._say_end()
            self._give_up()
            return
        if self.player.transport is None:  # left meanwhile
            self._game.close(at_once=True)
            return
        self.player.read(True)
        self._decrypt()
        if self.player.ended:
            self._game.end()

    def _decrypt(self) -> None:
        pieces: list[bytes] = []
        ended = False
        try:
            while piece := self._tls.read(CHUNK):
                pieces.append(piece)
            ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            ended = True
        except ssl.SSLError:  # what comes is no TLS any more: nothing of it can be trusted
            self._flush()
            self._give_up()
            return
        if pieces:
            self._game.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        self._flush()  # an answer to a change of keys
        if ended:
            self.player_ended()

    def player_ended(self) -> None:
        """The player sends no more."""
        if not self._shaken:
            self.cut()
        elif not self.player.ended:
            self.player.ended = True
            if self._game.transport is not None:
                self._game.end()
                self._close_if_done()

    def player_lost(self) -> None:
        """The player's connection is no more. What arrived before goes to the game."""
        self._stop_timer()
        if self._connecting is not None and self._game.transport is None:
            self._connecting.cancel()
        self._game.close()
        self._watch(self._limits.last)
        self._tidy()

    # -- from the game -----------------------------------------------------------------------------------------------

    def from_game(self, data: memoryview) -> None:
        """Plain bytes came."""
        try:
            while data:
                data = data[self._tls.write(data) :]
        except ssl.SSLError:
            self._give_up()
            return
        self._flush()

    def game_ended(self) -> None:
        """The game sends no more. The player may go on, but not be silent for ever: the game may be gone altogether."""
        self._game.ended = True
        self._say_end()
        self.player.end()
        if not self._close_if_done():
            self._watch(self._limits.silent)

    def game_lost(self) -> None:
        """The game's connection is no more. Cut off before its end was said, the player is not told that it was one."""
        self.player.close()
        self._watch(self._limits.last)
        self._tidy()

    # -- both --------------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        if self._outgoing.pending:
            self.player.write(self._outgoing.read())

    def _say_end(self) -> None:
        with contextlib.suppress(ssl.SSLError):  # it waits for the player's word; we do not
            self._tls.unwrap()
        self._flush()

    def _give_up(self) -> None:
        """After what cannot be mended: the player gets what was written, the game what it has."""
        self.player.close()
        self._game.close()
        self._watch(self._limits.last)

    def _close_if_done(self) -> bool:
        if self.player.ended and self._game.ended:
            self._give_up()
            return True
        return False

    def _watch(self, seconds: float, before: tuple[int, int, int] | None = None) -> None:
        """Cut it when nothing has moved for so long; the shortest time that was ever said counts."""
        self._stop_timer()
        if self._over:
            return
        self._patience = seconds = min(self._patience, seconds)
        now = (self.player.unsent, self._game.unsent, self._heard)
        if now == before:
            self.cut()
        else:
            self._timer = self._loop.call_later(seconds, self._watch, seconds, now)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tidy(self) -> None:
        if self.player.transport is None and self._game.transport is None and not self._over:
            self._over = True
            self._stop_timer()
            # Now, not when the garbage of this circle is collected: it is small to Python, and large outside of it.
            del self._tls, self._incoming, self._outgoing
            self._gone(self)
