"""Innkeeper's line to its terminator: finds or starts it, and tells it what to serve. Called by ``hosting/tls.py``."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import msgspec

from innkeeper.engines import companion

from . import wire
from .identity import Identity
from .terminator import digest

log = logging.getLogger(__name__)

_PATIENCE = 5.0  # seconds for a terminator to answer
_TRIES = 6

_decode = msgspec.json.Decoder(wire.Said).decode
_encode = msgspec.json.Encoder().encode


class TerminatorAway(Exception):
    """It does not answer, or cannot do what it is asked. Trying again may help; the text says what is wrong."""


class _Line(asyncio.Protocol):
    """One connection to it: one question at a time."""

    def __init__(self, lost: Callable[[_Line], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._lost = lost
        self._rest = bytearray()
        self._transport: asyncio.Transport | None = None
        self.said: asyncio.Future[wire.Said] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (end := self._rest.find(b"\n")) >= 0:
            message = _decode(bytes(self._rest[:end]))
            del self._rest[: end + 1]
            if not self.said.done():
                self.said.set_result(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.said.done():
            self.said.cancel()
        self._lost(self)

    async def hear(self) -> wire.Said:
        """What it says next. Raises :class:`TerminatorAway`."""
        done, _ = await asyncio.wait([self.said], timeout=_PATIENCE)
        if not done or self.said.cancelled():
            raise TerminatorAway("it is gone" if done else f"it does not answer within {_PATIENCE:g} s")
        return self.said.result()

    async def ask(self, ask: wire.Ask) -> wire.Said:
        if self._transport is None:
            raise TerminatorAway("it is gone")
        self.said = self._loop.create_future()
        self._transport.write(_encode(ask) + b"\n")
        answer = await self.hear()
        if answer.error:
            raise TerminatorAway(answer.error)
        return answer

    @property
    def open(self) -> bool:
        return self._transport is not None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Terminator:
    """The terminator of a data folder, started when there is something to serve.

    ``linger`` is how many seconds it stays without an Innkeeper and without anything to serve. ``lost`` is called when
    the line breaks that it is served by: then tell it everything again.
    """

    def __init__(self, data: Path, lost: Callable[[], None], *, linger: float = 30.0) -> None:
        self.folder = data.absolute() / wire.FOLDER
        self._linger, self._lost = linger, lost
        self._line: _Line | None = None
        self._identity = ""
        self.pid = 0  #: of the program; 0 while there is no line to it

    @property
    def connected(self) -> bool:
        """Whether it still serves what it was told last, as far as can be known."""
        return self._line is not None

    async def serve(self, table: wire.Table, identity: Identity) -> Mapping[int, str]:
        """Have it serve exactly this, with this certificate; it is started if need be. Saying it again is nothing.

        Returns the ports that it cannot listen on, with why. Raises :class:`TerminatorAway`.
        """
        line = self._line or await self._reach(start=True)
        assert line is not None
        known = digest(identity.chain, identity.key)
        if known != self._identity:
            await line.ask(wire.Ask("identify", 1, chain=identity.chain, key=identity.key))
            self._identity = known
        return (await line.ask(wire.Ask("serve", 2, table))).refused

    async def rest(self) -> None:
        """There is nothing to serve: one that runs is told so, and hung up on, so that it can leave in time."""
        line = self._line or await self._reach(start=False)
        if line is not None:
            await line.ask(wire.Ask("serve", 2, wire.Table({})))
        await self.close()

    async def close(self) -> None:
        """Hang up. It serves on what it serves."""
        line, self._line, self.pid, self._identity = self._line, None, 0, ""
        if line is not None:
            line.close()

    def _broken(self, line: _Line) -> None:
        if line is self._line:
            self._line, self.pid, self._identity = None, 0, ""
            self._lost()

    async def _reach(self, *, start: bool) -> _Line | None:
        """A line to one that runs; None where none does and none shall be started."""
        for _ in range(_TRIES):
            found = await self._connect()
            if found is None:
                if not start:
                    return None
                await asyncio.to_thread(self._start)
                continue
            line, hello = found
            if hello.version == wire.VERSION:
                self._line, self.pid, self._identity = line, hello.pid, hello.identity
                return line
            log.info("the terminator speaks version %s; it hands over to a new one", hello.version)
            try:
                await line.ask(wire.Ask("retire", 1))
            finally:
                line.close()
        raise TerminatorAway(f"none answers; see {self.folder / wire.LOG}")

    async def _connect(self) -> tuple[_Line, wire.Hello] | None:
        loop = asyncio.get_running_loop()
        try:
            # A socket's path may have 108 bytes at most; by way of an open folder it is short wherever the folder is.
            folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        line = _Line(self._broken)
        try:
            await loop.create_unix_connection(lambda: line, f"/proc/self/fd/{folder}/{wire.SOCKET}")
        except (FileNotFoundError, ConnectionError):
            return None
        finally:
            os.close(folder)
        try:
            hello = (await line.hear()).hello
        except TerminatorAway:  # it is leaving
            hello = None
        if hello is None:
            line.close()
            return None
        return line, hello

    def _start(self) -> None:
        """In a thread: start it, and return when it answers."""
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self.folder.chmod(0o700)
            options = {"folder": str(self.folder), "linger": self._linger}
            companion.start("innkeeper.engines.tls.terminator", options, self.folder / wire.LOG)
        except OSError as error:
            raise TerminatorAway(f"{self.folder} cannot be used: {error.strerror}") from None
